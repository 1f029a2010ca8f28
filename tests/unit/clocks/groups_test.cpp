#include "clocks/groups.hpp"

#include <gtest/gtest.h>

#include "machine.hpp"

namespace skewguard::clocks {
namespace {

using testing::unslewed;
using namespace std::chrono_literals;

const DriftRate kSameRate{0};

/// An answer that was stamped with `date` between `sent` and `received`.
RawSample stamped(std::chrono::seconds date, Duration sent, Duration received,
                  DriftRate rate = kSameRate) {
  return {.bound = DriftingBound::anchored({date - received, date + 1s - sent}, unslewed(received),
                                           unslewed(sent), rate),
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

TEST(LateRenewals, AllowForTheDriftSinceThen) {
  const DriftRate rate{1e-3};
  const auto explained = [&](Duration received) {
    SampleRing samples;
    samples.push(stamped(1000s, 100s, 100s, rate));
    samples.push(stamped(1001s, 101s, 101s, rate));
    samples.push(stamped(1010s, 107s, received, rate));
    return explained_by_late_renewals(samples, unslewed(110s), rate);
  };
  EXPECT_TRUE(explained(108s));
  EXPECT_TRUE(explained(107'989ms))
      << "12 ms of drift at 110 s: 10 ms since 100 s, 2 ms since 108 s";
  EXPECT_FALSE(explained(107'987ms));
}

TEST(LateRenewals, DoNotExplainADateThatWentBack) {
  SampleRing samples;
  samples.push(stamped(1001s, 100s, 100s));
  samples.push(stamped(1000s, 101s, 101s));
  EXPECT_FALSE(explained_by_late_renewals(samples, unslewed(110s), kSameRate));
}

}  // namespace
}  // namespace skewguard::clocks
