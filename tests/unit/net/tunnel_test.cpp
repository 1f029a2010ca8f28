#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/ip/tcp.hpp>
#include <cstdio>
#include <random>
#include <string>

#include "loop_fixture.hpp"
#include "net/asio_transport.hpp"
#include "relay.hpp"
#include "scripted_server.hpp"

namespace skewguard::net {
namespace {

using std::chrono::days;
using std::chrono::seconds;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using testing_server::answer;
using testing_server::read_request;
using testing_server::Relay;
using testing_server::Script;
using testing_server::ScriptedServer;
using testing_server::write;
using Kind = TransportFailure::Kind;

constexpr const char* kOpen = "HTTP/1.1 200 Connection established\r\n\r\n";
constexpr const char* kCredentials = "mole:hunter2";
constexpr const char* kBasic = "bW9sZTpodW50ZXIy";  // of them, RFC 4648

/// Requests through a proxy. The ScriptedServer that stands in for it is also the host once it has
/// opened the tunnel: for http that is one connection.
class ThroughProxy : public testing::Test {
 protected:
  static ProxyOptions options(std::uint16_t port, const char* credentials = kCredentials) {
    return {.url = "http://127.0.0.1:" + std::to_string(port), .credentials = Secret(credentials)};
  }
  void use(const ProxyOptions& proxy, const TlsOptions& tls = {}) {
    transport_ = std::make_unique<AsioTransport>(
        io_, clock_, tls, PoolOptions{},
        Edges{.timers = timers_, .lookup = [found = found_](const std::string&) { return found; }},
        proxy);
  }

  std::shared_ptr<std::optional<SendResult>> begin(const std::string& url,
                                                   Duration within = seconds{10}) {
    HttpRequest request;
    request.url = url;
    request.authorization = Secret("Bearer token");
    auto result = std::make_shared<std::optional<SendResult>>();
    transport_->send(std::move(request), {.deadline = clock_.boot() + within},
                     [result](SendResult came) { *result = std::move(came); });
    return result;
  }
  SendResult send(const std::string& url) {
    const auto result = begin(url);
    testing_loop::run_until(io_, [&] { return result->has_value(); });
    return *result ? **result : TransportFailure{};
  }
  Exchange answer_of(const std::string& url) {
    auto result = send(url);
    if (const auto* failure = std::get_if<TransportFailure>(&result)) {
      ADD_FAILURE() << failure->detail;
      return {};
    }
    return std::get<Exchange>(std::move(result));
  }
  TransportFailure failure_of(const std::string& url) {
    auto result = send(url);
    EXPECT_TRUE(std::holds_alternative<TransportFailure>(result));
    auto* failure = std::get_if<TransportFailure>(&result);
    if (failure == nullptr) return {};
    EXPECT_THAT(failure->detail, AllOf(Not(HasSubstr("hunter2")), Not(HasSubstr("mole")),
                                       Not(HasSubstr(kBasic)), Not(HasSubstr("token"))));
    return std::move(*failure);
  }

