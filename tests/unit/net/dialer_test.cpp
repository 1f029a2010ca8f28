#include "net/dialer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <cstdio>
#include <string>
#include <variant>
#include <vector>

#include "loop_fixture.hpp"
#include "scripted_server.hpp"

namespace skewguard::net {
namespace {

using std::chrono::days;
using std::chrono::seconds;
using testing::HasSubstr;
using testing_certificates::Identity;
using testing_certificates::kNow;
using testing_server::answer;
using testing_server::read_request;
using testing_server::Script;
using testing_server::ScriptedServer;
using testing_server::write;
using Kind = TransportFailure::Kind;

class DialerTest : public testing::Test {
 protected:
  DialerTest()
      : authority_(testing_certificates::make(testing_certificates::authority_spec())),
        ca_file_(testing_certificates::pem_file({authority_.certificate})),
        dialer_(
            io_, clock_, {.ca_file = ca_file_}, {},
            {.timers = timers_,
             .lookup =
                 [](const std::string&) { return LookupAnswer{{"127.0.0.9", "127.0.0.1"}, {}}; }},
            ProxyRule{},
            Log([this](const LogLine& line) { log_ += line.message + "\n"; }, LogLevel::debug)) {}
  void TearDown() override { EXPECT_EQ(std::remove(ca_file_.c_str()), 0); }

  [[nodiscard]] Identity identity(WallTime not_after = kNow + days{10}) const {
    return testing_certificates::make(
        {.dns = {"localhost"}, .not_before = kNow - days{10}, .not_after = not_after}, &authority_);
  }
  [[nodiscard]] Route route(const std::string& url) const {
    return dialer_.route_to(http::parse_url(url).value()).value();
  }
  [[nodiscard]] Dial::Options within(seconds time) const {
    return {.deadline = clock_.boot() + time};
  }

  Dial::Answer dial(const std::string& url, Dial::Options options) {
    std::optional<Dial::Answer> result;
    const auto dial = dialer_.dial(route(url), std::move(options),
                                   [&](Dial::Answer answer) { result = std::move(answer); });
    EXPECT_FALSE(result) << "the handler ran within dial()";
    testing_loop::run_until(io_, [&] { return result.has_value(); });
    return std::move(*result);
  }
  TransportFailure failure_of(const std::string& url, Dial::Options options) {
    auto result = dial(url, std::move(options));
    EXPECT_TRUE(std::holds_alternative<TransportFailure>(result));
    return std::holds_alternative<TransportFailure>(result) ? std::get<TransportFailure>(result)
                                                            : TransportFailure{};
  }
  Connection connection_to(const std::string& url, Dial::Options options) {
    auto result = dial(url, std::move(options));
    if (auto* failure = std::get_if<TransportFailure>(&result)) {
      ADD_FAILURE() << failure->detail;
      return {};
    }
    return std::get<Connection>(std::move(result));
  }
  /// One request and what comes back of its answer: with it come the tickets of TLS 1.3.
  void talk(const Connection& connection) {
    bool answered = false;
    std::array<char, 1000> buffer{};
    connection.stream->write("GET / HTTP/1.1\r\n\r\n", "", [](Stream::ErrorCode, std::size_t) {});
    connection.stream->read_some(buffer, [&](Stream::ErrorCode error, std::size_t) {
      EXPECT_FALSE(error) << error.message();
      answered = true;
    });
    testing_loop::run_until(io_, [&] { return answered; });
  }
  /// Two connections one after the other, each with an answer; the second one's failure, if any.
  void connect_twice(const std::string& url, const Dial::Options& second) {
    const auto one = connection_to(url, within(seconds{10}));
    talk(one);
    one.stream->close();
    const auto two = connection_to(url, second);
    if (two.stream) talk(two);
  }

