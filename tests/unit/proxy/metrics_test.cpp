#include "proxy/metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace skewguard::proxy {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Metrics, CountRequestsByStatus) {
  Metrics metrics;
  WorkerMetrics& worker = metrics.add_worker();
  AccessRecord record{.status = 200};
  worker.answered(record);
  metrics.add_worker().answered(record);
  record.status = 599;
  worker.answered(record);
  record.status = 0;  // its client left
  worker.answered(record);
  record.status = 600;
  worker.answered(record);
  const auto text = metrics.text(nullptr);
  EXPECT_THAT(text, HasSubstr("\nskewguard_requests_total{code=\"200\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("\nskewguard_requests_total{code=\"599\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("\nskewguard_requests_total{code=\"0\"} 1\n"));
  EXPECT_THAT(text, Not(HasSubstr("code=\"600\"")));
}

constexpr WallTime kNoon{std::chrono::hours{12}};

TEST(Metrics, CountRejectionsAndWhatWasDone) {
  Metrics metrics;
  CallReport report;
  report.attempts = {{.verdict = Verdict::token_revoked, .action = Action::refresh_and_retry},
                     {.verdict = Verdict::token_rejected, .action = Action::give_up},
                     {.verdict = Verdict::ok},
                     {}};
  metrics.resolved(report, kNoon);
  const auto text = metrics.text(nullptr);
  EXPECT_THAT(text, HasSubstr("skewguard_rejections_total{verdict=\"token_revoked\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("skewguard_rejections_total{verdict=\"token_rejected\"} 1\n"));
  EXPECT_THAT(text, Not(HasSubstr("verdict=\"ok\"")));
  EXPECT_THAT(text, HasSubstr("skewguard_mitigations_total{action=\"refresh_and_retry\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("skewguard_mitigations_total{action=\"wait_and_retry\"} 0\n"));
}

TEST(Metrics, CountEachRejectionOnce) {
  Metrics metrics;
  const ReportedAttempt login{.host = HostRole::login,
                              .verdict = Verdict::credentials_rejected,
                              .action = Action::wait_and_retry};
  const ReportedAttempt api{.host = HostRole::api, .verdict = Verdict::token_rejected};
  metrics.rejected({.attempt = login}, kNoon);
  metrics.rejected({.attempt = api}, kNoon);  // provisional: its final verdict follows
  CallReport report;
  report.attempts = {login, api};  // of one call among many that waited for that token request
  metrics.resolved(report, kNoon + std::chrono::hours{1});
  const auto text = metrics.text(nullptr);
  EXPECT_THAT(text, HasSubstr("skewguard_rejections_total{verdict=\"credentials_rejected\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("skewguard_rejections_total{verdict=\"token_rejected\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("skewguard_mitigations_total{action=\"wait_and_retry\"} 1\n"));
}

TEST(Metrics, RememberTheLastRejection) {
  Metrics metrics;
  EXPECT_FALSE(metrics.last_rejection());
  CallReport report;
  report.attempts = {{.verdict = Verdict::token_expired}, {.verdict = Verdict::ok}};
  metrics.resolved(report, kNoon);
  ASSERT_TRUE(metrics.last_rejection());
  EXPECT_EQ(metrics.last_rejection()->time, kNoon);
  EXPECT_EQ(metrics.last_rejection()->attempt.verdict, Verdict::token_expired);
}

TEST(Metrics, TellTimesOfForwardedRequestsAlone) {
  Metrics metrics;
  AccessRecord record{.status = 200, .attempts = 1};
  record.upstream = std::chrono::milliseconds{3};
  record.added = std::chrono::microseconds{100};
  metrics.add_worker().answered(record);
  metrics.add_worker().answered({.status = 200});
  const auto text = metrics.text(nullptr);
  EXPECT_THAT(text, HasSubstr("skewguard_added_latency_seconds_bucket{le=\"0.0001\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("skewguard_upstream_duration_seconds_bucket{le=\"0.0025\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("skewguard_upstream_duration_seconds_bucket{le=\"0.005\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("skewguard_upstream_duration_seconds_bucket{le=\"+Inf\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("skewguard_upstream_duration_seconds_sum 0.003\n"));
  EXPECT_THAT(text, HasSubstr("skewguard_upstream_duration_seconds_count 1\n"));
}

TEST(Metrics, TellHowManyWait) {
  Metrics metrics;
  WorkerMetrics& worker = metrics.add_worker();
  worker.waiting.add();
  worker.waiting.add();
  worker.waiting.add(-1);
  metrics.add_worker().waiting.add();
  EXPECT_EQ(metrics.waiting(), 2);
  const auto text = metrics.text(nullptr);
  EXPECT_THAT(text, HasSubstr("\nskewguard_waiting_requests 2\n"));
  EXPECT_THAT(text, HasSubstr("\nskewguard_build_info{version=\""));
}

TEST(Metrics, TellTheTokensLifeIfThereIsOne) {
  ClientStatus client;
  const std::string name = "skewguard_token_expires_in_seconds";
  EXPECT_THAT(Metrics().text(&client), Not(HasSubstr(name)));
  client.token = {.generation = 1, .remaining = std::chrono::milliseconds{12500}};
  EXPECT_THAT(Metrics().text(&client), HasSubstr("\n" + name + " 12.5\n"));
}

TEST(Metrics, TellWhatBecameOfTokenRequests) {
  ClientStatus client;
  client.token_requests = {{Verdict::ok, 3}, {Verdict::login_rate_limited, 1}};
  const auto text = Metrics().text(&client);
  EXPECT_THAT(text, HasSubstr("# TYPE skewguard_token_requests_total counter\n"));
  EXPECT_THAT(text, HasSubstr("\nskewguard_token_requests_total{result=\"ok\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("{result=\"login_rate_limited\"} 1\n"));
}

TEST(Metrics, TellWhatIsKnownAboutClocks) {
  ClientStatus client;
  client.clocks = {{.server = "https://login.example.com"}, {.server = "https://api.example.com"}};
  client.clocks[1].offset = OffsetBound{std::chrono::milliseconds{-250}, std::chrono::seconds{2}};
  client.clock_steps = {{"boot", 0}, {"https://api.example.com", 2}, {"wall", 1}};
  const auto text = Metrics().text(&client);
  const std::string offset = "skewguard_clock_offset_seconds{server=\"https://";
  EXPECT_THAT(text, HasSubstr(offset + "api.example.com\",bound=\"low\"} -0.25\n"));
  EXPECT_THAT(text, HasSubstr(offset + "api.example.com\",bound=\"high\"} 2\n"));
  EXPECT_THAT(text, Not(HasSubstr(offset + "login"))) << "nothing is known of that one";
  EXPECT_THAT(text, HasSubstr("skewguard_clock_steps_total{clock=\"boot\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("{clock=\"https://api.example.com\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("{clock=\"wall\"} 1\n"));
}

TEST(Metrics, EscapeLabels) {
  ClientStatus client;
  client.clock_steps = {{"a\\b\"c\nd", 0}};
  EXPECT_THAT(Metrics().text(&client), HasSubstr(R"({clock="a\\b\"c\nd"} 0)"));
}

}  // namespace
}  // namespace skewguard::proxy
