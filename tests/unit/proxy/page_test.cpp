#include "proxy/page.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

namespace skewguard::proxy {
namespace {

nlohmann::json body_of(const Page& page) {
  return nlohmann::json::parse(page.body.reveal());
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

TEST(ProblemPage, InvitesToTryAgainOnlyIfNothingWasSent) {
  const auto unsent = problem_page({503, "hold.timeout", "No token.", true});
  EXPECT_EQ(unsent.status, 503);
  EXPECT_EQ(unsent.headers.find("Retry-After"), "5");
  EXPECT_EQ(body_of(unsent)["code"], "skewguard.hold.timeout");
  EXPECT_FALSE(problem_page({502, "network", "Lost."}).headers.find("Retry-After"));
}

TEST(ProblemPage, SaysWhenAnotherTryMakesSense) {
  using std::chrono::milliseconds;
  relay::Problem problem{503, "hold.timeout", "No token.", true};
  for (const auto& [wait, text] : {std::pair{milliseconds{-1}, "1"},
                                   {milliseconds{0}, "1"},
                                   {milliseconds{1000}, "1"},
                                   {milliseconds{1001}, "2"},
                                   {milliseconds{60'000}, "60"},
                                   {milliseconds{3'600'000}, "60"}}) {
    problem.retry_after = wait;
    EXPECT_EQ(problem_page(problem).headers.find("Retry-After"), text);
  }
}

TEST(ProblemPage, SaysWhatItsStatusRequires) {
  EXPECT_EQ(problem_page({401, "x", "x"}).headers.find("WWW-Authenticate"),
            "Bearer realm=\"skewguard\"");
  EXPECT_EQ(problem_page({405, "x", "x"}).headers.find("Allow"), "GET, HEAD, POST");
  EXPECT_FALSE(problem_page({403, "x", "x"}).headers.find("WWW-Authenticate"));
  EXPECT_FALSE(problem_page({401, relay::kCutAnswer, "x"}).headers.find("WWW-Authenticate"))
      << "it is the API's";
}

TEST(FieldsText, HasCompleteLinesAndADate) {
  const Page page{200, {{"A", "b"}, {"C", "d"}}};
  const WallTime now{std::chrono::seconds{784111777} + std::chrono::milliseconds{900}};
  EXPECT_EQ(fields_text(page, now), "A: b\r\nC: d\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
}

}  // namespace
}  // namespace skewguard::proxy
