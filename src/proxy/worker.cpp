#include "proxy/worker.hpp"

#include <algorithm>
#include <chrono>
#include <span>
#include <utility>
#include <vector>

#include "base/secret_text.hpp"
#include "http/url.hpp"
#include "proxy/session.hpp"

namespace skewguard::proxy {
namespace {

constexpr std::chrono::seconds kGrace{1};  // for requests that are on their way
constexpr std::chrono::milliseconds kTick{250};
constexpr std::size_t kReplayMemory = std::size_t{64} * 1024 * 1024;  // bytes, of all workers

relay::AdmissionRules admission_of(const Service& service) {
  relay::AdmissionRules rules = service.options.admission;
  rules.bearers = service.local.load()->bearers();
  return rules;
}

relay::SessionRules rules_of(const Service& service, const http::Url& api) {
  relay::SessionRules rules;
  rules.admission = admission_of(service);
  rules.api_authority = api.authority();
  rules.api_origin = api.origin();
  rules.max_replay_body = service.options.max_replay_body;
  rules.hold = service.options.max_hold;
  return rules;
}

/// The client has checked it.
http::Url api_of(const Service& service) {
  return *http::parse_url(service.client.options().api_url);
}

/// The share of one worker.
std::size_t share(std::size_t of_all, const Service& service) {
  return std::max<std::size_t>(of_all / service.options.workers, 1);
}

}  // namespace

Worker::Worker(EventLoop& loop, ApiDialer& dialer, Service& service)
    : loop_(loop),
      service_(service),
      metrics_(service.metrics.add_worker()),
      rules_(rules_of(service, api_of(service))),
      replay_memory_(share(kReplayMemory, service)),
      pool_(loop, dialer, service.clocks),
      observer_(service.client),
      gate_(std::make_shared<TokenGate>(loop, service.client, service.metrics, metrics_,
                                        service.options.max_waiting)),
      grace_(loop),
      ticks_(loop) {
  loop.before_waiting([this] {
    if (std::exchange(token_passed_, false)) wipe_stack();
  });
  rules_.hide_tokens = [this](std::span<char> words) { sent_tokens_.hide_in(words); };
}

Worker::~Worker() = default;

void Worker::serve(Descriptor socket, bool room) {
  if (stopped_) return;
  const auto session = std::make_shared<Session>(*this, std::move(socket));
  sessions_.insert(session);
  metrics_.connections.set(static_cast<std::int64_t>(sessions_.size()));
  coming_.fetch_sub(1, std::memory_order_relaxed);
  if (!ticking_) tick_later();
  room ? session->start() : session->turn_away();
}

void Worker::ended(const std::shared_ptr<Session>& session) {
  sessions_.erase(session);
  metrics_.connections.set(static_cast<std::int64_t>(sessions_.size()));
  if (drained_ && sessions_.empty()) std::exchange(drained_, {})();
}

void Worker::drain(std::function<void()> done) {
  rules_.draining = true;
  if (sessions_.empty()) return done();
  drained_ = std::move(done);
  grace_.arm(kGrace, [this] { rules_.idle = kGrace; });
}

void Worker::reload() {
  rules_.admission = admission_of(service_);
}

/// Time passes for all sessions alike: no request sets a timer.
void Worker::tick_later() {
  ticking_ = true;
  ticks_.arm(kTick, [this] { tick(); });
}

void Worker::tick() {
  const Instant now = this->now();
  std::vector<std::shared_ptr<Session>> due;  // each may end others
  for (const auto& session : sessions_) {
    if (now >= session->deadline()) due.push_back(session);
  }
  for (const auto& session : due) {
    if (now >= session->deadline()) session->tick();
  }
  gate_->tick();
  pool_.drop_stale();
  desks_.trim();
  ticking_ = !sessions_.empty() || pool_.has_idle();
  if (ticking_) tick_later();
}

void Worker::stop() {
  stopped_ = true;
  drained_ = {};
  grace_.disarm();
  ticks_.disarm();
  for (const auto& session : std::unordered_set(sessions_)) session->stop();
}

}  // namespace skewguard::proxy
