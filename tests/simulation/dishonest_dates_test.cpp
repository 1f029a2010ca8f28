// Dates that do not come from a clock (C19), and late ones together with slow propagation.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>

#include "simulation/scenario.hpp"

namespace skewguard::simulation {
namespace {

using Lie = std::function<std::chrono::seconds(std::chrono::seconds honest)>;

constexpr std::chrono::seconds kNewYear = 1'767'225'600s;  // of 2026, when the simulations start

struct NamedLie {
  const char* name;
  Lie tell;
};
const std::vector<NamedLie>& lies() {
  static const std::vector<NamedLie> kLies{
      {"frozen for ever", [](std::chrono::seconds) { return kNewYear + 20s; }},
      {"1970", [](std::chrono::seconds) { return 0s; }},
      {"runs from 1970", [](std::chrono::seconds honest) { return honest - kNewYear; }},
      {"of Last-Modified", [](std::chrono::seconds) { return kNewYear - 40 * 24h; }},
      {"cached for a minute without Age",
       [](std::chrono::seconds honest) { return honest - honest % 60s; }},
  };
  return kLies;
}

class DishonestDates : public Scenario {
 protected:
  /// From now on `lie` changes the Date of the host's answers.
  void lie(const char* host, const Lie& lie) {
    simulation->fate = [host, lie](const HttpRequest& request) {
      Fate fate;
      if (!request.url.starts_with(host)) return fate;
      fate.spoil = [lie](emulator::Reply& reply) { redate(reply, lie(date_of(reply))); };
      return fate;
    };
  }
  void expect_no_clock_blamed() const {
    for (const CallReport& report : client->resolved) {
      for (const ReportedAttempt& attempt : report.attempts) {
        EXPECT_THAT(attempt.verdict.value_or(Verdict::ok),
                    testing::AnyOf(Verdict::ok, Verdict::unknown, Verdict::token_revoked))
            << to_json(report);
      }
    }
  }
};

TEST_P(DishonestDates, C19OfTheApiHostBlameNoClockAndCostNoToken) {
  for (const NamedLie& one : lies()) {
    SCOPED_TRACE(one.name);
    build(0s, {0s});
    lie(kApiUrl, one.tell);
    call_for(1500s, 10s);
    EXPECT_EQ(simulation->rejections(), 0U);
    EXPECT_LE(simulation->token_requests(), 6U);
    simulation->servers().tokens().revoke_all();
    const auto outcome = client->get();
    EXPECT_EQ(outcome.status, 200) << to_json(outcome.report);
    EXPECT_LE(simulation->token_requests(), 7U);
    expect_no_clock_blamed();
  }
}

TEST_P(DishonestDates, C19OfTheLoginHostBlameNoClockAndCostNoToken) {
  for (const NamedLie& one : lies()) {
    SCOPED_TRACE(one.name);
    build(0s, {0s});
    lie(kLoginUrl, one.tell);
    call_for(1500s, 10s);
    EXPECT_EQ(simulation->rejections(), 0U);
    EXPECT_LE(simulation->token_requests(), 6U);
    expect_no_clock_blamed();
  }
}

TEST_P(DishonestDates, SlowPropagationIsWaitedForWithTheSameTokenAlsoWhereDatesAreLate) {
  for (const Duration late : {Duration{0}, Duration{1s}}) {
    build(0s, {0s});
    std::optional<Instant> issued;
    simulation->fate = [&](const HttpRequest& request) {
      Fate fate;
      if (request.url.starts_with(kLoginUrl)) issued = simulation->boot();
      fate.spoil = [&, api = request.url.starts_with(kApiUrl)](emulator::Reply& reply) {
        if (!api) return;
        if (simulation->boot() - *issued < 800ms) refuse(reply);
        redate(reply, date_of(reply) - std::chrono::floor<std::chrono::seconds>(late));
      };
      return fate;
    };
    const auto outcome = client->get();
    EXPECT_EQ(outcome.status, 200) << to_json(outcome.report);
    EXPECT_EQ(outcome.report.token_requests, 1);
    EXPECT_EQ(tokens_sent().size(), 1U);
    if (late == 0s) {
      EXPECT_EQ(outcome.report.verdict, Verdict::token_not_yet_active);
    } else {  // it looks like a clock that lags, and says so (evidence rule 2)
      EXPECT_EQ(outcome.report.verdict, Verdict::issuer_clock_ahead);
      EXPECT_THAT(outcome.report.attempts[0].explanation,
                  testing::HasSubstr("or its Date is late"));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Rows, DishonestDates, every_setting(), name_of);

}  // namespace
}  // namespace skewguard::simulation
