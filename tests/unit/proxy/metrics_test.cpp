#include "proxy/metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace skewguard::proxy {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Metrics, CountRequestsByStatus) {
  Metrics metrics;
  AccessRecord record{.status = 200};
  metrics.answered(record);
  metrics.answered(record);
  record.status = 599;
  metrics.answered(record);
  record.status = 0;  // its client left
  metrics.answered(record);
  record.status = 600;
  metrics.answered(record);
  const auto text = metrics.text(-1);
  EXPECT_THAT(text, HasSubstr("\nskewguard_requests_total{code=\"200\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("\nskewguard_requests_total{code=\"599\"} 1\n"));
  EXPECT_THAT(text, Not(HasSubstr("code=\"0\"")));
  EXPECT_THAT(text, Not(HasSubstr("code=\"600\"")));
}

TEST(Metrics, CountRejectionsAndWhatWasDone) {
  Metrics metrics;
  CallReport report;
  report.attempts = {{.verdict = Verdict::token_revoked, .action = Action::refresh_and_retry},
                     {.verdict = Verdict::token_rejected, .action = Action::give_up},
                     {.verdict = Verdict::ok},
                     {}};
  metrics.judged(report);
  const auto text = metrics.text(-1);
  EXPECT_THAT(text, HasSubstr("skewguard_rejections_total{verdict=\"token_revoked\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("skewguard_rejections_total{verdict=\"token_rejected\"} 1\n"));
  EXPECT_THAT(text, Not(HasSubstr("verdict=\"ok\"")));
  EXPECT_THAT(text, HasSubstr("skewguard_mitigations_total{action=\"refresh_and_retry\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("skewguard_mitigations_total{action=\"wait_and_retry\"} 0\n"));
}

TEST(Metrics, TellTimesOfForwardedRequestsAlone) {
  Metrics metrics;
  AccessRecord record{.status = 200, .attempts = 1};
  record.upstream = std::chrono::milliseconds{3};
  record.added = std::chrono::microseconds{100};
  metrics.answered(record);
  metrics.answered({.status = 200});
  const auto text = metrics.text(-1);
  EXPECT_THAT(text, HasSubstr("skewguard_added_latency_seconds_bucket{le=\"0.0001\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("skewguard_upstream_duration_seconds_bucket{le=\"0.0025\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("skewguard_upstream_duration_seconds_bucket{le=\"0.005\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("skewguard_upstream_duration_seconds_bucket{le=\"+Inf\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("skewguard_upstream_duration_seconds_sum 0.003\n"));
  EXPECT_THAT(text, HasSubstr("skewguard_upstream_duration_seconds_count 1\n"));
}

TEST(Metrics, TellTheTokensLifeIfThereIsOne) {
  Metrics metrics;
  metrics.waiting(1);
  metrics.waiting(1);
  metrics.waiting(-1);
  EXPECT_THAT(metrics.text(-1), Not(HasSubstr("skewguard_token_expires_in_seconds")));
  const auto text = metrics.text(12.5);
  EXPECT_THAT(text, HasSubstr("\nskewguard_token_expires_in_seconds 12.5\n"));
  EXPECT_THAT(text, HasSubstr("\nskewguard_waiting_requests 1\n"));
  EXPECT_THAT(text, HasSubstr("\nskewguard_build_info{version=\""));
}

}  // namespace
}  // namespace skewguard::proxy
