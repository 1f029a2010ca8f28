#include "emulator/token_rules.hpp"

#include <gtest/gtest.h>

#include <string>

#include "fixture.hpp"

namespace skewguard::emulator {
namespace {

/// Tokens of 300 s that are treated as ordered.
class RulesPlay : public Play {
 public:
  explicit RulesPlay(const std::string& order, CloudOptions options = {})
      : Play(with_lifetime(std::move(options))) {
    const auto reply = control(seconds{0}, "POST", "/emulator/token", order);
    EXPECT_EQ(reply.status, 200) << reply.body;
  }
  std::string outcome(Duration when, const std::string& token,
                      std::string target = "/api/v2/tokens/me") {
    get(when, token, std::move(target));
    return cloud.stats().recent.back().outcome;
  }

 private:
  static CloudOptions with_lifetime(CloudOptions options) {
    options.settings.lifetime = seconds{300};
    return options;
  }
};

TEST(Propagation, ABackendTakesATokenOnlySoLongAfterItsIssue) {
  RulesPlay play(R"({"propagation":"2s"})");
  const auto token = play.token(seconds{10});
  EXPECT_EQ(play.outcome(milliseconds{11'999}, token), "not_spread");
  EXPECT_EQ(play.get(milliseconds{11'999}, token).status, 401);
  EXPECT_EQ(play.outcome(seconds{12}, token), "ok");
}

TEST(Propagation, IsOfEachBackendsOwn) {
  CloudOptions options;
  options.api_clocks = {{}, {}, {}};
  RulesPlay play(R"({"propagation":[0,"500ms"]})", options);
  const auto token = play.token(seconds{10});
  const auto status = [&](Duration when, std::size_t backend) {
    return play.cloud.handle_api(api_request("GET", "/api/v2/tokens/me", token), at(when), backend)
        .status;
  };
  EXPECT_EQ(status(seconds{10}, 0), 200);
  EXPECT_EQ(status(seconds{10}, 1), 401);
  EXPECT_EQ(status(seconds{10}, 2), 401);
  EXPECT_EQ(status(milliseconds{10'500}, 2), 200);
}

TEST(Eviction, TheOldestOfAClientGoesOverACount) {
  CloudOptions options;
  options.clients = {{"demo", {Secret("demo-secret")}, ""}, {"b", {Secret("x")}, ""}};
  RulesPlay play(R"({"most_live":2})", options);
  const auto first = play.token(seconds{0});
  const auto second = play.token(seconds{1});
  EXPECT_EQ(play.outcome(seconds{2}, first), "ok");
  const auto third = play.token(seconds{3});
  EXPECT_EQ(play.outcome(seconds{4}, first), "evicted");
  EXPECT_EQ(play.outcome(seconds{4}, second), "ok");
  EXPECT_EQ(play.outcome(seconds{4}, third), "ok");
}

TEST(Eviction, DoesNotCountWhatHasEnded) {
  RulesPlay play(R"({"most_live":1})");
  play.token(seconds{0});
  const auto second = play.token(seconds{300});
  EXPECT_EQ(play.outcome(seconds{301}, second), "ok");
  EXPECT_FALSE(play.cloud.tokens().by_number(1)->revoked);
}

TEST(Contention, ANewTokenOfAClientEndsThePreviousOne) {
  RulesPlay play(R"({"contention":true})");
  const auto first = play.token(seconds{0});
  EXPECT_EQ(play.outcome(seconds{1}, first), "ok");
  const auto second = play.token(seconds{2});
  EXPECT_EQ(play.outcome(seconds{3}, first), "replaced");
  EXPECT_EQ(play.outcome(seconds{3}, second), "ok");
  EXPECT_EQ(play.stats()["tokens"][0]["why"], "replaced");
}

TEST(Contention, ARivalAsksForATokenWheneverItsOwnHasDied) {
  RulesPlay play(R"({"contention":true,"rival":"2s"})");
  const auto first = play.token(seconds{1});
  EXPECT_EQ(play.outcome(milliseconds{1900}, first), "ok");
  EXPECT_EQ(play.outcome(seconds{2}, first), "replaced");  // the rival has one now
  const auto second = play.token(seconds{3});              // which kills the rival's
  EXPECT_EQ(play.outcome(milliseconds{3900}, second), "ok");
  EXPECT_EQ(play.outcome(seconds{4}, second), "replaced");
  EXPECT_EQ(play.cloud.tokens().issued(), 4U);
  EXPECT_EQ(play.stats()["token_requests"]["total"], 2);  // the client's own
}

TEST(Contention, ARivalWithALivingTokenAsksForNone) {
  RulesPlay play(R"({"rival":"1s"})");
  play.token(seconds{0});
  play.cloud.advance(at(seconds{100}));
  EXPECT_EQ(play.cloud.tokens().issued(), 2U);
}

TEST(SameToken, IsIssuedWhileItLives) {
  RulesPlay play(R"({"same_token":"live"})");
  const auto first = play.token(seconds{0});
  const auto again = json::parse(play.login(seconds{290}).body);
  EXPECT_EQ(again["access_token"], first);
  EXPECT_EQ(again["expires_in"], 10);
  const auto next = json::parse(play.login(seconds{300}).body);
  EXPECT_NE(next["access_token"], first);
  EXPECT_EQ(next["expires_in"], 300);
  EXPECT_EQ(play.stats()["token_requests"]["by_outcome"], (json{{"issued", 2}, {"same_again", 1}}));
}

TEST(SameToken, ARevokedOneDoesNotLive) {
  RulesPlay play(R"({"same_token":"live"})");
  const auto first = play.token(seconds{0});
  play.cloud.tokens().revoke_all();
  EXPECT_NE(play.token(seconds{1}), first);
}

TEST(SameToken, MayBeIssuedAfterItsEnd) {
  RulesPlay play(R"({"same_token":"always"})");
  const auto first = play.token(seconds{0});
  const auto again = json::parse(play.login(seconds{400}).body);
  EXPECT_EQ(again["access_token"], first);
  EXPECT_EQ(again["expires_in"], 300);
  EXPECT_EQ(play.outcome(seconds{400}, first), "expired");
}

TEST(IdleTimeout, ATokenThatNobodyUsesDies) {
  RulesPlay play(R"({"idle_timeout":"60s"})");
  const auto token = play.token(seconds{0});
  EXPECT_EQ(play.outcome(seconds{59}, token), "ok");
  EXPECT_EQ(play.outcome(seconds{118}, token), "ok");  // 59 s after its last use
  EXPECT_EQ(play.outcome(seconds{178}, token), "idle");
  EXPECT_EQ(play.outcome(seconds{179}, token), "idle");  // for good
}

TEST(IdleTimeout, AQuestionMayLeaveTheTimerAlone) {
  RulesPlay play(R"({"idle_timeout":"60s"})");
  const auto token = play.token(seconds{0});
  EXPECT_EQ(play.outcome(seconds{50}, token, "/api/v2/tokens/me?preserveIdleTTL=true"), "ok");
  EXPECT_EQ(play.outcome(seconds{60}, token), "idle");
}

TEST(TokenRules, AnOrderChangesWhatItNamesAlone) {
  RulesPlay play(R"({"idle_timeout":"60s","most_live":3})");
  play.control(seconds{0}, "POST", "/emulator/token", R"({"contention":true,"most_live":0})");
  const auto& rules = play.cloud.settings().token_rules;
  EXPECT_EQ(rules.idle_timeout, Duration{seconds{60}});
  EXPECT_EQ(rules.most_live, 0U);
  EXPECT_TRUE(rules.contention);
}

TEST(TokenRules, NameTheFieldThatIsWrong) {
  Play play;
  const std::pair<const char*, const char*> cases[] = {
      {R"({"propagation":"soon"})", "field 'propagation': must be a duration"},
      {R"({"propagation":[1,-1]})", "field 'propagation': must be a duration"},
      {R"({"most_live":-1})", "field 'most_live'"},
      {R"({"contention":1})", "field 'contention'"},
      {R"({"same_token":"yes"})", "field 'same_token': must be \"never\""},
      {R"({"idle_timeout":-1})", "field 'idle_timeout'"},
      {R"({"rival":"1ms"})", "field 'rival': must be at least 10 ms"},
  };
  for (const auto& [body, why] : cases) {
    const auto reply = play.control(seconds{0}, "POST", "/emulator/token", body);
    EXPECT_EQ(reply.status, 400);
    EXPECT_TRUE(json::parse(reply.body).value("error", "").starts_with(why)) << reply.body;
  }
}

}  // namespace
}  // namespace skewguard::emulator
