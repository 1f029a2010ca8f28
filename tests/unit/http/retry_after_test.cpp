#include "http/retry_after.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <utility>

namespace skewguard::http {
namespace {

using namespace std::chrono_literals;

constexpr Duration kMax = std::chrono::days{400};

TEST(RetryAfter, TakesSecondsAsTheyStand) {
  const std::array<std::pair<const char*, Duration>, 8> kCases{{
      {"0", 0s},
      {"1", 1s},
      {"120", 120s},
      {"3600", 3600s},
      {"0042", 42s},
      {" 120\t", 120s},
      {"34560000", kMax},
      {"34559999", kMax - 1s},
  }};
  for (const auto& [value, expected] : kCases) {
    EXPECT_EQ(retry_after({{"Retry-After", value}}), expected) << value;
  }
}

TEST(RetryAfter, RoundsAFractionUp) {
  const std::array<std::pair<const char*, Duration>, 6> kCases{{
      {"0.503", 1s},
      {"20.4", 21s},
      {"299.5", 300s},
      {"7.000", 7s},
      {"0.0", 0s},
      {"34560000.9", kMax},
  }};
  for (const auto& [value, expected] : kCases) {
    EXPECT_EQ(retry_after({{"Retry-After", value}}), expected) << value;
  }
}

TEST(RetryAfter, EndsAtFourHundredDays) {
  EXPECT_EQ(retry_after({{"Retry-After", "34560001"}}), kMax);
  EXPECT_EQ(retry_after({{"Retry-After", "9223372036854775808"}}), kMax);
  EXPECT_EQ(retry_after({{"Retry-After", std::string(10'000, '9')}}), kMax);
  EXPECT_EQ(retry_after({{"Date", "Thu, 01 Jan 1970 00:00:00 GMT"},
                         {"Retry-After", "Fri, 31 Dec 9999 23:59:59 GMT"}}),
            kMax);
}

// Scenario C13. The server runs 600 s ahead: what it says is 30 s from now by its own clock.
TEST(RetryAfter, ReadsADateByTheSameAnswersDateSoThatNoOtherClockTakesPart) {
  EXPECT_EQ(retry_after({{"Date", "Thu, 01 Jan 2026 00:10:00 GMT"},
                         {"Retry-After", "Thu, 01 Jan 2026 00:10:30 GMT"}}),
            30s);
  // The same server 600 s behind: the wait is the same.
  EXPECT_EQ(retry_after({{"Date", "Wed, 31 Dec 2025 23:50:00 GMT"},
                         {"Retry-After", "Wed, 31 Dec 2025 23:50:30 GMT"}}),
            30s);
}

// Scenario C14.
TEST(RetryAfter, CountsAcrossTheDatesThatBreakOthers) {
  EXPECT_EQ(retry_after({{"Date", "Tue, 19 Jan 2038 03:14:07 GMT"},
                         {"Retry-After", "Tue, 19 Jan 2038 03:14:08 GMT"}}),
            1s);
  EXPECT_EQ(retry_after({{"Date", "Sun, 28 Feb 2100 23:59:59 GMT"},
                         {"Retry-After", "Mon, 01 Mar 2100 00:00:00 GMT"}}),
            1s);
  EXPECT_EQ(retry_after({{"Date", "Wed, 28 Feb 2024 23:59:59 GMT"},
                         {"Retry-After", "Fri, 01 Mar 2024 00:00:00 GMT"}}),
            24h + 1s);
}

TEST(RetryAfter, ReadsEveryFormOfDate) {
  for (const auto* date : {"Sun, 06 Nov 1994 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"}) {
    for (const auto* until : {"Sun, 06 Nov 1994 08:50:37 GMT", "Sun Nov  6 08:50:37 1994"}) {
      EXPECT_EQ(retry_after({{"Date", date}, {"Retry-After", until}}), 60s) << date << until;
    }
  }
  // Two-digit years, read without any clock.
  EXPECT_EQ(retry_after({{"Date", "Thursday, 01-Jan-26 00:00:00 GMT"},
                         {"Retry-After", "Thursday, 01-Jan-26 00:01:00 GMT"}}),
            60s);
  EXPECT_EQ(retry_after({{"Date", "Thu, 01 Jan 2026 00:00:00 GMT"},
                         {"Retry-After", "Thursday, 01-Jan-26 00:01:00 GMT"}}),
            60s);
}

TEST(RetryAfter, IsZeroWhereTheDateHasPassed) {
  EXPECT_EQ(retry_after({{"Date", "Thu, 01 Jan 2026 00:10:00 GMT"},
                         {"Retry-After", "Thu, 01 Jan 2026 00:09:59 GMT"}}),
            0s);
}

TEST(RetryAfter, SaysNothingForADateWithoutAUsableDateBesideIt) {
  const HeaderField until{"Retry-After", "Thu, 01 Jan 2026 00:10:30 GMT"};
  EXPECT_EQ(retry_after({until}), std::nullopt);
  EXPECT_EQ(retry_after({until, {"Date", ""}}), std::nullopt);
  EXPECT_EQ(retry_after({until, {"Date", "yesterday"}}), std::nullopt);
  EXPECT_EQ(retry_after({until, {"Date", "Wed, 31 Dec 2025 23:59:60 GMT"}}), std::nullopt);
  EXPECT_EQ(retry_after({until,
                         {"Date", "Thu, 01 Jan 2026 00:10:00 GMT"},
                         {"Date", "Thu, 01 Jan 2026 00:10:01 GMT"}}),
            std::nullopt);
}

TEST(RetryAfter, SaysNothingForGarbage) {
  for (const auto* value : {"",
                            " ",
                            "-1",
                            "+1",
                            "1.",
                            ".5",
                            "1.-5",
                            "1.5.5",
                            "1,5",
                            "1e3",
                            "0x10",
                            "1s",
                            "1 2",
                            "12 seconds",
                            "soon",
                            "inf",
                            "120, 120",
                            "120;",
                            "\"120\"",
                            "2026-01-01T00:00:30Z",
                            "Thu, 01 Jan 2026 00:10:30",
                            "Fri, 01 Jan 2026 00:10:30 GMT"}) {
    EXPECT_EQ(retry_after({{"Retry-After", value}, {"Date", "Thu, 01 Jan 2026 00:10:00 GMT"}}),
              std::nullopt)
        << value;
  }
  EXPECT_EQ(retry_after({}), std::nullopt);
}

TEST(RetryAfter, SaysNothingWhereTwoFieldsDiffer) {
  EXPECT_EQ(retry_after({{"Retry-After", "1"}, {"retry-after", "2"}}), std::nullopt);
  EXPECT_EQ(retry_after({{"Retry-After", "1"}, {"Retry-After", ""}}), std::nullopt);
  EXPECT_EQ(retry_after({{"Retry-After", "7"}, {"retry-after", " 7 "}}), 7s);
}

TEST(RateLimitReset, UsesTheFirstFieldPresentAndNotRetryAfter) {
  const Headers all{{"X-Rate-Limit-Reset", "4"},
                    {"X-RateLimit-Reset", "3"},
                    {"RateLimit-Reset", "2"},
                    {"inin-ratelimit-reset", "1"}};
  EXPECT_EQ(rate_limit_reset(all), 1s);
  EXPECT_EQ(rate_limit_reset({all.fields()[0], all.fields()[1], all.fields()[2]}), 2s);
  EXPECT_EQ(rate_limit_reset({all.fields()[0], all.fields()[1]}), 3s);
  EXPECT_EQ(rate_limit_reset({all.fields()[0]}), 4s);
  EXPECT_EQ(rate_limit_reset({{"Retry-After", "5"}}), std::nullopt);
  EXPECT_EQ(rate_limit_reset({{"X-RateLimit-Reset", "12.2"}}), 13s);
}

TEST(RateLimitReset, ReadsSecondsSince1970ByTheAnswersOwnDate) {
  const HeaderField date{"Date", "Thu, 01 Jan 2026 00:00:00 GMT"};  // 1767225600
  for (const char* name : {"X-RateLimit-Reset", "X-Rate-Limit-Reset"}) {
    EXPECT_EQ(rate_limit_reset({date, {name, "1767225900"}}), 300s) << name;
    EXPECT_EQ(rate_limit_reset({date, {name, "1767225599"}}), 0s) << name;
    EXPECT_EQ(rate_limit_reset({date, {name, "1000000000"}}), kMax) << name;
    EXPECT_EQ(rate_limit_reset({date, {name, "1767225899001"}}), 300s) << "milliseconds";
    EXPECT_EQ(rate_limit_reset({date, {name, "99999999999999999999"}}), kMax) << name;
    EXPECT_EQ(rate_limit_reset({{name, "1767225900"}}), std::nullopt) << "no clock of ours";
  }
  EXPECT_EQ(rate_limit_reset({date, {"RateLimit-Reset", "1767225900"}}), kMax);
}

TEST(RateLimitReset, IgnoresALimitThatIsNotUsedUp) {
  const auto with = [](const char* remaining) {
    return rate_limit_reset({{"X-RateLimit-Reset", "9"}, {"X-RateLimit-Remaining", remaining}});
  };
  EXPECT_EQ(with("0"), 9s);
  EXPECT_EQ(with("many"), 9s);
  EXPECT_EQ(with("1"), std::nullopt);
  const auto counted = [](const char* count) {
    return rate_limit_reset({{"inin-ratelimit-reset", "9"},
                             {"inin-ratelimit-count", count},
                             {"inin-ratelimit-allowed", "300"}});
  };
  EXPECT_EQ(counted("300"), 9s);
  EXPECT_EQ(counted("299"), std::nullopt);
}

TEST(RateLimitReset, SaysNothingForGarbage) {
  for (const char* value : {"", "-1", "soon", "1e3", "Thu, 01 Jan 2026 00:00:00 GMT"})
    EXPECT_EQ(rate_limit_reset({{"X-RateLimit-Reset", value}}), std::nullopt) << value;
}

}  // namespace
}  // namespace skewguard::http
