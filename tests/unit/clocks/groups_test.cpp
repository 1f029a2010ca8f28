#include "clocks/groups.hpp"

#include <gtest/gtest.h>

#include "machine.hpp"

namespace skewguard::clocks {
namespace {

using testing::unslewed;
using namespace std::chrono_literals;

const DriftRate kSameRate{0};

/// An answer that was stamped with `date` between `sent` and `received`.
RawSample stamped(std::chrono::seconds date, Duration sent, Duration received) {
  return {.bound = {date - received, date + 1s - sent},
          .sent = unslewed(sent),
          .received = unslewed(received),
          .date = date};
}

TEST(LateRenewals, ExplainDatesUpToTheMomentAtWhichTheyMustHaveBeenRight) {
  // 1001 s was not shown at 100 s, so the clock is at most 902 s ahead of ours; 1010 s, received at
  // 108 s, says that it is at least that much.
  SampleRing samples;
  samples.push(stamped(1000s, 100s, 100s));
  samples.push(stamped(1001s, 101s, 101s));
  samples.push(stamped(1010s, 107s, 108s));
  EXPECT_TRUE(explained_by_late_renewals(samples, unslewed(110s), kSameRate));

  SampleRing sooner;
  sooner.push(stamped(1000s, 100s, 100s));
  sooner.push(stamped(1001s, 101s, 101s));
  sooner.push(stamped(1010s, 107s, 108s - 1ns));
  EXPECT_FALSE(explained_by_late_renewals(sooner, unslewed(110s), kSameRate));
}

TEST(LateRenewals, DoNotExplainADateThatWentBack) {
  SampleRing samples;
  samples.push(stamped(1001s, 100s, 100s));
  samples.push(stamped(1000s, 101s, 101s));
  EXPECT_FALSE(explained_by_late_renewals(samples, unslewed(110s), kSameRate));
}

}  // namespace
}  // namespace skewguard::clocks
