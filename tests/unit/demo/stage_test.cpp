#include "demo/stage.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace skewguard::demo {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

/// Stands still.
class StillClock : public ClockSource {
 public:
  Now now() override {
    Now now;
    now.boot = Instant{hours{5}};
    now.wall = WallTime{hours{500'000}};
    now.mono = MonotonicTime{hours{4}};
    now.raw = RawTime{hours{3}};
    return now;
  }
};

struct Moved {
  Duration boot, wall, mono, raw;
  friend bool operator==(const Moved&, const Moved&) = default;
};

Moved moved(ClockSource& clock) {
  const Now from = StillClock().now();
  const Now to = clock.now();
  return {to.boot - from.boot, to.wall - from.wall, to.mono - from.mono, to.raw - from.raw};
}

class StageTest : public testing::Test {
 protected:
  Stage stage_{std::make_shared<StillClock>(), seconds{-600}};
};

TEST_F(StageTest, TheWallClockAloneIsWrongFromTheStart) {
  EXPECT_EQ(moved(*stage_.local()), (Moved{{}, seconds{-600}, {}, {}}));
  EXPECT_EQ(moved(stage_.truth()), (Moved{{}, {}, {}, {}}));
}

TEST_F(StageTest, AStepMovesTheWallClockAlone) {
  stage_.step_wall(hours{1});
  EXPECT_EQ(moved(*stage_.local()), (Moved{{}, seconds{3000}, {}, {}}));
  EXPECT_EQ(moved(stage_.truth()), (Moved{{}, {}, {}, {}}));
}

TEST_F(StageTest, ASuspendMovesBootAndWallTimeAndTheTruth) {
  stage_.suspend(hours{2});
  EXPECT_EQ(moved(*stage_.local()), (Moved{hours{2}, hours{2} - seconds{600}, {}, {}}));
  EXPECT_EQ(moved(stage_.truth()), (Moved{hours{2}, hours{2}, hours{2}, hours{2}}));
}

TEST_F(StageTest, AStoppedMachineNoticesNothing) {
  stage_.stand_still(hours{2});
  EXPECT_EQ(moved(*stage_.local()), (Moved{{}, seconds{-600}, {}, {}}));
  EXPECT_EQ(moved(stage_.truth()), (Moved{hours{2}, hours{2}, hours{2}, hours{2}}));
}

}  // namespace
}  // namespace skewguard::demo
