// The rows of the scenario table about answers: what the scenario files of A3, A4 and A6 to A11 do
// not show.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "simulation/scenario.hpp"

namespace skewguard::simulation {
namespace {

using Spoil = std::function<void(emulator::Reply&)>;

constexpr const char* kHtml = "<html><body>Something went wrong</body></html>";

void put_field(emulator::Reply& reply, const std::string& name, const std::string& value) {
  emulator::set_field(reply.headers, name, value);
}

/// Spoils the host's next `times` answers.
void spoil_next(Simulation& simulation, const char* host, int times, Spoil spoil) {
  simulation.fate = [host, left = times,
                     spoil = std::move(spoil)](const HttpRequest& request) mutable {
    Fate fate;
    if (!request.url.starts_with(host) || request.method == "HEAD" || left == 0) return fate;
    --left;
    fate.spoil = spoil;
    return fate;
  };
}
constexpr int kAlways = 1'000'000;

Request request_of(const std::string& method) {
  Request request;
  request.method = method;
  request.path =
      method == "GET" ? "/api/v2/tokens/me" : "/api/v2/analytics/conversations/details/query";
  if (method == "POST") {
    request.body = "{}";
    request.headers.add("Content-Type", "application/json");
  }
  return request;
}

// A3 ----------------------------------------------------------------------------------------------

TEST_P(Scenario, A3TheLoginLimitIsWaitedOutWithGrowingPauses) {
  build(0s, {0s});
  simulation->servers().settings().login_limit.requests = 0;
  const auto pending = client->start(request_of("GET"));
  simulation->run_for(10s);
  ASSERT_FALSE(pending->has_value()) << "it is not fatal";
  simulation->servers().settings().login_limit.requests.reset();
  simulation->run_for(20s);
  ASSERT_TRUE(pending->has_value());
  const CallReport& report = (*pending)->report;
  EXPECT_EQ((*pending)->status, 200) << to_json(report);
  EXPECT_EQ(report.verdict, Verdict::login_rate_limited);
  EXPECT_TRUE(report.mitigated);
  EXPECT_EQ(report.exit_code, 0);
  EXPECT_GE(simulation->token_requests(), 3U);
  EXPECT_LE(simulation->token_requests(), 8U);
  for (std::size_t i = 2; i < simulation->token_requests(); ++i) {
    const auto& seen = simulation->seen();
    EXPECT_GE(seen[i].at - seen[i - 1].at, seen[i - 1].at - seen[i - 2].at) << i;
  }
}

TEST_P(Scenario, A3TheLoginLimitThatLastsEndsWith7) {
  build(0s, {0s});
  simulation->servers().settings().login_limit.requests = 0;
  const Instant before = simulation->boot();
  const auto outcome = client->get();
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->kind, ErrorKind::throttled);
  EXPECT_EQ(outcome.report.exit_code, 7) << to_json(outcome.report);
  EXPECT_EQ(outcome.report.verdict, Verdict::login_rate_limited);
  EXPECT_LE(outcome.ended - before, 30100ms);
  EXPECT_LE(simulation->token_requests(), 9U);
}

TEST_P(Scenario, A3TheLoginLimitHoldsNobodyUpWhileTheOldTokenLives) {
  build(0s, {0s}, 300s);
  call_for(265s, 5s);
  simulation->servers().settings().login_limit.requests = 0;
  for (int i = 0; i < 8; ++i) {
    const Instant before = simulation->boot();
    const auto outcome = client->get();
    EXPECT_EQ(outcome.status, 200);
    EXPECT_LT(outcome.ended - before, 100ms);
    simulation->run_for(4s);
  }
  EXPECT_GE(simulation->token_requests(), 2U) << "a refresh was tried";
  simulation->servers().settings().login_limit.requests.reset();
  call_for(100s, 5s);
  EXPECT_EQ(simulation->rejections(), 0U);
}

// A4 ----------------------------------------------------------------------------------------------

/// A 429 with a Retry-After of this text; nothing = none.
Spoil too_many(std::optional<std::string> retry_after) {
  return [retry_after = std::move(retry_after)](emulator::Reply& reply) {
    reply.status = 429;
    reply.body = "{}";
    if (retry_after) put_field(reply, "Retry-After", *retry_after);
  };
}
Verdict limit_verdict(const char* host) {
  return host == kApiUrl ? Verdict::api_rate_limited : Verdict::login_rate_limited;
}

TEST_P(Scenario, A4WaitsTheSecondsThatTheServerRequests) {
  for (const char* host : {kApiUrl, kLoginUrl}) {
    build(0s, {0s});
    spoil_next(*simulation, host, 1, too_many("1"));
    const Instant before = simulation->boot();
    const auto outcome = client->get();
    EXPECT_EQ(outcome.status, 200) << to_json(outcome.report);
    EXPECT_EQ(outcome.report.verdict, limit_verdict(host));
    EXPECT_GE(outcome.ended - before, 1s);
    EXPECT_LE(outcome.ended - before, 2s);
    EXPECT_EQ(simulation->token_requests(), host == kLoginUrl ? 2U : 1U);
  }
}

TEST_P(Scenario, A4AnHourIsPastTheDeadlineAndEndsAtOnceWith7) {
  for (const char* host : {kApiUrl, kLoginUrl}) {
    build(0s, {0s});
    spoil_next(*simulation, host, kAlways, too_many("3600"));
    const Instant before = simulation->boot();
    const auto outcome = client->get();
    EXPECT_EQ(outcome.report.exit_code, 7) << to_json(outcome.report);
    EXPECT_EQ(outcome.report.verdict, limit_verdict(host));
    EXPECT_LE(outcome.ended - before, 1s) << "nothing is gained by waiting";
    EXPECT_EQ(sends_with_token(), host == kApiUrl ? 1U : 0U);
    EXPECT_EQ(simulation->token_requests(), 1U);
  }
}

TEST_P(Scenario, A4AnHourIsWaitedForIfTheDeadlineAllows) {
  build(0s, {0s}, 300s);
  spoil_next(*simulation, kApiUrl, 1, too_many("1800"));
  Request request = request_of("GET");
  request.timeout = 2h;
  const Instant before = simulation->boot();
  const auto outcome = client->call(request);
  EXPECT_EQ(outcome.status, 200) << to_json(outcome.report);
  EXPECT_GE(outcome.ended - before, 1800s);
  EXPECT_LE(outcome.ended - before, 1805s);
  EXPECT_EQ(simulation->rejections(), 0U) << "the token has ended meanwhile";
}

TEST_P(Scenario, A4GarbageOrNothingIsBackedOffFrom) {
  for (const char* host : {kApiUrl, kLoginUrl}) {
    for (const char* words : {"soon", "-5", "1.5", "", "Thu, 99 Foo 2026 00:00:00 GMT", "none"}) {
      SCOPED_TRACE(words);
      build(0s, {0s});
      const bool none = words == std::string_view{"none"};
      spoil_next(*simulation, host, 3, too_many(none ? std::nullopt : std::optional{words}));
      const Instant before = simulation->boot();
      const auto outcome = client->get();
      EXPECT_EQ(outcome.status, 200) << to_json(outcome.report);
      EXPECT_EQ(outcome.report.verdict, limit_verdict(host));
      EXPECT_GE(outcome.ended - before, 750ms);
      EXPECT_LE(outcome.ended - before, 10s);
    }
  }
}

TEST_P(Scenario, A4ALimitThatLastsEndsWith7ByTheDeadline) {
  build(0s, {0s});
  spoil_next(*simulation, kApiUrl, kAlways, too_many(std::nullopt));
  const Instant before = simulation->boot();
  const auto outcome = client->get();
  EXPECT_EQ(outcome.status, 429);
  EXPECT_EQ(outcome.report.exit_code, 7) << to_json(outcome.report);
  EXPECT_LE(outcome.ended - before, 30100ms);
  EXPECT_LE(sends_with_token(), 8U);
  EXPECT_EQ(simulation->token_requests(), 1U);
}

// A6 ----------------------------------------------------------------------------------------------

void auth_times_out(emulator::Reply& reply) {
  reply.status = 504;
  reply.body = R"({"message":"The authentication request timed out.",)"
               R"("code":"authentication.request.timeout","status":504})";
}
Spoil html_page(int status) {
  return [status](emulator::Reply& reply) {
    reply.status = status;
    reply.body = kHtml;
    put_field(reply, "Content-Type", "text/html");
  };
}

TEST_P(Scenario, A6TheAuthBackendsTimeOutIsWaitedForAndTheTokenStays) {
  build(0s, {0s});
  ASSERT_EQ(client->get().status, 200);
  spoil_next(*simulation, kApiUrl, 2, auth_times_out);
  const auto outcome = client->get();
  EXPECT_EQ(outcome.status, 200) << to_json(outcome.report);
  EXPECT_EQ(outcome.report.verdict, Verdict::auth_backend_unavailable);
  EXPECT_TRUE(outcome.report.mitigated);
  spoil_next(*simulation, kApiUrl, kAlways, auth_times_out);
  const auto never = client->get();
  EXPECT_EQ(never.status, 504);
  EXPECT_EQ(never.report.exit_code, 1) << to_json(never.report);
  simulation->fate = nullptr;
  EXPECT_EQ(client->get().status, 200);
  EXPECT_EQ(simulation->token_requests(), 1U);
  EXPECT_EQ(tokens_sent().size(), 1U);
}

TEST_P(Scenario, A6AGatewaysPageIsRetriedForGetAndAPostIsSentOnce) {
  for (const char* method : {"GET", "POST"}) {
    build(0s, {0s});
    spoil_next(*simulation, kApiUrl, 1, html_page(502));
    const auto outcome = client->call(request_of(method));
    const bool get = method == std::string_view{"GET"};
    EXPECT_EQ(outcome.status, get ? 200 : 502);
    EXPECT_EQ(outcome.report.exit_code, get ? 0 : 1);
    EXPECT_EQ(sends_with_token(), get ? 2U : 1U);
    EXPECT_EQ(simulation->token_requests(), 1U);
  }
}

struct BadAnswer {
  const char* name;
  Spoil spoil;
  int exit_code;  ///< if every answer is like that
};
/// Bad answers of the login host to a token request.
const std::vector<BadAnswer>& bad_answers() {
  static const std::vector<BadAnswer> kBad{
      {"502 with HTML", html_page(502), 6},
      {"503 with HTML", html_page(503), 6},
      {"200 with HTML", html_page(200), 1},
      {"an empty 200", [](emulator::Reply& reply) { reply.body.clear(); }, 1},
      {"cut-off JSON", [](emulator::Reply& reply) { reply.body.resize(reply.body.size() / 2); }, 1},
  };
  return kBad;
}

TEST_P(Scenario, A6AnUnusableTokenAnswerIsAskedForAgain) {
  for (const BadAnswer& bad : bad_answers()) {
    SCOPED_TRACE(bad.name);
    build(0s, {0s});
    spoil_next(*simulation, kLoginUrl, 1, bad.spoil);
    const auto outcome = client->get();
    EXPECT_EQ(outcome.status, 200) << to_json(outcome.report);
    EXPECT_EQ(outcome.report.verdict,
              bad.exit_code == 6 ? Verdict::auth_backend_unavailable : Verdict::protocol);
    EXPECT_EQ(simulation->token_requests(), 2U);
  }
}

TEST_P(Scenario, A6AnUnusableTokenAnswerThatStaysIsAClearError) {
  for (const BadAnswer& bad : bad_answers()) {
    SCOPED_TRACE(bad.name);
    build(0s, {0s});
    spoil_next(*simulation, kLoginUrl, kAlways, bad.spoil);
    const auto outcome = client->get();
    ASSERT_TRUE(outcome.error);
    EXPECT_EQ(outcome.report.exit_code, bad.exit_code) << to_json(outcome.report);
    EXPECT_THAT(outcome.error->message, testing::HasSubstr("login"));
    EXPECT_EQ(sends_with_token(), 0U);
    EXPECT_LE(simulation->token_requests(), 9U);
  }
}

TEST_P(Scenario, A6TheCachedTokenStaysWhateverTheLoginHostAnswers) {
  for (const BadAnswer& bad : bad_answers()) {
    SCOPED_TRACE(bad.name);
    build(0s, {0s}, 300s);
    call_for(265s, 5s);
    spoil_next(*simulation, kLoginUrl, kAlways, bad.spoil);
    for (int i = 0; i < 8; ++i) {
      const Instant before = simulation->boot();
      const auto outcome = client->get();
      EXPECT_EQ(outcome.status, 200);
      EXPECT_LT(outcome.ended - before, 100ms);
      simulation->run_for(4s);
    }
    EXPECT_GE(simulation->token_requests(), 2U) << "a refresh was tried";
    simulation->fate = nullptr;
    call_for(100s, 5s);
    EXPECT_EQ(simulation->rejections(), 0U);
  }
}

TEST_P(Scenario, A6AWrongContentTypeSpoilsNoToken) {
  build(0s, {0s});
  spoil_next(*simulation, kLoginUrl, kAlways,
             [](emulator::Reply& reply) { put_field(reply, "Content-Type", "text/html"); });
  EXPECT_EQ(client->get().status, 200);
  EXPECT_LE(simulation->token_requests(), 2U);
}

// A7 ----------------------------------------------------------------------------------------------

struct Wording401 {
  const char* name;
  const char* challenge;  ///< of WWW-Authenticate; empty = none
  const char* body;
};
constexpr Wording401 kWordings[] = {
    {"RFC 6750", R"(Bearer realm="api", error="invalid_token", error_description="no")", ""},
    {"Genesys JSON", "",
     R"({"message":"Invalid login credentials.","code":"bad.credentials","status":401})"},
    {"both", R"(Bearer error="invalid_token")",
     R"({"message":"Invalid login credentials.","code":"bad.credentials","status":401})"},
    {"HTML", "", kHtml},
    {"nothing", "", ""},
    {"a bare challenge", "Bearer", ""},
    {"another scheme first", R"(Basic realm="x", Bearer error="invalid_token")", "nonsense"},
};

/// The API words all its 401s like this.
void word_refusals(Simulation& simulation, const Wording401& wording, bool refuse_all = false) {
  simulation.fate = [wording, refuse_all](const HttpRequest& request) {
    Fate fate;
    if (!request.url.starts_with(kApiUrl)) return fate;
    fate.spoil = [wording, refuse_all](emulator::Reply& reply) {
      if (refuse_all) refuse(reply);
      if (reply.status != 401) return;
      reply.body = wording.body;
      const std::string challenge = wording.challenge;
      emulator::set_field(reply.headers, "WWW-Authenticate",
                          challenge.empty() ? std::nullopt : std::optional{challenge});
    };
    return fate;
  };
}

TEST_P(Scenario, A7ARevokedTokenIsRecognizedWhateverTheWords) {
  for (const Wording401& wording : kWordings) {
    SCOPED_TRACE(wording.name);
    build(0s, {0s});
    word_refusals(*simulation, wording);
    ASSERT_EQ(client->get().status, 200);
    simulation->run_for(30s);
    simulation->servers().tokens().revoke_all();
    const auto outcome = client->get();
    EXPECT_EQ(outcome.status, 200);
    EXPECT_EQ(outcome.report.verdict, Verdict::token_revoked) << to_json(outcome.report);
    EXPECT_EQ(simulation->token_requests(), 2U);
  }
}

TEST_P(Scenario, A7ATokenThatIsNotValidYetIsRecognizedWhateverTheWords) {
  for (const Wording401& wording : kWordings) {
    SCOPED_TRACE(wording.name);
    build(5s, {0s});
    word_refusals(*simulation, wording);
    const auto outcome = client->get();
    EXPECT_EQ(outcome.status, 200);
    EXPECT_EQ(outcome.report.verdict, Verdict::issuer_clock_ahead) << to_json(outcome.report);
    EXPECT_EQ(tokens_sent().size(), 1U);
  }
}

TEST_P(Scenario, A7ATokenRefusedForGoodIsRecognizedWhateverTheWords) {
  for (const Wording401& wording : kWordings) {
    SCOPED_TRACE(wording.name);
    build(0s, {0s});
    word_refusals(*simulation, wording, true);
    const auto outcome = client->get();
    EXPECT_EQ(outcome.status, 401);
    const bool page = wording.body == std::string{kHtml};
    EXPECT_EQ(outcome.report.exit_code, page ? 1 : 3);
    EXPECT_EQ(outcome.report.verdict, page ? Verdict::gateway_refused : Verdict::token_rejected)
        << to_json(outcome.report);
    EXPECT_EQ(simulation->token_requests(), 2U);
  }
}

TEST_P(Scenario, A7APageForEveryTokenPausesLikeARefusalForGood) {
  build(0s, {0s});
  word_refusals(*simulation, {"HTML", "", kHtml}, true);
  for (int i = 0; i < 20; ++i) client->get();
  EXPECT_LE(simulation->token_requests(), 8U);
}

TEST_P(Scenario, A7InsufficientScopeIsAMissingPermissionWhateverTheStatus) {
  for (const int status : {400, 401, 403, 404}) {
    for (const char* body : {"", kHtml, R"({"code":"bad.credentials","status":401})"}) {
      build(0s, {0s});
      spoil_next(*simulation, kApiUrl, kAlways, [status, body](emulator::Reply& reply) {
        reply.status = status;
        reply.body = body;
        put_field(reply, "WWW-Authenticate", R"(Bearer error="insufficient_scope", scope="calls")");
      });
      const auto outcome = client->get();
      EXPECT_EQ(outcome.report.exit_code, 5) << status << to_json(outcome.report);
      EXPECT_EQ(outcome.report.verdict, Verdict::missing_permission);
      EXPECT_EQ(sends_with_token(), 1U);
      EXPECT_EQ(simulation->token_requests(), 1U);
    }
  }
}

// A8 ----------------------------------------------------------------------------------------------

TEST_P(Scenario, A8NoRedirectIsFollowed) {
  for (const char* host : {kApiUrl, kLoginUrl}) {
    for (const char* target : {"https://elsewhere.invalid/api/v2/tokens/me",
                               "http://api.test/api/v2/tokens/me", "/api/v2/tokens/me", ""}) {
      for (const int status : {301, 302, 303, 307, 308}) {
        SCOPED_TRACE(std::string{host} + " " + target);
        build(0s, {0s});
        spoil_next(*simulation, host, kAlways, [status, target](emulator::Reply& reply) {
          reply.status = status;
          reply.body.clear();
          put_field(reply, "Location", target);
        });
        const auto outcome = client->get();
        EXPECT_EQ(outcome.report.exit_code, 1) << to_json(outcome.report);
        EXPECT_EQ(outcome.report.verdict, Verdict::protocol);
        EXPECT_EQ(sends_with_token(), host == kApiUrl ? 1U : 0U);
        for (const Seen& seen : simulation->seen()) {
          EXPECT_TRUE(seen.url.starts_with("https://api.test/") ||
                      seen.url.starts_with("https://login.test/"))
              << seen.url;
        }
      }
    }
  }
}

// A9 ----------------------------------------------------------------------------------------------

TEST_P(Scenario, A9SilenceEndsAtTheDeadlineWith6) {
  for (const char* host : {kApiUrl, kLoginUrl}) {
    for (const auto kind : {Fate::Kind::lost, Fate::Kind::answer_lost}) {
      build(0s, {0s});
      simulation->fate = [host, kind](const HttpRequest& request) {
        Fate fate;
        if (request.url.starts_with(host)) fate.kind = kind;
        return fate;
      };
      const Instant before = simulation->boot();
      const auto outcome = client->get();
      ASSERT_TRUE(outcome.error);
      EXPECT_EQ(outcome.report.exit_code, 6) << to_json(outcome.report);
      EXPECT_EQ(outcome.report.verdict, Verdict::timeout);
      EXPECT_LE(outcome.ended - before, 30100ms);
    }
  }
}

TEST_P(Scenario, A9SlowHostsAreWaitedForWithinTheDeadline) {
  build(0s, {0s});
  simulation->fate = [](const HttpRequest& request) {
    Fate fate;
    fate.extra = request.url.starts_with(kApiUrl) ? 15s : 10s;
    return fate;
  };
  const auto outcome = client->get();
  EXPECT_EQ(outcome.status, 200) << to_json(outcome.report);
  EXPECT_EQ(sends_with_token(), 1U);
}

TEST_P(Scenario, A9AnUnreachableHostEndsWith6WithinTheDeadline) {
  using Kind = TransportFailure::Kind;
  for (const char* host : {kApiUrl, kLoginUrl}) {
    for (const Kind kind : {Kind::dns, Kind::refused, Kind::unreachable, Kind::tls_failed,
                            Kind::reset, Kind::truncated}) {
      SCOPED_TRACE(std::string{host} + " " + std::string(to_string(kind)));
      build(0s, {0s});
      VirtualClient bare(*simulation);
      bare.process.breaks = [host, kind](const HttpRequest& request) {
        return request.url.starts_with(host) ? std::optional{kind} : std::nullopt;
      };
      const Instant before = simulation->boot();
      const auto outcome = bare.get();
      ASSERT_TRUE(outcome.error);
      EXPECT_EQ(outcome.report.exit_code, 6) << to_json(outcome.report);
      EXPECT_EQ(outcome.report.verdict, Verdict::network);
      EXPECT_LE(outcome.ended - before, 30100ms);
      EXPECT_LE(bare.process.broken.size(), 9U);
    }
  }
}

TEST_P(Scenario, A9AResetIsRetriedForGetAndHeadAndAPostIsSentOnce) {
  using Kind = TransportFailure::Kind;
  for (const Kind kind : {Kind::reset, Kind::truncated}) {
    for (const std::string method : {"GET", "HEAD", "POST"}) {
      SCOPED_TRACE(method);
      build(0s, {0s});
      VirtualClient bare(*simulation);
      bare.process.breaks = [&bare, kind](const HttpRequest& request) {
        const bool first = request.url.starts_with(kApiUrl) && bare.process.broken.empty();
        return first ? std::optional{kind} : std::nullopt;
      };
      const auto outcome = bare.get("/api/v2/tokens/me", method);
      EXPECT_THAT(bare.process.broken, testing::ElementsAre(method));
      if (method == "POST") {
        EXPECT_EQ(outcome.report.exit_code, 6) << to_json(outcome.report);
        EXPECT_EQ(outcome.report.verdict, Verdict::network);
        EXPECT_EQ(sends_with_token(), 0U) << "beside the one that broke";
      } else {
        EXPECT_EQ(outcome.status, 200) << to_json(outcome.report);
        EXPECT_EQ(sends_with_token(), 1U);
      }
      EXPECT_EQ(simulation->token_requests(), 1U);
    }
  }
}

TEST_P(Scenario, A9AResetOfTheTokenRequestIsRetried) {
  using Kind = TransportFailure::Kind;
  for (const Kind kind : {Kind::reset, Kind::truncated}) {
    for (const std::string method : {"GET", "POST"}) {
      build(0s, {0s});
      VirtualClient bare(*simulation);
      bare.process.breaks = [&bare, kind](const HttpRequest& request) {
        const bool first = request.url.starts_with(kLoginUrl) && bare.process.broken.empty();
        return first ? std::optional{kind} : std::nullopt;
      };
      const auto outcome = bare.call(request_of(method));
      EXPECT_EQ(outcome.status, 200) << to_json(outcome.report);
      EXPECT_THAT(bare.process.broken, testing::ElementsAre("POST"));
      EXPECT_EQ(simulation->token_requests(), 1U) << "beside the one that broke";
    }
  }
}

// A10 ---------------------------------------------------------------------------------------------

/// Replaces the host's own answer.
Spoil says(int status, std::string body, std::string challenge = "") {
  return [status, body = std::move(body), challenge = std::move(challenge)](auto& reply) {
    reply.status = status;
    reply.body = body;
    if (!challenge.empty()) put_field(reply, "WWW-Authenticate", challenge);
  };
}

TEST_P(Scenario, A10A403Or400ThatSaysThatTheTokenHasEndedIsCuredByANewOne) {
  for (const int status : {400, 403}) {
    for (const auto& spoil :
         {says(status, R"({"code":"token.expired","message":"The access token has expired"})"),
          says(status, R"({"error":"invalid_token","error_description":"token expired"})"),
          says(status, R"([{"errorCode":"INVALID_SESSION_ID","message":"Session expired"}])"),
          says(status, "", R"(Bearer error="invalid_token")")}) {
      build(0s, {0s});
      ASSERT_EQ(client->get().status, 200);
      simulation->run_for(30s);
      spoil_next(*simulation, kApiUrl, 1, spoil);
      const auto outcome = client->get();
      EXPECT_EQ(outcome.status, 200) << to_json(outcome.report);
      EXPECT_EQ(outcome.report.verdict, Verdict::token_revoked);
      EXPECT_EQ(simulation->token_requests(), 2U);
    }
  }
}

TEST_P(Scenario, A10WhatStandsBeforeTheApiIsNamedAndCostsNoToken) {
  for (const auto& [spoil, named] :
       {std::pair{says(403, "<html><title>Request blocked</title></html>"), "Request blocked"},
        {says(403, "not from here"), "not from here"},
        {says(403, R"({"message":"Missing Authentication Token"})"),
         "Missing Authentication Token"},
        {says(401, kHtml, R"(Basic realm="the proxy")"), "Basic (realm \"the proxy\")"}}) {
    build(0s, {0s});
    spoil_next(*simulation, kApiUrl, kAlways, spoil);
    const auto outcome = client->get();
    EXPECT_EQ(outcome.report.exit_code, 1) << to_json(outcome.report);
    EXPECT_EQ(outcome.report.verdict, Verdict::gateway_refused);
    EXPECT_THAT(outcome.report.attempts.back().explanation, testing::HasSubstr(named));
    EXPECT_EQ(sends_with_token(), 1U);
    EXPECT_EQ(simulation->token_requests(), 1U);
  }
}

TEST_P(Scenario, A10IfNoTokenArrivesTheNetworkPathIsSuspectedInTheApisOwnWords) {
  build(0s, {0s});
  spoil_next(*simulation, kApiUrl, kAlways,
             says(401, R"({"code":"authentication.required","message":"No bearer token."})"));
  const auto outcome = client->get();
  EXPECT_EQ(outcome.report.exit_code, 3);
  EXPECT_EQ(outcome.report.verdict, Verdict::token_rejected) << to_json(outcome.report);
  EXPECT_THAT(
      outcome.report.attempts.back().explanation,
      testing::AllOf(testing::HasSubstr("removing"), testing::HasSubstr("No bearer token.")));
}

TEST_P(Scenario, A10OfTwoBearerChallengesTheOneWithAReasonIsQuoted) {
  build(0s, {0s});
  ASSERT_EQ(client->get().status, 200);
  simulation->run_for(30s);
  spoil_next(*simulation, kApiUrl, 1,
             says(401, "",
                  R"(Bearer realm="a", Bearer error="invalid_token", )"
                  R"(error_description="it was withdrawn")"));
  const auto outcome = client->get();
  EXPECT_EQ(outcome.status, 200);
  EXPECT_EQ(outcome.report.attempts.front().error_code, "invalid_token");
  EXPECT_THAT(outcome.report.attempts.front().explanation, testing::HasSubstr("it was withdrawn"));
}

// A11 ---------------------------------------------------------------------------------------------

TEST_P(Scenario, A11AnOAuthErrorInAnyFormIsOneRequestAndQuoted) {
  for (const int status : {200, 400, 403}) {
    for (const char* body : {R"({"error":"access_denied","error_description":"no grant here"})",
                             R"([{"error":"access_denied","reason":"no grant here"}])",
                             R"({"error":{"code":"access_denied","message":"no grant here"}})",
                             "{\"error\":\"access_denied\",\"description\":\"no grant here\xE9\"}",
                             "error=access_denied&error_description=no+grant+here"}) {
      build(0s, {0s});
      spoil_next(*simulation, kLoginUrl, kAlways, says(status, body));
      const auto outcome = client->get();
      EXPECT_EQ(outcome.report.exit_code, 3) << to_json(outcome.report);
      EXPECT_EQ(outcome.report.verdict, Verdict::credentials_rejected);
      EXPECT_THAT(outcome.report.attempts.back().explanation,
                  testing::HasSubstr("access_denied (no grant here"));
      EXPECT_EQ(simulation->token_requests(), 1U);
    }
  }
}

/// printf '{"error":"access_denied"}' | gzip -n
const std::string& gzip_of_an_error() {
  static const std::string gzip(
      "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff\xab\x56\x4a\x2d\x2a\xca\x2f\x52\xb2\x52\x4a\x4c"
      "\x4e\x4e\x2d\x2e\x8e\x4f\x49\xcd\xcb\x4c\x4d\x51\xaa\x05\x00\x89\xa6\xaa\xb3\x19\x00\x00"
      "\x00",
      45);
  return gzip;
}

Spoil says_in_gzip(int status, std::string body) {
  return [status, body = std::move(body)](emulator::Reply& reply) {
    reply.status = status;
    reply.body = body;
    put_field(reply, "Content-Encoding", "gzip");
  };
}

TEST_P(Scenario, A11ACompressedErrorIsRead) {
  build(0s, {0s});
  spoil_next(*simulation, kLoginUrl, kAlways, says_in_gzip(400, gzip_of_an_error()));
  const auto outcome = client->get();
  EXPECT_EQ(outcome.report.exit_code, 3) << to_json(outcome.report);
  EXPECT_EQ(outcome.report.attempts.back().error_code, "access_denied");
}

TEST_P(Scenario, A11AnAnswerCompressedUnaskedIsDecodedAndABrokenOneIsNoAnswer) {
  build(0s, {0s});
  spoil_next(*simulation, kApiUrl, kAlways, says_in_gzip(200, gzip_of_an_error()));
  EXPECT_EQ(client->get().body, R"({"error":"access_denied"})");
  Request asked = request_of("GET");
  asked.headers.add("accept-encoding", "gzip");
  EXPECT_EQ(client->call(asked).body, gzip_of_an_error());
  spoil_next(*simulation, kApiUrl, kAlways, says_in_gzip(200, gzip_of_an_error().substr(0, 30)));
  const auto broken = client->get();
  EXPECT_EQ(broken.report.exit_code, 1) << to_json(broken.report);
  EXPECT_EQ(broken.report.verdict, Verdict::protocol);
}

TEST_P(Scenario, A11ARefusalCountsThoughItsBodyIsNotWhatItsCodingSays) {
  build(0s, {0s});
  ASSERT_EQ(client->get().status, 200);
  spoil_next(*simulation, kApiUrl, kAlways, says_in_gzip(403, "<html>refused</html>"));
  const auto refused = client->get();
  EXPECT_EQ(refused.status, 403) << to_json(refused.report);
  EXPECT_EQ(refused.body, "<html>refused</html>");
  EXPECT_NE(refused.report.verdict, Verdict::protocol);
  spoil_next(*simulation, kApiUrl, 1, says_in_gzip(401, gzip_of_an_error().substr(0, 30)));
  const auto renewed = client->get();
  EXPECT_EQ(renewed.status, 200) << to_json(renewed.report);
  EXPECT_EQ(renewed.report.attempts.front().http_status, 401);
}

TEST_P(Scenario, A11ALoginRefusalCountsThoughItsBodyIsNotWhatItsCodingSays) {
  build(0s, {0s});
  spoil_next(*simulation, kLoginUrl, kAlways, says_in_gzip(401, "refused"));
  const auto refused = client->get();
  EXPECT_EQ(refused.report.exit_code, 3) << to_json(refused.report);
  EXPECT_EQ(refused.report.verdict, Verdict::credentials_rejected);
  EXPECT_EQ(refused.report.attempts.back().http_status, 401);
}

TEST_P(Scenario, A11ARefusalIsReadAlthoughTheCallerAskedForItsCoding) {
  build(0s, {0s});
  spoil_next(*simulation, kApiUrl, kAlways, says_in_gzip(403, gzip_of_an_error()));
  Request asked = request_of("GET");
  asked.headers.add("Accept-Encoding", "gzip");
  const auto outcome = client->call(asked);
  EXPECT_EQ(outcome.report.attempts.back().error_code, "access_denied");
  EXPECT_EQ(outcome.body, gzip_of_an_error());
}

TEST_P(Scenario, A11ATokenAnswerInOtherWordsIsUsed) {
  build(0s, {0s});
  spoil_next(*simulation, kLoginUrl, kAlways, [](emulator::Reply& reply) {
    const auto at = reply.body.find("earer\"");
    ASSERT_NE(at, std::string::npos);
    reply.body.insert(at + 5, "Token");
  });
  EXPECT_EQ(client->get().status, 200);
  EXPECT_EQ(simulation->token_requests(), 1U);
}

}  // namespace
}  // namespace skewguard::simulation
