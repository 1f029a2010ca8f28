#include "time/backoff.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

namespace skewguard::time {
namespace {

using namespace std::chrono_literals;

TEST(Backoff, KeepsEachDelayInTheUpperHalfOfADoublingCeiling) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Backoff backoff({.first = 500ms, .max = 30s}, seed);
    for (const Duration ceiling : {500ms, 1000ms, 2000ms, 4000ms, 8000ms, 16000ms, 30000ms}) {
      const Duration delay = backoff.next();
      ASSERT_GE(delay, ceiling / 2) << seed;
      ASSERT_LE(delay, ceiling) << seed;
    }
  }
}

TEST(Backoff, StaysAtTheMostForEver) {
  Backoff backoff({.first = 1s, .max = 30s}, 7);
  for (int i = 0; i < 1000; ++i) {
    const Duration delay = backoff.next();
    ASSERT_LE(delay, 30s);
    if (i >= 5) {
      ASSERT_GE(delay, 15s) << i;
    }
  }
}

TEST(Backoff, ByDefaultTriesAgainWithinHalfASecondAndNoticesRecoveryWithinHalfAMinute) {
  Duration first{0};
  Duration longest{0};
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Backoff backoff({}, seed);
    first = std::max(first, backoff.next());
    for (int i = 0; i < 20; ++i) longest = std::max(longest, backoff.next());
  }
  EXPECT_LE(first, 500ms);
  EXPECT_GE(first, 495ms);
  EXPECT_LE(longest, 30s);
  EXPECT_GE(longest, 29900ms);
}

TEST(Backoff, BeginsAgainAfterASuccess) {
  Backoff backoff({.first = 1s, .max = 1h}, 7);
  for (int i = 0; i < 6; ++i) (void)backoff.next();
  EXPECT_EQ(backoff.steps(), 6U);
  backoff.reset();
  EXPECT_EQ(backoff.steps(), 0U);
  EXPECT_LE(backoff.next(), 1s);
  EXPECT_EQ(backoff.steps(), 1U);
}

TEST(Backoff, IsTheSameForTheSameSeedAndDiffersBetweenSeeds) {
  const auto delays = [](std::uint64_t seed) {
    Backoff backoff({}, seed);
    std::vector<Duration> all(20);
    for (auto& delay : all) delay = backoff.next();
    return all;
  };
  EXPECT_EQ(delays(1), delays(1));
  EXPECT_NE(delays(1), delays(2));
}

TEST(Backoff, SpreadsCallersThatStartTogether) {
  std::vector<Duration> first(100);
  for (std::size_t seed = 0; seed < first.size(); ++seed) {
    first[seed] = Backoff({.first = 1s, .max = 30s}, seed).next();
  }
  std::ranges::sort(first);
  EXPECT_LT(first.front(), 600ms);  // of 500 ms to 1 s
  EXPECT_GT(first.back(), 900ms);
  EXPECT_EQ(std::ranges::unique(first).size(), 0U);
}

TEST(Backoff, HandlesExtremeOptions) {
  Backoff longest({.first = 1ns, .max = Duration::max()}, 1);
  for (int i = 0; i < 200; ++i) ASSERT_GE(longest.next(), 0ns);
  EXPECT_GE(longest.next(), Duration::max() / 2);
  Backoff none({.first = 0s, .max = 30s}, 1);
  for (int i = 0; i < 200; ++i) ASSERT_EQ(none.next(), 0s);
  Backoff first_over_most({.first = 1h, .max = 2s}, 1);
  EXPECT_LE(first_over_most.next(), 2s);
  Backoff negative({.first = -1s, .max = -1s}, 1);
  EXPECT_EQ(negative.next(), 0s);
}

TEST(Jitter, IsUniformInTheUnitInterval) {
  Jitter jitter(42);
  constexpr int kDraws = 100'000;
  std::array<int, 10> bins{};
  for (int i = 0; i < kDraws; ++i) {
    const double x = jitter.next();
    ASSERT_GE(x, 0.0);
    ASSERT_LT(x, 1.0);
    ++bins.at(static_cast<std::size_t>(x * 10));
  }
  for (const int bin : bins) EXPECT_NEAR(bin, 0.1 * kDraws, 500);  // over 5 standard deviations
}

TEST(Jitter, IsSplitmix64) {
  // First output of splitmix64 for seed 0, as published: 0xE220A8397B1DCDAF.
  Jitter jitter(0);
  EXPECT_EQ(jitter.next(), static_cast<double>(0xE220A8397B1DCDAFU >> 11U) * 0x1p-53);
}

}  // namespace
}  // namespace skewguard::time
