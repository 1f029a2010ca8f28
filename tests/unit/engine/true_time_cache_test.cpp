#include "engine/true_time_cache.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <stdexcept>
#include <vector>

#include "skewguard/testing.hpp"

namespace skewguard::engine {
namespace {

using namespace std::chrono_literals;
using skewguard::testing::FakeMachine;

/// Keeps its questions until the test answers them.
class Questions final : public Referee {
 public:
  void ask(Instant deadline, Handler handler) override {
    deadlines.push_back(deadline);
    if (throws) throw std::runtime_error("no referee");
    open.push_back(std::move(handler));
  }
  void answer(const std::optional<TimeReport>& report) {
    for (const auto& handler : std::exchange(open, {})) handler(report);
  }
  bool throws = false;
  std::vector<Handler> open;
  std::vector<Instant> deadlines;
};

class ATrueTimeCache : public ::testing::Test {
 protected:
  /// Asks within a turn, for a caller who waits this long.
  void ask(Duration wanted_in = 30s) {
    loop.enter([this, wanted_in] {
      cache->ask(loop.now().boot + wanted_in,
                 [this](const std::optional<TimeReport>& report) { heard.push_back(report); });
    });
  }
  static TimeReport report(Duration by) { return {{by, by}, "a referee"}; }
  /// What each caller got, in milliseconds; -1: nothing.
  [[nodiscard]] std::vector<std::int64_t> figures() const {
    std::vector<std::int64_t> out;
    out.reserve(heard.size());
    for (const auto& each : heard) out.push_back(each ? each->offset.low / 1ms : -1);
    return out;
  }

  std::shared_ptr<FakeMachine> machine = std::make_shared<FakeMachine>();
  Loop loop{*machine, *machine};
  Questions referee;
  std::optional<TrueTimeCache> cache{std::in_place, loop, referee};
  std::vector<std::optional<TimeReport>> heard;
  using Figures = std::vector<std::int64_t>;
};

TEST_F(ATrueTimeCache, AsksOnceForAllWhoWantToKnow) {
  const Instant start = machine->now().boot;
  ask();
  ask();
  EXPECT_EQ(referee.deadlines, std::vector{start + TrueTimeCache::kAnswerWithin});
  EXPECT_TRUE(heard.empty());
  referee.answer(report(7ms));
  EXPECT_EQ(figures(), (Figures{7, 7}));
}

TEST_F(ATrueTimeCache, KeepsAnAnswerForAMinute) {
  ask();
  referee.answer(report(7ms));
  machine->advance(TrueTimeCache::kKept - 1ms);
  ask();
  EXPECT_EQ(figures(), (Figures{7, 7}));
  machine->advance(1ms);
  ask();
  EXPECT_EQ(heard.size(), 2U);
  referee.answer(report(8ms));
  EXPECT_EQ(figures(), (Figures{7, 7, 8}));
}

TEST_F(ATrueTimeCache, KeepsSilenceToo) {
  ask();
  referee.answer(std::nullopt);
  ask();
  EXPECT_EQ(figures(), (Figures{-1, -1}));
  EXPECT_EQ(referee.deadlines.size(), 1U);
}

TEST_F(ATrueTimeCache, AsksAgainOnceTheWallClockWasSet) {
  ask();
  referee.answer(report(7ms));
  machine->step_wall(1h);
  ask();
  EXPECT_EQ(heard.size(), 1U);
  EXPECT_EQ(referee.deadlines.size(), 2U);
}

TEST_F(ATrueTimeCache, AnswersASilentRefereesCallersInTime) {
  ask();
  machine->advance(TrueTimeCache::kPatience - 1ms);
  EXPECT_TRUE(heard.empty());
  machine->advance(1ms);
  EXPECT_EQ(figures(), Figures{-1});
}

TEST_F(ATrueTimeCache, TakesAtMostHalfOfTheTimeThatIsLeft) {
  ask(2s);
  machine->advance(999ms);
  EXPECT_TRUE(heard.empty());
  machine->advance(1ms);
  EXPECT_EQ(figures(), Figures{-1});
  ask(-1s);  // too late already
  machine->run();
  EXPECT_EQ(figures(), (Figures{-1, -1}));
}

TEST_F(ATrueTimeCache, DoesNotAskASilentRefereeTwiceWithinAMinute) {
  ask();
  machine->advance(TrueTimeCache::kKept - 1ms);
  ask();
  EXPECT_EQ(referee.deadlines.size(), 1U);
  machine->advance(1ms);
  ask();
  EXPECT_EQ(referee.deadlines.size(), 2U);
}

TEST_F(ATrueTimeCache, LearnsFromAnAnswerThatCameTooLateForItsCallers) {
  ask();
  machine->advance(10s);
  referee.answer(report(7ms));
  ask();
  EXPECT_EQ(figures(), (Figures{-1, 7}));
}

TEST_F(ATrueTimeCache, TreatsARefereeThatThrowsAsSilent) {
  referee.throws = true;
  ask();
  EXPECT_EQ(figures(), Figures{-1});
}

TEST_F(ATrueTimeCache, AsksOnceMoreOnlyAfterTheFirstAnswer) {
  ask();
  referee.answer(report(7ms));
  machine->advance(TrueTimeCache::kKept);
  ask();
  ask();
  EXPECT_EQ(referee.deadlines.size(), 2U);
}

}  // namespace
}  // namespace skewguard::engine
