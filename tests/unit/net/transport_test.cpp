#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <future>
#include <map>
#include <string>
#include <tuple>

#include "loop_fixture.hpp"
#include "net/asio_transport.hpp"
#include "scripted_server.hpp"

namespace skewguard::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using testing_loop::FakeClock;
using testing_loop::ManualTimers;
using testing_loop::run_ready;
using testing_loop::run_until;
using testing_server::answer;
using testing_server::close;
using testing_server::read_bytes;
using testing_server::read_request;
using testing_server::reset;
using testing_server::Script;
using testing_server::ScriptedServer;
using testing_server::until;
using testing_server::write;
using Kind = TransportFailure::Kind;

class AsioTransportTest : public testing::Test {
 protected:
  /// A request in progress, and its result.
  struct Sent {
    Transport::Ticket ticket = 0;
    std::optional<SendResult> result{};
    int calls = 0;
    [[nodiscard]] bool done() const { return result.has_value(); }
    [[nodiscard]] const Exchange& exchange() const { return std::get<Exchange>(*result); }
    [[nodiscard]] const TransportFailure& failure() const {
      return std::get<TransportFailure>(*result);
    }
    [[nodiscard]] bool answered() const {
      return done() && std::holds_alternative<Exchange>(*result);
    }
    [[nodiscard]] std::string why() const {
      return !done() ? "nothing yet" : answered() ? "an answer" : failure().detail;
    }
  };

  AsioTransport& transport(PoolOptions pool = {}) {
    if (!transport_) {
      transport_ = std::make_unique<AsioTransport>(
          io_, clock_, TlsOptions{.ca_file = "/nowhere/ca.pem"}, pool,
          Edges{.timers = timers_,
                .lookup =
                    [names = names_](const std::string& host) {
                      const auto found = names->find(host);
                      if (found == names->end()) return LookupAnswer{{}, "no such name"};
                      return LookupAnswer{found->second, ""};
                    }},
          ProxyOptions{},
          Log([this](const LogLine& line) { log_ += line.message + "\n"; }, log_level_));
    }
    return *transport_;
  }

  static HttpRequest request(const std::string& method, const std::string& url,
                             const std::string& body = {}) {
    HttpRequest request;
    request.method = method;
    request.url = url;
    request.body = Secret(body);
    return request;
  }

  std::shared_ptr<Sent> send(HttpRequest request, std::optional<SendOptions> options = {}) {
    auto sent = std::make_shared<Sent>();
    sent->ticket = transport().send(std::move(request), options.value_or(in(seconds{10})),
                                    [sent](SendResult result) {
                                      ++sent->calls;
                                      sent->result = std::move(result);
                                    });
    return sent;
  }
  std::shared_ptr<Sent> send(const std::string& method, const std::string& url) {
    return send(request(method, url));
  }
  std::shared_ptr<Sent> run(HttpRequest request, std::optional<SendOptions> options = {}) {
    auto sent = send(std::move(request), options);
    run_until(io_, [&] { return sent->done(); });
    return sent;
  }
  std::shared_ptr<Sent> get(const std::string& url) { return run(request("GET", url)); }

  [[nodiscard]] SendOptions in(Duration left, std::size_t limit = 1'000'000) const {
    return {.deadline = clock_.boot() + left, .body_limit = limit};
  }

  boost::asio::io_context io_;
  FakeClock clock_;
  std::shared_ptr<ManualTimers> timers_ = std::make_shared<ManualTimers>();
  std::shared_ptr<std::map<std::string, std::vector<std::string>>> names_ =
      std::make_shared<std::map<std::string, std::vector<std::string>>>();
  LogLevel log_level_ = LogLevel::critical;
  std::string log_;
  std::unique_ptr<AsioTransport> transport_;
};