  boost::asio::io_context io_;
  testing_loop::FakeClock clock_;
  std::shared_ptr<testing_loop::ManualTimers> timers_ =
      std::make_shared<testing_loop::ManualTimers>();
  LookupAnswer found_{{}, "no such name"};  // of any name
  std::unique_ptr<AsioTransport> transport_;
};

TEST_F(ThroughProxy, AsksForATunnelAndSendsTheRequestInsideAsToTheHostItself) {
  const ScriptedServer proxy(
      io_, {{read_request(), write(kOpen), read_request(), write(answer("hello"))}});
  use(options(proxy.port()));
  const auto exchange = answer_of("http://api.example:8080/x?y=1");
  EXPECT_EQ(exchange.body, "hello");
  EXPECT_EQ(exchange.origin, "http://api.example:8080");
  ASSERT_EQ(proxy.requests().size(), 2U);
  EXPECT_THAT(proxy.requests()[0],
              AllOf(StartsWith("CONNECT api.example:8080 HTTP/1.1\r\nHost: api.example:8080\r\n"),
                    HasSubstr("\r\nProxy-Authorization: Basic " + std::string(kBasic) + "\r\n"),
                    Not(HasSubstr("\r\nAuthorization:")), EndsWith("\r\n\r\n")));
  EXPECT_THAT(proxy.requests()[1],
              AllOf(StartsWith("GET /x?y=1 HTTP/1.1\r\nHost: api.example:8080\r\n"),
                    HasSubstr("\r\nAuthorization: Bearer token\r\n"),
                    Not(HasSubstr("Proxy-Authorization")), Not(HasSubstr(kBasic))));
}

TEST_F(ThroughProxy, WithoutCredentialsNoneAreSentAndAnIPv6HostStandsInBrackets) {
  const ScriptedServer proxy(io_,
                             {{read_request(), write(kOpen), read_request(), write(answer("x"))}});
  use(options(proxy.port(), ""));
  EXPECT_EQ(answer_of("http://[2001:db8::1]/").body, "x");
  EXPECT_THAT(proxy.requests()[0], AllOf(StartsWith("CONNECT [2001:db8::1]:80 HTTP/1.1\r\n"),
                                         Not(HasSubstr("Proxy-Authorization"))));
}

TEST_F(ThroughProxy, ATunnelIsUsedAgainForItsHostAlone) {
  const ScriptedServer proxy(
      io_, {{read_request(), write(kOpen), read_request(), write(answer("1")), read_request(),
             write(answer("2"))},
            {read_request(), write(kOpen), read_request(), write(answer("3"))}});
  use(options(proxy.port()));
  const auto first = answer_of("http://a.example/");
  EXPECT_EQ(answer_of("http://a.example/").connection, first.connection);
  EXPECT_NE(answer_of("http://b.example/").connection, first.connection);
  EXPECT_EQ(proxy.connections(), 2U);
}

TEST_F(ThroughProxy, ATunnelThatClosedWhileIdleIsRecreated) {
  const ScriptedServer proxy(
      io_, {{read_request(), write(kOpen), read_request(), write(answer("1")), read_request(),
             testing_server::close()},
            {read_request(), write(kOpen), read_request(), write(answer("2"))}});
  use(options(proxy.port()));
  EXPECT_EQ(answer_of("http://a.example/").body, "1");
  EXPECT_EQ(answer_of("http://a.example/").body, "2");
}

TEST_F(ThroughProxy, ExceptionsAreReachedDirectly) {
  const ScriptedServer proxy(io_, {});
  const ScriptedServer host(io_, {{read_request(), write(answer("direct"))}});
  auto options = this->options(proxy.port());
  options.no_proxy = "127.0.0.0/8";
  use(options);
  EXPECT_EQ(answer_of(host.url()).body, "direct");
  EXPECT_THAT(host.requests()[0], AllOf(StartsWith("GET / "), Not(HasSubstr(kBasic))));
  EXPECT_EQ(proxy.connections(), 0U);
}

TEST_F(ThroughProxy, TheEnvironmentsProxyLeavesHttpAlone) {
  const ScriptedServer host(io_, {{read_request(), write(answer("direct"))}});
  auto options = this->options(1);
  options.https_only = true;
  use(options);
  EXPECT_EQ(answer_of(host.url()).body, "direct");
}

TEST_F(ThroughProxy, TakesEveryFormOfYes) {
  for (const std::string yes :
       {"HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.0 200 Connection established\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 200 \r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n",  // means nothing: RFC 9110, 9.3.6
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nConnection: close\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n\r\n"}) {
    for (const std::size_t piece : {std::size_t{1}, std::string::npos}) {
      const ScriptedServer proxy(
          io_, {{read_request(), write(yes, piece), read_request(), write(answer("hello"))}});
      use(options(proxy.port()));
      const auto exchange = answer_of("http://a.example/");
      EXPECT_EQ(exchange.body, "hello") << yes;
      EXPECT_EQ(exchange.headers.find("Date"), std::nullopt) << "the proxy's, not the host's";
    }
  }
}

struct No {
  std::string bytes;
  std::string words;
  Kind kind = Kind::proxy_refused;
};

TEST_F(ThroughProxy, ARefusalNamesProxyHostAndReason) {
  const std::string basic = "Proxy-Authenticate: Basic realm=\"x\"\r\n";
  for (const auto& [bytes, words, kind] : std::vector<No>{
           {"HTTP/1.1 407 X\r\n" + basic + "Content-Length: 3\r\n\r\nno!",
            "407 Proxy Authentication Required; the proxy rejects these credentials"},
           {"HTTP/1.1 407 X\r\nProxy-Authenticate: Negotiate\r\n\r\n", "does not accept user and"},
           {"HTTP/1.1 407 X\r\nProxy-Authenticate: Negotiate\r\n" + basic + "\r\n",
            "the proxy rejects these credentials"},
           {"HTTP/1.1 403 X\r\n\r\n", "403 Forbidden; its rules"},
           {"HTTP/1.1 502 X\r\n\r\n", "502 Bad Gateway; it could not reach the host", Kind::proxy},
           {"HTTP/1.1 503 X\r\n\r\n", "503 Service Unavailable", Kind::proxy},
           {"HTTP/1.1 429 X\r\n\r\n", "429 Too Many Requests", Kind::proxy},
           {"HTTP/1.1 302 X\r\nLocation: http://login.example/\r\n\r\n", "302 Found"},
           {"HTTP/1.1 999 X\r\n\r\n", "999", Kind::proxy},
           {"HTTP/1.1 404 X\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "404 Not Found"},
           {"SSH-2.0-x\r\n", "does not start like an HTTP"},
           {"HTTP/1.1 2000 OK\r\n\r\n", "its answer is unusable"},
           {"HTTP/1.1 101 Switching Protocols\r\n\r\n", "switched protocols"},
           {"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", "it sent more than an answer"},
           {"HTTP/1.1 200 OK\r\nX: " + std::string(40'000, 'x'), "over the limit of 32768 bytes"},
           {"", "it closed the connection without an answer", Kind::proxy},
           {"HTTP/1.1 200 OK\r\n", "it closed the connection in its answer", Kind::proxy}}) {
    const ScriptedServer proxy(io_, {{read_request(), write(bytes), testing_server::close()}});
    use(options(proxy.port()));
    const auto failure = failure_of("https://api.example/");
    EXPECT_EQ(failure.kind, kind) << failure.detail;
    EXPECT_FALSE(failure.request_sent);
    EXPECT_THAT(failure.detail,
                AllOf(HasSubstr("the proxy 127.0.0.1:" + std::to_string(proxy.port())),
                      HasSubstr("api.example:443"), HasSubstr(words)));
  }
}

TEST_F(ThroughProxy, WithoutCredentialsA407SaysWhereTheyGo) {
  const ScriptedServer proxy(io_, {{read_request(), write("HTTP/1.1 407 X\r\n\r\n")}});
  use(options(proxy.port(), ""));
  EXPECT_THAT(failure_of("https://api.example/").detail, HasSubstr("put user:password@ in"));
}

TEST_F(ThroughProxy, AHostsOwn407IsItsAnswer) {
  const ScriptedServer proxy(io_, {{read_request(), write(kOpen), read_request(),
                                    write(answer("", "407 Proxy Authentication Required"))}});
  use(options(proxy.port()));
  EXPECT_EQ(answer_of("http://a.example/").status, 407);
}

TEST_F(ThroughProxy, AResetIsTheProxys) {
  const ScriptedServer proxy(io_, {{read_request(), testing_server::reset()}});
  use(options(proxy.port()));
  const auto failure = failure_of("https://api.example/");
  EXPECT_EQ(failure.kind, Kind::proxy) << failure.detail;
  EXPECT_THAT(failure.detail, HasSubstr("the connection broke"));
}

TEST_F(ThroughProxy, AProxyThatIsMissingIsNamed) {
  std::uint16_t port = 0;
  {
    using boost::asio::ip::tcp;
    const tcp::acceptor gone(io_, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
    port = gone.local_endpoint().port();
  }
  use(options(port));
  const auto refused = failure_of("https://api.example/");
  EXPECT_EQ(refused.kind, Kind::proxy);
  EXPECT_THAT(refused.detail, HasSubstr("no connection to the proxy 127.0.0.1:"));
}

TEST_F(ThroughProxy, ANameThatDoesNotResolveMayYetAndOneThatDoesNotExistWillNot) {
  for (const bool sure : {false, true}) {
    found_.no_such_name = sure;
    use({.url = "http://proxy.example:3128", .credentials = Secret(kCredentials)});
    const auto unknown = failure_of("https://api.example/");
    EXPECT_EQ(unknown.kind, sure ? Kind::proxy_refused : Kind::proxy);
    EXPECT_THAT(unknown.detail, HasSubstr("the proxy proxy.example:3128 does not resolve"));
  }
}

TEST_F(ThroughProxy, AProxyThatCannotBeUsedFailsEveryRequestBeforeAnythingIsSent) {
  use({.url = "https://proxy.example:443", .credentials = Secret(kCredentials)});
  for (const char* url : {"https://api.example/", "http://127.0.0.1:1/"}) {
    EXPECT_EQ(failure_of(url).kind, Kind::bad_request);
  }
}

TEST_F(ThroughProxy, SilenceIsTheProxysAfterEightSeconds) {
  const ScriptedServer proxy(io_, {{read_request()}});
  use(options(proxy.port()));
  const auto result = begin("https://api.example/");
  testing_loop::run_until(io_, [&] { return proxy.finished() == 1; });
  clock_.advance(seconds{8} - std::chrono::nanoseconds{1});
  timers_->fire();
  testing_loop::run_ready(io_);
  EXPECT_FALSE(result->has_value());
  clock_.advance(std::chrono::nanoseconds{1});
  timers_->fire();
  testing_loop::run_until(io_, [&] { return result->has_value(); });
  const auto& failure = std::get<TransportFailure>(**result);
  EXPECT_EQ(failure.kind, Kind::proxy);
  EXPECT_FALSE(failure.request_sent);
  EXPECT_THAT(
      failure.detail,
      AllOf(HasSubstr("the proxy 127.0.0.1:"), HasSubstr("did not connect to api.example:443"),
            HasSubstr("within 8 s: the proxy was asked (CONNECT), and has not answered")));
}

TEST_F(ThroughProxy, AHostThatIsSilentInsideTheTunnelHasItsWholeDeadline) {
  const ScriptedServer proxy(io_, {{read_request(), write(kOpen), read_request()}});
  use(options(proxy.port()));
  const auto result = begin("http://api.example/");
  testing_loop::run_until(io_, [&] { return proxy.finished() == 1; });
  clock_.advance(seconds{9});
  timers_->fire();
  testing_loop::run_ready(io_);
  EXPECT_FALSE(result->has_value());
}

TEST_F(ThroughProxy, SilenceEndsAtTheDeadline) {
  const ScriptedServer proxy(io_, {{read_request()}});
  use(options(proxy.port()));
  const auto result = begin("https://api.example/", seconds{5});
  testing_loop::run_until(io_, [&] { return proxy.finished() == 1; });
  clock_.advance(seconds{5} - std::chrono::nanoseconds{1});
  timers_->fire();
  testing_loop::run_ready(io_);
  EXPECT_FALSE(result->has_value());
  clock_.advance(std::chrono::nanoseconds{1});
  timers_->fire();
  testing_loop::run_until(io_, [&] { return result->has_value(); });
  const auto& failure = std::get<TransportFailure>(**result);
  EXPECT_EQ(failure.kind, Kind::timeout);
  EXPECT_FALSE(failure.request_sent);
  EXPECT_THAT(failure.detail,
              AllOf(HasSubstr("api.example:443 (through the proxy 127.0.0.1:"),
                    HasSubstr("the proxy was asked (CONNECT), and has not answered")));
}

TEST_F(ThroughProxy, AnAnswerWithoutEndEndsAtTheDeadlineWithoutAnyTimer) {
  const ScriptedServer proxy(
      io_, {{read_request(), write("HTTP/1.1 200 OK\r\nX: y"), testing_server::until([&] {
               clock_.advance(seconds{10});
               return true;
             }),
             write("\r\n\r\n")}});
  use(options(proxy.port()));
  EXPECT_EQ(failure_of("https://api.example/").kind, Kind::timeout);
}

TEST_F(ThroughProxy, WithdrawnOrDestroyedWhileTheProxyIsAskedNothingIsLeft) {
  const ScriptedServer proxy(io_, {{read_request()}, {read_request()}});
  use(options(proxy.port()));
  std::optional<SendResult> result;
  HttpRequest request;
  request.url = "https://api.example/";
  const auto ticket = transport_->send(std::move(request), {.deadline = clock_.boot() + seconds{9}},
                                       [&](SendResult came) { result = std::move(came); });
  testing_loop::run_until(io_, [&] { return proxy.finished() == 1; });
  transport_->cancel(ticket);
  testing_loop::run_until(io_, [&] { return result.has_value(); });
  EXPECT_EQ(std::get<TransportFailure>(*result).kind, Kind::cancelled);
  const auto never = begin("https://api.example/");
  testing_loop::run_until(io_, [&] { return proxy.finished() == 2; });
  transport_.reset();
  testing_loop::run_ready(io_);
  EXPECT_FALSE(never->has_value());
}

TEST_F(ThroughProxy, AnAnswerWithoutEndIsRefusedAtTheLimit) {
  std::string fields = "HTTP/1.1 200 OK\r\n";
  while (fields.size() < std::size_t{40} * 1024) fields += "X: y\r\n";
  std::string interim;
  for (int i = 0; i < 17; ++i) interim += "HTTP/1.1 100 Continue\r\n\r\n";
  for (const auto& bytes : {fields, interim}) {
    const ScriptedServer proxy(io_, {{read_request(), write(bytes)}});
    use(options(proxy.port()));
    EXPECT_EQ(failure_of("http://api.example/").kind, Kind::proxy_refused);
  }
}

TEST_F(ThroughProxy, NoBrokenAnswerPassesForTheHostsOrTellsCredentials) {
  std::mt19937 random(5);
  const auto draw = [&](std::size_t below) { return random() % below; };
  for (int round = 0; round < 300; ++round) {
    std::string bytes = draw(2) == 0 ? "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nVia: x\r\n\r\n"
                                     : "HTTP/1.1 407 X\r\nProxy-Authenticate: Basic\r\n\r\nno";
    for (std::size_t wounds = 1 + draw(4); wounds > 0 && !bytes.empty(); --wounds) {
      const std::size_t at = draw(bytes.size());
      switch (draw(4)) {
        case 0:
          bytes.erase(at, 1 + draw(4));
          break;
        case 1:
          bytes.insert(at, 1, static_cast<char>(draw(256)));
          break;
        case 2:
          bytes[at] = static_cast<char>(draw(256));
          break;
        default:
          bytes.resize(at);
      }
    }
    const ScriptedServer proxy(
        io_, {{read_request(), write(bytes, 1 + draw(40)), testing_server::close()}});
    use(options(proxy.port()));
    const auto failure = failure_of("http://api.example/");
    // If it is still a success, the tunnel ends without an answer from the host.
    const bool opened = failure.kind == Kind::reset && bytes.find("200") != std::string::npos;
    EXPECT_TRUE(failure.kind == Kind::proxy || failure.kind == Kind::proxy_refused || opened)
        << to_string(failure.kind) << ": " << failure.detail << "\n"
        << bytes;
  }
}

// --- TLS inside

class TlsThroughProxy : public ThroughProxy {
 protected:
  TlsThroughProxy()
      : authority_(testing_certificates::make(testing_certificates::authority_spec())),
        host_(testing_certificates::make({.dns = {"api.example"},
                                          .not_before = testing_certificates::kNow - days{10},
                                          .not_after = testing_certificates::kNow + days{10}},
                                         &authority_)),
        ca_file_(testing_certificates::pem_file({authority_.certificate})) {}
  void TearDown() override { EXPECT_EQ(std::remove(ca_file_.c_str()), 0); }

  testing_certificates::Identity authority_;
  testing_certificates::Identity host_;
  std::string ca_file_;
};

TEST_F(TlsThroughProxy, TheTunnelsEndShowsTheHostsName) {
  const ScriptedServer server(
      io_, {{read_request(), write(answer("1")), read_request(), write(answer("2"))}, {}}, &host_);
  const Relay relay(io_);
  use(options(relay.port()), {.ca_file = ca_file_});
  const std::string port = ":" + std::to_string(server.port());
  EXPECT_EQ(answer_of("https://api.example" + port + "/").body, "1");
  EXPECT_EQ(answer_of("https://api.example" + port + "/").body, "2");
  ASSERT_EQ(relay.heads().size(), 1U) << "the tunnel is used again";
  EXPECT_THAT(relay.heads()[0], StartsWith("CONNECT api.example" + port + " "));
  for (const auto& request : server.requests()) {
    EXPECT_THAT(request, Not(HasSubstr(kBasic)));
  }
  const auto failure = failure_of("https://other.example" + port + "/");
  EXPECT_EQ(failure.kind, Kind::tls_untrusted);
  EXPECT_THAT(failure.detail, AllOf(HasSubstr("is for api.example, not for other.example"),
                                    HasSubstr("through the proxy 127.0.0.1:")));
}

TEST_F(TlsThroughProxy, AProxyThatSpeaksForTheHostIsIgnored) {
  const ScriptedServer proxy(
      io_, {{read_request(), write(kOpen), read_request(), write(answer("I am the host"))}});
  use(options(proxy.port()), {.ca_file = ca_file_});
  const auto result = begin("https://api.example/");
  testing_loop::run_until(io_, [&] { return proxy.requests().size() == 1; });
  for (int i = 0; i < 100 && !result->has_value(); ++i) testing_loop::run_ready(io_);
  EXPECT_FALSE(result->has_value()) << "the hello of TLS is no request it could answer";
}

}  // namespace
}  // namespace skewguard::net
