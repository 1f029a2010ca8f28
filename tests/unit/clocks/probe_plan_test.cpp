// Which requests a plan sends next, one at a time; tests/property plays whole measurements.
#include "clocks/probe_plan.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "machine.hpp"

namespace skewguard::clocks {
namespace {

using namespace testing;
using Over = ProbePlan::Over;
using Wait = ProbePlan::Wait;

/// Begins at 100 s. The server's clock shows what each test likes, near 100 s.
class AProbePlan {
 public:
  explicit AProbePlan(ProbeBudget budget) : plan_(without_drift(budget), unslewed(100s)) {}

  /// A request on a connection of its own, and its answer.
  void probe(Duration sent, std::chrono::seconds date, Duration rtt = 10ms) {
    plan_.sent(unslewed(sent), ++connection_);
    now = sent + rtt;
    plan_.answered(
        {.sent = at(sent), .received = at(now), .date = date, .connection = connection_});
  }
  [[nodiscard]] ProbePlan::Next next() { return plan_.next(unslewed(now)); }
  /// Sends the next request when it is due. It shows this Date.
  Over follow(std::chrono::seconds date, Duration rtt = 10ms) {
    const auto shot = next().shot;
    EXPECT_TRUE(shot);
    if (!shot) return Over::best;
    probe(std::max(shot->at.time_since_epoch(), now), date, rtt);
    return shot->over;
  }
  void lose(Duration sent) {
    plan_.sent(unslewed(sent), ++connection_);
    plan_.lost(connection_);
  }

  Duration now = 100s;

 private:
  static ProbeBudget without_drift(ProbeBudget budget) {
    budget.drift = 0;
    return budget;
  }
  ProbePlan plan_;
  std::uint64_t connection_ = 0;
};

/// When the next request goes out.
Duration due(AProbePlan& plan) {
  const auto shot = plan.next().shot;
  EXPECT_TRUE(shot);
  return shot ? shot->at.time_since_epoch() : Duration{0};
}

TEST(ProbePlan, SendsNothingFromTheEndOfItsTimeOn) {
  AProbePlan plan({.time = 1s});
  plan.lose(100s);
  plan.now = 101s - 1ns;
  EXPECT_TRUE(plan.next().shot);
  plan.now = 101s;
  EXPECT_FALSE(plan.next().shot);
  EXPECT_EQ(plan.next().wait, Wait::over);
}

TEST(ProbePlan, AimsAtTheNextSecondWhoseBracketHasHardlyBegun) {
  // The server is between 10 ms behind and `width` ahead: second 101 begins that much before 101 s.
  const auto aimed_at = [](Duration width, Duration passed) {
    AProbePlan plan({});
    plan.probe(100s, 100s);
    plan.probe(101s - width, 100s);
    plan.now = 101s - width + passed;
    return due(plan);
  };
  EXPECT_LT(aimed_at(700ms, 210ms), 101s) << "up to three tenths of a wide one are left out";
  EXPECT_GT(aimed_at(700ms, 211ms), 102s - 700ms);
  EXPECT_LT(aimed_at(500ms, 150ms), 101s);
  EXPECT_GT(aimed_at(500ms, 151ms), 102s - 500ms);
  EXPECT_GT(aimed_at(400ms, 10ms), 102s - 400ms) << "nothing of a narrow one is";
}

TEST(ProbePlan, ChecksAheadOfTheBracketAndBehindIt) {
  AProbePlan plan({.time = 3500ms});
  plan.probe(100s, 100s);
  plan.probe(100'900ms, 100s);  // the server: between 10 ms behind and 100 ms ahead
  const auto ahead = plan.next().shot;
  ASSERT_TRUE(ahead);
  EXPECT_EQ(ahead->over, Over::other);
  EXPECT_EQ(ahead->at, unslewed(102s - 100ms - 10ms - 6ms)) << "6 ms and a round trip ahead of it";
  EXPECT_EQ(plan.follow(101s), Over::other);
  for (int aimed = 0; aimed < 6; ++aimed) {
    EXPECT_GE(due(plan), 102s - 100ms);
    EXPECT_LE(due(plan), 102s + 10ms);
    EXPECT_EQ(plan.follow(101s), Over::best);
  }
  plan.now = 102'500ms;  // second 102 has surely begun, and no answer has shown it
  const auto behind = plan.next().shot;
  ASSERT_TRUE(behind);
  EXPECT_EQ(behind->over, Over::other);
  EXPECT_EQ(behind->at, unslewed(102s + 10ms + 6ms));
}

/// How many checks go ahead of the second bracket, after one ahead of the first and an aimed probe.
/// `samples`: before that, one in each second; when within it.
int checks_ahead(const std::vector<Duration>& samples) {
  const std::chrono::seconds end{100 + samples.size()};
  AProbePlan plan({.probes = samples.size() + 5, .time = end - 100s + 3500ms});
  std::chrono::seconds second = 100s;
  for (const Duration& within : samples) {
    plan.probe(second + within, second);
    second += 1s;
  }
  const std::chrono::seconds turn = end + 1s;  // the next one whose bracket is still to come
  EXPECT_EQ(plan.follow(turn - 1s), Over::other);
  EXPECT_EQ(plan.follow(turn, 100ms), Over::best);
  int checks = 0;
  while (plan.follow(turn) == Over::other && checks < 3) ++checks;
  return checks;
}

TEST(ProbePlan, ChecksTwiceWhereTwoClocksMayTakeTurns) {
  const Duration early = 0ms, between = 500ms, late = 980ms;
  EXPECT_EQ(checks_ahead({early, late, early, late, early, late}), 2)
      << "every other answer bounds the offset from below, those between from above";
  EXPECT_EQ(checks_ahead({early, between, late, between, early, between, late, between, early,
                          between, late}),
            1)
      << "the same turn bounds it on both sides";
}

TEST(ProbePlan, SendsAsManyFlankProbesBeforeASecondAsAfterItWhereFewAreLeft) {
  AProbePlan plan({.probes = 6, .flanks = 7});
  plan.probe(100s, 100s);
  const auto next = plan.next();
  ASSERT_TRUE(next.shot);
  EXPECT_EQ(next.shot->over, Over::fresh);
  EXPECT_EQ(next.fresh_soon, 4U) << "of five that are left";
}

}  // namespace
}  // namespace skewguard::clocks
