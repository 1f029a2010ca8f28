#include "engine/clock_watch.hpp"

#include <algorithm>
#include <utility>

#include "time/duration_text.hpp"
#include "time/offset_text.hpp"

namespace skewguard::engine {
namespace {

/// The look after a disruption: calls that may have a good token wait for it.
constexpr Duration kCheckTimeout = std::chrono::seconds{2};
/// The login host is asked to confirm the API's jump at most this often.
constexpr Duration kConfirmEvery = std::chrono::minutes{1};

OffsetBound reversed(const OffsetBound& bound) {
  return {-bound.high, -bound.low};
}

}  // namespace

ClockWatch::ClockWatch(Uses uses) : uses_(std::move(uses)) {
  static_cast<void>(disrupted());  // from here on
}

void ClockWatch::observe(ServerId server, const clocks::Answer& answer) {
  const bool elsewhere = !answer.origin.empty() && answer.origin != uses_.clocks.origin(server);
  if (answer.sample() && !elsewhere) return observe(server, *answer.sample());
  look_at_wall(answer.received);
  uses_.log.write({LogLevel::debug,
                   "no clock sample from this answer: " +
                       (elsewhere ? "it is another host's" : answer.no_sample()),
                   {},
                   uses_.clocks.origin(server)});
}

void ClockWatch::observe(ServerId server, const time::DateSample& sample) {
  look_at_wall(sample.received);
  const std::string& origin = uses_.clocks.origin(server);
  const auto before = known(server);
  const auto seen = uses_.clocks.book().observe(server, sample);
  if (const auto after = known(server); after != before) {
    uses_.log.write({LogLevel::debug,
                     "this server's clock less this machine's: " + after +
                         (before.empty() ? "" : " (before this answer " + before + ")"),
                     {},
                     origin});
  }
  const Instant received = sample.received.boot;
  if (seen.jump && server == uses_.clocks.login()) login_jumped_ = received;
  if (seen.machine_stood_still) {
    ++standstills_;
    uses_.log.write({LogLevel::warn,
                     "the servers' clocks jumped forward together: this machine stood still (a VM "
                     "that was stopped or restored)",
                     {},
                     origin});
    // A token whose answer showed the login host's new time was issued after the standstill.
    const Instant issued_from = std::exchange(login_jumped_, std::nullopt).value_or(received);
    uses_.tell_tokens(oauth::event::StoodStill{*seen.machine_stood_still, issued_from});
  } else if (seen.step) {
    uses_.log.write({LogLevel::warn, "the clock of this server stepped", {}, origin});
  } else if (server == uses_.clocks.api() && seen.jump.value_or(Duration{0}) > Duration{0}) {
    confirm_jump();
  }
  compare(server, sample);
  unlearn();
}

/// For the log: the bounds of that server's clock; empty if the log level excludes such lines.
std::string ClockWatch::known(ServerId server) const {
  if (!uses_.log.takes(LogLevel::debug)) return "";
  const auto bounds = uses_.clocks.view().to_wall(server);
  return bounds ? time::bounds_text(*bounds) : "";
}

oauth::TokenEvent ClockWatch::learned(const oauth::TokenEvent& fact) {
  if (const auto* lags = std::get_if<oauth::event::ApiLags>(&fact)) {
    lag_.learn(lags->lag, lags->min, issuer_ahead_);
    return oauth::event::ApiLags{lag_.max().value_or(Duration{0})};
  }
  if (const auto* leads = std::get_if<oauth::event::ApiLeads>(&fact)) {
    const auto shown = issuer_ahead_ ? std::optional(reversed(*issuer_ahead_)) : std::nullopt;
    lead_.learn(leads->lead, leads->min, shown);
    return oauth::event::ApiLeads{lead_.max().value_or(Duration{0})};
  }
  return fact;
}

/// Compares what this answer alone says about its clock with all that is known about the other
/// host's: what was learned ends with the first answer that contradicts it.
void ClockWatch::compare(ServerId server, const time::DateSample& sample) {
  const bool by_issuer = server == uses_.clocks.login();
  if ((!by_issuer && server != uses_.clocks.api()) || uses_.clocks.login() == uses_.clocks.api())
    return;
  auto shown = clocks::SkewEstimator::interval_of(sample);
  const clocks::SkewEstimator& other =
      uses_.clocks.book().estimator(by_issuer ? uses_.clocks.api() : uses_.clocks.login());
  const auto known = other.hull(sample.received.unslewed());
  if (!shown || !known) return;
  shown->high += other.options().staleness;
  const OffsetBound& issuer = by_issuer ? *shown : *known;
  const OffsetBound& api = by_issuer ? *known : *shown;
  issuer_ahead_ = OffsetBound{issuer.low - api.high, issuer.high - api.low};
  if (lag_.ends_by(*issuer_ahead_)) uses_.tell_tokens(oauth::event::ApiLags{});
  if (lead_.ends_by(reversed(*issuer_ahead_))) uses_.tell_tokens(oauth::event::ApiLeads{});
}

/// Nothing depends on the wall clock, but people read it: a step explains what they see elsewhere.
void ClockWatch::look_at_wall(const Now& now) {
  constexpr Duration kLeast = std::chrono::seconds{1};  // whoever reads the log sees whole seconds
  const Duration step = local_.see(now).wall_step;
  if (step > -kLeast && step < kLeast) return;
  uses_.log.write({LogLevel::warn,
                   "the local wall clock stepped " +
                       std::string(step > Duration{0} ? "forward by " : "back by ") +
                       time::human(step > Duration{0} ? step : -step) +
                       ": no token's lifetime depends on it",
                   {},
                   {}});
}

/// The API's clock has jumped, or its Date cannot be trusted, or this machine stood still: the
/// login host's Date shows which. Asked rarely, since an API may show two clocks in turn.
void ClockWatch::confirm_jump() {
  const Instant now = uses_.clocks.now().boot;
  const bool asked = confirmed_ && now - *confirmed_ < kConfirmEvery;
  if (asked || uses_.fetching() || uses_.clocks.origin(uses_.clocks.login()).empty() ||
      uses_.clocks.login() == uses_.clocks.api())
    return;
  confirmed_ = now;
  uses_.sender.look_at_login(now + clocks::kLookTimeout, [](const clocks::AnswerResult&) {});
}

bool ClockWatch::disrupted() {
  if (uses_.disruptions == nullptr) return false;
  const auto marker = uses_.disruptions->marker();
  return marker && std::exchange(marker_, marker).value_or(*marker) != *marker;
}

void ClockWatch::check_after_disruption(std::function<void()> then) {
  uses_.log.write({LogLevel::warn,
                   "the hypervisor reports that this machine was stopped or restored: checking the "
                   "login host's clock",
                   {},
                   uses_.clocks.origin(uses_.clocks.login())});
  uses_.clocks.book().note_disruption(uses_.clocks.now().unslewed());
  uses_.sender.look_at_login(uses_.clocks.now().boot + kCheckTimeout,
                             [then = std::move(then)](const clocks::AnswerResult&) { then(); });
}

/// What was learned about the two servers' clocks holds as long as their Dates allow it: once a
/// clock is corrected, no rejection would reveal that.
void ClockWatch::unlearn() {
  if (!lag_.max() && !lead_.max()) return;
  const auto issuer_ahead = uses_.clocks.view().between(uses_.clocks.login(), uses_.clocks.api());
  if (!issuer_ahead) return;
  const Duration max_lag = std::max(issuer_ahead->high, Duration{0});
  const Duration max_lead = std::max(-issuer_ahead->low, Duration{0});
  if (lag_.max() && max_lag < *lag_.max() / 2) {
    lag_.lower(max_lag);
    uses_.tell_tokens(oauth::event::ApiLags{max_lag});
  }
  if (lead_.max() && max_lead < *lead_.max() / 2) {
    lead_.lower(max_lead);
    uses_.tell_tokens(oauth::event::ApiLeads{max_lead});
  }
}

}  // namespace skewguard::engine
