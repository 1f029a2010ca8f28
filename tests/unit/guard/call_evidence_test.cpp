// What later calls learn from a call that had a token refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "world.hpp"

namespace skewguard::guard::testing {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(CallEvidence, NothingIsLearnedFromARefusedGivenToken) {
  const Duration begins_late = kEpoch + seconds{5};
  World pending;
  pending.given = true;
  pending.given_claims = oauth::JwtClaims{begins_late, begins_late, begins_late + hours{1}};
  pending.run();
  EXPECT_THAT(pending.refusals[1], SizeIs(1)) << "refused, then accepted after a wait";
  EXPECT_EQ(pending.end->report.verdict, Verdict::issuer_clock_ahead);
  EXPECT_THAT(told<oauth::event::ApiLags>(pending), IsEmpty());

  World revoked;
  revoked.given = true;
  revoked.revoked = {1};
  revoked.run();
  EXPECT_THAT(told<oauth::event::EndedEarly>(revoked), IsEmpty());
  EXPECT_THAT(told<oauth::event::RefusedForGood>(revoked), IsEmpty());
}

}  // namespace
}  // namespace skewguard::guard::testing
