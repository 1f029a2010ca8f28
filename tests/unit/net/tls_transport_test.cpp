#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <string>

#include "loop_fixture.hpp"
#include "net/asio_transport.hpp"
#include "scripted_server.hpp"

namespace skewguard::net {
namespace {

using std::chrono::days;
using std::chrono::seconds;
using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;
using testing_certificates::Identity;
using testing_certificates::kNow;
using testing_certificates::Spec;
using testing_server::answer;
using testing_server::read_bytes;
using testing_server::read_request;
using testing_server::Script;
using testing_server::ScriptedServer;
using testing_server::write;
using Kind = TransportFailure::Kind;

class TlsTransport : public testing::Test {
 protected:
  TlsTransport()
      : authority_(testing_certificates::make(testing_certificates::authority_spec())),
        ca_file_(testing_certificates::pem_file({authority_.certificate})),
        transport_(
            io_, clock_, {.ca_file = ca_file_}, {}, {.timers = timers_}, {},
            Log([this](const LogLine& line) { log_.push_back(line.message); }, LogLevel::debug)) {}
  void TearDown() override { EXPECT_EQ(std::remove(ca_file_.c_str()), 0); }

  [[nodiscard]] Identity identity() const {
    return testing_certificates::make(spec(), &authority_);
  }
  static Spec spec() {
    return {.dns = {"localhost"}, .not_before = kNow - days{10}, .not_after = kNow + days{10}};
  }

  SendResult get(const std::string& url) { return send("GET", url, {}); }
  SendResult send(const std::string& method, const std::string& url, const std::string& body) {
    HttpRequest request;
    request.method = method;
    request.url = url;
    request.body = Secret(body);
    std::optional<SendResult> result;
    transport_.send(std::move(request), {.deadline = clock_.boot() + seconds{10}},
                    [&](SendResult answer) { result = std::move(answer); });
    testing_loop::run_until(io_, [&] { return result.has_value(); });
    return result ? *result : TransportFailure{};
  }
  /// Fails the test if there was an answer.
  TransportFailure failure_of(const std::string& url) {
    const auto result = get(url);
    EXPECT_TRUE(std::holds_alternative<TransportFailure>(result));
    return std::holds_alternative<TransportFailure>(result) ? std::get<TransportFailure>(result)
                                                            : TransportFailure{};
  }
  /// Fails the test if there was none.
  Exchange answer_of(const std::string& url) {
    const auto result = get(url);
    if (const auto* failure = std::get_if<TransportFailure>(&result)) {
      ADD_FAILURE() << failure->detail;
      return {};
    }
    return std::get<Exchange>(result);
  }

