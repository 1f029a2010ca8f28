// Several machines and processes in one true time. What one machine does is tested where tests use
// it (testing/fake_machine_test.cpp).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "virtual_time/machine.hpp"
#include "virtual_time/process.hpp"
#include "virtual_time/timeline.hpp"

namespace skewguard::virtual_time {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr WallTime kStart{std::chrono::seconds{1'767'225'600}};

class VirtualTime : public testing::Test {
 protected:
  /// Notes its name and the true time in milliseconds when it runs.
  std::function<void()> note(const std::string& name) {
    return [this, name] { ran.push_back(name + " " + std::to_string(timeline.now() / 1ms)); };
  }
  static Instant in(Machine& machine, Duration span) { return machine.now().boot + span; }

  Timeline timeline;
  Machine slow{timeline, Machine::booted(kStart)};
  Machine fast{timeline, Machine::booted(kStart + 24h)};
  std::vector<std::string> ran;
};

TEST_F(VirtualTime, RunsAllMachinesByOneTrueTime) {
  Process one(slow);
  Process two(fast);
  one.call_at(in(slow, 30ms), note("slow"));
  two.call_at(in(fast, 20ms), note("fast"));
  timeline.after(10ms, note("outside"));
  timeline.run_for(1s);
  EXPECT_THAT(ran, ElementsAre("outside 10", "fast 20", "slow 30"));
  EXPECT_EQ(timeline.now(), 1s);
}

TEST_F(VirtualTime, LetsEachMachineDriftAndStepByItself) {
  slow.set_drift(-300, 100);
  fast.set_drift(300, 0);
  fast.step_wall(-1h);
  Process one(slow);
  Process two(fast);
  one.call_at(in(slow, 1000s), note("slow"));
  two.call_at(in(fast, 1000s), note("fast"));
  timeline.run_for(1001s);
  EXPECT_THAT(ran, ElementsAre("fast 999700", "slow 1000300"));
  EXPECT_EQ(slow.now().wall - kStart, 1001s - 300300us);
  EXPECT_EQ(slow.now().raw - Machine::booted(kStart).raw, 1001s + 100100us);
  EXPECT_EQ(fast.now().wall - kStart, 23h + 1001s + 300300us);
}

TEST_F(VirtualTime, RunsATimerAtTheRateThatTheClockHasByThen) {
  Process process(slow);
  process.call_at(in(slow, 1000s), note("timer"));
  timeline.run_for(500s);
  slow.set_drift(-1000, 0);
  timeline.run_for(501s);
  EXPECT_THAT(ran, ElementsAre("timer 1000500"));
}

TEST_F(VirtualTime, NeverRunsATimerEarly) {
  Process process(slow);
  slow.set_drift(-123.456, 0);
  std::size_t timers = 0;
  for (Duration span = 1ns; span < 100h; span = span * 7 + 3ns) {
    ++timers;
    process.call_at(in(slow, span), [this, at = in(slow, span)] {
      EXPECT_GE(slow.now().boot, at);
      EXPECT_LT(slow.now().boot - at, 2ns);
      ran.emplace_back();
    });
  }
  timeline.run_for(200h);
  EXPECT_EQ(ran.size(), timers);
}

TEST_F(VirtualTime, SuspendsOneMachineAloneAndItsTimersStandStill) {
  Process one(slow);
  Process two(fast);
  one.call_at(in(slow, 20ms), note("slow"));
  two.call_at(in(fast, 20ms), note("fast"));
  timeline.run_for(10ms);
  slow.enter(Machine::State::suspended);
  one.post(note("posted"));
  timeline.run_for(1s);
  EXPECT_THAT(ran, ElementsAre("fast 20"));
  slow.enter(Machine::State::running);
  timeline.run_for(1s);
  EXPECT_THAT(ran, ElementsAre("fast 20", "posted 1010", "slow 1020"));
  const Now now = slow.now();
  const Now start = Machine::booted(kStart);
  EXPECT_EQ(now.boot - start.boot, 2010ms);
  EXPECT_EQ(now.wall - start.wall, 2010ms);
  EXPECT_EQ(now.mono - start.mono, 1010ms);
  EXPECT_EQ(now.raw - start.raw, 1010ms);
}

TEST_F(VirtualTime, StopsOneMachineWithoutItsClocksNoticing) {
  slow.tell_of_stops();
  fast.tell_of_stops();
  const auto marker = slow.marker();
  slow.enter(Machine::State::stopped);
  slow.step_wall(5s);
  timeline.run_for(1h);
  EXPECT_EQ(slow.marker(), marker);
  slow.enter(Machine::State::running);
  EXPECT_NE(slow.marker(), marker);
  EXPECT_EQ(fast.marker(), marker);
  EXPECT_EQ(slow.now().boot, Machine::booted(kStart).boot);
  EXPECT_EQ(slow.now().wall, kStart + 5s);
}

TEST_F(VirtualTime, FreezesOneProcessWhileTheClocksOfItsMachineRun) {
  Process frozen(slow);
  Process other(slow);
  frozen.call_at(in(slow, 30ms), note("third"));
  frozen.call_at(in(slow, 10ms), note("first"));
  other.call_at(in(slow, 40ms), note("other"));
  frozen.freeze();
  timeline.after(20ms, [&] { frozen.post(note("second")); });
  timeline.run_for(50ms);
  EXPECT_THAT(ran, ElementsAre("other 40"));
  frozen.thaw();
  timeline.run_for(0ms);
  EXPECT_THAT(ran, ElementsAre("other 40", "first 50", "second 50", "third 50"));
}

TEST_F(VirtualTime, KeepsAProcessFrozenThroughASuspend) {
  Process process(slow);
  process.post(note("posted"));
  process.freeze();
  slow.enter(Machine::State::suspended);
  slow.enter(Machine::State::running);
  timeline.run_for(1s);
  EXPECT_THAT(ran, IsEmpty());
  slow.enter(Machine::State::suspended);
  process.thaw();
  timeline.run_for(1s);
  EXPECT_THAT(ran, IsEmpty());
  slow.enter(Machine::State::running);
  timeline.run_for(1s);
  EXPECT_THAT(ran, ElementsAre("posted 2000"));
}

TEST_F(VirtualTime, RunsNothingOfAKilledProcessAndDropsWhatItHolds) {
  Process killed(slow);
  Process other(slow);
  const auto held = std::make_shared<int>();
  killed.post([held] { FAIL(); });
  killed.call_at(in(slow, 1s), [held] { FAIL(); });
  other.post([&] { killed.kill(); });
  killed.freeze();
  timeline.run_for(0s);
  EXPECT_FALSE(killed.alive());
  EXPECT_EQ(held.use_count(), 1);
  killed.thaw();
  killed.post([held] { FAIL(); });
  killed.call_at(in(slow, 1s), [held] { FAIL(); });
  EXPECT_EQ(held.use_count(), 1);
  timeline.run_for(2s);
}

TEST_F(VirtualTime, LetsAProcessKillItself) {
  Process process(slow);
  process.post([&] {
    process.post(note("later"));
    process.kill();
  });
  timeline.run_for(1s);
  EXPECT_THAT(ran, IsEmpty());
}

TEST_F(VirtualTime, ForgetsAProcessThatIsGone) {
  {
    Process process(slow);
    process.call_at(in(slow, 1s), note("timer"));
  }
  slow.set_drift(1, 1);
  timeline.run_for(2s);
  EXPECT_THAT(ran, IsEmpty());
}

TEST_F(VirtualTime, CancelsTimers) {
  Process process(slow);
  const auto first = process.call_at(in(slow, 1s), note("first"));
  process.call_at(in(slow, 2s), note("second"));
  const auto third = process.call_at(in(slow, 3s), note("third"));
  process.cancel(first);
  process.cancel(third);
  process.cancel(third);
  process.cancel(third + 1);
  timeline.run_for(5s);
  EXPECT_THAT(ran, ElementsAre("second 2000"));
}

TEST_F(VirtualTime, SaysWhetherItIsStillBusy) {
  timeline.after(2s, note("done"));
  const auto busy = [this] { return ran.empty(); };
  EXPECT_FALSE(timeline.run_while(busy, 1s));
  EXPECT_EQ(timeline.now(), 1s);
  EXPECT_TRUE(timeline.run_while(busy, 1h));
  EXPECT_EQ(timeline.now(), 2s);
  timeline.at(1s, note("late"));
  EXPECT_TRUE(timeline.run_while([this] { return ran.size() < 2; }, 0s));
  EXPECT_THAT(ran, ElementsAre("done 2000", "late 2000"));
}

TEST_F(VirtualTime, WaitsWithoutOverflow) {
  Process process(slow);
  slow.set_drift(-300, 0);
  process.call_at(Instant::max(), note("never"));
  timeline.after(Duration::max(), note("never"));
  timeline.run_for(24h * 365);
  EXPECT_THAT(ran, IsEmpty());
}

}  // namespace
}  // namespace skewguard::virtual_time
