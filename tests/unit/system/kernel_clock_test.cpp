#include "system/kernel_clock.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/timex.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

namespace skewguard::system {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

/// What the kernel would say; adjtimex is a plain function.
timex kept;         // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)
int kept_state;     // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)
long adjtime_left;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

int stands_in(timex* told) {
  EXPECT_TRUE(told->modes == 0 || told->modes == ADJ_OFFSET_SS_READ) << "only reads";
  const bool asks_adjtime = told->modes == ADJ_OFFSET_SS_READ;
  *told = kept;
  if (asks_adjtime) told->offset = adjtime_left;
  return kept_state;
}

/// A clock that was kept well: 1 ms at most off.
class KernelClockTest : public testing::Test {
 public:
  KernelClockTest() {
    kept = {};
    kept.status = STA_PLL;
    kept.maxerror = 1000;
    kept.esterror = 20;
    kept.tick = 1'000'000 / ::sysconf(_SC_CLK_TCK);
    kept_state = TIME_OK;
    adjtime_left = 0;
  }

 protected:
  static KernelClock read() { return kernel_clock(stands_in).value(); }
};

TEST_F(KernelClockTest, IsSynchronizedWithItsErrorsInMicroseconds) {
  const KernelClock clock = read();
  EXPECT_TRUE(clock.synchronized);
  EXPECT_EQ(clock.max_error, 1ms);
  EXPECT_EQ(clock.est_error, 20us);
  EXPECT_EQ(clock.frequency_ppm, 0);
  EXPECT_EQ(clock.to_slew, 0s);
  EXPECT_EQ(clock.leap, Leap::none);
  EXPECT_EQ(clock.tai_offset, std::nullopt);
}

TEST_F(KernelClockTest, IsNotSynchronizedByFlagOrByState) {
  kept.status |= STA_UNSYNC;
  EXPECT_FALSE(read().synchronized);
  kept.status &= ~STA_UNSYNC;
  kept_state = TIME_ERROR;
  EXPECT_FALSE(read().synchronized);
}

TEST_F(KernelClockTest, KnowsNoErrorWhereTheKernelCountsNoFurther) {
  kept.maxerror = 15'999'999;
  EXPECT_EQ(read().max_error, 15'999'999us);
  kept.maxerror = 16'000'000;
  EXPECT_EQ(read().max_error, std::nullopt);
  EXPECT_EQ(read().est_error, std::nullopt);
}

TEST_F(KernelClockTest, RunsFasterByFrequencyAndTick) {
  kept.freq = -2 * 65'536 - 32'768;
  EXPECT_DOUBLE_EQ(read().frequency_ppm, -2.5);
  kept.tick += 1;  // a microsecond more in each 1/100 s
  EXPECT_DOUBLE_EQ(read().frequency_ppm, -2.5 + static_cast<double>(::sysconf(_SC_CLK_TCK)));
}

TEST_F(KernelClockTest, IsSlewedInMicrosecondsOrNanosecondsAndByAdjtime) {
  kept.offset = -1500;
  EXPECT_EQ(read().to_slew, -1500us);
  kept.status |= STA_NANO;
  EXPECT_EQ(read().to_slew, -1500ns);
  adjtime_left = 7;
  EXPECT_EQ(read().to_slew, 7us - 1500ns);
}

TEST_F(KernelClockTest, ReportsALeapSecond) {
  kept.status |= STA_INS;
  EXPECT_EQ(read().leap, Leap::insert);
  kept_state = TIME_OOP;
  EXPECT_EQ(read().leap, Leap::now);
  kept.status = STA_DEL;
  kept_state = TIME_DEL;
  EXPECT_EQ(read().leap, Leap::remove);
}

TEST_F(KernelClockTest, HasATaiOffsetOnceItIsSet) {
  kept.tai = 37;
  EXPECT_EQ(read().tai_offset, 37);
}

TEST_F(KernelClockTest, SaysSoWhereItMayNotBeRead) {
  const auto refused = kernel_clock([](timex*) {
    errno = EPERM;
    return -1;
  });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::unavailable);
  EXPECT_THAT(refused.error().message, HasSubstr("Operation not permitted"));
  EXPECT_THAT(refused.error().remedy, HasSubstr("container"));
}

TEST_F(KernelClockTest, OfThisMachineIsReadOrRefused) {
  const auto clock = kernel_clock();
  if (!clock) {
    EXPECT_EQ(clock.error().kind, ErrorKind::unavailable);
  } else if (clock->synchronized) {
    EXPECT_GE(clock->max_error.value_or(0s), 0s);
  }
}

}  // namespace
}  // namespace skewguard::system
