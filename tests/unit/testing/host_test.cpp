// Hosts and their scripts, reached over the transport that a client would use.
#include <gtest/gtest.h>

#include <thread>

#include "skewguard/testing.hpp"

namespace skewguard {
namespace {

using namespace std::chrono_literals;
using skewguard::testing::Answer;
using skewguard::testing::Asked;
using skewguard::testing::FakeMachine;
using skewguard::testing::Host;
using skewguard::testing::ScriptedTransport;

class HostTest : public ::testing::Test {
 protected:
  std::optional<SendResult> send(const std::string& url, Duration timeout = 30s) {
    std::optional<SendResult> result;
    HttpRequest request;
    request.url = url;
    transport.send(request, {.deadline = machine->now().boot + timeout},
                   [&](SendResult given) { result = std::move(given); });
    EXPECT_FALSE(result) << "never from within the call";
    machine->run_until([&] { return result.has_value(); });
    return result;
  }
  /// Of an answer, or of its failure.
  std::string told(const std::optional<SendResult>& result) {
    if (!result) return "nothing";
    if (const auto* failure = std::get_if<TransportFailure>(&*result)) {
      return std::string(to_string(failure->kind));
    }
    return std::to_string(std::get<Exchange>(*result).status);
  }
  std::string date_of(const std::optional<SendResult>& result) {
    return std::string(std::get<Exchange>(*result).headers.find("Date").value_or("none"));
  }

