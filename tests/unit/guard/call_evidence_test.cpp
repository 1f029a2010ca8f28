// What later calls learn from a call that had a token refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench.hpp"

namespace skewguard::guard::testing {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(CallEvidence, NothingIsLearnedFromARefusedGivenToken) {
  const Duration begins_late = kEpoch + seconds{5};
  Bench pending;
  pending.given = true;
  pending.given_claims = oauth::JwtClaims{begins_late, begins_late, begins_late + hours{1}};
  pending.run();
  EXPECT_THAT(pending.refusals[1], SizeIs(1)) << "refused, then accepted after a wait";
  EXPECT_EQ(pending.end->report.verdict, Verdict::issuer_clock_ahead);
  EXPECT_THAT(facts_of<oauth::event::ApiLags>(pending), IsEmpty());

  Bench revoked;
  revoked.given = true;
  revoked.revoked = {1};
  revoked.run();
  EXPECT_THAT(facts_of<oauth::event::EndedEarly>(revoked), IsEmpty());
  EXPECT_THAT(facts_of<oauth::event::RefusedForGood>(revoked), IsEmpty());
}

TEST(CallEvidence, AFrozenLoginDateOfBeforeTheCallBlamesNoClock) {
  const auto issuer_ahead_verdict = [](bool frozen) {
    Bench w;
    w.options.attempts = 1;
    w.login_date = kEpoch + seconds{120};
    if (frozen) {
      for (const Duration later : {Duration{0}, Duration{seconds{10}}}) {
        w.advance(later);
        w.book.observe(w.login,
                       time::DateSample{.sent = w.now(),
                                        .received = w.now(),
                                        .date = std::chrono::floor<seconds>(*w.login_date)});
      }
      w.advance(seconds{10});
    }
    return w.run().verdict;
  };
  EXPECT_EQ(issuer_ahead_verdict(false), Verdict::issuer_clock_ahead);
  EXPECT_EQ(issuer_ahead_verdict(true), Verdict::unknown);
}

}  // namespace
}  // namespace skewguard::guard::testing
