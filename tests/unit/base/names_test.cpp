#include <gtest/gtest.h>

#include <set>
#include <string_view>

#include "skewguard/error.hpp"
#include "skewguard/log.hpp"
#include "skewguard/verdict.hpp"

namespace skewguard {
namespace {

/// The names of every value from the first to `last`.
template <typename Enum>
std::set<std::string_view> names_up_to(Enum last) {
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(last); ++i) names.insert(to_string(static_cast<Enum>(i)));
  return names;
}

using Names = std::set<std::string_view>;

// Reports, metrics and logs use these names; they are documented and must not change.
TEST(Names, OfVerdictsAreThosePromised) {
  EXPECT_EQ(names_up_to(Verdict::unknown), (Names{"ok",
                                                  "token_expired",
                                                  "issuer_clock_ahead",
                                                  "issuer_clock_behind",
                                                  "token_not_yet_active",
                                                  "local_clock_behind",
                                                  "local_clock_ahead",
                                                  "token_revoked",
                                                  "token_rejected",
                                                  "token_contended",
                                                  "credentials_rejected",
                                                  "unknown_client",
                                                  "missing_permission",
                                                  "gateway_refused",
                                                  "no_user_context",
                                                  "login_rate_limited",
                                                  "api_rate_limited",
                                                  "auth_backend_unavailable",
                                                  "tls_clock",
                                                  "tls_untrusted",
                                                  "network",
                                                  "timeout",
                                                  "protocol",
                                                  "unknown"}));
  EXPECT_EQ(to_string(Verdict::issuer_clock_ahead), "issuer_clock_ahead");
  EXPECT_EQ(to_string(Verdict::local_clock_behind), "local_clock_behind");
}

TEST(Names, OfActionsAreThosePromised) {
  EXPECT_EQ(names_up_to(Action::give_up),
            (Names{"none", "refresh_and_retry", "wait_and_retry", "give_up"}));
  EXPECT_EQ(to_string(Action::wait_and_retry), "wait_and_retry");
}

TEST(Names, OfErrorKindsAreThosePromised) {
  EXPECT_EQ(names_up_to(ErrorKind::cancelled),
            (Names{"config", "credentials", "clock", "forbidden", "throttled", "unavailable",
                   "timeout", "protocol", "cancelled"}));
  EXPECT_EQ(to_string(ErrorKind::clock), "clock");
}

TEST(Names, OfLogLevelsAreThosePromised) {
  EXPECT_EQ(names_up_to(LogLevel::critical),
            (Names{"trace", "debug", "info", "warn", "error", "critical"}));
  EXPECT_EQ(to_string(LogLevel::warn), "warn");
}

TEST(Error, IsDescribedOnOneLineWithItsRemedy) {
  EXPECT_EQ(describe({.kind = ErrorKind::config, .message = "no region", .remedy = "set --region"}),
            "no region: set --region");
  EXPECT_EQ(describe({.kind = ErrorKind::config, .message = "no region", .remedy = ""}),
            "no region");
  EXPECT_EQ(describe({.kind = ErrorKind::config, .message = "It broke.", .remedy = "try again"}),
            "It broke. Try again.");
  EXPECT_EQ(
      describe({.kind = ErrorKind::config, .message = "It broke.", .remedy = "--proxy helps"}),
      "It broke. --proxy helps.");
}

}  // namespace
}  // namespace skewguard
