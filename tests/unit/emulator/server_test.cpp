#include "emulator/server.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/asio/ssl.hpp>
#include <chrono>
#include <fstream>
#include <string>

#include "server_fixture.hpp"

namespace skewguard::emulator {
namespace {

/// The fixture's start plus the time this process' steady clock has run: for delays alone.
class RunningClock : public ClockSource {
 public:
  Now now() override { return at(std::chrono::steady_clock::now() - start_); }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

TEST_F(EmulatorServer, ServesATokenAndItsOwner) {
  start();
  EXPECT_TRUE(emulator_->login_url().starts_with("http://127.0.0.1:"));
  EXPECT_NE(emulator_->login_url(), emulator_->api_url());
  const auto answer = Wire(emulator_->api_url()).ask(get("/api/v2/tokens/me", token()));
  EXPECT_EQ(answer.status(), 200);
  EXPECT_NE(answer.head.find("\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n"), std::string::npos);
  EXPECT_EQ(json::parse(answer.body).at("OAuthClient").at("name"), "demo");
}

TEST_F(EmulatorServer, KeepsAConnectionAliveAndInOrder) {
  start();
  const auto value = token();
  Wire wire(emulator_->api_url());
  wire.send(get("/api/v2/tokens/me", value) + get("/api/v2/users/me", value) +
            get("/api/v2/nothing", value));
  EXPECT_EQ(wire.read().status(), 200);
  EXPECT_EQ(wire.read().status(), 400);
  EXPECT_EQ(wire.read().status(), 404);
}

TEST_F(EmulatorServer, ClosesWhereSoAsked) {
  start();
  Wire wire(emulator_->api_url());
  EXPECT_EQ(wire.ask("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").status(), 401);
  EXPECT_TRUE(wire.closed());
}

TEST_F(EmulatorServer, ClosesAfterARequestThatCanBeReadInTwoWays) {
  start();
  const std::string get = "GET / HTTP/1.1\r\n";
  for (const std::string fields :
       {"Host: h\r\nTransfer-Encoding: xchunked\r\n\r\n", "Host: h\r\nHost: i\r\n\r\n",
        "Host:\r\n\r\n", "Host: h\r\nA: b\r\n c\r\n\r\n"}) {
    SCOPED_TRACE(fields);
    Wire wire(emulator_->api_url());
    wire.send(get + fields + get + "Host: h\r\n\r\n");
    EXPECT_EQ(wire.read().status(), 400);
    EXPECT_TRUE(wire.closed());
  }
}

TEST_F(EmulatorServer, AnswersHeadWithoutABody) {
  start();
  const auto value = token();
  Wire wire(emulator_->api_url());
  wire.send(get("/api/v2/tokens/me", value, "HEAD"));
  EXPECT_EQ(wire.read(false).status(), 200);
  EXPECT_EQ(wire.ask(get("/api/v2/tokens/me", value)).status(), 200);
}

TEST_F(EmulatorServer, AnswersARevocationWithoutALength) {
  start();
  const auto value = token();
  Wire wire(emulator_->api_url());
  const auto gone = wire.ask(get("/api/v2/tokens/me", value, "DELETE"));
  EXPECT_EQ(gone.status(), 204);
  EXPECT_EQ(gone.head.find("Content-Length"), std::string::npos);  // RFC 9110 section 8.6
  EXPECT_EQ(wire.ask(get("/api/v2/tokens/me", value)).status(), 401);
}

TEST_F(EmulatorServer, ReadsARequestThatComesByteByByte) {
  start();
  Wire wire(emulator_->login_url());
  for (const char c : token_bytes()) wire.send(std::string(1, c));
  EXPECT_EQ(wire.read().status(), 200);
}

TEST_F(EmulatorServer, TakesABodyAtTheLimitAndRefusesOneByteMore) {
  start();
  const auto value = token();
  const auto query = [&](std::size_t size) {
    std::string body = R"({"a":")";
    body += std::string(size - body.size() - 2, 'x') + "\"}";
    return post("/api/v2/analytics/conversations/details/query", body,
                "Content-Type: application/json\r\nAuthorization: Bearer " + value + "\r\n");
  };
  constexpr std::size_t kLimit = 1024 * 1024;
  const auto good = Wire(emulator_->api_url()).ask(query(kLimit));
  EXPECT_EQ(good.status(), 200);
  EXPECT_NE(good.head.find("X-Emulator-Body-Length: 1048576\r\n"), std::string::npos);
  const auto bad = Wire(emulator_->api_url()).ask(query(kLimit + 1));
  EXPECT_EQ(bad.status(), 413);
  EXPECT_NE(bad.head.find("\r\nDate: "), std::string::npos);
  EXPECT_EQ(json::parse(bad.body).at("status"), 413);
}

TEST_F(EmulatorServer, TakesATokenOf64KiBAndRefusesAHeadOver128) {
  start();
  const auto ask = [&](std::size_t size) {
    return Wire(emulator_->api_url()).ask(get("/api/v2/tokens/me", std::string(size, 'x')));
  };
  EXPECT_EQ(ask(64 * 1024).status(), 401);
  EXPECT_EQ(ask(200 * 1024).status(), 431);
}

TEST_F(EmulatorServer, RefusesWhatIsNotHttpAndContinues) {
  start();
  Wire wire(emulator_->login_url());
  EXPECT_EQ(wire.ask("\x16\x03\x01 hello\r\n\r\n").status(), 400);
  EXPECT_TRUE(wire.closed());
  EXPECT_EQ(token().size(), 86U);
}

TEST_F(EmulatorServer, SaysContinueToWhoExpectsIt) {
  start();
  Wire wire(emulator_->login_url());
  const auto bytes = token_bytes();
  auto head = bytes.substr(0, bytes.find("\r\n\r\n") + 2);
  wire.send(head + "Expect: 100-continue\r\n\r\n");
  EXPECT_EQ(wire.read(false).status(), 100);
  EXPECT_EQ(wire.ask("grant_type=client_credentials").status(), 200);
}

TEST_F(EmulatorServer, ReadsAChunkedBody) {
  start();
  const auto answer =
      Wire(emulator_->login_url())
          .ask("POST /oauth/token HTTP/1.1\r\nHost: h\r\nAuthorization: " + std::string(kDemo) +
               "\r\nContent-Type: application/x-www-form-urlencoded\r\n"
               "Transfer-Encoding: chunked\r\n\r\n"
               "6\r\ngrant_\r\n17\r\ntype=client_credentials\r\n0\r\n\r\n");
  EXPECT_EQ(answer.status(), 200);
}

TEST_F(EmulatorServer, TakesControlRequestsOnTheLoginPort) {
  start();
  Wire wire(emulator_->login_url());
  EXPECT_EQ(wire.ask(post("/emulator/clock", R"({"host":"api","offset":"-3s"})")).status(), 200);
  const auto answer = Wire(emulator_->api_url()).ask(get("/api/v2/tokens/me", token()));
  EXPECT_NE(answer.head.find("\r\nDate: Wed, 31 Dec 2025 23:59:57 GMT\r\n"), std::string::npos);
}

TEST_F(EmulatorServer, OneConnectionMayStayWithOneBackend) {
  Options options;
  options.api_backends = {seconds{0}, seconds{-3}};
  options.backend_choice = BackendChoice::per_connection;
  start(options);
  const auto value = token();
  Wire first(emulator_->api_url());
  first.ask(get("/api/v2/tokens/me", value));
  Wire second(emulator_->api_url());
  for (int i = 0; i < 2; ++i) {
    EXPECT_NE(first.ask(get("/api/v2/tokens/me", value)).head.find("00:00:00 GMT"),
              std::string::npos);
    EXPECT_NE(second.ask(get("/api/v2/tokens/me", value)).head.find("23:59:57 GMT"),
              std::string::npos);
  }
}

TEST_F(EmulatorServer, ItsCloudCanBeChangedFromOutside) {
  start();
  const auto value = token();
  std::size_t revoked = 0;
  emulator_->with([&](CloudEmulator& cloud, const Now&) { revoked = cloud.tokens().revoke_all(); });
  EXPECT_EQ(revoked, 1U);
  EXPECT_EQ(Wire(emulator_->api_url()).ask(get("/api/v2/tokens/me", value)).status(), 401);
}

TEST_F(EmulatorServer, QuitsOnceItHasSaidSo) {
  start();
  Wire wire(emulator_->login_url());
  EXPECT_EQ(wire.ask(post("/emulator/quit", "")).status(), 200);
  EXPECT_TRUE(wire.closed());
  EXPECT_THROW(Wire(emulator_->login_url()), boost::system::system_error);
}

TEST_F(EmulatorServer, EndsWithConnectionsOpen) {
  start();
  Wire idle(emulator_->api_url());
  Wire half(emulator_->api_url());
  half.send("GET /api");
  idle.ask(get("/api/v2/tokens/me", "x"));
  emulator_.reset();
  EXPECT_TRUE(idle.closed());
}

/// The body that a raw answer brought, and the one that its head announced.
struct Cut {
  std::size_t there;
  std::size_t announced;
};
Cut cut_of(const std::string& bytes) {
  const auto head = bytes.find("\r\n\r\n") + 4;
  const auto field = bytes.find("Content-Length: ");
  return {bytes.size() - head, std::stoul(bytes.substr(field + 16))};
}

TEST_F(EmulatorServer, ClosesInTheMiddleOfABody) {
  start();
  fault(R"({"host":"login","wire":"cut","after":10,"times":1})");
  Wire wire(emulator_->login_url());
  wire.send(token_bytes());
  const auto [bytes, why] = wire.rest();
  EXPECT_EQ(why, asio::error::eof);
  EXPECT_EQ(cut_of(bytes).there, 10U);
  EXPECT_GT(cut_of(bytes).announced, 100U);
}

TEST_F(EmulatorServer, ResetsInTheMiddleOfABody) {
  start();
  fault(R"({"host":"api","wire":"reset","times":1})");
  Wire wire(emulator_->api_url());
  wire.send(get("/api/v2/tokens/me", token()));
  EXPECT_EQ(wire.rest().second, asio::error::connection_reset);
}

TEST_F(EmulatorServer, ClosesWithoutAnAnswer) {
  start();
  fault(R"({"host":"api","wire":"drop","times":1})");
  Wire wire(emulator_->api_url());
  wire.send(get("/api/v2/tokens/me", "x"));
  const auto [bytes, why] = wire.rest();
  EXPECT_EQ(bytes, "");
  EXPECT_EQ(why, asio::error::eof);
}

TEST_F(EmulatorServer, KeepsSilentWhileOthersAreAnswered) {
  start();
  fault(R"({"host":"api","wire":"silence","times":1})");
  Wire wire(emulator_->api_url());
  wire.send(get("/api/v2/tokens/me", "x"));
  std::uint64_t answered = 0;
  while (answered == 0) {
    emulator_->with(
        [&](CloudEmulator& cloud, const Now&) { answered = cloud.stats().api_requests; });
  }
  EXPECT_EQ(Wire(emulator_->api_url()).ask(get("/api/v2/tokens/me", "x")).status(), 401);
  EXPECT_TRUE(wire.silent());
}

TEST_F(EmulatorServer, FallsSilentInTheMiddleOfABody) {
  start();
  fault(R"({"host":"login","wire":"silence","after":5,"times":1})");
  Wire wire(emulator_->login_url());
  wire.send(token_bytes());
  const auto answer = wire.read(false);
  EXPECT_EQ(answer.status(), 200);
  EXPECT_GT(std::stoul(answer.head.substr(answer.head.find("Content-Length: ") + 16)), 100U);
  emulator_.reset();  // so that the connection ends at all
  EXPECT_EQ(wire.rest().first, R"({"acc)");
}

TEST_F(EmulatorServer, DripsAnAnswerAndContinues) {
  start();
  const auto value = token();
  fault(R"({"host":"api","wire":"slow","pause":"1ms","piece":50,"times":1})");
  Wire wire(emulator_->api_url());
  const auto before = std::chrono::steady_clock::now();
  const auto answer = wire.ask(get("/api/v2/tokens/me", value));
  const auto bytes = answer.head.size() + answer.body.size();
  EXPECT_GE(std::chrono::steady_clock::now() - before, milliseconds{bytes / 50});
  EXPECT_EQ(json::parse(answer.body).at("OAuthClient").at("name"), "demo");
  EXPECT_EQ(wire.ask(get("/api/v2/tokens/me", value)).status(), 200);
}

TEST_F(EmulatorServer, SendsTenMebibytesWhole) {
  start();
  fault(R"({"host":"login","size":10485760,"times":1})");
  EXPECT_EQ(Wire(emulator_->login_url()).ask(token_bytes()).body.size(), 10'485'760U);
}

TEST_F(EmulatorServer, EndsWhileAnAnswerHangs) {
  start();
  fault(R"({"host":"api","wire":"slow","pause":"1h"})");
  Wire wire(emulator_->api_url());
  wire.send(get("/api/v2/tokens/me", "x"));
  emulator_.reset();
  EXPECT_TRUE(wire.rest().first.empty());
}

TEST_F(EmulatorServer, PlaysItsEventsByItself) {
  Options options;
  options.events = {{Duration{0}, "clock", R"({"host":"login","offset":"7s"})"},
                    {seconds{1}, "fault", R"({"host":"login","status":503})"}};
  start(options);
  const auto answer = Wire(emulator_->login_url()).ask(token_bytes());
  EXPECT_EQ(answer.status(), 200);  // its clock stands still: the second is still to come
  EXPECT_NE(answer.head.find("\r\nDate: Thu, 01 Jan 2026 00:00:07 GMT\r\n"), std::string::npos);
}

TEST_F(EmulatorServer, IsTheIssuerOfItsTokens) {
  start();
  std::string issuer;
  emulator_->with([&](CloudEmulator& cloud, const Now&) { issuer = cloud.settings().issuer; });
  EXPECT_EQ(issuer, emulator_->login_url());
}

TEST_F(EmulatorServer, SaysWhyItCannotStart) {
  start();
  Options options;
  options.listen.login_port = port_of(emulator_->login_url());
  const auto taken = Hosted::start(options, clock_);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().kind, ErrorKind::config);
  EXPECT_TRUE(taken.error().message.starts_with("cannot listen on " + emulator_->login_url()))
      << taken.error().message;
  options.listen = {};
  options.listen.address = "localhost";
  const auto name = Hosted::start(options, clock_);
  ASSERT_FALSE(name);
  EXPECT_TRUE(name.error().message.starts_with("--listen")) << name.error().message;
  options.listen = {};
  options.listen.tls = true;
  options.listen.ca_file = "/nonexistent/ca.pem";
  const auto file = Hosted::start(options, clock_);
  ASSERT_FALSE(file);
  EXPECT_NE(file.error().message.find("/nonexistent/ca.pem"), std::string::npos);
}

TEST(EmulatorLatency, SpendsItsTimeOnTheWayUpAndOnTheWayDown) {
  RunningClock clock;
  Options options;
  options.latency = {milliseconds{15}, milliseconds{30}};
  auto emulator = Hosted::start(options, clock, 1);
  ASSERT_TRUE(emulator);
  Wire wire((*emulator)->login_url());
  const auto sent = clock.now().boot;
  EXPECT_EQ(wire.ask(token_bytes()).status(), 200);
  const auto received = clock.now().boot;
  Instant handled;
  (*emulator)->with([&](CloudEmulator& cloud, const Now& now) {
    handled = now.boot - cloud.age(now) + cloud.stats().recent.back().at;
  });
  EXPECT_GE(handled - sent, milliseconds{15});
  EXPECT_GE(received - handled, milliseconds{30});
}

TEST_F(EmulatorServer, ServesTlsUnderItsOwnCa) {
  Options options;
  options.listen.tls = true;
  start(options);
  EXPECT_TRUE(emulator_->api_url().starts_with("https://127.0.0.1:"));
  const auto file = emulator_->ca_file();
  asio::ssl::context context(asio::ssl::context::tls_client);
  context.load_verify_file(file);
  X509_VERIFY_PARAM_set_time(SSL_CTX_get0_param(context.native_handle()), kStart);
  context.set_verify_mode(asio::ssl::verify_peer);
  context.set_verify_callback(asio::ssl::host_name_verification("127.0.0.1"));

  Wire wire(emulator_->login_url());
  asio::ssl::stream<tcp::socket&> stream(wire.socket(), context);
  stream.handshake(asio::ssl::stream_base::client);
  asio::write(stream, asio::buffer(token_bytes()));
  EXPECT_EQ(wire.read_from(stream, true).status(), 200);
  asio::write(stream, asio::buffer(std::string("GET / HTTP/1.1\r\nHost: h\r\n\r\n")));
  EXPECT_EQ(wire.read_from(stream, true).status(), 404);

  emulator_.reset();
  EXPECT_FALSE(std::ifstream(file).good());  // the temporary file is gone
}

TEST_F(EmulatorServer, ResetsUnderTlsWithoutAGoodbye) {
  Options options;
  options.listen.tls = true;
  start(options);
  emulator_->with([](CloudEmulator& cloud, const Now& now) {
    Fault fault;
    fault.effect.delivery = Delivery{Delivery::Kind::reset};
    EXPECT_TRUE(cloud.add_fault(std::move(fault), now));
  });
  asio::ssl::context context(asio::ssl::context::tls_client);
  Wire wire(emulator_->login_url());
  asio::ssl::stream<tcp::socket&> stream(wire.socket(), context);
  stream.handshake(asio::ssl::stream_base::client);
  asio::write(stream, asio::buffer(token_bytes()));
  std::string bytes;
  boost::system::error_code why;
  asio::read(stream, asio::dynamic_buffer(bytes), why);
  EXPECT_EQ(why, asio::error::connection_reset);
}

TEST_F(EmulatorServer, LeavesTheCaWhereItWasAskedFor) {
  Options options;
  options.listen.tls = true;
  options.listen.ca_file = testing::TempDir() + "emulator-ca-" + std::to_string(::getpid());
  start(options);
  emulator_.reset();
  std::string line;
  std::getline(std::ifstream(options.listen.ca_file), line);
  EXPECT_EQ(line, "-----BEGIN CERTIFICATE-----");
  ::unlink(options.listen.ca_file.c_str());
}

}  // namespace
}  // namespace skewguard::emulator