/// A port of 127.0.0.1 without a listener.
std::uint16_t closed_port(boost::asio::io_context& io) {
  using boost::asio::ip::tcp;
  const tcp::acceptor acceptor(io, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
  return acceptor.local_endpoint().port();
}

TEST_F(AsioTransportTest, LogsLookUpsAndFieldsButOfNoSecret) {
  log_level_ = LogLevel::trace;
  names_->emplace("api.example", std::vector<std::string>{"127.0.0.1"});
  const ScriptedServer server(io_, {{read_request(), write(answer("x"))}});
  auto request = this->request("POST", "http://api.example:" + std::to_string(server.port()) + "/x",
                               "the-body");
  request.headers.add("Accept", "text/csv");
  request.headers.add("X-Api-Key", "the-key");
  request.authorization = Secret("Bearer the-token");
  ASSERT_TRUE(run(std::move(request))->answered());
  EXPECT_THAT(log_, HasSubstr("api.example is 127.0.0.1\n"));
  EXPECT_THAT(log_, HasSubstr("> POST /x HTTP/1.1\n> Host: api.example:"));
  EXPECT_THAT(log_, HasSubstr("\n> Authorization: (not shown)\n> Accept: text/csv\n"));
  EXPECT_THAT(log_, HasSubstr("\n> X-Api-Key: (not shown)\n"));
  for (const char* secret : {"the-body", "the-key", "the-token"})
    EXPECT_THAT(log_, Not(HasSubstr(secret)));
}

TEST_F(AsioTransportTest, LogsThatAnIdleConnectionWasGone) {
  log_level_ = LogLevel::debug;
  const ScriptedServer server(io_, {{read_request(), write(answer("one")), read_request(), close()},
                                    {read_request(), write(answer("two"))}});
  ASSERT_TRUE(get(server.url())->answered());
  log_.clear();
  ASSERT_TRUE(get(server.url())->answered());
  EXPECT_THAT(log_, HasSubstr("reusing connection 1"));
  EXPECT_THAT(log_, HasSubstr("the idle connection was gone (the server closed it): once more"));
  EXPECT_THAT(log_, HasSubstr("(connection 2)"));
}

TEST_F(AsioTransportTest, CarriesARequestAndItsAnswer) {
  const ScriptedServer server(io_, {{read_request(), write(answer("hello", "201 Created"))}});
  auto request = this->request("POST", server.url("/api?x=1"), "some body");
  request.headers.add("Content-Type", "text/plain");
  request.authorization = Secret("Bearer abc");
  const auto sent = run(std::move(request));
  ASSERT_TRUE(sent->answered()) << sent->why();
  EXPECT_EQ(sent->exchange().status, 201);
  EXPECT_EQ(sent->exchange().body, "hello");
  EXPECT_EQ(sent->exchange().headers.find("content-length"), "5");
  EXPECT_EQ(sent->exchange().origin, "http://127.0.0.1:" + std::to_string(server.port()));
  EXPECT_NE(sent->exchange().connection, 0U);
  EXPECT_FALSE(sent->exchange().early);
  ASSERT_EQ(server.requests().size(), 1U);
  EXPECT_THAT(server.requests()[0],
              AllOf(StartsWith("POST /api?x=1 HTTP/1.1\r\n"),
                    HasSubstr("\r\nAuthorization: Bearer abc\r\n"),
                    HasSubstr("\r\nContent-Length: 9\r\n"), EndsWith("\r\n\r\nsome body")));
}

TEST_F(AsioTransportTest, ReadsAnAnswerThatComesByteByByte) {
  const std::string chunked =
      "HTTP/1.1 100 Continue\r\n\r\n"
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
  const ScriptedServer server(io_, {{read_request(), write(chunked, 1)}});
  const auto sent = get(server.url());
  ASSERT_TRUE(sent->answered()) << sent->why();
  EXPECT_EQ(sent->exchange().status, 200);
  EXPECT_EQ(sent->exchange().body, "hello");
}

TEST_F(AsioTransportTest, ReadsAnAnswerThatEndsWithTheConnection) {
  const ScriptedServer server(
      io_, {{read_request(), write("HTTP/1.1 200 OK\r\n\r\nto the end"), close()}});
  const auto sent = get(server.url());
  ASSERT_TRUE(sent->answered()) << sent->why();
  EXPECT_EQ(sent->exchange().body, "to the end");
}

TEST_F(AsioTransportTest, CarriesALargeBodyEachWay) {
  const std::string large(3'000'000, 'x');
  const ScriptedServer server(io_, {{read_request(), write(answer(large))}});
  const auto sent = run(request("PUT", server.url(), large), in(seconds{10}, large.size()));
  ASSERT_TRUE(sent->answered()) << sent->why();
  EXPECT_EQ(sent->exchange().body.size(), large.size());
  ASSERT_EQ(server.requests().size(), 1U);
  EXPECT_THAT(server.requests()[0].substr(0, 100), StartsWith("PUT "));
  EXPECT_GT(server.requests()[0].size(), large.size());
}

/// More than what the kernel holds of a request that the server does not read.
const std::string& endless_body() {
  static const std::string body(std::size_t{16} << 20, 'x');
  return body;
}

TEST_F(AsioTransportTest, RefusalOfALargeBodyComesWhileItIsSent) {
  const auto refusal = answer("too large", "413 Content Too Large");
  const auto some = read_bytes(std::size_t{64} * 1024);
  const ScriptedServer server(io_, {{some, write(refusal)},
                                    {some, write(refusal), close()},
                                    {some, write(refusal), reset()},
                                    {read_request(), write(answer("taken"))}});
  for (const char* then : {"stays open", "closes", "resets"}) {
    const auto sent = run(request("POST", server.url(), endless_body()));
    ASSERT_TRUE(sent->answered()) << then << ": " << sent->why();
    EXPECT_EQ(sent->exchange().status, 413) << then;
    EXPECT_EQ(sent->exchange().body, "too large") << then;
    EXPECT_FALSE(sent->exchange().early) << then;
  }
  EXPECT_TRUE(get(server.url())->answered());
  EXPECT_EQ(server.connections(), 4U) << "none of them is used again";
}

TEST_F(AsioTransportTest, DoesNotFollowARedirect) {
  const ScriptedServer server(
      io_, {{read_request(),
             write("HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n")}});
  const auto sent = get(server.url());
  ASSERT_TRUE(sent->answered()) << sent->why();
  EXPECT_EQ(sent->exchange().status, 302);
  run_ready(io_);
  EXPECT_EQ(server.requests().size(), 1U);
}

// --- what stands in the way of an answer

TEST_F(AsioTransportTest, GarbageIsMalformed) {
  const ScriptedServer server(io_, {{read_request(), write("SSH-2.0-x\r\n")}});
  const auto sent = get(server.url());
  ASSERT_FALSE(sent->answered());
  EXPECT_EQ(sent->failure().kind, Kind::malformed);
  EXPECT_TRUE(sent->failure().request_sent);
  EXPECT_THAT(sent->failure().detail, HasSubstr("127.0.0.1:" + std::to_string(server.port())));
}

TEST_F(AsioTransportTest, AServerThatWantsTlsIsSaidTo) {
  for (const std::string words : {"<center>The plain HTTP request was sent to HTTPS port</center>",
                                  "You're speaking plain HTTP to an SSL-enabled server port.<br />",
                                  "Client sent an HTTP request to an HTTPS server.\n"}) {
    const ScriptedServer server(io_, {{read_request(), write(answer(words, "400 Bad Request"))}});
    const auto sent = get(server.url());
    ASSERT_FALSE(sent->answered());
    EXPECT_EQ(sent->failure().kind, Kind::malformed);
    EXPECT_THAT(sent->failure().detail, HasSubstr("https://"));
  }
}

TEST_F(AsioTransportTest, OfAnAnswerToPlainHttpALongBodyIsNotSearched) {
  std::string page = "plain HTTP request was sent to HTTPS port";
  page.resize(4097, ' ');
  const ScriptedServer server(io_, {{read_request(), write(answer(page, "400 Bad Request"))}});
  EXPECT_TRUE(get(server.url())->answered());
}

TEST_F(AsioTransportTest, ABodyAtTheLimitPassesAndOneByteMoreIsTooLarge) {
  const ScriptedServer server(
      io_, {{read_request(), write(answer("12345")), read_request(), write(answer("123456"))}});
  EXPECT_TRUE(run(request("GET", server.url()), in(seconds{10}, 5))->answered());
  const auto sent = run(request("GET", server.url()), in(seconds{10}, 5));
  ASSERT_FALSE(sent->answered());
  EXPECT_EQ(sent->failure().kind, Kind::too_large);
}

TEST_F(AsioTransportTest, AHeadOverTheLimitIsTooLarge) {
  const ScriptedServer server(
      io_, {{read_request(), write("HTTP/1.1 200 OK\r\nX: " + std::string(40'000, 'x'))}});
  const auto sent = get(server.url());
  ASSERT_FALSE(sent->answered());
  EXPECT_EQ(sent->failure().kind, Kind::too_large);
}

TEST_F(AsioTransportTest, AnAnswerCutOffIsTruncated) {
  const std::string part = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf";
  for (const auto& end : {close(), reset()}) {
    const auto seen = clock_.reads;
    const ScriptedServer server(
        io_, {{read_request(), write(part), until([&] { return clock_.reads > seen + 6; }), end}});
    const auto sent = get(server.url());
    ASSERT_FALSE(sent->answered());
    EXPECT_EQ(sent->failure().kind, Kind::truncated) << sent->why();
    EXPECT_TRUE(sent->failure().request_sent);
  }
}

TEST_F(AsioTransportTest, AConnectionThatBreaksBeforeTheAnswerIsReset) {
  for (const auto& end : {close(), reset()}) {
    const ScriptedServer server(io_, {{read_request(), end}});
    const auto sent = get(server.url());
    ASSERT_FALSE(sent->answered());
    EXPECT_EQ(sent->failure().kind, Kind::reset) << sent->why();
    EXPECT_TRUE(sent->failure().request_sent);
    run_ready(io_);
    EXPECT_EQ(server.connections(), 1U);  // a fresh connection's loss is no staleness
  }
}

TEST_F(AsioTransportTest, ARefusedConnectionIsSaidToBe) {
  const auto port = closed_port(io_);
  const auto sent = get("http://127.0.0.1:" + std::to_string(port) + "/");
  ASSERT_FALSE(sent->answered());
  EXPECT_EQ(sent->failure().kind, Kind::refused);
  EXPECT_FALSE(sent->failure().request_sent);
  EXPECT_THAT(sent->failure().detail, HasSubstr("127.0.0.1:" + std::to_string(port)));
}

TEST_F(AsioTransportTest, ANameThatDoesNotResolveIsSaidTo) {
  const auto sent = get("http://nowhere.example/");
  ASSERT_FALSE(sent->answered());
  EXPECT_EQ(sent->failure().kind, Kind::dns);
  EXPECT_THAT(sent->failure().detail,
              AllOf(HasSubstr("nowhere.example"), HasSubstr("no such name")));
}

TEST_F(AsioTransportTest, TriesEveryAddressOfAName) {
  const ScriptedServer server(io_, {{read_request(), write(answer("hello"))}});
  (*names_)["several.example"] = {"127.0.0.2", "127.0.0.1"};  // nobody listens on the first
  const auto sent = get("http://several.example:" + std::to_string(server.port()) + "/");
  ASSERT_TRUE(sent->answered()) << sent->why();
  EXPECT_THAT(server.requests()[0], HasSubstr("\r\nHost: several.example:"));
}

TEST_F(AsioTransportTest, LocalhostIsReachedWithoutALookUp) {
  const ScriptedServer server(io_, {{read_request(), write(answer("hello"))}});
  const auto sent = get("http://localhost:" + std::to_string(server.port()) + "/");
  EXPECT_TRUE(sent->answered()) << sent->why();
}

TEST_F(AsioTransportTest, WhenNoAddressAnswersEachIsNamed) {
  (*names_)["several.example"] = {"127.0.0.2", "127.0.0.3"};
  const auto port = std::to_string(closed_port(io_));
  const auto sent = get("http://several.example:" + port + "/");
  ASSERT_FALSE(sent->answered());
  EXPECT_EQ(sent->failure().kind, Kind::refused);
  EXPECT_THAT(sent->failure().detail,
              AllOf(HasSubstr("127.0.0.2:" + port), HasSubstr("127.0.0.3:" + port)));
}

TEST_F(AsioTransportTest, WhatCannotBeSentIsRefusedBeforeAnythingIs) {
  const ScriptedServer server(io_, {});
  auto injected = request("GET", server.url());
  injected.headers.add("X-Note", "a\r\nEvil: 1");
  auto token = request("GET", server.url());
  token.authorization = Secret("Bearer a\nb");
  for (const auto& bad : {injected, token, request("GET", "ftp://a/"),
                          request("GE T", server.url()), request("GET", "http://user:secret@a/")}) {
    const auto sent = run(bad);
    ASSERT_FALSE(sent->answered());
    EXPECT_EQ(sent->failure().kind, Kind::bad_request);
    EXPECT_FALSE(sent->failure().request_sent);
    EXPECT_THAT(sent->failure().detail, Not(HasSubstr("secret")));
  }
  run_ready(io_);
  EXPECT_EQ(server.connections(), 0U);
}

// --- the pool

TEST_F(AsioTransportTest, UsesAConnectionAgainAndSaysThatItIsTheSame) {
  const ScriptedServer server(
      io_, {{read_request(), write(answer("one")), read_request(), write(answer("two"))}});
  const auto one = get(server.url());
  const auto two = get(server.url());
  ASSERT_TRUE(two->answered()) << two->why();
  EXPECT_EQ(two->exchange().body, "two");
  EXPECT_EQ(two->exchange().connection, one->exchange().connection);
  EXPECT_EQ(server.connections(), 1U);
}

TEST_F(AsioTransportTest, AClosingAnswersConnectionIsNotUsedAgain) {
  const ScriptedServer server(
      io_,
      {{read_request(), write("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")},
       {read_request(), write(answer("two"))}});
  const auto one = get(server.url());
  const auto two = get(server.url());
  ASSERT_TRUE(two->answered()) << two->why();
  EXPECT_NE(two->exchange().connection, one->exchange().connection);
}

TEST_F(AsioTransportTest, AnIdleConnectionGrowsTooOldByTheBootClock) {
  const ScriptedServer server(
      io_, {{read_request(), write(answer("one"))}, {read_request(), write(answer("two"))}});
  transport({.idle_timeout = seconds{50}});
  get(server.url());
  clock_.advance(seconds{50});
  EXPECT_TRUE(get(server.url())->answered());
  EXPECT_EQ(server.connections(), 2U);
}

TEST_F(AsioTransportTest, AnIdleConnectionThatTheServerClosedIsNotTried) {
  const ScriptedServer server(io_, {{read_request(), write(answer("one")), close()},
                                    {read_request(), write(answer("two"))}});
  get(server.url());
  run_until(io_, [&] { return server.finished() == 1; });
  const auto sent = run(request("POST", server.url()));  // it could not be sent twice
  ASSERT_TRUE(sent->answered()) << sent->why();
  EXPECT_EQ(sent->exchange().body, "two");
}

TEST_F(AsioTransportTest, AnIdleConnectionWithUnaskedBytesIsNotUsed) {
  bool idle = false;
  const ScriptedServer server(io_,
                              {{read_request(), write(answer("one")), until([&] { return idle; }),
                                write("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")},
                               {read_request(), write(answer("two"))}});
  get(server.url());
  idle = true;
  run_until(io_, [&] { return server.finished() == 1; });
  const auto sent = get(server.url());
  ASSERT_TRUE(sent->answered()) << sent->why();
  EXPECT_EQ(sent->exchange().body, "two");
  EXPECT_FALSE(sent->exchange().early);
}

/// A server whose kept connection closes when the next request comes.
std::vector<Script> closing_on_the_second(const testing_server::Step& end) {
  return {{read_request(), write(answer("one")), read_request(), end},
          {read_request(), write(answer("two"))}};
}

TEST_F(AsioTransportTest, AnIdempotentRequestIsSentOnceMoreOverAFreshConnection) {
  for (const auto& end : {close(), reset()}) {
    const ScriptedServer server(io_, closing_on_the_second(end));
    const auto one = get(server.url());
    const auto two = run(request("DELETE", server.url("/thing")));
    ASSERT_TRUE(two->answered()) << two->why();
    EXPECT_EQ(two->exchange().body, "two");
    EXPECT_NE(two->exchange().connection, one->exchange().connection);
    EXPECT_EQ(two->calls, 1);
    ASSERT_EQ(server.requests().size(), 3U);
    EXPECT_EQ(server.requests()[1], server.requests()[2]);
  }
}

TEST_F(AsioTransportTest, APostIsNotSentTwice) {
  const ScriptedServer server(io_, closing_on_the_second(close()));
  get(server.url());
  const auto sent = run(request("POST", server.url(), "x"));
  ASSERT_FALSE(sent->answered());
  EXPECT_EQ(sent->failure().kind, Kind::reset);
  EXPECT_TRUE(sent->failure().request_sent);
  run_ready(io_);
  EXPECT_EQ(server.connections(), 1U);
}

TEST_F(AsioTransportTest, TheSecondSendingIsTheLast) {
  const ScriptedServer server(io_, {{read_request(), write(answer("one")), read_request(), close()},
                                    {read_request(), close()},
                                    {read_request(), write(answer("never"))}});
  get(server.url());
  const auto sent = get(server.url());
  ASSERT_FALSE(sent->answered());
  EXPECT_EQ(sent->failure().kind, Kind::reset);
  run_ready(io_);
  EXPECT_EQ(server.connections(), 2U);
}

TEST_F(AsioTransportTest, AnAnswerThatHadBegunIsNotAskedForAgain) {
  const ScriptedServer server(
      io_, {{read_request(), write(answer("one")), read_request(), write("HTTP/1.1 2"), close()},
            {read_request(), write(answer("never"))}});
  get(server.url());
  const auto sent = get(server.url());
  ASSERT_FALSE(sent->answered());
  EXPECT_EQ(sent->failure().kind, Kind::truncated);
}

TEST_F(AsioTransportTest, MoreThanTheBoundWaitForTheirTurn) {
  bool go = false;
  const Script one_then_another{read_request(), until([&] { return go; }), write(answer("a")),
                                read_request(), write(answer("b"))};
  const ScriptedServer server(io_, {one_then_another});
  transport({.most_connections = 1});
  const auto first = send("GET", server.url("/1"));
  const auto second = send("GET", server.url("/2"));
  run_until(io_, [&] { return server.requests().size() == 1; });
  EXPECT_FALSE(first->done());
  go = true;
  run_until(io_, [&] { return second->done(); });
  EXPECT_TRUE(first->answered());
  EXPECT_TRUE(second->answered()) << second->why();
  EXPECT_EQ(server.connections(), 1U);
}

TEST_F(AsioTransportTest, OneThatWaitsForItsTurnTimesOutAndTheNextStillGetsIts) {
  bool go = false;
  const ScriptedServer server(io_, {{read_request(), until([&] { return go; }), write(answer("a")),
                                     read_request(), write(answer("b"))}});
  transport({.most_connections = 1});
  const auto first = send(request("GET", server.url("/1")), in(seconds{10}));
  const auto second = send(request("GET", server.url("/2")), in(seconds{1}));
  const auto third = send(request("GET", server.url("/3")), in(seconds{10}));
  run_until(io_, [&] { return server.requests().size() == 1; });
  clock_.advance(seconds{1});
  timers_->fire();
  run_until(io_, [&] { return second->done(); });
  EXPECT_EQ(second->failure().kind, Kind::timeout);
  EXPECT_FALSE(second->failure().request_sent);
  go = true;
  run_until(io_, [&] { return third->done(); });
  EXPECT_TRUE(first->answered());
  EXPECT_TRUE(third->answered()) << third->why();
  EXPECT_THAT(server.requests()[1], StartsWith("GET /3 "));
}

// --- times

TEST_F(AsioTransportTest, SentIsReadBeforeTheRequestAndReceivedWithTheHead) {
  std::size_t reads = 0;
  const ScriptedServer server(io_, {{read_request(), until([&] {
                                       clock_.advance(milliseconds{40});
                                       reads = clock_.reads;
                                       return true;
                                     }),
                                     write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab"),
                                     until([&] { return clock_.reads > reads; }), until([&] {
                                       clock_.advance(seconds{5});
                                       return true;
                                     }),
                                     write("cd")}});
  const auto start = clock_.boot();
  const auto sent = get(server.url());
  ASSERT_TRUE(sent->answered()) << sent->why();
  EXPECT_EQ(sent->exchange().sent.boot, start);
  EXPECT_EQ(sent->exchange().received.boot, start + milliseconds{40});
  EXPECT_EQ(sent->exchange().received.wall - sent->exchange().sent.wall, milliseconds{40});
}

TEST_F(AsioTransportTest, ReceivedIsNotBeforeTheFinalAnswersHead) {
  // A Date in the final head may be stamped after an interim answer, or after the status line.
  std::size_t reads = 0;
  const auto then_a_second = [&](std::size_t& mark) {
    return until([&] {
      if (clock_.reads <= mark) return false;
      clock_.advance(seconds{1});
      mark = clock_.reads;
      return true;
    });
  };
  const ScriptedServer server(io_, {{read_request(), until([&] {
                                       reads = clock_.reads;
                                       return true;
                                     }),
                                     write("HTTP/1.1 100 Continue\r\n\r\n"), then_a_second(reads),
                                     write("HTTP/1.1 200 OK\r\n"), then_a_second(reads),
                                     write("Content-Length: 0\r\n\r\n")}});
  const auto start = clock_.boot();
  const auto sent = get(server.url());
  ASSERT_TRUE(sent->answered()) << sent->why();
  EXPECT_EQ(sent->exchange().received.boot, start + seconds{2});
}

TEST_F(AsioTransportTest, TheTimesOfARequestSentAgainAreThoseOfTheSecondSending) {
  const ScriptedServer server(io_,
                              {{read_request(), write(answer("one")), read_request(), until([&] {
                                  clock_.advance(seconds{3});
                                  return true;
                                }),
                                close()},
                               {read_request(), write(answer("two"))}});
  get(server.url());
  const auto start = clock_.boot();
  const auto sent = get(server.url());
  ASSERT_TRUE(sent->answered()) << sent->why();
  EXPECT_EQ(sent->exchange().sent.boot, start + seconds{3});
}

TEST_F(AsioTransportTest, AnAnswerBeforeItsRequestIsMarkedEarlyAndItsConnectionNotKept) {
  using boost::asio::ip::tcp;
  tcp::acceptor acceptor(io_, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
  acceptor.non_blocking(true);
  std::vector<tcp::socket> accepted;
  // The transport reads the clock between connecting and sending the request, which lets the server
  // speak first.
  clock_.on_read = [&] {
    boost::system::error_code none_yet;
    tcp::socket peer(io_);
    std::ignore = acceptor.accept(peer, none_yet);
    if (none_yet) return;
    boost::asio::write(peer, boost::asio::buffer(answer("unasked")));
    accepted.push_back(std::move(peer));
  };
  const auto url = "http://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()) + "/";
  const auto one = get(url);
  ASSERT_TRUE(one->answered()) << one->why();
  EXPECT_TRUE(one->exchange().early);
  const auto two = get(url);
  EXPECT_EQ(accepted.size(), 2U);
}

// --- deadlines

TEST_F(AsioTransportTest, ADeadlineThatHasPassedSendsNothingAndStillAnswersFromTheLoop) {
  const ScriptedServer server(io_, {});
  const auto sent = send(request("GET", server.url()), in(Duration::zero()));
  EXPECT_FALSE(sent->done());
  run_until(io_, [&] { return sent->done(); });
  EXPECT_EQ(sent->failure().kind, Kind::timeout);
  EXPECT_FALSE(sent->failure().request_sent);
  EXPECT_EQ(server.connections(), 0U);
}

TEST_F(AsioTransportTest, SilenceEndsAtTheDeadlineAndNotBefore) {
  const ScriptedServer server(io_, {{read_request()}});
  const auto sent = send(request("GET", server.url()), in(seconds{3}));
  run_until(io_, [&] { return server.requests().size() == 1; });
  clock_.advance(seconds{3} - Duration{1});
  timers_->fire();
  run_ready(io_);
  EXPECT_FALSE(sent->done());
  clock_.advance(Duration{1});
  timers_->fire();
  run_until(io_, [&] { return sent->done(); });
  EXPECT_EQ(sent->failure().kind, Kind::timeout);
  EXPECT_TRUE(sent->failure().request_sent);
  EXPECT_THAT(sent->failure().detail, HasSubstr("no answer had started"));
}

TEST_F(AsioTransportTest, ATimerThatFiresEarlyIsArmedAgainAndNeverForLong) {
  const ScriptedServer server(io_, {{read_request()}});
  const auto sent = send(request("GET", server.url()), in(seconds{30}));
  run_until(io_, [&] { return server.requests().size() == 1; });
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(timers_->armed(), 1U);
    // If the machine was suspended for longer than that, this is noticed a second after it wakes.
    EXPECT_LE(timers_->longest_delay(), seconds{1});
    timers_->fire();
    EXPECT_FALSE(sent->done());
  }
  transport().cancel(sent->ticket);
  EXPECT_EQ(timers_->armed(), 0U);
}

TEST_F(AsioTransportTest, ASlowAnswerEndsAtTheDeadlineWithoutAnyTimer) {
  std::size_t reads = 0;
  const ScriptedServer server(io_, {{read_request(), until([&] {
                                       reads = clock_.reads;
                                       return true;
                                     }),
                                     write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\na"),
                                     until([&] { return clock_.reads > reads; }), until([&] {
                                       clock_.advance(seconds{3});
                                       return true;
                                     }),
                                     write("b")}});
  const auto sent = run(request("GET", server.url()), in(seconds{3}));
  ASSERT_FALSE(sent->answered());
  EXPECT_EQ(sent->failure().kind, Kind::timeout);
  EXPECT_THAT(sent->failure().detail, HasSubstr("not complete"));
}

TEST_F(AsioTransportTest, ALookUpThatHangsEndsAtTheDeadline) {
  auto gate = std::make_shared<std::promise<void>>();
  AsioTransport transport(io_, clock_, {}, {},
                          {.timers = timers_, .lookup = [gate](const std::string&) {
                             gate->get_future().wait();
                             return LookupAnswer{{}, "too late"};
                           }});
  std::optional<SendResult> result;
  transport.send(request("GET", "http://slow.example/"), in(seconds{2}),
                 [&](SendResult answer) { result = std::move(answer); });
  clock_.advance(seconds{2});
  timers_->fire();
  run_until(io_, [&] { return result.has_value(); });
  const auto& failure = std::get<TransportFailure>(*result);
  EXPECT_EQ(failure.kind, Kind::timeout);
  EXPECT_THAT(failure.detail, AllOf(HasSubstr("slow.example:80"), HasSubstr("looked up")));
  gate->set_value();
}

TEST_F(AsioTransportTest, AWallClockStepMovesNoDeadline) {
  const ScriptedServer server(io_, {{read_request(), until([&] {
                                       clock_.set_wall(WallTime{std::chrono::hours{1}});
                                       timers_->fire();
                                       return true;
                                     }),
                                     write(answer("hello"))}});
  EXPECT_TRUE(get(server.url())->answered());
}

// --- withdrawing

TEST_F(AsioTransportTest, CancelledWhileWaitingForTheAnswer) {
  const ScriptedServer server(io_, {{read_request()}});
  const auto sent = send("GET", server.url());
  run_until(io_, [&] { return server.requests().size() == 1; });
  transport().cancel(sent->ticket);
  EXPECT_FALSE(sent->done());  // from the loop
  run_until(io_, [&] { return sent->done(); });
  EXPECT_EQ(sent->failure().kind, Kind::cancelled);
  EXPECT_TRUE(sent->failure().request_sent);
  run_ready(io_);
  EXPECT_EQ(sent->calls, 1);
}

TEST_F(AsioTransportTest, CancelledAtOnce) {
  const ScriptedServer server(io_, {{read_request()}});
  (*names_)["some.example"] = {"127.0.0.1"};
  for (const auto& url :
       {server.url(), "http://some.example:" + std::to_string(server.port()) + "/"}) {
    const auto sent = send("GET", url);
    transport().cancel(sent->ticket);
    run_until(io_, [&] { return sent->done(); });
    EXPECT_EQ(sent->failure().kind, Kind::cancelled);
    EXPECT_FALSE(sent->failure().request_sent);
  }
  run_ready(io_);
  EXPECT_TRUE(server.requests().empty());
}

TEST_F(AsioTransportTest, CancelledWhileWaitingForItsTurn) {
  const ScriptedServer server(io_, {{read_request()}});
  transport({.most_connections = 1});
  const auto first = send("GET", server.url());
  const auto second = send("GET", server.url());
  transport().cancel(second->ticket);
  run_until(io_, [&] { return second->done(); });
  EXPECT_EQ(second->failure().kind, Kind::cancelled);
  EXPECT_FALSE(first->done());
}

TEST_F(AsioTransportTest, AnUnknownTicketIsFineAndAnEndedOneToo) {
  const ScriptedServer server(io_, {{read_request(), write(answer("hello"))}});
  const auto sent = get(server.url());
  transport().cancel(sent->ticket);
  transport().cancel(12345);
  run_ready(io_);
  EXPECT_EQ(sent->calls, 1);
}

TEST_F(AsioTransportTest, DestroyedItCallsNoHandlerAndClosesItsConnections) {
  const ScriptedServer server(io_, {{read_request(), write(answer("hello"))}, {read_request()}});
  get(server.url());
  const auto under_way = send("GET", server.url("/1"));
  const auto other = send("GET", server.url("/2"));
  const auto refused = send("GET", "no url");  // its handler waits in the loop's queue
  run_until(io_, [&] { return server.requests().size() == 2; });
  const auto late = send("GET", "no url");
  transport_.reset();
  run_ready(io_);
  EXPECT_FALSE(under_way->done());
  EXPECT_FALSE(other->done());
  EXPECT_FALSE(late->done());
  EXPECT_TRUE(refused->done());
}

TEST_F(AsioTransportTest, AHandlerMayDestroyTheTransportOrSendAgain) {
  const ScriptedServer server(
      io_, {{read_request(), write(answer("one")), read_request(), write(answer("two"))}});
  bool over = false;
  transport().send(request("GET", server.url()), in(seconds{10}), [&](const SendResult&) {
    transport().send(request("GET", server.url()), in(seconds{10}), [&](const SendResult&) {
      transport_.reset();
      over = true;
    });
  });
  run_until(io_, [&] { return over; });
  EXPECT_EQ(server.connections(), 1U);
}

TEST_F(AsioTransportTest, PlainHttpNeverLooksAtTheCaFile) {
  const ScriptedServer server(io_, {{read_request(), write(answer("hello"))}});
  EXPECT_TRUE(get(server.url())->answered());  // the fixture's CA file does not exist
  const auto secure = get("https://127.0.0.1:" + std::to_string(server.port()) + "/");
  ASSERT_FALSE(secure->answered());
  EXPECT_EQ(secure->failure().kind, Kind::bad_request);
  EXPECT_THAT(secure->failure().detail, HasSubstr("/nowhere/ca.pem"));
}

// --- bodies into a sink

/// Keeps all pieces, and asks for the next one only after let_go().
class HoldingSink final : public BodySink {
 public:
  void begin(const AnswerHead& answer) override {
    ++begins;
    head = answer;
  }
  void take(std::string_view piece, std::function<void()> next) override {
    EXPECT_FALSE(next_) << "a piece came while another was held";
    EXPECT_FALSE(piece.empty());
    pieces.emplace_back(piece);
    next_ = std::move(next);
    if (!holds) let_go();
  }
  void let_go() {
    if (next_) std::exchange(next_, nullptr)();
  }
  [[nodiscard]] std::size_t size() const {
    std::size_t size = 0;
    for (const std::string& piece : pieces) size += piece.size();
    return size;
  }

  bool holds = true;
  int begins = 0;
  AnswerHead head;
  std::vector<std::string> pieces;

 private:
  std::function<void()> next_;
};

class StreamedBody : public AsioTransportTest {
 protected:
  std::shared_ptr<Sent> send_into(HttpRequest request, std::optional<SendOptions> options = {}) {
    auto sent = std::make_shared<Sent>();
    sent->ticket = transport().send_into(sink_, std::move(request),
                                         options.value_or(in(seconds{10}, SIZE_MAX)),
                                         [sent](SendResult result) {
                                           ++sent->calls;
                                           sent->result = std::move(result);
                                         });
    return sent;
  }

  std::shared_ptr<HoldingSink> sink_ = std::make_shared<HoldingSink>();
};

TEST_F(StreamedBody, HeadComesFirstAndEachPieceAsItArrives) {
  bool whole = false;
  const ScriptedServer server(
      io_, {{read_request(), write("HTTP/1.1 203 X\r\nContent-Length: 6\r\n\r\n"),
             until([&] { return sink_->begins == 1; }), write("abc"), until([&] { return whole; }),
             write("def"), read_request(), write(answer("again"))}});
  const auto sent = send_into(request("GET", server.url()));
  run_until(io_, [&] { return !sink_->pieces.empty(); });
  EXPECT_EQ(sink_->head.status, 203);
  EXPECT_EQ(sink_->head.headers.find("Content-Length"), "6");
  EXPECT_NE(sink_->head.connection, 0U);
  EXPECT_FALSE(sent->done());
  whole = true;
  sink_->holds = false;
  sink_->let_go();
  run_until(io_, [&] { return sent->done(); });
  ASSERT_TRUE(sent->answered()) << sent->why();
  EXPECT_EQ(sent->exchange().body, "");
  EXPECT_EQ(sent->exchange().status, 203);
  EXPECT_EQ(sent->exchange().received.boot, sink_->head.received.boot);
  EXPECT_THAT(sink_->pieces, testing::ElementsAre("abc", "def"));
  EXPECT_EQ(sink_->begins, 1);
  EXPECT_TRUE(get(server.url())->answered());
  EXPECT_EQ(server.connections(), 1U) << "the connection is used again";
}

TEST_F(StreamedBody, NothingIsReadWhileTheSinkHoldsAPiece) {
  constexpr std::size_t kSize = std::size_t{32} << 20;  // more than the kernel takes in
  const ScriptedServer server(io_, {{read_request(), write(answer(std::string(kSize, 'x')))}});
  const auto sent = send_into(request("GET", server.url()));
  run_until(io_, [&] { return !sink_->pieces.empty(); });
  run_ready(io_);
  EXPECT_EQ(sink_->pieces.size(), 1U);
  EXPECT_EQ(server.finished(), 0U) << "the server is held up";
  sink_->holds = false;
  sink_->let_go();
  run_until(io_, [&] { return sent->done(); });
  EXPECT_TRUE(sent->answered()) << sent->why();
  EXPECT_EQ(sink_->size(), kSize);
  for (const std::string& piece : sink_->pieces) ASSERT_LE(piece.size(), std::size_t{64} * 1024);
}

TEST_F(StreamedBody, ComesOutOfItsChunks) {
  const ScriptedServer server(
      io_, {{read_request(), write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n"
                                   "abc\r\n2\r\nde\r\n0\r\n\r\n")}});
  sink_->holds = false;
  const auto sent = send_into(request("GET", server.url()));
  run_until(io_, [&] { return sent->done(); });
  EXPECT_TRUE(sent->answered()) << sent->why();
  EXPECT_THAT(sink_->pieces, testing::ElementsAre("abcde"));
}

TEST_F(StreamedBody, DeadlineAndLimitHoldForTheWhole) {
  const ScriptedServer server(io_,
                              {{read_request(), write(answer("abc"))},
                               {read_request(), write("HTTP/1.1 200 OK\r\n\r\nabc"),
                                until([&] { return sink_->pieces.size() == 2; }), write("de")}});
  const auto late = send_into(request("GET", server.url()));
  run_until(io_, [&] { return !sink_->pieces.empty(); });
  clock_.advance(seconds{10});
  timers_->fire();
  run_until(io_, [&] { return late->done(); });
  ASSERT_FALSE(late->answered());
  EXPECT_EQ(late->failure().kind, Kind::timeout);
  sink_->let_go();  // too late
  sink_->holds = false;
  const auto large = send_into(request("GET", server.url()), in(seconds{10}, 4));
  run_until(io_, [&] { return large->done(); });
  ASSERT_FALSE(large->answered());
  EXPECT_EQ(large->failure().kind, Kind::too_large);
  EXPECT_EQ(late->calls, 1);
}

TEST_F(StreamedBody, AnAnswerWithoutABodyHasNoPiece) {
  const ScriptedServer server(io_, {{read_request(), write("HTTP/1.1 204 No\r\n\r\n")}});
  const auto sent = send_into(request("GET", server.url()));
  run_until(io_, [&] { return sent->done(); });
  EXPECT_TRUE(sent->answered()) << sent->why();
  EXPECT_EQ(sink_->begins, 1);
  EXPECT_TRUE(sink_->pieces.empty());
}

TEST_F(StreamedBody, AFailureBeforeAnAnswerTellsTheSinkNothing) {
  const auto sent =
      send_into(request("GET", "http://127.0.0.1:" + std::to_string(closed_port(io_))));
  run_until(io_, [&] { return sent->done(); });
  EXPECT_FALSE(sent->answered());
  EXPECT_EQ(sink_->begins, 0);
}

/// A user's transport, which supports only whole answers.
class WholeAnswers final : public Transport {
 public:
  explicit WholeAnswers(SendResult result) : result_(std::move(result)) {}
  Ticket send(HttpRequest, const SendOptions&, Handler handler) override {
    handler(result_);
    return 1;
  }
  void cancel(Ticket) override {}

 private:
  SendResult result_;
};

TEST_F(StreamedBody, ATransportOfWholeAnswersStreamsInOnePiece) {
  Exchange exchange;
  exchange.status = 200;
  exchange.body = "abc";
  WholeAnswers whole(exchange);
  std::optional<SendResult> result;
  whole.send_into(sink_, {}, {}, [&](SendResult answer) { result = std::move(answer); });
  EXPECT_EQ(sink_->head.status, 200);
  EXPECT_THAT(sink_->pieces, testing::ElementsAre("abc"));
  EXPECT_FALSE(result) << "the sink holds the body";
  sink_->let_go();
  ASSERT_TRUE(result);
  EXPECT_EQ(std::get<Exchange>(*result).body, "");
  EXPECT_EQ(std::get<Exchange>(*result).status, 200);

  WholeAnswers none(TransportFailure{.kind = Kind::dns, .detail = ""});
  none.send_into(sink_, {}, {}, [&](SendResult answer) { result = std::move(answer); });
  EXPECT_TRUE(std::holds_alternative<TransportFailure>(*result));
  EXPECT_EQ(sink_->begins, 1);
}

}  // namespace
}  // namespace skewguard::net
