#include <gtest/gtest.h>

#include <string_view>

#include "skewguard/report.hpp"

namespace skewguard {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kNewYear = seconds{1'767'225'600};  // 2026-01-01T00:00:00Z

ReportedAttempt refused() {
  ReportedAttempt a;
  a.http_status = 401;
  a.error_code = "bad.credentials";
  a.correlation_id = "4f1a";
  a.server_date = ServerTime{ServerId{0}, kNewYear};
  a.verdict = Verdict::issuer_clock_ahead;
  a.explanation = "The API's clock is 4.0 to 5.1 s behind the login host's.";
  a.token = ReportedToken{ReportedToken::Format::jwt, milliseconds{200}, milliseconds{299'800}};
  a.analysis.status = WallClockAnalysis::Status::valid_locally;
  a.analysis.local_time = WallTime{kNewYear + milliseconds{4250}};
  a.analysis.token_exp = WallTime{kNewYear + milliseconds{304'050}};
  a.analysis.time_remaining = milliseconds{299'800};
  a.analysis.skew = OffsetBound{-milliseconds{5100}, -milliseconds{4000}};
  a.action = Action::wait_and_retry;
  a.waited = milliseconds{5010};
  return a;
}

CallReport example() {
  CallReport r;
  r.method = "GET";
  r.url = "https://api.example/api/v2/tokens/me";
  r.http_status = 200;
  r.verdict = Verdict::issuer_clock_ahead;
  r.mitigated = true;
  r.token_requests = 1;
  r.elapsed = std::chrono::microseconds{5'210'400};
  r.attempts.push_back(refused());
  ReportedAttempt missing;
  missing.n = 2;
  missing.host = HostRole::login;
  missing.analysis.local_time = WallTime{kNewYear};
  r.attempts.push_back(missing);
  r.clocks.push_back({"https://api.example", OffsetBound{-milliseconds{5100}, -milliseconds{4000}},
                      seconds{1}, 3, std::chrono::microseconds{12'100}});
  r.clocks.push_back({"https://login.example", std::nullopt, seconds{1}, 0, std::nullopt});
  return r;
}

// docs/contract.md section 4, field by field.
constexpr std::string_view kExample = R"({
  "schema": "skewguard.report/1",
  "method": "GET",
  "url": "https://api.example/api/v2/tokens/me",
  "exit_code": 0,
  "http_status": 200,
  "verdict": "issuer_clock_ahead",
  "mitigated": true,
  "token_requests": 1,
  "elapsed_ms": 5210.4,
  "attempts": [
    {
      "n": 1,
      "host": "api",
      "http_status": 401,
      "error_code": "bad.credentials",
      "correlation_id": "4f1a",
      "server_date": "2026-01-01T00:00:00Z",
      "verdict": "issuer_clock_ahead",
      "explanation": "The API's clock is 4.0 to 5.1 s behind the login host's.",
      "token": {
        "format": "jwt",
        "age_s": 0.2,
        "remaining_s": 299.8
      },
      "analysis": {
        "status": "valid_locally",
        "local_time": "2026-01-01T00:00:04.250Z",
        "token_exp": "2026-01-01T00:05:04.050Z",
        "time_remaining_s": 299.8,
        "skew_low_s": -5.1,
        "skew_high_s": -4.0
      },
      "action": "wait_and_retry",
      "waited_ms": 5010.0
    },
    {
      "n": 2,
      "host": "login",
      "http_status": null,
      "error_code": "",
      "correlation_id": "",
      "server_date": null,
      "verdict": null,
      "explanation": "",
      "token": null,
      "analysis": {
        "status": "no_token",
        "local_time": "2026-01-01T00:00:00.000Z",
        "token_exp": null,
        "time_remaining_s": null,
        "skew_low_s": null,
        "skew_high_s": null
      },
      "action": "none",
      "waited_ms": 0.0
    }
  ],
  "clocks": [
    {
      "server": "https://api.example",
      "offset_low_s": -5.1,
      "offset_high_s": -4.0,
      "staleness_s": 1.0,
      "samples": 3,
      "rtt_min_ms": 12.1
    },
    {
      "server": "https://login.example",
      "offset_low_s": null,
      "offset_high_s": null,
      "staleness_s": 1.0,
      "samples": 0,
      "rtt_min_ms": null
    }
  ]
})";

TEST(ReportJson, HasEveryFieldOfTheContractInItsOrder) {
  EXPECT_EQ(to_json(example()), kExample);
}

TEST(ReportJson, WordsThatAreNoUtf8DoNotBreakIt) {
  CallReport r;
  r.attempts.push_back(refused());
  r.attempts[0].error_code = "\xff\xfe\"";
  EXPECT_NE(to_json(r).find(R"(\")"), std::string::npos);
}

}  // namespace
}  // namespace skewguard
