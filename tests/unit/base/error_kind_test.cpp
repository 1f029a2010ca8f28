#include "base/error_kind.hpp"

#include <gtest/gtest.h>

namespace skewguard {
namespace {

// docs/contract.md sections 3 and 4.
TEST(ErrorKindOf, FollowsFromTheVerdict) {
  for (const Verdict v :
       {Verdict::ok, Verdict::protocol, Verdict::no_user_context, Verdict::gateway_refused})
    EXPECT_EQ(error_kind(v), ErrorKind::protocol) << to_string(v);
  for (const Verdict v : {Verdict::token_expired, Verdict::token_not_yet_active,
                          Verdict::token_revoked, Verdict::token_rejected, Verdict::token_contended,
                          Verdict::credentials_rejected, Verdict::unknown_client, Verdict::unknown})
    EXPECT_EQ(error_kind(v), ErrorKind::credentials) << to_string(v);
  for (const Verdict v :
       {Verdict::issuer_clock_ahead, Verdict::issuer_clock_behind, Verdict::local_clock_ahead,
        Verdict::local_clock_behind, Verdict::tls_clock})
    EXPECT_EQ(error_kind(v), ErrorKind::clock) << to_string(v);
  EXPECT_EQ(error_kind(Verdict::missing_permission), ErrorKind::forbidden);
  for (const Verdict v : {Verdict::login_rate_limited, Verdict::api_rate_limited})
    EXPECT_EQ(error_kind(v), ErrorKind::throttled) << to_string(v);
  for (const Verdict v :
       {Verdict::auth_backend_unavailable, Verdict::tls_untrusted, Verdict::network})
    EXPECT_EQ(error_kind(v), ErrorKind::unavailable) << to_string(v);
  EXPECT_EQ(error_kind(Verdict::timeout), ErrorKind::timeout);
}

}  // namespace
}  // namespace skewguard
