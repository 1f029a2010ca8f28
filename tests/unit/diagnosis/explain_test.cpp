// What people read: each sentence with its numbers, and the advice if a call ended with it.
#include "diagnosis/explain.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "diagnosis/assess.hpp"
#include "evidence_testing.hpp"

namespace skewguard::diagnosis {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

/// Refused by an API that lags: a wait of 5 s.
Trial not_begun() {
  return refusal(milliseconds{40}, -seconds{5});
}
/// Begins 1 s after a Date that may be late by that much.
Trial perhaps_not_begun() {
  Trial t = refusal(milliseconds{40}, Duration{0});
  t.token.begins = noon_plus(seconds{1});
  return t;
}
/// No clock explains it.
Trial agrees() {
  return refusal(seconds{60}, seconds{60});
}
std::string settled(const Evidence& e, Verdict verdict, const Parties& parties = {}) {
  return explain_settled(e, {0, verdict}, parties);
}
std::string settled(const Trial& t, Verdict verdict, const Parties& parties = {}) {
  return settled(evidence({t}), verdict, parties);
}
std::string held_up(Hindrance hindrance, Trial t = not_begun()) {
  t.hindrance = hindrance;
  return settled(t, Verdict::issuer_clock_ahead);
}

TEST(Explain, SaysHowFarTheApiLagsTheLoginHostWithBounds) {
  Trial t = refusal(milliseconds{40}, -seconds{5});
  t.followed = Action::wait_and_retry;
  t.waited = seconds{5};
  Trial good = refusal(milliseconds{5080}, Duration{0});
  good.refused = false;
  Evidence e = evidence({t, good});
  e.login_minus_api = OffsetBound{seconds{4}, milliseconds{5100}};
  EXPECT_EQ(explain_settled(e, {0, settle(e, 0)}, {}),
            "The API's clock was 4.0 to 5.1 s behind the login host's: the token was not valid "
            "before 12:00:00 UTC and the API answered at 11:59:55 UTC; waited 5.0 s and sent the "
            "same token again.");
}

TEST(Explain, TwoEndsThatReadAlikeAreOneFigure) {
  const Trial t = refusal(milliseconds{40}, -seconds{5});
  Evidence e = evidence({t});
  e.login_minus_api = OffsetBound{seconds{7200}, seconds{7201}};
  EXPECT_THAT(explain_settled(e, {0, settle(e, 0)}, {}),
              HasSubstr("the API's clock was 2 h behind the login host's: "));
}

TEST(Explain, DoesNotBlameTheNetworkIfOpenFilesRunOut) {
  TransportFailure failure{TransportFailure::Kind::unreachable, "Too many open files", false};
  failure.out_of_resources = true;
  EXPECT_THAT(explain_failure(failure, "https://api.example", {}, false).text(),
              EndsWith("open files and memory (ulimit -a)."));
}

TEST(Explain, TheApisWordsEndWithOneFullStop) {
  Trial t = refusal(milliseconds{40}, seconds{100});
  for (const auto& [words, told] : {std::pair{"Invalid login.", ": \"Invalid login.\""},
                                    std::pair{"bad.credentials", ": \"bad.credentials\"."}}) {
    t.said.words = words;
    EXPECT_THAT(explain_settled(evidence({t}), {0, Verdict::token_rejected}, {}), EndsWith(told));
  }
}

TEST(Explain, GivesAllTimesOfASentenceOneForm) {
  Trial t = refusal(milliseconds{40}, seconds{100});
  t.token.ends = noon_plus(std::chrono::hours{24});  // another day than its begin and the Date
  EXPECT_THAT(explain_settled(evidence({t}), {0, Verdict::token_rejected}, {}),
              HasSubstr("(the token is valid from 2026-01-01T12:00:00Z to 2026-01-02T12:00:00Z, "
                        "and the API answered at 2026-01-01T12:01:40Z)"));
}

// Which clock is ahead ----------------------------------------------------------------------------

TEST(Explain, NamesTheLoginHostsClockIfTheTokenWasNotValidYet) {
  const std::string times =
      "The token was not valid before 12:00:00 UTC and the API answered at 11:59:55 UTC";
  EXPECT_EQ(settled(not_begun(), Verdict::issuer_clock_ahead),
            times + ", so the login host's clock was ahead of the API's.");
  Evidence e = evidence({not_begun()});
  e.login_minus_api = OffsetBound{Duration{0}, seconds{6}};
  EXPECT_EQ(settled(e, Verdict::issuer_clock_ahead),
            times + ", so the login host's clock was ahead of the API's.")
      << "they may agree";
  e.login_minus_api = OffsetBound{-seconds{6}, -seconds{5}};
  EXPECT_THAT(settled(e, Verdict::issuer_clock_ahead),
              StartsWith("The API's clock was 5.0 to 6.0 s ahead of the login host's: the token"));
  e.login_minus_api = OffsetBound{-seconds{6}, Duration{0}};
  EXPECT_THAT(settled(e, Verdict::issuer_clock_ahead), StartsWith(times)) << "they may agree";
}

TEST(Explain, LeavesOpenWhetherAClockIsAheadOrItsDateIsLate) {
  EXPECT_EQ(settled(perhaps_not_begun(), Verdict::issuer_clock_ahead),
            "The token was not valid before 12:00:01 UTC and the API answered at 12:00:00 UTC, so "
            "the login host's clock was ahead of the API's, or its Date is late.");
}

TEST(Explain, SaysWhatToDoAboutTheClocksWhereTheCallGaveUp) {
  const std::string mend =
      " Synchronize the clocks of the login host and the API host with NTP, or ask their operators "
      "to.";
  Trial t = not_begun();
  t.followed = Action::give_up;
  EXPECT_THAT(settled(t, Verdict::issuer_clock_ahead), EndsWith(mend));
  t.hindrance = Hindrance::max_wait;
  EXPECT_THAT(settled(t, Verdict::issuer_clock_ahead),
              EndsWith(mend + " Or raise --max-wait and --timeout."));
}

TEST(Explain, SaysWhyACallDidNotWaitLonger) {
  EXPECT_THAT(
      held_up(Hindrance::max_wait),
      EndsWith(
          "; waiting for it would have taken 5.0 s, more than the 15.0 s that --max-wait allows."));
  EXPECT_THAT(held_up(Hindrance::sends),
              EndsWith("; it had already been sent as often as one token may be."));
  EXPECT_THAT(held_up(Hindrance::nothing_new), EndsWith("ahead of the API's."));
}

TEST(Explain, ComparesAWaitWithTheTimeThatIsLeft) {
  Trial t = not_begun();
  t.hindrance = Hindrance::deadline;
  Evidence e = evidence({t});
  const auto with_left = [&](Duration left) {
    e.limits.deadline = t.received + left;
    return settled(e, Verdict::issuer_clock_ahead);
  };
  EXPECT_THAT(
      with_left(seconds{2}),
      EndsWith(
          "; waiting for it would have taken 5.0 s, longer than the 2.0 s that --timeout leaves."));
  EXPECT_THAT(
      with_left(seconds{5}),
      EndsWith("; waiting for it would have taken longer than the 5.0 s that --timeout leaves."));
  EXPECT_THAT(with_left(-seconds{1}),
              EndsWith("would have taken 5.0 s, longer than the 0 s that --timeout leaves."));
  t = agrees();
  t.hindrance = Hindrance::deadline;
  EXPECT_THAT(settled(t, Verdict::unknown), HasSubstr("; --timeout left no time for another try."));
}

TEST(Explain, CountsTheTokensThatMayBeRefused) {
  Trial t = agrees();
  t.hindrance = Hindrance::attempts;
  Evidence e = evidence({t});
  e.limits.attempts = 2;
  EXPECT_THAT(settled(e, Verdict::unknown),
              HasSubstr("; that was the last of the 2 refused tokens that --attempts allows."));
  e.limits.attempts = 1;
  EXPECT_THAT(settled(e, Verdict::unknown), HasSubstr("; --attempts allows no other token."));
}

TEST(Explain, SaysWhenTheNextTokenMayBeAskedFor) {
  Trial t = agrees();
  t.hindrance = Hindrance::too_often;
  Evidence e = evidence({t});
  e.next_request_in = seconds{7};
  EXPECT_THAT(
      settled(e, Verdict::unknown),
      HasSubstr("; tokens were refused just before, so the next one may be requested in 7.0 s."));
  e.next_request_in = -seconds{7};
  EXPECT_THAT(settled(e, Verdict::unknown), HasSubstr("requested in 0 s."));
}

// What was done about it --------------------------------------------------------------------------

TEST(Explain, SaysWhatWasDoneAboutARefusal) {
  Trial t = agrees();
  t.followed = Action::refresh_and_retry;
  EXPECT_THAT(settled(t, Verdict::token_revoked),
              EndsWith("); requested a new token and sent the request again."));
  t.waited = milliseconds{1500};
  EXPECT_THAT(settled(t, Verdict::token_revoked),
              EndsWith("); waited 1.5 s, requested a new token and sent the request again."));
}

TEST(Explain, ARevokedTokenThatAClockCouldExplainWasWaitedForInVain) {
  EXPECT_THAT(
      settled(agrees(), Verdict::token_revoked),
      StartsWith("The token was refused within its lifetime, and a new one was accepted: it had "
                 "been revoked or evicted. No clock explains it (the token is valid from"));
  EXPECT_THAT(settled(agrees(), Verdict::token_revoked), Not(HasSubstr("waiting did not help")));
  EXPECT_THAT(settled(perhaps_not_begun(), Verdict::token_revoked),
              EndsWith("12:00:00 UTC, and waiting did not help."));
}

TEST(Explain, ATokenThatWasAcceptedUnchangedHadNotPropagated) {
  Trial t = agrees();
  t.followed = Action::wait_and_retry;
  t.waited = seconds{2};
  EXPECT_EQ(settled(t, Verdict::token_not_yet_active),
            "A new token was refused, then accepted unchanged, and no clock explains it (the token "
            "is valid from 12:00:00 UTC to 12:05:00 UTC, and the API answered at 12:01:00 UTC): "
            "the platform had not propagated it yet; waited 2.0 s and sent the same token again.");
  t.date.reset();
  EXPECT_EQ(
      settled(t, Verdict::token_not_yet_active),
      "A new token was refused, then accepted unchanged: it was not active yet. Its answer has no "
      "usable Date, so no clocks could be compared; waited 2.0 s and sent the same token again.");
}

TEST(Explain, AContendedTokenNamesSomeoneElse) {
  Trial t = agrees();
  EXPECT_EQ(settled(t, Verdict::token_contended),
            "Two tokens in a row were accepted, then refused early in their lifetimes, this one "
            "60.0 s after it was requested, and no clock explains it (the token is valid from "
            "12:00:00 UTC to 12:05:00 UTC, and the API answered at 12:01:00 UTC): someone else may "
            "be using this client, so that each new token ends the previous one (or the platform "
            "ends idle tokens). Give each program its own client.");
  t.followed = Action::refresh_and_retry;
  t.waited = seconds{2};
  EXPECT_THAT(settled(t, Verdict::token_contended),
              HasSubstr("idle tokens); backed off 2.0 s, requested a new token and sent the "
                        "request again. Give"));
}

TEST(Explain, TwoTokensBornDeadBlameTheLoginHostsClock) {
  EXPECT_EQ(
      settled(refusal(seconds{60}, seconds{300}), Verdict::issuer_clock_behind),
      "The token expired at 12:05:00 UTC and the API answered at 12:05:00 UTC, 60.0 s after it was "
      "requested: two tokens in a row were new and yet expired by the API's clock, so the login "
      "host's clock was behind the API's by more than a token's lifetime. Synchronize the clocks "
      "of the login host and the API host with NTP, or ask their operators to.");
}

TEST(Explain, AnExpiredTokenEndedByADateOrByOurOwnDeadline) {
  EXPECT_EQ(settled(refusal(seconds{60}, seconds{300}), Verdict::token_expired),
            "The token expired at 12:05:00 UTC and the API answered at 12:05:00 UTC.");
  Trial t = refusal(seconds{302}, seconds{299});
  t.followed = Action::give_up;
  EXPECT_EQ(settled(t, Verdict::token_expired),
            "Our own deadline for the token had passed 2.0 s before the answer. Try again: a new "
            "token will be requested.");
  t.date.reset();
  EXPECT_THAT(settled(t, Verdict::token_expired), StartsWith("Our own deadline"));
  t.token.given = true;
  EXPECT_THAT(settled(t, Verdict::token_expired),
              EndsWith(" A given token cannot be refreshed: get a new one."));
}

TEST(Explain, ARejectedTokenNamesBothHosts) {
  const std::string refused =
      "The API refuses a new token too: no clock explains it (the token is valid from 12:00:00 UTC "
      "to 12:05:00 UTC, and the API answered at 12:01:00 UTC).";
  Trial t = agrees();
  EXPECT_EQ(settled(t, Verdict::token_rejected),
            refused + " Check that the client is enabled, has roles, and belongs to this API.");
  EXPECT_EQ(settled(t, Verdict::token_rejected, {"euw2", "https://login", "https://api"}),
            refused +
                " The token is from https://login, the API is https://api: both must be in the "
                "same region. Check that the client is enabled, has roles, and belongs to euw2.");
  EXPECT_THAT(settled(t, Verdict::token_rejected, {"", "https://one", "https://one"}),
              Not(HasSubstr("The token is from")));
  t.said.no_token_seen = true;
  EXPECT_EQ(
      settled(t, Verdict::token_rejected),
      refused +
          " The API says that no token arrived: a proxy or gateway on the way may be removing the "
          "Authorization header. Ask its operator, or set the API URL to the API itself.");
}

TEST(Explain, AGivenTokenThatIsRejectedIsToBeReplacedByItsUser) {
  Trial t = agrees();
  t.token.given = true;
  EXPECT_THAT(settled(t, Verdict::token_rejected, {"euw2", "", ""}),
              AllOf(StartsWith("The API refuses the given token: no clock explains it"),
                    EndsWith(" Get a new token, and make sure that it is for euw2.")));
}

TEST(Explain, SaysWhatIsUnknown) {
  Trial t = agrees();
  t.token.begins.reset();
  t.token.jwt = true;
  EXPECT_EQ(settled(t, Verdict::unknown),
            "The API refused the token, and the evidence does not show why: no clock explains it.");
  t.followed = Action::give_up;
  EXPECT_THAT(
      settled(t, Verdict::unknown),
      EndsWith(
          "explains it. Check the client and its roles, and compare the clocks of both hosts."));
}

TEST(Explain, SaysWhyNoClocksWereCompared) {
  const auto why = [](const Evidence& e) { return settled(e, Verdict::unknown); };
  EXPECT_THAT(why(evidence({refusal(seconds{60}, std::nullopt)})),
              HasSubstr("its answer has no usable Date"));
  Evidence ignored = evidence({not_begun()});
  ignored.begins_ignored = true;
  EXPECT_THAT(why(ignored),
              HasSubstr("it has accepted tokens that were not valid yet by its Date"));
  EXPECT_THAT(
      why(evidence({agrees(), refusal(seconds{90}, seconds{60})})),
      HasSubstr("the Date of its answers does not come from the clock by which it judges tokens"));
  Evidence incoherent = evidence({agrees()});
  incoherent.issuer_coherent = false;
  incoherent.trials[0].token.begin_dated = true;
  EXPECT_THAT(why(incoherent),
              HasSubstr("the Dates of the two hosts cannot both come from working clocks"));
  incoherent.trials[0].token.begins.reset();
  EXPECT_THAT(why(incoherent), HasSubstr("the token's own times are unknown"));
}

// The local clock and a given token ---------------------------------------------------------------

/// A given JWT, refused at `date`, while the local clock read `wall`.
Trial given(Duration date, Duration wall) {
  Trial t = refusal(milliseconds{40}, date);
  t.token.given = true;
  t.token.jwt = true;
  t.token.dead_at.reset();
  t.wall = WallTime{kNoon + wall};
  const Duration apart = date - wall;
  t.api_minus_wall = OffsetBound{apart - seconds{1}, apart + seconds{1}};
  return t;
}

TEST(Explain, SaysWhatTheLocalClockWouldSayOfAGivenToken) {
  const std::string out = "Run `skewguard doctor` to find out which of the two is wrong.";
  EXPECT_THAT(settled(given(seconds{400}, seconds{260}), Verdict::token_expired),
              EndsWith(" By the local wall clock it has 40.0 s left, but that clock is 139.0 to "
                       "141.0 s behind the API's. " +
                       out));
  EXPECT_THAT(settled(given(seconds{260}, seconds{310}), Verdict::token_rejected),
              EndsWith(" By the local wall clock it expired 10.0 s ago, but that clock is 49.0 to "
                       "51.0 s ahead of the API's. " +
                       out));
  EXPECT_THAT(
      settled(given(seconds{100}, -seconds{1}), Verdict::token_rejected),
      HasSubstr(" By the local wall clock it is not valid yet, but that clock is 100.0 to "));
  Trial endless = given(-seconds{50}, Duration{0});
  endless.token.ends.reset();
  EXPECT_THAT(settled(endless, Verdict::issuer_clock_ahead),
              HasSubstr(" By the local wall clock it is valid, but that clock is 49.0 to 51.0 s "
                        "ahead of the API's. "));
}

TEST(Explain, AsksNobodyToSetTheServersClocksIfTheLocalClockDiffers) {
  Trial t = given(-seconds{50}, seconds{10});
  t.followed = Action::give_up;
  EXPECT_THAT(
      settled(t, Verdict::issuer_clock_ahead),
      AllOf(HasSubstr("By the local wall clock"), Not(HasSubstr("Synchronize the clocks"))));
}

// While the call goes on --------------------------------------------------------------------------

TEST(Explain, AProvisionalTextSaysWhatIsDoneNext) {
  Trial t = agrees();
  t.said.words = "Bad credentials.";
  const Evidence e = evidence({t});
  const std::string refused =
      "Provisional: the API refused the token (\"Bad credentials.\"); no clock explains it (the "
      "token is valid from 12:00:00 UTC to 12:05:00 UTC, and the API answered at 12:01:00 UTC)";
  const auto provisional = [&](Next next, Hindrance hindrance = Hindrance::none) {
    return explain_provisional(e, {{Verdict::unknown}, next, e.now + seconds{2}, hindrance});
  };
  EXPECT_EQ(provisional(Next::wait), refused + "; waiting 2.0 s to send the same token again.");
  EXPECT_EQ(provisional(Next::renew), refused + "; requesting a new token.");
  EXPECT_EQ(provisional(Next::back_off),
            refused + "; backing off 2.0 s, then requesting a new token.");
  EXPECT_EQ(provisional(Next::look), refused + "; checking the API's Date again in 2.0 s.");
  EXPECT_EQ(provisional(Next::give_up, Hindrance::sends),
            refused + "; it had already been sent as often as one token may be.");
  EXPECT_THAT(explain_provisional(e, {{Verdict::unknown}, Next::wait, e.now - seconds{2}, {}}),
              EndsWith("; waiting 0 s to send the same token again."));
}

// Answers that are not about the token ------------------------------------------------------------

oauth::Refusal words(std::string description, std::string code = "") {
  oauth::Refusal refusal;
  refusal.description = std::move(description);
  refusal.error_code = std::move(code);
  return refusal;
}

TEST(Explain, AGatewayIsNamedWhereItIsKnown) {
  oauth::Refusal refusal = words("", "token_failure");
  const std::string advice =
      ", and another token would not change that. Ask its operator to let this program through, or "
      "check the API URL.";
  EXPECT_EQ(
      explain_gateway(refusal, 403),
      "The API host answered 403 (token_failure): something in front of the API seems to have "
      "refused the request" +
          advice);
  refusal.gateway = "nginx";
  EXPECT_THAT(explain_gateway(refusal, 403), HasSubstr("refused the request (nginx)" + advice));
  Trial t = agrees();
  t.said.gateway = "nginx";
  EXPECT_EQ(settled(t, Verdict::gateway_refused),
            "The API host refused a new token too, each time with its own page: something in "
            "front of the API seems to have refused the request (nginx)" +
                advice);
}

TEST(Explain, AMissingPermissionIsNamedAndScopesAreAskedFor) {
  oauth::Refusal refusal = words("No.", "insufficient_scope");
  EXPECT_EQ(explain_missing_permission(refusal),
            "The token is good but may not do this (\"No.\"). Ask an administrator to grant the "
            "permission to the client's role.");
  refusal.permissions = {"a:view", "b:view"};
  EXPECT_EQ(explain_missing_permission(refusal),
            "The token is good but may not do this: the scope a:view b:view is missing (\"No.\"). "
            "Allow that scope for the client, and request it.");
  refusal.error_code = "missing.permissions";
  EXPECT_EQ(explain_missing_permission(refusal),
            "The token is good but may not do this: the permission a:view, b:view is missing "
            "(\"No.\"). Ask an administrator to add it to the client's role.");
}

TEST(Explain, ATokenWithoutAUserIsSentElsewhere) {
  EXPECT_EQ(explain_no_user_context(words("", "bad.request")),
            "A client-credentials token has no user, so there is no users/me (bad.request). Use "
            "/api/v2/tokens/me or /api/v2/organizations/me instead.");
}

TEST(Explain, ARateLimitSaysHowLongAndWhetherTheRequestIsSentAgain) {
  const std::string limits = "The API limits the rate of requests";
  const auto text = [](const LimitWait& limit) { return explain_rate_limit({}, limit); };
  EXPECT_EQ(text({seconds{3}, seconds{3}, seconds{10}}),
            limits + " and asks to wait 3.0 s; the request is sent again after that.");
  EXPECT_EQ(text({Duration{0}, Duration{0}, seconds{10}}),
            limits + " and says to try again at once; the request is sent again.");
  EXPECT_EQ(
      text({std::nullopt, seconds{2}, seconds{10}}),
      limits +
          " without saying how long to wait; the request is sent again after a pause of 2.0 s.");
  EXPECT_EQ(text({seconds{3}, seconds{3}, seconds{3}}),
            limits +
                " and asks to wait 3.0 s, longer than the 3.0 s that --timeout leaves. Try again "
                "after that, or spread the requests.");
  EXPECT_EQ(text({std::nullopt, seconds{3}, -seconds{1}}),
            limits +
                " without saying how long to wait; the next pause, 3.0 s, is longer than the 0 s "
                "that --timeout leaves. Try again later, or spread the requests.");
}

TEST(Explain, OtherErrorsOfTheApiAreNotAboutTheToken) {
  EXPECT_EQ(explain_auth_backend({}, true),
            "The API's own check of the token timed out: the token is not to blame; the request is "
            "sent again after a pause.");
  EXPECT_THAT(explain_auth_backend({}, false),
              EndsWith(", and --timeout leaves no time for another try. Try again later."));
  EXPECT_EQ(explain_redirect(words("https://elsewhere"), 302),
            "The API answered with 302, a redirect to https://elsewhere: redirects are not "
            "followed with a token. Set the API URL to the API's real address.");
  EXPECT_THAT(explain_redirect({}, 302), HasSubstr("a redirect to nowhere: "));
  EXPECT_EQ(explain_unusable(words("", "odd"), 199),
            "The API answered with 199 (odd), which is unusable. Check the API URL.");
  EXPECT_EQ(explain_api_error({}, 500, false),
            "The API answered with 500; this error is not about the token.");
  EXPECT_EQ(explain_api_error({}, 503, true),
            "The API answered with 503; this error is not about the token; the request is sent "
            "again after a pause.");
}

// No answer ---------------------------------------------------------------------------------------

std::string failure(TransportFailure::Kind kind, bool retried = false, std::string detail = "why") {
  return explain_failure({kind, std::move(detail), false}, "https://api.example", {}, retried)
      .text();
}

TEST(Explain, EachKindOfMissingAnswerHasItsAdvice) {
  using Kind = TransportFailure::Kind;
  EXPECT_EQ(failure(Kind::reset, true), "why; the request is sent again after a pause.");
  EXPECT_EQ(failure(Kind::proxy), "why. Check the proxy (--proxy, HTTPS_PROXY).");
  EXPECT_EQ(failure(Kind::proxy_refused), "why. Check the proxy (--proxy, HTTPS_PROXY).");
  EXPECT_EQ(failure(Kind::tls_failed),
            "why. Check the URL, and the client certificate if the server requests one "
            "(--client-cert, --client-key).");
  EXPECT_EQ(failure(Kind::tls_untrusted), "why. Check the CA bundle and the host name.");
  EXPECT_EQ(failure(Kind::timeout), "why. Try again, or raise --timeout.");
  EXPECT_EQ(failure(Kind::malformed),
            "why. Check the URL, and that nothing on the way changes answers.");
  EXPECT_EQ(failure(Kind::bad_request), "why. Nothing was sent; correct it.");
  EXPECT_EQ(failure(Kind::dns), "why. Check the network and the URL.");
  EXPECT_EQ(
      failure(Kind::refused, false, ""),
      "no answer: " + std::string(to_string(Kind::refused)) + ". Check the network and the URL.");
}

}  // namespace
}  // namespace skewguard::diagnosis
