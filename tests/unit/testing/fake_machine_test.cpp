// The machine alone: its clocks, its loop, and what can happen to it.
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "skewguard/testing.hpp"

namespace skewguard {
namespace {

using namespace std::chrono_literals;
using skewguard::testing::FakeMachine;

/// How far each clock has moved.
struct Moved {
  Duration boot;
  Duration wall;
  Duration mono;
  Duration raw;
  Duration truth;
  friend bool operator==(const Moved&, const Moved&) = default;
};

class FakeMachineTest : public ::testing::Test {
 protected:
  Moved moved() {
    const Now now = machine.now();
    return {now.boot - before.boot, now.wall - before.wall, now.mono - before.mono,
            now.raw - before.raw, machine.true_time() - true_before};
  }
  /// Notes, when it runs, its name and how far the boot clock is.
  std::function<void()> note(const std::string& name) {
    return [this, name] { ran.push_back(name + " " + std::to_string(moved().boot / 1ms)); };
  }
  Instant at(Duration span) { return before.boot + span; }

  FakeMachine machine;
  const Now before = machine.now();
  const WallTime true_before = machine.true_time();
  std::vector<std::string> ran;
};

TEST_F(FakeMachineTest, ShowsTheRightTimeAtFirst) {
  EXPECT_EQ(before.wall, true_before);
  EXPECT_EQ(before.wall, FakeMachine::kStart);
  EXPECT_EQ(machine.marker(), std::nullopt);
}

TEST_F(FakeMachineTest, RunsInOrderWhatBecomesDueAndNothingElse) {
  machine.call_at(at(20ms), note("second"));
  machine.call_at(at(10ms), [this] {
    note("first")();
    machine.post(note("posted"));
    machine.call_at(at(15ms), note("nested"));
  });
  machine.call_at(at(31ms), note("late"));
  machine.cancel(machine.call_at(at(12ms), note("cancelled")));
  machine.post(note("now"));
  EXPECT_TRUE(ran.empty());
  machine.advance(30ms);
  EXPECT_EQ(ran,
            (std::vector<std::string>{"now 0", "first 10", "posted 10", "nested 15", "second 20"}));
  EXPECT_EQ(moved(), (Moved{30ms, 30ms, 30ms, 30ms, 30ms}));
}

TEST_F(FakeMachineTest, StepsTheWallClockAlone) {
  machine.call_at(at(1s), note("timer"));
  machine.step_wall(-2h);
  EXPECT_EQ(moved(), (Moved{0s, -2h, 0s, 0s, 0s}));
  machine.set_wall(true_before + 5h);
  EXPECT_EQ(moved(), (Moved{0s, 5h, 0s, 0s, 0s}));
  machine.run();
  EXPECT_TRUE(ran.empty());
}

TEST_F(FakeMachineTest, SuspendsTimersAndTheLoop) {
  machine.call_at(at(1s), note("timer"));
  machine.after(1h, [this] { machine.post(note("arrived")); });
  machine.suspend(2h);
  EXPECT_EQ(moved(), (Moved{2h, 2h, 0s, 0s, 2h}));
  EXPECT_TRUE(ran.empty());
  machine.advance(999ms);
  EXPECT_EQ(ran, std::vector<std::string>{"arrived 7200000"});
  machine.advance(1ms);
  EXPECT_EQ(ran.back(), "timer 7201000");
}

TEST_F(FakeMachineTest, StandsStillWhileTrueTimeRunsOn) {
  machine.stand_still(1h);
  EXPECT_EQ(machine.marker(), std::nullopt);
  EXPECT_EQ(moved(), (Moved{0s, 0s, 0s, 0s, 1h}));
  machine.tell_of_stops();
  const auto marker = machine.marker();
  EXPECT_TRUE(marker);
  machine.stand_still(1s);
  EXPECT_NE(machine.marker(), marker);
}

TEST_F(FakeMachineTest, DriftsAsToldAndFiresNoTimerEarly) {
  machine.set_drift(-100, 50);
  machine.call_at(at(10s), note("timer"));
  machine.advance(10s);
  EXPECT_TRUE(ran.empty());
  EXPECT_EQ(moved(), (Moved{10s - 1ms, 10s - 1ms, 10s - 1ms, 10s + 500us, 10s}));
  machine.advance(2ms);
  EXPECT_EQ(ran, std::vector<std::string>{"timer 10000"});
}

TEST_F(FakeMachineTest, RunsWhatIsOutsideBesideTheProgram) {
  std::vector<Duration> seen;
  for (const auto span : {1s, 2s, 3s}) {
    machine.after(span, [&] { seen.push_back(machine.true_time() - true_before); });
  }
  machine.suspend(1s);
  machine.post([this] { machine.advance(1s); });
  machine.run();
  machine.stand_still(1s);
  EXPECT_EQ(seen, (std::vector<Duration>{1s, 2s, 3s}));
}

TEST_F(FakeMachineTest, LetsAFunctionLastWithoutRunningAnother) {
  machine.call_at(at(1s), note("other"));
  machine.post([this] {
    note("begins")();
    machine.advance(3s);
    note("ends")();
    EXPECT_FALSE(machine.run_until([] { return true; })) << "it cannot wait for itself";
  });
  machine.run();
  EXPECT_EQ(ran, (std::vector<std::string>{"begins 0", "ends 3000", "other 3000"}));
}

TEST_F(FakeMachineTest, StopsWhereItIsDoneOrTheTimeIsOver) {
  machine.call_at(at(5s), note("timer"));
  EXPECT_FALSE(machine.run_until([this] { return !ran.empty(); }, 4s));
  EXPECT_EQ(moved().boot, 4s);
  EXPECT_TRUE(machine.run_until([this] { return !ran.empty(); }, 1h));
  EXPECT_EQ(moved().boot, 5s);
}

TEST_F(FakeMachineTest, PropagatesWhatAFunctionThrowsAndContinues) {
  machine.post([] { throw std::runtime_error("mine"); });
  machine.post(note("next"));
  EXPECT_THROW(machine.run(), std::runtime_error);
  EXPECT_FALSE(machine.inside());
  machine.run();
  EXPECT_EQ(ran.size(), 1U);
}

TEST_F(FakeMachineTest, LetsAFunctionGoBeforeItsTurnEnds) {
  // What it holds may use the machine when it goes.
  const auto timer = machine.call_at(at(1s), note("timer"));
  const std::shared_ptr<void> last(nullptr, [&](void*) { machine.cancel(timer); });
  machine.post([holds = last] {});
  machine.after(0s, [holds = last] {});
  const_cast<std::shared_ptr<void>&>(last).reset();
  machine.advance(2s);
  EXPECT_TRUE(ran.empty());
}

TEST_F(FakeMachineTest, TakesPostsFromOtherThreads) {
  int count = 0;
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 250; ++n) machine.post([&count] { ++count; });
      machine.run();
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(count, 1000);
}

}  // namespace
}  // namespace skewguard
