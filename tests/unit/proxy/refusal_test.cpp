#include "proxy/refusal.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "skewguard/report.hpp"

namespace skewguard::proxy {
namespace {

using Kind = TransportFailure::Kind;

Refusal of(Kind kind) {
  return refusal_of({kind, "it failed"}, "https://api.test", WallTime{});
}

TEST(Refusal, OfATokenNamesTheVerdictOrElseTheKind) {
  CallReport report;
  report.verdict = Verdict::credentials_rejected;
  const auto judged = refusal_of(
      {ErrorKind::credentials, "wrong secret", "correct it", std::make_shared<CallReport>(report)});
  EXPECT_EQ(judged.code, "credentials_rejected");
  EXPECT_EQ(judged.message, "wrong secret: correct it");
  EXPECT_EQ(refusal_of(Error{ErrorKind::throttled, "wait", ""}).code, "throttled");
}

TEST(Refusal, InvitesToTryAgainOnlyIfThatMayHelpWithoutAPerson) {
  for (const auto kind : {ErrorKind::unavailable, ErrorKind::timeout, ErrorKind::throttled})
    EXPECT_TRUE(refusal_of(Error{kind, "", ""}).passes);
  for (const auto kind : {ErrorKind::credentials, ErrorKind::config, ErrorKind::clock})
    EXPECT_FALSE(refusal_of(Error{kind, "", ""}).passes);
  for (const auto kind : {Kind::dns, Kind::refused, Kind::unreachable, Kind::timeout, Kind::proxy})
    EXPECT_TRUE(of(kind).passes);
  for (const auto kind : {Kind::tls_untrusted, Kind::tls_time, Kind::proxy_refused})
    EXPECT_FALSE(of(kind).passes);
}

TEST(Refusal, IsA503WithRetryAfterOr502) {
  const Refusal passing = of(Kind::refused);
  EXPECT_EQ(passing.problem().status, 503);
  EXPECT_TRUE(passing.problem().retry);
  EXPECT_EQ(passing.problem().code, "network");
  const Refusal lasting = of(Kind::tls_untrusted);
  EXPECT_EQ(lasting.problem().status, 502);
  EXPECT_FALSE(lasting.problem().retry);
  EXPECT_EQ(lasting.problem().message, lasting.message);
}

}  // namespace
}  // namespace skewguard::proxy
