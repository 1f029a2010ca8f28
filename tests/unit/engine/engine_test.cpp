// The engine by itself: how often it reads the clocks, and what seeds its retries.
#include "engine/engine.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <set>

#include "../runtime/client_testing.hpp"

namespace skewguard::engine {
namespace {

using namespace std::chrono_literals;
using runtime::get;
using runtime::MemoryEnvironment;
using runtime::OpenStore;
using skewguard::testing::FakeMachine;

class CountingClock final : public ClockSource {
 public:
  explicit CountingClock(FakeMachine& machine) : machine_(machine) {}
  Now now() override {
    ++readings;
    return machine_.now();
  }
  int readings = 0;

 private:
  FakeMachine& machine_;
};

/// Counts the functions that the engine posts and the timers that fire.
class CountingExecutor final : public Executor {
 public:
  explicit CountingExecutor(FakeMachine& machine) : machine_(machine) {}
  void post(std::function<void()> function) override { machine_.post(counted(function)); }
  Timer call_at(Instant at, std::function<void()> function) override {
    return machine_.call_at(at, counted(function));
  }
  void cancel(Timer timer) override { machine_.cancel(timer); }
  [[nodiscard]] bool inside() const noexcept override { return machine_.inside(); }
  int ran = 0;

 private:
  std::function<void()> counted(const std::function<void()>& function) {
    return [this, function] {
      ++ran;
      function();
    };
  }
  FakeMachine& machine_;
};

/// Counts the answers passed to the engine.
class CountingTransport final : public Transport {
 public:
  explicit CountingTransport(std::unique_ptr<Transport> real) : real_(std::move(real)) {}
  Ticket send(HttpRequest request, const SendOptions& options, Handler handler) override {
    return real_->send(std::move(request), options, [this, handler](SendResult result) {
      ++answers;
      handler(std::move(result));
    });
  }
  void cancel(Ticket ticket) override { real_->cancel(ticket); }
  int answers = 0;

 private:
  std::unique_ptr<Transport> real_;
};

class AnEngine : public ::testing::Test {
 protected:
  void start(std::uint64_t seed = 1) {
    EngineDeps uses{executor, clock, transport};
    uses.store = store;
    uses.seed = seed;
    const ClientOptions options = environment.options();
    engine = std::make_unique<Engine>(
        options, oauth::client_credentials(options, options.client_secrets), Hooks{}, uses);
  }
  /// Makes one call and runs it to its end.
  CallReport call() {
    if (!engine) start();
    std::optional<guard::action::Finish> finished;
    engine->call(get(), machine.now().boot + 30s,
                 [&](guard::action::Finish finish) { finished = std::move(finish); });
    EXPECT_TRUE(machine.run_until([&] { return finished.has_value(); }));
    machine.run();
    return finished ? finished->report : CallReport{};
  }
  /// How many events reached the engine from outside.
  [[nodiscard]] int turns() const { return executor.ran + transport.answers; }

  MemoryEnvironment environment;
  FakeMachine& machine = environment.machine();
  CountingClock clock{machine};
  CountingExecutor executor{machine};
  CountingTransport transport{environment.dependencies().transport(machine)};
  OpenStore open_store;
  TokenStore* store = nullptr;
  std::unique_ptr<Engine> engine;
};

// The clocks --------------------------------------------------------------------------------------

TEST_F(AnEngine, ReadsTheClocksOncePerTurnOfAFirstCall) {
  EXPECT_EQ(call().exit_code, 0);
  EXPECT_EQ(turns(), 3) << "the start, the token and the answer";
  EXPECT_EQ(clock.readings, 3);
}

TEST_F(AnEngine, ReadsTheClocksTwiceForACallThatHasItsToken) {
  call();
  clock.readings = 0;
  EXPECT_EQ(call().exit_code, 0);
  EXPECT_EQ(clock.readings, 2) << "the start and the answer";
}

TEST_F(AnEngine, ReadsTheClocksOncePerTurnOfARetriedCall) {
  environment.api().next({.status = 401, .body = R"({"code":"bad.credentials"})"});
  environment.api().next({.status = 503});
  const CallReport report = call();
  EXPECT_EQ(report.exit_code, 0);
  EXPECT_EQ(report.attempts.size(), 3U) << "the last good one is one, too";
  EXPECT_EQ(clock.readings, turns());
}

TEST_F(AnEngine, ReadsTheClocksOncePerTurnWithASharedStore) {
  store = &open_store;
  EXPECT_EQ(call().exit_code, 0);
  EXPECT_TRUE(open_store.record && open_store.record->token);
  EXPECT_GT(turns(), 3) << "the store's answers are turns as well";
  EXPECT_EQ(clock.readings, turns());
}

TEST_F(AnEngine, ReadsTheClocksOnceWhenItEnds) {
  store = &open_store;
  call();
  clock.readings = 0;
  engine.reset();
  EXPECT_EQ(clock.readings, 1);
}

// Retries -----------------------------------------------------------------------------------------

/// How long the first call of an engine with this seed waits after a 503.
class RetriesOfAnEngine : public AnEngine {
 protected:
  Duration wait_with(std::uint64_t seed) {
    start(seed);
    environment.api().next({.status = 503});
    const CallReport report = call();
    engine.reset();
    return report.attempts.empty() ? Duration{0} : report.attempts.front().waited;
  }
};

TEST_F(RetriesOfAnEngine, DependOnItsSeedAndNotOnTheClock) {
  const Duration first = wait_with(7);
  machine.advance(12'345ms);
  EXPECT_EQ(wait_with(7), first);
  std::set<Duration> waits;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) waits.insert(wait_with(seed));
  EXPECT_EQ(waits.size(), 4U) << "callers that were turned away together come back apart";
}

TEST_F(RetriesOfAnEngine, DifferFromCallToCall) {
  start();
  std::set<Duration> waits;
  for (int i = 0; i < 3; ++i) {
    environment.api().next({.status = 503});
    const CallReport report = call();
    ASSERT_FALSE(report.attempts.empty());
    waits.insert(report.attempts.front().waited);
  }
  EXPECT_EQ(waits.size(), 3U);
}

}  // namespace
}  // namespace skewguard::engine
