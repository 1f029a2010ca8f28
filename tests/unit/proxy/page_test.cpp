#include "proxy/page.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "skewguard/report.hpp"

namespace skewguard::proxy {
namespace {

nlohmann::json body_of(const Page& page) {
  return nlohmann::json::parse(page.body.reveal());
}

Error error_of(ErrorKind kind, std::vector<ReportedAttempt> attempts, Verdict verdict) {
  CallReport report;
  report.attempts = std::move(attempts);
  report.verdict = verdict;
  return {kind, "it failed", "", std::make_shared<CallReport>(std::move(report))};
}

TEST(ErrorPage, IsWordedAsThePlatformWordsIt) {
  const auto page = error_page(404, "no_such_path", "not \"here\"");
  EXPECT_EQ(page.status, 404);
  EXPECT_EQ(page.headers.find("Content-Type"), "application/json");
  const auto body = body_of(page);
  EXPECT_EQ(body["message"], "not \"here\"");
  EXPECT_EQ(body["code"], "skewguard.no_such_path");
  EXPECT_EQ(body["status"], 404);
  EXPECT_EQ(body["contextId"].get<std::string>().size(), 32U);
  EXPECT_TRUE(body["details"].is_array());
  EXPECT_TRUE(body["errors"].is_array());
  EXPECT_NE(body["contextId"], body_of(error_page(404, "x", "x"))["contextId"]);
}

TEST(ErrorPage, ReplacesBytesThatAreNotUtf8) {
  EXPECT_EQ(body_of(error_page(502, "x", "\xff"))["message"], "\xef\xbf\xbd");
}

TEST(FailurePage, InvitesToTryAgainOnlyWhereNothingWasSent) {
  const ReportedAttempt login{.host = HostRole::login};
  const ReportedAttempt api{.host = HostRole::api};
  const auto unsent =
      failure_page(error_of(ErrorKind::unavailable, {login}, Verdict::auth_backend_unavailable));
  EXPECT_EQ(unsent.status, 503);
  EXPECT_EQ(unsent.headers.find("Retry-After"), "5");
  EXPECT_EQ(body_of(unsent)["code"], "skewguard.auth_backend_unavailable");
  const auto sent = failure_page(error_of(ErrorKind::unavailable, {login, api}, Verdict::network));
  EXPECT_EQ(sent.status, 502);
  EXPECT_FALSE(sent.headers.find("Retry-After"));
  EXPECT_EQ(body_of(sent)["code"], "skewguard.network");
  const auto late = failure_page(error_of(ErrorKind::timeout, {api}, Verdict::timeout));
  EXPECT_EQ(late.status, 504);
  EXPECT_FALSE(late.headers.find("Retry-After"));
}

TEST(FailurePage, DoesNotInviteWhereAPersonMustAct) {
  const auto page =
      failure_page(error_of(ErrorKind::credentials, {}, Verdict::credentials_rejected));
  EXPECT_EQ(page.status, 502);
  EXPECT_FALSE(page.headers.find("Retry-After"));
  EXPECT_EQ(body_of(page)["code"], "skewguard.credentials_rejected");
}

TEST(FailurePage, NamesTheKindWhereThereIsNoVerdict) {
  const auto page = failure_page({ErrorKind::throttled, "wait", ""});
  EXPECT_EQ(page.status, 503);
  EXPECT_EQ(body_of(page)["code"], "skewguard.throttled");
}

}  // namespace
}  // namespace skewguard::proxy