  boost::asio::io_context io_;
  testing_loop::FakeClock clock_;
  std::shared_ptr<testing_loop::ManualTimers> timers_ =
      std::make_shared<testing_loop::ManualTimers>();
  Identity authority_;
  std::string ca_file_;
  std::string log_;
  Dialer dialer_;
  const Script one_answer_{read_request(), write(answer("x"))};
};

TEST_F(DialerTest, TriesAllAddressesOfANameAndOnlyTheOneThatIsNamed) {
  const ScriptedServer server(io_, {{}, {}});
  const auto url = "http://name.example:" + std::to_string(server.port());
  EXPECT_TRUE(connection_to(url, within(seconds{10})).stream);
  auto to_one = within(seconds{10});
  to_one.address = "127.0.0.9";
  const auto failure = failure_of(url, to_one);
  EXPECT_EQ(failure.kind, Kind::refused);
  EXPECT_EQ(failure.detail, "127.0.0.9:" + std::to_string(server.port()) + ": Connection refused");
}

TEST_F(DialerTest, KeepsIdleConnectionsByRouteAndNumbersAll) {
  const ScriptedServer server(io_, {{}, {}});
  const auto first = connection_to(server.url(), within(seconds{10}));
  const auto second = connection_to(server.url(), within(seconds{10}));
  EXPECT_NE(first.id, 0U);
  EXPECT_NE(first.id, second.id);
  dialer_.put_idle(route(server.url()), first);
  EXPECT_FALSE(dialer_.take_idle(route("http://127.0.0.1:9")));
  const auto idle = dialer_.take_idle(route(server.url("/elsewhere")));
  ASSERT_TRUE(idle);
  EXPECT_EQ(idle->id, first.id);
  EXPECT_FALSE(dialer_.take_idle(route(server.url())));
}

TEST_F(DialerTest, ReturnsNoIdleConnectionThatTheServerHasClosed) {
  const ScriptedServer server(io_, {{testing_server::close()}});
  const auto url = server.url();
  dialer_.put_idle(route(url), connection_to(url, within(seconds{10})));
  testing_loop::run_until(io_, [&] { return server.finished() == 1; });
  EXPECT_FALSE(dialer_.take_idle(route(url)));
}

TEST_F(DialerTest, SaysInWhatStepTheDeadlinePassed) {
  const ScriptedServer server(io_, {{}});  // it never shakes hands
  std::optional<Dial::Answer> result;
  const auto url = "https://127.0.0.1:" + std::to_string(server.port());
  const auto dial = dialer_.dial(route(url), within(seconds{10}),
                                 [&](Dial::Answer answer) { result = std::move(answer); });
  testing_loop::run_until(io_, [&] { return server.connections() == 1; });
  testing_loop::run_ready(io_);
  clock_.advance(seconds{10});
  timers_->fire();
  ASSERT_TRUE(result);
  const auto& failure = std::get<TransportFailure>(*result);
  EXPECT_EQ(failure.kind, Kind::timeout);
  EXPECT_THAT(failure.detail, HasSubstr("the TLS handshake was in progress"));
}

TEST_F(DialerTest, ReportsNothingOnceItIsCancelled) {
  const ScriptedServer server(io_, {{}});
  const auto dial = dialer_.dial(route(server.url()), within(seconds{10}),
                                 [](const Dial::Answer&) { FAIL() << "it was cancelled"; });
  dial->cancel();
  testing_loop::run_ready(io_);
}

// TLS sessions ------------------------------------------------------------------------------------

TEST_F(DialerTest, ResumesTlsSessions) {
  const auto identity = this->identity();
  const ScriptedServer server(io_, {one_answer_, one_answer_}, &identity);
  connect_twice(server.url(), within(seconds{10}));
  EXPECT_EQ(server.connections(), 2U);
  EXPECT_EQ(server.resumed(), 1U);
  EXPECT_THAT(log_, HasSubstr("; session resumed; certificate of CN = "));
}

TEST_F(DialerTest, ResumesSessionsOfTls12Repeatedly) {
  const auto identity = this->identity();
  const ScriptedServer server(
      io_, {one_answer_, one_answer_, one_answer_}, identity,
      [](SSL_CTX* tls) { SSL_CTX_set_max_proto_version(tls, TLS1_2_VERSION); });
  connect_twice(server.url(), within(seconds{10}));
  talk(connection_to(server.url(), within(seconds{10})));
  EXPECT_EQ(server.resumed(), 2U);
}

TEST_F(DialerTest, ResumesNoSessionForAProbe) {
  const auto identity = this->identity();
  const ScriptedServer server(io_, {one_answer_, one_answer_}, &identity);
  auto probe = within(seconds{10});
  probe.resume_tls = false;
  connect_twice(server.url(), probe);
  EXPECT_EQ(server.resumed(), 0U);
}

TEST_F(DialerTest, OffersASessionToNoOtherServer) {
  const auto identity = this->identity();
  const ScriptedServer one(io_, {one_answer_}, &identity);
  const ScriptedServer other(io_, {one_answer_}, &identity);
  talk(connection_to(one.url(), within(seconds{10})));
  const auto connection = connection_to(other.url(), within(seconds{10}));
  EXPECT_FALSE(connection.stream->offered_session());
}

TEST_F(DialerTest, ChecksTheCertificateOfAResumedSession) {
  const auto identity = this->identity(kNow + days{1});
  const ScriptedServer server(io_, {one_answer_, {}, {}}, &identity);
  const auto one = connection_to(server.url(), within(seconds{10}));
  talk(one);
  one.stream->close();
  clock_.set_wall(kNow + days{2});
  EXPECT_EQ(failure_of(server.url(), within(seconds{10})).kind, Kind::tls_time);
  EXPECT_THAT(log_, HasSubstr("once more, without a session"));
}

/// With a client certificate and no session id context, OpenSSL breaks off the handshake.
TEST_F(DialerTest, ConnectsAgainWhereTheServerBreaksOffOverASession) {
  const auto identity = this->identity();
  const ScriptedServer server(io_, {one_answer_, {}, one_answer_}, identity, [](SSL_CTX* tls) {
    SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, nullptr);
  });
  connect_twice(server.url(), within(seconds{10}));
  EXPECT_EQ(server.resumed(), 0U);
  EXPECT_EQ(server.connections(), 3U);
  EXPECT_THAT(log_, HasSubstr("once more, without a session"));
}

/// An idle connection that the server has closed; counts the looks at all of them.
class ClosedStream final : public Stream {
 public:
  explicit ClosedStream(std::size_t& looks) : looks_(looks) {}
  void prepare(ReadyHandler) override {}
  Unread unread() override {
    ++looks_;
    return Unread::end;
  }
  void write(std::string_view, std::string_view, Handler, const std::function<void()>&) override {}
  void read_some(std::span<char>, Handler) override {}
  void finish() override {}
  void close() override {}
  void reset() override {}
  Parts release() override { return {}; }

 private:
  std::size_t& looks_;
};

TEST_F(DialerTest, LooksAtAFewIdleConnectionsAtATime) {
  const auto to = route("http://api.example");
  std::size_t looks = 0;
  const auto all = Dialer::kMaxLooks + 2;
  for (std::size_t i = 1; i <= all; ++i)
    dialer_.put_idle(to, {std::make_shared<ClosedStream>(looks), i});
  EXPECT_FALSE(dialer_.take_idle(to));
  EXPECT_EQ(looks, Dialer::kMaxLooks);
  EXPECT_FALSE(dialer_.take_idle(to));
  EXPECT_EQ(looks, all);
  static_assert(Dialer::kMaxLooks * Stream::kMaxLookedAt <= std::size_t{64} * 1024);
}

}  // namespace
}  // namespace skewguard::net
