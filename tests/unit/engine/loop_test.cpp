#include "engine/loop.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <stdexcept>
#include <vector>

#include "skewguard/testing.hpp"

namespace skewguard::engine {
namespace {

using namespace std::chrono_literals;
using skewguard::testing::FakeMachine;

class ALoop : public ::testing::Test {
 protected:
  std::shared_ptr<FakeMachine> machine = std::make_shared<FakeMachine>();
  std::optional<Loop> loop{std::in_place, *machine, *machine};
  std::vector<int> ran;

  std::function<void()> note(int what) {
    return [this, what] { ran.push_back(what); };
  }
};

TEST_F(ALoop, RunsAnEventAtOnce) {
  loop->enter(note(1));
  EXPECT_EQ(ran, std::vector{1});
}

TEST_F(ALoop, RunsTheRestOfATurnBeforeTheNextTurn) {
  loop->enter([&] {
    loop->enter(note(4));
    loop->next([&] {
      ran.push_back(2);
      loop->next(note(3));
    });
    ran.push_back(1);
  });
  EXPECT_EQ(ran, (std::vector{1, 2, 3, 4}));
}

TEST_F(ALoop, KeepsItsTimeUntilTheTurnEnds) {
  const Instant began = machine->now().boot;
  std::optional<Instant> seen_next;
  std::optional<Instant> seen_then;
  loop->enter([&] {
    EXPECT_EQ(loop->now().boot, began);
    loop->enter([&] { seen_then = loop->now().boot; });
    loop->next([&] { seen_next = loop->now().boot; });
    machine->step_wall(1h);
    machine->advance(2s);
    EXPECT_EQ(loop->now().boot, began);
  });
  EXPECT_EQ(seen_next, began);
  EXPECT_EQ(seen_then, began + 2s) << "another turn, another reading";
}

TEST_F(ALoop, EndsOnlyTheFunctionThatThrows) {
  EXPECT_NO_THROW(loop->enter([&] {
    loop->next([] { throw std::runtime_error("one"); });
    loop->next(note(1));
    loop->enter(note(2));
    throw std::runtime_error("two");
  }));
  EXPECT_EQ(ran, (std::vector{1, 2}));
  loop->enter(note(3));
  EXPECT_EQ(ran.back(), 3);
}

TEST_F(ALoop, RunsWhatMustRunNowWithinTheTurnUnderWay) {
  loop->enter([&] {
    loop->enter(note(3));
    loop->within(note(1));
    EXPECT_NO_THROW(loop->within([] { throw std::runtime_error("one"); }));
    ran.push_back(2);
  });
  EXPECT_EQ(ran, (std::vector{1, 2, 3}));
  machine->advance(1s);
  std::optional<Instant> seen;
  loop->within([&] { seen = loop->now().boot; });
  EXPECT_EQ(seen, machine->now().boot) << "else as a turn of its own";
}

TEST_F(ALoop, RunsPostedFunctionsAndTimersAsTurns) {
  const Instant start = machine->now().boot;
  std::vector<Instant> times;
  const auto note_time = [&] { times.push_back(loop->now().boot); };
  loop->later(note_time);
  loop->at(start + 3s, note_time);
  const auto cancelled = loop->at(start + 2s, note_time);
  EXPECT_TRUE(times.empty());
  loop->cancel(cancelled);
  machine->advance(5s);
  EXPECT_EQ(times, (std::vector{start, start + 3s}));
}

TEST_F(ALoop, DropsWhatIsToComeWhenItGoes) {
  loop->later(note(1));
  loop->at(machine->now().boot + 1s, note(2));
  auto third = loop->while_alive([this](int what) { ran.push_back(what); });
  third(3);
  loop.reset();
  machine->advance(5s);
  third(4);
  EXPECT_EQ(ran, std::vector{3});
}

}  // namespace
}  // namespace skewguard::engine
