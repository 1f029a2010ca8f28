#include "guard/pause.hpp"

#include <gtest/gtest.h>

namespace skewguard::guard {
namespace {

using namespace std::chrono_literals;

TEST(Pause, KnowsUntilWhenAndWhatFor) {
  Pause pause;
  pause.sleep(Instant{5s}, Pause::Then::look);
  EXPECT_EQ(pause.until(), Instant{5s});
  EXPECT_EQ(pause.then(), Pause::Then::look);
}

TEST(Pause, CountsALookAndTheWaitAfterItAsOneWait) {
  Pause pause;
  EXPECT_FALSE(pause.end_wait(Instant{1s})) << "no wait has begun";
  pause.begin_wait(3, Instant{10s});
  EXPECT_TRUE(pause.waiting_after(3));
  EXPECT_FALSE(pause.waiting_after(2));
  pause.begin_wait(3, Instant{12s});
  const auto waited = pause.end_wait(Instant{15s});
  ASSERT_TRUE(waited);
  EXPECT_EQ(waited->attempt, 3U);
  EXPECT_EQ(waited->waited, 5s);
  EXPECT_FALSE(pause.waiting_after(3));
  EXPECT_FALSE(pause.end_wait(Instant{16s})) << "it is counted once";
}

TEST(Pause, AWaitAfterAnotherAttemptBeginsAnew) {
  Pause pause;
  pause.begin_wait(0, Instant{10s});
  pause.begin_wait(1, Instant{12s});
  const auto waited = pause.end_wait(Instant{15s});
  ASSERT_TRUE(waited);
  EXPECT_EQ(waited->attempt, 1U);
  EXPECT_EQ(waited->waited, 3s);
}

}  // namespace
}  // namespace skewguard::guard
