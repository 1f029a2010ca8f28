// `doctor` never blames a right clock, tested with measurements on virtual time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "doctor/judge.hpp"
#include "virtual_probes.hpp"

#ifndef SKEWGUARD_HISTORY_SHARE
#define SKEWGUARD_HISTORY_SHARE 1
#endif

namespace skewguard::testing {
namespace {

using ::testing::AnyOf;
using ::testing::Eq;

constexpr std::size_t kRuns = 2000 / SKEWGUARD_HISTORY_SHARE;
constexpr Duration kTrueTime = seconds{1'798'000'000};  // less the boot clock's
constexpr Duration kRight = milliseconds{300};          // a clock that is right is off by no more

constexpr Duration kMaxLate = seconds{1};  // a date string

/// Each clock's error: its reading minus true time.
struct Errors {
  Duration local{}, login{}, api{};
  std::vector<Duration> ntp;
};

Duration right(Random& random) {
  return random.between(-kRight, kRight);
}

Errors all_right(Random& random, std::size_t ntp_servers) {
  Errors errors{right(random), right(random), right(random), {}};
  for (std::size_t i = 0; i < ntp_servers; ++i) errors.ntp.push_back(right(random));
  return errors;
}

/// 3 to 600 s, either way.
Duration harm(Random& random) {
  const Duration size = random.between(seconds{3}, seconds{600});
  return random.chance(0.5) ? size : -size;
}

doctor::ClockReading probe(Random& random, Duration error, Duration local, Duration late) {
  const Duration shortest = random.between(Duration{10'000}, milliseconds{60});
  const double excess = std::exp(random.unit() * 4);  // ms: 1 to 55
  const Leg leg = [&](Random& r) { return shortest + of_ms(excess * r.exponential()); };
  // Late by this amount each time, as a proxy's clock is, or by at most this amount.
  const bool always = random.chance(0.5);
  const Clock clock{.offset = kTrueTime + error - (always ? late : Duration{0}),
                    .drift = (2 * random.unit() - 1) * 100e-6,
                    .late = always ? Duration{0} : late};
  const ProbeBudget budget{.probes = random.chance(0.5) ? 16UL : 37UL};
  const Measured measured = measure(random, budget, leg, {{clock}});
  Now now = reading(measured.end);
  now.wall += kTrueTime + local;
  return doctor::clock_reading(measured.plan, now, seconds{1});
}

/// It claims no more than it knows, unless it is wrong.
doctor::NtpReading ntp(Random& random, Duration error, Duration local, std::size_t number) {
  const Duration shortest =
      -kRight <= error && error <= kRight ? std::max(error, -error) : Duration{0};
  const Duration width = shortest + random.between(milliseconds{1}, milliseconds{100});
  const Duration off = error - local;
  const OffsetBound bound{off - width, off + width};
  const std::string host = "ntp" + std::to_string(number);
  return {.host = host, .address = host + ":123", .server = bound, .truth = bound, .stratum = 2};
}

doctor::Diagnosis diagnose(Random& random, const Errors& errors) {
  doctor::Examination examination;
  examination.login = 0;
  examination.api = 1;
  examination.now = WallTime{kTrueTime + errors.local};
  for (const Duration error : {errors.login, errors.api}) {
    const Duration late = random.chance(0.5) ? random.between(Duration{0}, kMaxLate) : Duration{};
    examination.survey.servers.push_back(probe(random, error, errors.local, late));
    examination.survey.servers.back().url =
        examination.survey.servers.size() == 1 ? "https://login.example/" : "https://api.example/";
  }
  for (std::size_t i = 0; i < errors.ntp.size(); ++i)
    examination.survey.ntp.push_back(ntp(random, errors.ntp[i], errors.local, i));
  return judge(examination);
}

std::string shown(std::uint64_t seed, const doctor::Diagnosis& diagnosis) {
  return "seed " + std::to_string(seed) + ": " + diagnosis.verdict + ": " + diagnosis.summary;
}

TEST(Doctor, NeverBlamesAClockWhereAllAreRightHoweverLateDatesAre) {
  for (std::uint64_t seed = 0; seed < kRuns; ++seed) {
    Random random(seed);
    const Errors errors = all_right(random, seed % 5);
    const auto found = diagnose(random, errors);
    EXPECT_EQ(found.verdict, "ok") << shown(seed, found);
    EXPECT_EQ(found.exit_code, 0) << shown(seed, found);
  }
}

TEST(Doctor, BlamesTheLocalClockAloneWhereThatIsWrong) {
  std::size_t named = 0;
  for (std::uint64_t seed = 0; seed < kRuns; ++seed) {
    Random random(seed);
    Errors errors = all_right(random, seed % 5);
    errors.local = harm(random);
    const char* verdict = errors.local < Duration{0} ? "local_clock_behind" : "local_clock_ahead";
    const auto found = diagnose(random, errors);
    EXPECT_THAT(found.verdict, AnyOf(Eq(verdict), Eq("clocks_differ"), Eq("ok")))
        << shown(seed, found);
    if (found.verdict == verdict) ++named;
    const bool plain = errors.local > seconds{6} || errors.local < -seconds{6};
    if (!plain) continue;
    EXPECT_EQ(found.verdict, verdict) << shown(seed, found);
    EXPECT_EQ(found.exit_code, 4) << shown(seed, found);
  }
  EXPECT_GT(named, kRuns * 98 / 100);
}

TEST(Doctor, BlamesAHostAloneWhereItsClockIsWrong) {
  for (std::uint64_t seed = 0; seed < kRuns; ++seed) {
    Random random(seed);
    const std::size_t referees = seed % 5;
    Errors errors = all_right(random, referees);
    const bool login = random.chance(0.5);
    Duration& wrong = login ? errors.login : errors.api;
    wrong = harm(random);
    const char* verdict = referees == 0 ? "login_and_api_differ"
                          : login       ? "login_clock_wrong"
                                        : "api_clock_wrong";
    const auto found = diagnose(random, errors);
    EXPECT_THAT(found.verdict,
                AnyOf(Eq(verdict), Eq("login_and_api_differ"), Eq("clocks_differ"), Eq("ok")))
        << shown(seed, found);
    if (-seconds{6} <= wrong && wrong <= seconds{6}) continue;
    EXPECT_EQ(found.verdict, verdict) << shown(seed, found);
  }
}

TEST(Doctor, BlamesNobodyForAnNtpServerThatIsWrong) {
  for (std::uint64_t seed = 0; seed < kRuns; ++seed) {
    Random random(seed);
    Errors errors = all_right(random, 1 + seed % 4);
    errors.ntp.front() = harm(random);
    const auto found = diagnose(random, errors);
    EXPECT_THAT(found.verdict, AnyOf(Eq("ok"), Eq("clocks_differ"))) << shown(seed, found);
  }
}

}  // namespace
}  // namespace skewguard::testing
