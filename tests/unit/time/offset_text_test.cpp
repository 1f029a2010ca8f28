#include "time/offset_text.hpp"

#include <gtest/gtest.h>

#include <string>

namespace skewguard::time {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;

TEST(OffsetText, ShowsAsManyDigitsAsTheWidthJustifies) {
  const Duration offset = nanoseconds{312'401'567'890};
  EXPECT_EQ(offset_text(offset, microseconds{100}), "+312.4016 s");
  EXPECT_EQ(offset_text(offset, milliseconds{9}), "+312.402 s");
  EXPECT_EQ(offset_text(offset, milliseconds{300}), "+312.40 s");
  EXPECT_EQ(offset_text(-offset, seconds{2}), "-312.4 s");
  EXPECT_EQ(offset_text(hours{30}, milliseconds{1}), "+108000.0 s");
}

TEST(OffsetText, SmallOnesAreInMilliseconds) {
  EXPECT_EQ(offset_text(microseconds{-314}, milliseconds{3}), "-0.31 ms");
  EXPECT_EQ(offset_text(microseconds{12'340}, milliseconds{30}), "+12.3 ms");
  EXPECT_EQ(bounds_text({microseconds{-314}, microseconds{2'049}}), "-0.31 to +2.05 ms");
}

TEST(OffsetText, NothingIsNeverNegative) {
  EXPECT_EQ(offset_text(nanoseconds{-400}, milliseconds{3}), "+0.00 ms");
  EXPECT_EQ(offset_text(milliseconds{-40}, seconds{2}), "+0.0 s");
}

TEST(OffsetText, SizesHaveNoSign) {
  EXPECT_EQ(size_range_text({milliseconds{312'396}, milliseconds{312'405}}),
            "312.396 to 312.405 s");
}

/// An offset known to within `width`.
OffsetBound about(Duration offset, Duration width = seconds{2}) {
  return {offset - width / 2, offset + width / 2};
}

TEST(HoursHint, NamesWholeAndHalfHoursOfEitherSign) {
  const std::string causes =
      " hours point to a time zone, daylight saving, or a hardware clock that keeps local time";
  for (const Duration sign : {Duration{1}, Duration{-1}}) {
    EXPECT_EQ(hours_hint(about(sign.count() * hours{1})), "; whole" + causes);
    EXPECT_EQ(hours_hint(about(sign.count() * minutes{330})), "; half" + causes);
    EXPECT_EQ(hours_hint(about(sign.count() * minutes{30})), "; half" + causes);
    EXPECT_EQ(hours_hint(about(sign.count() * hours{15})), "; whole" + causes);
  }
}

TEST(HoursHint, AllowsTenSecondsEitherWay) {
  for (const Duration off : {seconds{10}, seconds{-10}}) {
    EXPECT_NE(hours_hint(about(hours{2} + off)), "");
    EXPECT_EQ(hours_hint(about(hours{2} + off + off / 10)), "");
  }
}

TEST(HoursHint, SaysNothingAboutOtherOffsets) {
  EXPECT_EQ(hours_hint(about(Duration{0})), "") << "that is right";
  EXPECT_EQ(hours_hint(about(minutes{15})), "");
  EXPECT_EQ(hours_hint(about(hours{15} + seconds{1})), "") << "no zone is so far off";
  EXPECT_NE(hours_hint(about(hours{2}, seconds{20})), "");
  EXPECT_EQ(hours_hint(about(hours{2}, seconds{20} + nanoseconds{2})), "") << "too uncertain";
}

}  // namespace
}  // namespace skewguard::time
