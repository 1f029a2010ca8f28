#include <gtest/gtest.h>

#include <string>

#include "fixture.hpp"

namespace skewguard::emulator {
namespace {

void order(Play& play, const std::string& body, Duration when = Duration{0}) {
  const auto reply = play.control(when, "POST", "/emulator/limit", body);
  EXPECT_EQ(reply.status, 200) << reply.body;
}

TEST(LoginLimit, RefusesWith400AndNoRetryAfter) {
  Play play;
  order(play, R"({"host":"login","requests":2,"window":"10s"})");
  EXPECT_EQ(play.login(seconds{1}).status, 200);
  EXPECT_EQ(play.login(seconds{2}).status, 200);
  const auto reply = play.login(seconds{3});
  EXPECT_EQ(reply.status, 400);  // docs/platform.md 2.1
  const auto body = json::parse(reply.body);
  EXPECT_EQ(body.at("error"), "invalid_request");
  EXPECT_TRUE(body.at("error_description").get<std::string>().starts_with("rate limit exceeded;"));
  EXPECT_EQ(header(reply, "Retry-After"), "(none)");
  EXPECT_EQ(play.stats()["token_requests"]["by_outcome"]["rate_limited"], 1);
}

TEST(LoginLimit, StartsAgainWithEachWindow) {
  Play play;
  order(play, R"({"host":"login","requests":1,"window":"10s"})");
  EXPECT_EQ(play.login(seconds{5}).status, 200);
  EXPECT_EQ(play.login(milliseconds{14'999}).status, 400);
  EXPECT_EQ(play.login(seconds{15}).status, 200);
}

TEST(LoginLimit, IsOfEachClient) {
  CloudOptions options;
  options.clients = {{"demo", {Secret("demo-secret")}, ""}, {"b", {Secret("x")}, ""}};
  Play play(options);
  order(play, R"({"host":"login","requests":1})");
  EXPECT_EQ(play.login(seconds{0}).status, 200);
  EXPECT_EQ(play.login(seconds{0}).status, 400);
  EXPECT_EQ(play.login(seconds{0}, token_request("Basic Yjp4")).status, 200);  // b:x
}

TEST(LoginLimit, IsOffUntilItIsOrderedAndCanBeTurnedOff) {
  Play play;
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(play.login(seconds{0}).status, 200);
  order(play, R"({"host":"login","requests":1})");
  EXPECT_EQ(play.login(seconds{0}).status, 400);
  order(play, R"({"host":"login","requests":0})");
  EXPECT_EQ(play.login(seconds{0}).status, 200);
}

TEST(ApiLimit, ReportsCountAllowedAndResetOnEveryAnswerToAToken) {
  Play play;
  const auto token = play.token(seconds{0});
  auto reply = play.get(seconds{10}, token);
  EXPECT_EQ(header(reply, "inin-ratelimit-count"), "1");
  EXPECT_EQ(header(reply, "inin-ratelimit-allowed"), "300");  // docs/platform.md 4
  EXPECT_EQ(header(reply, "inin-ratelimit-reset"), "60");
  reply = play.get(milliseconds{29'500}, token, "/api/v2/nothing");
  EXPECT_EQ(reply.status, 404);
  EXPECT_EQ(header(reply, "inin-ratelimit-count"), "2");
  EXPECT_EQ(header(reply, "inin-ratelimit-reset"), "41");  // 40.5 s, rounded up
  reply = play.get(seconds{70}, token);
  EXPECT_EQ(header(reply, "inin-ratelimit-count"), "1");
}

TEST(ApiLimit, RefusesWith429AndSaysWhenToComeBack) {
  Play play;
  const auto token = play.token(seconds{0});
  order(play, R"({"host":"api","requests":3})");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(play.get(seconds{0}, token).status, 200);
  const auto reply = play.get(seconds{18}, token);
  EXPECT_EQ(reply.status, 429);
  EXPECT_EQ(header(reply, "Retry-After"), "42");
  const auto body = json::parse(reply.body);
  EXPECT_EQ(body.at("code"), "too.many.requests.retry.after");
  EXPECT_EQ(body.at("message"),
            "Rate limit exceeded the maximum. Retry the request in [42] seconds");
  EXPECT_EQ(body.at("status"), 429);
  EXPECT_EQ(header(reply, "inin-ratelimit-allowed"), "3");
  EXPECT_EQ(play.get(seconds{60}, token).status, 200);
  EXPECT_EQ(play.stats()["api_requests"]["by_outcome"]["too.many.requests.retry.after"], 1);
}

TEST(ApiLimit, IsOfEachToken) {
  Play play;
  order(play, R"({"host":"api","requests":1})");
  const auto first = play.token(seconds{0});
  const auto second = play.token(seconds{0});
  EXPECT_EQ(play.get(seconds{0}, first).status, 200);
  EXPECT_EQ(play.get(seconds{0}, first).status, 429);
  EXPECT_EQ(play.get(seconds{0}, second).status, 200);
}

TEST(ApiLimit, CountsButRefusesNobodyUntilItIsOrdered) {
  Play play;
  const auto token = play.token(seconds{0});
  for (int i = 0; i < 400; ++i) EXPECT_EQ(play.get(seconds{0}, token).status, 200);
  EXPECT_EQ(header(play.get(seconds{0}, token), "inin-ratelimit-count"), "401");
}

TEST(ApiLimit, SaysRetryAfterAsOrdered) {
  CloudOptions options;
  options.api_clocks = {{seconds{-600}, 0}};
  Play play(options);
  const auto token = play.token(seconds{0});
  order(play, R"({"host":"api","requests":1,"retry_after":"whenever"})");
  play.get(seconds{0}, token);
  EXPECT_EQ(header(play.get(seconds{1}, token), "Retry-After"), "whenever");
  order(play, R"({"host":"api","retry_after":"none"})");
  EXPECT_EQ(header(play.get(seconds{1}, token), "Retry-After"), "(none)");
  order(play, R"({"host":"api","retry_after_date":"2s"})");
  EXPECT_EQ(header(play.get(seconds{1}, token), "Retry-After"), "Wed, 31 Dec 2025 23:50:03 GMT");
}

TEST(Limit, NamesTheFieldThatIsWrong) {
  Play play;
  const std::pair<const char*, const char*> cases[] = {
      {R"({"requests":1})", "field 'host': is missing"},
      {R"({"host":"api"})", "field 'requests': or 'window'"},
      {R"({"host":"api","requests":1.5})", "field 'requests': must be a whole number"},
      {R"({"host":"api","window":0})", "field 'window': must be between"},
      {R"({"host":"login","requests":1,"retry_after":1})", "field 'retry_after'"},
  };
  for (const auto& [body, why] : cases) {
    const auto reply = play.control(seconds{0}, "POST", "/emulator/limit", body);
    EXPECT_EQ(reply.status, 400);
    EXPECT_TRUE(json::parse(reply.body).value("error", "").starts_with(why)) << reply.body;
  }
}

}  // namespace
}  // namespace skewguard::emulator
