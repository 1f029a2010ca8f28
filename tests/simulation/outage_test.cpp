// A thousand callers at expiry, and a login host that is slow, goes down and comes back (T2, T4).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "simulation/scenario.hpp"

namespace skewguard::simulation {
namespace {

class Outage : public Scenario {
 protected:
  struct Caller {
    Instant started;
    Duration patience;
    VirtualClient::Pending pending;
  };

  void call_with(Duration patience) {
    Request request;
    request.path = "/api/v2/tokens/me";
    request.timeout = patience;
    callers.push_back({simulation->boot(), patience, client->start(request)});
  }
  /// Starts a call every `pause` for `span`, with different deadlines.
  void arrive_for(Duration span, Duration pause) {
    const Instant end = simulation->boot() + span;
    while (simulation->boot() < end) {
      call_with(std::vector<Duration>{2s, 10s, 30s}[callers.size() % 3]);
      simulation->run_for(pause);
    }
  }
  /// When the n-th token request left, n = 0, 1, ...
  Instant asked(std::size_t n) const {
    for (const auto& request : simulation->seen()) {
      if (request.token_request() && n-- == 0) return request.at;
    }
    return Instant::max();
  }

  std::vector<Caller> callers;
};

TEST_P(Outage, AThousandCallersAtExpiryAreAllAnsweredWhateverTheLoginHostDoes) {
  build(0s, {0s}, 300s);
  bool slow = false, down = false;
  simulation->fate = [&](const HttpRequest& request) {
    Fate fate;
    if (!request.url.starts_with(kLoginUrl)) return fate;
    if (slow) fate.extra = 10s;
    if (down) fate.kind = Fate::Kind::refused;
    return fate;
  };
  const Instant start = simulation->boot();
  const auto until = [&](Duration since_start) { return start + since_start - simulation->boot(); };

  ASSERT_EQ(client->get().status, 200);
  simulation->run_for(until(240s));
  slow = true;
  arrive_for(until(320s), 500ms);  // the refresh takes 10 s: no caller may notice
  ASSERT_EQ(simulation->token_requests(), 2U);
  down = true;
  simulation->run_for(until(540s));
  const Instant dead = asked(1) + 296s;  // margins, and the second that `exp` was truncated by
  arrive_for(until(545s), 100ms);        // the token is still valid, its refresh fails
  arrive_for(until(610s), 80ms);         // it expires meanwhile: callers pile up
  down = false;
  arrive_for(until(640s), 250ms);
  slow = false;
  const Instant healthy =
      simulation->boot() + 45s;  // one backoff of at most 30 s, and a slow answer
  simulation->run_for(45s);
  arrive_for(20s, 200ms);
  simulation->run_for(31s);

  ASSERT_GE(callers.size(), 1000U);
  for (std::size_t i = 0; i < callers.size(); ++i) {
    const Caller& caller = callers[i];
    ASSERT_TRUE(caller.pending->has_value()) << i << " was never answered";
    const auto& outcome = **caller.pending;
    ASSERT_LE(outcome.ended - caller.started, caller.patience + 100ms) << i;
    if (caller.started < dead || caller.started > healthy) {
      ASSERT_EQ(outcome.status, 200) << i << to_json(outcome.report);
      ASSERT_LE(outcome.ended - caller.started, 100ms) << i << " waited while a token lived";
    } else if (outcome.error) {
      EXPECT_EQ(outcome.report.exit_code, 6);
    }
  }
  EXPECT_EQ(simulation->max_token_requests_at_once(), 1U);
  EXPECT_EQ(simulation->rejections(), 0U);
  EXPECT_LE(simulation->token_requests(), 20U) << "backed off, however many wait";
}

INSTANTIATE_TEST_SUITE_P(Rows, Outage, every_setting(), name_of);

}  // namespace
}  // namespace skewguard::simulation