  std::shared_ptr<FakeMachine> machine = std::make_shared<FakeMachine>();
  std::shared_ptr<Host> host = std::make_shared<Host>(
      machine, "https://a.test",
      [](const Asked& asked) { return Answer{.status = 200, .body = asked.request.url}; });
  std::shared_ptr<Host> other = std::make_shared<Host>(
      machine, "https://b.test:8443", [](const Asked&) { return Answer{.status = 404}; });
  ScriptedTransport transport{*machine, machine, {host, other}};
};

TEST_F(HostTest, AreDistinguishedByTheStartOfTheUrl) {
  EXPECT_EQ(told(send("https://a.test/x?y")), "200");
  EXPECT_EQ(told(send("https://b.test:8443/x")), "404");
  EXPECT_EQ(told(send("https://a.test.example/x")), "dns");
  EXPECT_EQ(told(send("https://b.test/x")), "dns");
}

TEST_F(HostTest, GivesItsQueuedAnswersInOrderThenAsksTheScriptThenItself) {
  host->set_script([](const Asked& asked) -> std::optional<Answer> {
    if (asked.request.url.ends_with("/mine")) return Answer{.status = 418};
    return std::nullopt;
  });
  host->next({.status = 429, .headers = {{"Retry-After", "2"}}});
  host->next({.failure = TransportFailure{}});
  const auto first = send("https://a.test/mine");
  EXPECT_EQ(told(first), "429");
  EXPECT_EQ(std::get<Exchange>(*first).headers.find("Retry-After"), "2");
  EXPECT_EQ(told(send("https://a.test/mine")), "reset");
  EXPECT_EQ(told(send("https://a.test/mine")), "418");
  EXPECT_EQ(told(send("https://a.test/x")), "200");
  const auto asked = host->asked();
  ASSERT_EQ(asked.size(), 4U);
  EXPECT_EQ(asked[0].status, 429);
  EXPECT_EQ(asked[1].status, 0);
  EXPECT_EQ(asked[3].request.url, "https://a.test/x");
  EXPECT_FALSE(asked[3].authorized());
  EXPECT_EQ(asked[3].sent - asked[0].sent, 60ms) << "three round trips of 20 ms";
}

TEST_F(HostTest, LetsItsScriptRemember) {
  host->set_script([n = 400](const Asked&) mutable { return Answer{.status = ++n}; });
  EXPECT_EQ(told(send("https://a.test/")), "401");
  EXPECT_EQ(told(send("https://a.test/")), "402");
  host->set_script({});
  EXPECT_EQ(told(send("https://a.test/")), "200");
}

TEST_F(HostTest, WritesItsOwnClockIntoDate) {
  host->set_offset(90s);
  EXPECT_EQ(date_of(send("https://a.test/")), "Thu, 01 Jan 2026 00:01:30 GMT");
  host->set_offset(-1s);
  EXPECT_EQ(date_of(send("https://a.test/")), "Wed, 31 Dec 2025 23:59:59 GMT");
  host->set_offset(0s);
  host->set_date_late(5s);
  EXPECT_EQ(date_of(send("https://a.test/")), "Wed, 31 Dec 2025 23:59:55 GMT");
  host->next({.dated = false});
  EXPECT_EQ(date_of(send("https://a.test/")), "none");
  host->next({.headers = {{"date", "mine"}}});
  const auto own = send("https://a.test/");
  EXPECT_EQ(date_of(own), "mine");
  EXPECT_EQ(std::get<Exchange>(*own).headers.count("Date"), 1U);
}

TEST_F(HostTest, IsReachedAndLeftAfterItsDelays) {
  host->set_delays(100ms, 200ms);
  host->next({.up = 1s, .down = 3s});
  const auto result = send("https://a.test/");
  const auto& exchange = std::get<Exchange>(*result);
  EXPECT_EQ(host->asked()[0].at, FakeMachine::kStart + 100ms);
  EXPECT_EQ(date_of(result), "Thu, 01 Jan 2026 00:00:01 GMT");
  EXPECT_EQ(exchange.received.boot - exchange.sent.boot, 4300ms);
}

TEST_F(HostTest, EndsAtTheDeadlineWhereItNeverAnswers) {
  host->next({.never = true});
  const Instant before = machine->now().boot;
  EXPECT_EQ(told(send("https://a.test/", 20s)), "timeout");
  EXPECT_EQ(machine->now().boot - before, 20s);
  EXPECT_EQ(host->requests(), 1U);
}

TEST_F(HostTest, IsLeftEarlyWhereTheRequestIsWithdrawn) {
  std::vector<SendResult> results;
  const auto ticket =
      transport.send({.url = "https://a.test/"}, {.deadline = machine->now().boot + 30s},
                     [&](SendResult result) { results.push_back(std::move(result)); });
  machine->advance(15ms);  // it has arrived, the answer is under way
  transport.cancel(ticket);
  transport.cancel(ticket + 1);
  machine->advance(1min);
  ASSERT_EQ(results.size(), 1U);
  EXPECT_EQ(told(results[0]), "cancelled");
  EXPECT_EQ(host->requests(), 1U);
}

TEST_F(HostTest, AnswersInSuspendAndIsHeardAfterwards) {
  std::optional<SendResult> result;
  transport.send({.url = "https://a.test/"}, {.deadline = machine->now().boot + 2h},
                 [&](SendResult given) { result = std::move(given); });
  machine->suspend(1h);
  EXPECT_FALSE(result);
  machine->run();
  ASSERT_EQ(told(result), "200");
  EXPECT_EQ(date_of(result), "Thu, 01 Jan 2026 00:00:00 GMT");
  const auto& exchange = std::get<Exchange>(*result);
  EXPECT_EQ(exchange.received.boot - exchange.sent.boot, 1h);
}

/// A loop of one thread that is not the machine's.
class QueueLoop final : public Executor {
 public:
  void post(std::function<void()> function) override { queue.push_back(std::move(function)); }
  Timer call_at(Instant, std::function<void()>) override { return 1; }
  void cancel(Timer) override {}
  std::vector<std::function<void()>> queue;
};

TEST_F(HostTest, AnswersOnAnotherLoopWithoutDelays) {
  QueueLoop loop;
  ScriptedTransport elsewhere(loop, machine, {host});
  host->set_delays(0s, 0s);
  std::optional<SendResult> result;
  elsewhere.send({.url = "https://a.test/"}, {.deadline = machine->now().boot + 30s},
                 [&](SendResult given) { result = std::move(given); });
  ASSERT_EQ(loop.queue.size(), 1U);
  EXPECT_FALSE(result);
  loop.queue.front()();
  EXPECT_EQ(told(result), "200");
}

TEST_F(HostTest, CanBeAskedDirectlyWhileTimePasses) {
  host->next({.status = 201, .up = 1s});
  const Instant begin = machine->now().boot;
  const auto result = host->send({.url = "https://a.test/"}, begin + 30s);
  ASSERT_EQ(told(result), "201");
  EXPECT_EQ(std::get<Exchange>(result).sent.boot, begin);
  EXPECT_EQ(std::get<Exchange>(result).received.boot, begin + 1020ms);
  host->next({.never = true});
  EXPECT_EQ(told(host->send({.url = "https://a.test/"}, begin + 30s)), "timeout");
  EXPECT_EQ(machine->now().boot, begin + 30s);
  host->next({.down = 10s});
  EXPECT_EQ(told(host->send({.url = "https://a.test/"}, begin + 35s)), "timeout");
  EXPECT_EQ(machine->now().boot, begin + 35s);
}

}  // namespace
}  // namespace skewguard
