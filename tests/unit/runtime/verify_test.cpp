// token() returns what the API accepts: docs/contract.md section 1, "token verifies".
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client_testing.hpp"

namespace skewguard::runtime {
namespace {

/// The requests to the API, as "METHOD path".
std::vector<std::string> asked_of(const Host& host) {
  std::vector<std::string> questions;
  for (const Asked& asked : host.asked())
    questions.push_back(asked.request.method + " " + asked.request.url.substr(host.url().size()));
  return questions;
}

const std::string kHead = "HEAD /api/v2/tokens/me";
const std::string kGet = "GET /api/v2/tokens/me";
using Lines = std::vector<std::string>;

class TokenVerification : public ::testing::Test {
 protected:
  void SetUp() override { make(environment->options()); }
  void make(ClientOptions options, std::shared_ptr<TokenStore> store = {}) {
    Dependencies dependencies = environment->dependencies();
    dependencies.store = std::move(store);
    Hooks hooks;
    hooks.on_resolved = [this](const CallReport& report) { resolved.push_back(report); };
    hooks.log = [this](const LogLine& line) {
      if (line.level == LogLevel::warn) warnings.push_back(line.message);
    };
    auto made = Client::make(std::move(options), std::move(hooks), std::move(dependencies));
    ASSERT_TRUE(made) << made.error().message;
    client = std::make_unique<Client>(*std::move(made));
  }
  /// The API answers HEAD with `head`, and GET with `get` if that is not 0.
  void api_says(int head, int get = 0, const std::string& body = "") {
    environment->api().set_script([=](const Asked& asked) -> std::optional<Answer> {
      const int status = asked.request.method == "HEAD" ? head : get;
      if (status == 0) return std::nullopt;
      return Answer{.status = status, .body = asked.request.method == "HEAD" ? "" : body};
    });
  }