  boost::asio::io_context io_;
  testing_loop::FakeClock clock_;
  std::shared_ptr<testing_loop::ManualTimers> timers_ =
      std::make_shared<testing_loop::ManualTimers>();
  Identity authority_;
  std::string ca_file_;
  std::vector<std::string> log_;
  AsioTransport transport_;
};

TEST_F(TlsTransport, CarriesRequestsAndKeepsTheConnection) {
  const auto identity = this->identity();
  const ScriptedServer server(
      io_, {{read_request(), write(answer("one")), read_request(), write(answer("two"), 1)}},
      &identity);
  const auto one = answer_of(server.url());
  const auto two = answer_of(server.url());
  EXPECT_EQ(one.body, "one");
  EXPECT_EQ(two.body, "two");
  EXPECT_EQ(one.connection, two.connection);
  EXPECT_EQ(one.origin, "https://localhost:" + std::to_string(server.port()));
}

TEST_F(TlsTransport, ReadsALongRefusalWhileALargeBodyIsSent) {
  const auto identity = this->identity();
  const std::string why(std::size_t{1} << 20, 'w');  // many records
  const ScriptedServer server(io_, {{read_bytes(1), write(answer(why, "403 Forbidden"))}},
                              &identity);
  const auto result = send("POST", server.url(), std::string(std::size_t{16} << 20, 'x'));
  ASSERT_TRUE(std::holds_alternative<Exchange>(result))
      << std::get<TransportFailure>(result).detail;
  EXPECT_EQ(std::get<Exchange>(result).status, 403);
  EXPECT_EQ(std::get<Exchange>(result).body.size(), why.size());
}

TEST_F(TlsTransport, LogsConnectionsAndCertificates) {
  const auto identity = this->identity();
  const ScriptedServer server(
      io_, {{read_request(), write(answer("one")), read_request(), write(answer("two"), 1)}},
      &identity);
  const std::string place = "localhost:" + std::to_string(server.port());
  answer_of(server.url());
  EXPECT_THAT(log_, ElementsAre(AllOf(StartsWith("connected to " + place + " at 127.0.0.1:"),
                                      EndsWith(" (connection 1)")),
                                AllOf(StartsWith("TLSv1.3, TLS_"),
                                      HasSubstr("issued by CN = Test Authority, valid until 2026-"
                                                "03-24T00:00:00Z")),
                                "> GET / HTTP/1.1"));
  log_.clear();
  answer_of(server.url());
  EXPECT_THAT(log_, ElementsAre("reusing connection 1 to " + place, "> GET / HTTP/1.1"));
}

TEST_F(TlsTransport, SessionTicketsDoNotMakeAnAnswerEarlyNorAConnectionStale) {
  const auto identity = this->identity();
  const ScriptedServer server(
      io_, {{read_request(), write(answer("one")), read_request(), write(answer("two"))}},
      &identity);
  EXPECT_FALSE(answer_of(server.url()).early);
  EXPECT_FALSE(answer_of(server.url()).early);
  EXPECT_EQ(server.connections(), 1U);
}

TEST_F(TlsTransport, CarriesALargeBody) {
  const auto identity = this->identity();
  const std::string large(1'000'000, 'x');
  const ScriptedServer server(io_, {{read_request(), write(answer(large))}}, &identity);
  EXPECT_EQ(answer_of(server.url()).body.size(), large.size());
}

TEST_F(TlsTransport, TheLocalClockAloneDecidesWhetherACertificateHasExpired) {
  const auto identity = this->identity();
  const ScriptedServer server(io_, {{}, {read_request(), write(answer("hello"))}}, &identity);
  clock_.set_wall(kNow + days{11});
  const auto failure = failure_of(server.url());
  EXPECT_EQ(failure.kind, Kind::tls_time);
  EXPECT_EQ(failure.not_before, kNow - days{10});
  EXPECT_EQ(failure.not_after, kNow + days{10});
  EXPECT_FALSE(failure.request_sent);
  clock_.set_wall(kNow);
  EXPECT_EQ(answer_of(server.url()).body, "hello");
}

TEST_F(TlsTransport, AWrongHostIsUntrusted) {
  const auto identity = this->identity();
  const ScriptedServer server(io_, {{}}, &identity);
  const auto failure = failure_of("https://127.0.0.1:" + std::to_string(server.port()) + "/");
  EXPECT_EQ(failure.kind, Kind::tls_untrusted);
  EXPECT_THAT(failure.detail, AllOf(HasSubstr("localhost"), HasSubstr("127.0.0.1")));
  testing_loop::run_ready(io_);
  EXPECT_TRUE(server.requests().empty());
}

TEST_F(TlsTransport, AServerThatHangsUpInTheHandshakeFailsIt) {
  const ScriptedServer server(io_, {{testing_server::close()}});
  const auto failure = failure_of("https://localhost:" + std::to_string(server.port()) + "/");
  EXPECT_EQ(failure.kind, Kind::tls_failed);
  EXPECT_FALSE(failure.request_sent);
}

TEST_F(TlsTransport, AnAnswerThatIsNoTlsIsAFailureOfTls) {
  const auto identity = this->identity();
  const ScriptedServer server(
      io_, {{read_request(), testing_server::write_raw("HTTP/1.1 200 OK\r\n\r\n")}}, &identity);
  const auto failure = failure_of(server.url());
  EXPECT_EQ(failure.kind, Kind::tls_failed) << failure.detail;
  EXPECT_TRUE(failure.request_sent);
}

TEST_F(TlsTransport, AnAnswerUntilTheEndNeedsTheGoodBye) {
  const auto identity = this->identity();
  const std::string endless = "HTTP/1.1 200 OK\r\n\r\nto the end";
  const ScriptedServer server(io_,
                              {{read_request(), write(endless), testing_server::close()},
                               {read_request(), write(endless), testing_server::cut()}},
                              &identity);
  EXPECT_EQ(answer_of(server.url()).body, "to the end");
  EXPECT_EQ(failure_of(server.url()).kind, Kind::truncated);
}

TEST_F(TlsTransport, AClosedIdleConnectionIsReplaced) {
  const auto identity = this->identity();
  const ScriptedServer server(io_,
                              {{read_request(), write(answer("one")), testing_server::close()},
                               {read_request(), write(answer("two"))}},
                              &identity);
  answer_of(server.url());
  testing_loop::run_until(io_, [&] { return server.finished() == 1; });
  EXPECT_EQ(answer_of(server.url()).body, "two");
}

TEST_F(TlsTransport, ASilentHandshakeEndsAtTheDeadline) {
  const ScriptedServer server(io_, {{read_request()}});  // plain, and waiting
  HttpRequest request;
  request.url = "https://localhost:" + std::to_string(server.port()) + "/";
  std::optional<SendResult> result;
  transport_.send(std::move(request), {.deadline = clock_.boot() + seconds{10}},
                  [&](SendResult answer) { result = std::move(answer); });
  testing_loop::run_until(io_, [&] { return server.connections() == 1; });
  testing_loop::run_ready(io_);
  clock_.advance(seconds{10});
  timers_->fire();
  testing_loop::run_until(io_, [&] { return result.has_value(); });
  const auto& failure = std::get<TransportFailure>(*result);
  EXPECT_EQ(failure.kind, Kind::timeout);
  EXPECT_THAT(failure.detail, HasSubstr("TLS handshake"));
  EXPECT_FALSE(failure.request_sent);
}

}  // namespace
}  // namespace skewguard::net
