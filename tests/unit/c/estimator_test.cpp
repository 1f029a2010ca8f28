// The estimator by itself, and the names of numbers, through the C functions.
#include <gtest/gtest.h>

#include <memory>

#include "c_testing.hpp"

namespace skewguard::c {
namespace {

using CEstimator = std::unique_ptr<skewguard_estimator, Freer<skewguard_estimator_free>>;

constexpr std::int64_t kSecond = 1'000'000'000;

/// All clocks agree; the wall clock shows 2026-01-01T00:00:`second`.
skewguard_moment at(std::int64_t second) {
  const std::int64_t up = (100 + second) * kSecond;
  return {up, (1'767'225'600 + second) * kSecond, up, up, 0};
}

TEST(CEstimatorOfDates, BoundsTheServersClock) {
  const CEstimator estimator(skewguard_estimator_new(-1));
  const auto now = at(1);
  std::int64_t low = 7, high = 8;
  EXPECT_EQ(skewguard_estimator_bounds(estimator.get(), &now, &low, &high), 0);
  EXPECT_EQ(low, 7);
  const auto sent = at(0);
  EXPECT_EQ(skewguard_estimator_observe(estimator.get(), "Thu, 01 Jan 2026 00:00:10 GMT", &sent,
                                        &now, nullptr),
            0);
  ASSERT_EQ(skewguard_estimator_bounds(estimator.get(), &now, &low, &high), 1);
  // Written between sent and received: 10 - 1 to 10 + 1 (whole seconds) + 1 (staleness) - 0.
  EXPECT_NEAR(static_cast<double>(low), 9e9, 1e7);
  EXPECT_NEAR(static_cast<double>(high), 12e9, 1e7);
  EXPECT_LE(low, 9 * kSecond);
}

TEST(CEstimatorOfDates, SaysWhyAnAnswerIsNoSample) {
  const CEstimator estimator(skewguard_estimator_new(0));
  const auto sent = at(0), received = at(1);
  ErrorPlace malformed;
  EXPECT_EQ(skewguard_estimator_observe(estimator.get(), "today", &sent, &received, &malformed),
            SKEWGUARD_CONFIG);
  EXPECT_NE(malformed.text().find("malformed"), std::string::npos) << malformed.text();
  EXPECT_EQ(skewguard_estimator_observe(estimator.get(), "Thu, 01 Jan 2026 00:00:10 GMT", &received,
                                        &sent, nullptr),
            SKEWGUARD_CONFIG);
  EXPECT_EQ(skewguard_estimator_observe(estimator.get(), nullptr, &sent, &received, nullptr),
            SKEWGUARD_CONFIG);
}

TEST(CEstimatorOfDates, TakesAStalenessUpToAnHour) {
  EXPECT_TRUE(CEstimator(skewguard_estimator_new(3600 * kSecond)));
  EXPECT_FALSE(CEstimator(skewguard_estimator_new(3600 * kSecond + 1)));
  EXPECT_FALSE(CEstimator(skewguard_estimator_new(-2)));
  skewguard_estimator_free(nullptr);
}

TEST(CNames, AreThoseOfTheLibrary) {
  EXPECT_STREQ(skewguard_name(SKEWGUARD_NAMES_ERROR_KIND, SKEWGUARD_OK), "ok");
  EXPECT_STREQ(skewguard_name(SKEWGUARD_NAMES_ERROR_KIND, SKEWGUARD_CONFIG), "config");
  EXPECT_STREQ(skewguard_name(SKEWGUARD_NAMES_ERROR_KIND, SKEWGUARD_CANCELLED), "cancelled");
  EXPECT_STREQ(skewguard_name(SKEWGUARD_NAMES_ERROR_KIND, 10), "");
  EXPECT_STREQ(skewguard_name(SKEWGUARD_NAMES_LOG_LEVEL, SKEWGUARD_TRACE), "trace");
  EXPECT_STREQ(skewguard_name(SKEWGUARD_NAMES_LOG_LEVEL, SKEWGUARD_CRITICAL), "critical");
  EXPECT_STREQ(skewguard_name(SKEWGUARD_NAMES_LOG_LEVEL, 6), "");
  EXPECT_STREQ(skewguard_name(99, 1), "");
}

}  // namespace
}  // namespace skewguard::c