  std::unique_ptr<MemoryEnvironment> environment = std::make_unique<MemoryEnvironment>();
  FakeMachine& machine = environment->machine();
  std::vector<CallReport> resolved;
  std::vector<std::string> warnings;
  std::unique_ptr<Client> client;
};

TEST_F(TokenVerification, SendsATokenThatWasNeverAcceptedOnce) {
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(client->token());
  EXPECT_EQ(asked_of(environment->api()), Lines{kHead});
  EXPECT_EQ(environment->token_requests(), 1U);
}

TEST_F(TokenVerification, SendsNoTokenThatACallHasShownToBeAccepted) {
  ASSERT_TRUE(client->get("/api/v2/x"));
  ASSERT_TRUE(client->token());
  EXPECT_EQ(environment->api().requests(), 1U);
}

TEST_F(TokenVerification, AsksOnceForThousandsAtATime) {
  constexpr int kTokenReaders = 5'000;
  int served = 0;
  for (int i = 0; i < kTokenReaders; ++i) {
    client->async_token({},
                        [&](const Result<BearerToken>& token) { served += token.ok() ? 1 : 0; });
  }
  machine.run();
  EXPECT_EQ(served, kTokenReaders);
  EXPECT_EQ(asked_of(environment->api()), Lines{kHead});
}

TEST_F(TokenVerification, CanBeTurnedOff) {
  environment->api().set_offset(-10s);
  ASSERT_TRUE(client->token({.verify = false}));
  EXPECT_EQ(environment->api().requests(), 0U);
}

TEST_F(TokenVerification, TurnedOffItWaitsForNoBeginThoughALagIsKnown) {
  environment->api().set_offset(-5s);
  ASSERT_TRUE(client->token());
  const Instant before = client->now();
  ASSERT_TRUE(client->token({.force_refresh = true, .verify = false}));
  EXPECT_EQ(client->now(), before);
}

TEST_F(TokenVerification, ReturnsATokenOnlyWhenItIsValidForTheApi) {
  environment->api().set_offset(-3s);
  const auto token = client->token();
  ASSERT_TRUE(token) << token.error().message;
  const auto last = environment->api().asked().back();
  EXPECT_EQ(last.status, 200);
  EXPECT_EQ(last.request.authorization.reveal(), "Bearer " + std::string(token->value.reveal()));
  EXPECT_EQ(environment->token_requests(), 1U) << "the same one, later";
  ASSERT_EQ(resolved.size(), 1U) << "only the guarded request is reported";
  EXPECT_EQ(resolved[0].verdict, Verdict::issuer_clock_ahead);
  EXPECT_TRUE(resolved[0].mitigated);
}

TEST_F(TokenVerification, ReturnsTheTokenThatWasAcceptedInTheEnd) {
  environment->api().set_script(
      [this, first = true](const Asked&) mutable -> std::optional<Answer> {
        if (std::exchange(first, false)) environment->revoke_all();
        return std::nullopt;
      });
  const auto token = client->token();
  ASSERT_TRUE(token) << token.error().message;
  EXPECT_EQ(token->value.reveal(), "token-2");
  EXPECT_EQ(environment->api().asked().back().status, 200);
}

TEST_F(TokenVerification, TakesWhatIsDecidedAfterTheTokenWasLookedAtForAcceptance) {
  for (const int status : {200, 204, 404, 409, 422}) {
    make(environment->options());
    api_says(status);
    EXPECT_TRUE(client->token()) << status;
    EXPECT_EQ(asked_of(environment->api()).back(), kHead) << status;
  }
}

TEST_F(TokenVerification, AsksWithGetWhereTheAnswerToHeadShowsNothing) {
  const std::string forbidden = R"({"code":"missing.permissions","message":"Unable to perform"})";
  for (const int status : {400, 403, 405, 500, 501}) {
    make(environment->options());
    const auto before = environment->api().requests();
    api_says(status, 403, forbidden);
    EXPECT_TRUE(client->token()) << status;
    const auto questions = asked_of(environment->api());
    EXPECT_EQ(Lines(questions.begin() + static_cast<std::ptrdiff_t>(before), questions.end()),
              (Lines{kHead, kGet}))
        << status;
  }
}

TEST_F(TokenVerification, QuotesTheWordsOfAnApiThatRefusesEveryToken) {
  const std::string why = "This session is not valid here";
  api_says(401, 401, R"({"code":"INVALID_SESSION_ID","message":")" + why + R"("})");
  const auto token = client->token();
  ASSERT_FALSE(token);
  EXPECT_EQ(token.error().kind, ErrorKind::credentials);
  EXPECT_NE(token.error().message.find(why), std::string::npos) << token.error().message;
  EXPECT_EQ(asked_of(environment->api()), (Lines{kHead, kHead, kHead, kGet}))
      << "twice, then with a new token, then for the words";
  EXPECT_EQ(environment->token_requests(), 2U);
  const CallReport& report = *token.error().report;
  EXPECT_EQ(report.exit_code, 3);
  EXPECT_EQ(report.token_requests, 2);
  ASSERT_EQ(report.attempts.size(), 4U) << "of both calls";
  EXPECT_EQ(report.attempts.back().n, 4);
  EXPECT_EQ(report.attempts.back().error_code, "INVALID_SESSION_ID");
}

TEST_F(TokenVerification, RequestsNoBodyIfAClockExplainsTheFailure) {
  environment->api().set_offset(-120s);
  const auto token = client->token();
  ASSERT_FALSE(token);
  EXPECT_EQ(token.error().kind, ErrorKind::clock) << token.error().message;
  for (const auto& question : asked_of(environment->api())) EXPECT_EQ(question, kHead);
}

TEST_F(TokenVerification, IsRefusedByWhatHeadFoundWhereGetBringsNoAnswer) {
  environment->api().set_script([](const Asked& asked) -> std::optional<Answer> {
    if (asked.request.method == "HEAD") return Answer{.status = 401};
    return Answer{.never = true};
  });
  const auto token = client->token();
  ASSERT_FALSE(token);
  EXPECT_EQ(token.error().kind, ErrorKind::credentials) << token.error().message;
  EXPECT_EQ(token.error().report->token_requests, 2);
}

// docs/platform.md section 2.2: authentication.request.timeout is only in the body.
TEST_F(TokenVerification, WaitsForTheApisOwnCheckOfTokensToComeBack) {
  const Instant began = client->now();
  environment->api().set_script([this, began](const Asked& asked) -> std::optional<Answer> {
    if (client->now() - began > 10s) return std::nullopt;
    const bool head = asked.request.method == "HEAD";
    return Answer{.status = 504,
                  .body = head ? "" : R"({"code":"authentication.request.timeout","status":504})"};
  });
  const auto token = client->token();
  ASSERT_TRUE(token) << token.error().message;
  EXPECT_GE(client->now() - began, 10s);
  EXPECT_EQ(environment->token_requests(), 1U);
}

TEST_F(TokenVerification, KeepsToGetOnceHeadHasFailed) {
  api_says(405, 200);
  ASSERT_TRUE(client->token());
  ASSERT_TRUE(client->token({.force_refresh = true}));
  EXPECT_EQ(asked_of(environment->api()), (Lines{kHead, kGet, kGet}));
}

TEST_F(TokenVerification, FailsAsItsCallDoes) {
  api_says(405, 500);
  const auto token = client->token();
  ASSERT_FALSE(token);
  EXPECT_EQ(token.error().kind, ErrorKind::protocol);
  ASSERT_TRUE(token.error().report);
  EXPECT_EQ(token.error().report->exit_code, 1);
  EXPECT_EQ(token.error().report->http_status, 500);
  EXPECT_EQ(token.error().report->url, "https://api.test/api/v2/tokens/me");
  EXPECT_EQ(token.error().report->token_requests, 1);
}

TEST_F(TokenVerification, WaitsFor429AsRequested) {
  environment->api().next({.status = 429, .headers = {{"Retry-After", "2"}}});
  const Instant before = client->now();
  ASSERT_TRUE(client->token());
  EXPECT_GE(client->now() - before, 2s);
}

TEST_F(TokenVerification, IsLeftOutWithRfc6749UnlessAPathIsNamed) {
  ClientOptions options = environment->options();
  options.dialect = DialectName::rfc6749;
  make(options);
  ASSERT_TRUE(client->token());
  EXPECT_EQ(environment->api().requests(), 0U);
  options.verify_path = "/me?fields=id";
  make(options);
  ASSERT_TRUE(client->token());
  EXPECT_EQ(asked_of(environment->api()), Lines{"GET /me?fields=id"});
}

TEST_F(TokenVerification, RefusesAnInvalidPath) {
  for (const char* path : {"me", "/a b", "https://elsewhere.test/"}) {
    ClientOptions options = environment->options();
    options.verify_path = path;
    const auto made = Client::make(options, {}, environment->dependencies());
    ASSERT_FALSE(made) << path;
    EXPECT_EQ(made.error().kind, ErrorKind::config);
  }
}

TEST_F(TokenVerification, LeavesLaterCallersTheRestOfTheirTime) {
  silence(environment->api());
  const Recorder<BearerToken> early, later, last;
  client->async_token({}, early.handler());
  machine.advance(10s);
  client->async_token({}, later.handler());
  machine.advance(10s);
  client->async_token({}, last.handler());
  machine.advance(10s);
  EXPECT_TRUE(early.once(ErrorKind::timeout));
  EXPECT_EQ(later.times() + last.times(), 0U);
  EXPECT_EQ(environment->api().requests(), 2U) << "one call for both of them";
  machine.advance(10s);
  EXPECT_TRUE(later.once(ErrorKind::timeout));
  environment->api().set_script({});
  machine.advance(11s);
  EXPECT_TRUE(last.once(ErrorKind::timeout)) << "its one call was lost";
  EXPECT_TRUE(client->token());
}

TEST_F(TokenVerification, MayBeCancelledWhileOthersWait) {
  environment->api().next({.up = 5s});
  const Recorder<BearerToken> one, other;
  const Operation operation = client->async_token({}, one.handler());
  client->async_token({}, other.handler());
  machine.advance(1s);
  operation.cancel();
  machine.advance(10s);
  EXPECT_TRUE(one.once(ErrorKind::cancelled));
  EXPECT_TRUE(other.once_ok());
}

TEST_F(TokenVerification, IsCancelledWithTheClient) {
  silence(environment->api());
  const Recorder<BearerToken> token;
  client->async_token({}, token.handler());
  machine.advance(1s);
  client.reset();
  machine.run();
  EXPECT_TRUE(token.once(ErrorKind::cancelled));
}

TEST_F(TokenVerification, AsksForAnotherWhereItTookTooMuchOfTheLife) {
  ASSERT_TRUE(client->token({.verify = false}));  // 300 s
  machine.advance(9s);
  environment->api().next({.up = 5s});
  const auto token = client->token({.min_life = 290s});
  ASSERT_TRUE(token) << token.error().message;
  EXPECT_GE(token->remaining, 290s);
  EXPECT_EQ(environment->token_requests(), 2U);
}

TEST_F(TokenVerification, SaysThatANewTokenIsTooShortAndAsksForNoOther) {
  environment->api().next({.up = 5s});
  const auto token = client->token({.min_life = 298s});
  ASSERT_FALSE(token);
  EXPECT_EQ(token.error().kind, ErrorKind::protocol);
  EXPECT_EQ(environment->token_requests(), 1U);
}

TEST_F(TokenVerification, ReturnsANewTokenIfForced) {
  ASSERT_TRUE(client->token());
  const auto token = client->token({.force_refresh = true});
  ASSERT_TRUE(token);
  EXPECT_EQ(token->value.reveal(), "token-2");
  EXPECT_EQ(environment->token_requests(), 2U);
  EXPECT_EQ(environment->api().requests(), 2U) << "it is verified as well";
}

TEST_F(TokenVerification, FailsForACallerThatForcesANewTokenIfTheApiAcceptsOnlyTheOldOne) {
  ASSERT_TRUE(client->token());
  environment->login().set_offset(100s);
  const auto insisting = client->token({.force_refresh = true});
  ASSERT_FALSE(insisting);
  EXPECT_EQ(insisting.error().kind, ErrorKind::clock) << insisting.error().message;
  EXPECT_LE(environment->api().requests(), 8U);
  const auto old = client->token();
  ASSERT_TRUE(old) << old.error().message;
  EXPECT_EQ(old->value.reveal(), "token-1");
}

// What the store remembers ------------------------------------------------------------------------

class RememberedToken : public TokenVerification {
 protected:
  void SetUp() override { next_process(); }
  void next_process() {
    client.reset();
    make(environment->options(), store);
  }
  [[nodiscard]] sharing::Record& record() const { return *store->record; }
  /// Another process saves its own token, which it requested after everyone else.
  void save_as_another_process(const std::string& value) {
    record().token->value = Secret(value);
    record().token->id = 999;
    record().token->accepted = false;
    record().generation += 10;
    store->changed();
  }
  std::shared_ptr<OpenStore> store = std::make_shared<OpenStore>();
};

TEST_F(RememberedToken, IsNotSentAgainByALaterProcess) {
  ASSERT_TRUE(client->token());
  machine.run();
  ASSERT_TRUE(store->record && record().token);
  EXPECT_TRUE(record().token->accepted);
  EXPECT_EQ(record().api, "https://api.test");
  next_process();
  const auto token = client->token();
  ASSERT_TRUE(token);
  EXPECT_EQ(token->source, BearerToken::Source::store);
  EXPECT_EQ(environment->api().requests(), 1U);
}

TEST_F(RememberedToken, IsSentToAnApiThatNeverTookIt) {
  ASSERT_TRUE(client->token());
  machine.run();
  record().api = "https://another.test";
  store->changed();
  next_process();
  ASSERT_TRUE(client->token());
  EXPECT_EQ(environment->api().requests(), 2U);
}

TEST_F(RememberedToken, BringsTheLagThatWasLearned) {
  environment->api().set_offset(-3s);
  ASSERT_TRUE(client->token());
  machine.run();
  ASSERT_TRUE(store->record && record().token);
  EXPECT_GE(record().lag, 3s);
  next_process();
  ASSERT_TRUE(client->token({.force_refresh = true}));
  EXPECT_EQ(environment->refused_requests(), 1U) << "of the first process alone";
}

TEST_F(RememberedToken, BringsTheLagThoughItHasEndedItself) {
  environment->api().set_offset(-3s);
  ASSERT_TRUE(client->token());
  machine.advance(400s);
  next_process();
  ASSERT_TRUE(client->token());
  EXPECT_EQ(environment->token_requests(), 2U);
  EXPECT_EQ(environment->refused_requests(), 1U);
}

TEST_F(RememberedToken, ForgetsALagThatLaterAnswersExclude) {
  environment->api().set_offset(-8s);
  ASSERT_TRUE(client->token());
  machine.run();
  ASSERT_GE(record().lag, 8s);
  environment->api().set_offset(0s);
  next_process();
  ASSERT_TRUE(client->token({.force_refresh = true}));
  machine.run();
  EXPECT_LT(record().lag, 4s);
}

TEST_F(RememberedToken, IsNotReplacedByAnOlderOneThatCameLate) {
  ASSERT_TRUE(client->token());
  machine.run();
  environment->login().set_script([this](const Asked& asked) -> std::optional<Answer> {
    if (asked.request.method == "POST") save_as_another_process("of-another-process");
    return std::nullopt;
  });
  ASSERT_TRUE(client->token({.force_refresh = true}));
  machine.run();
  EXPECT_EQ(record().token->value.reveal(), "of-another-process");
}

TEST_F(RememberedToken, SaysNothingAboutAnotherToken) {
  ASSERT_TRUE(client->token({.verify = false}));
  machine.run();
  save_as_another_process("of-another-process");
  ASSERT_TRUE(client->token());
  machine.run();
  EXPECT_EQ(record().token->value.reveal(), "of-another-process");
  EXPECT_FALSE(record().token->accepted);
}

TEST_F(RememberedToken, IsKeptAsAcceptedWhileAnotherProcessAsksForItsSuccessor) {
  ASSERT_TRUE(client->token({.verify = false}));
  machine.run();
  record().claim = sharing::Claim{7, 2, 0};
  store->changed();
  ASSERT_TRUE(client->token());
  machine.run();
  EXPECT_TRUE(record().token->accepted);
  EXPECT_EQ(record().claim, (sharing::Claim{7, 2, 0}));
}

TEST_F(RememberedToken, IsKeptAsAcceptedAtTheEndAtTheLatest) {
  ASSERT_TRUE(client->token({.verify = false}));
  ASSERT_TRUE(client->token());
  client.reset();
  EXPECT_TRUE(record().token->accepted);
}

TEST_F(RememberedToken, OfAnotherBootIsReplacedForNobodyWhoHasLeft) {
  ASSERT_TRUE(client->token());
  client.reset();
  machine.advance(400s);
  record().token->boot_id = "another-boot";
  store->changed();
  next_process();
  const std::size_t before = environment->token_requests();
  environment->login().set_script([](const Asked& asked) -> std::optional<Answer> {
    if (asked.request.method == "HEAD") return Answer{.up = 1s};
    return std::nullopt;
  });
  const Recorder<BearerToken> recorder;
  const Operation operation = client->async_token({}, recorder.handler());
  machine.advance(500ms);
  operation.cancel();
  machine.advance(10s);
  EXPECT_TRUE(recorder.once(ErrorKind::cancelled));
  EXPECT_EQ(environment->login().asked().back().request.method, "HEAD") << "its time was asked for";
  EXPECT_EQ(environment->token_requests(), before);
}

}  // namespace
}  // namespace skewguard::runtime
