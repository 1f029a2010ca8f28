#include "proxy/worker.hpp"

#include <algorithm>
#include <chrono>
#include <span>
#include <utility>
#include <vector>

#include "http/url.hpp"
#include "proxy/session.hpp"
#include "runtime/real_transport.hpp"

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

net::TlsOptions tls_of(const Service& service) {
  auto tls = runtime::tls_options(service.client.options());
  tls.keep_buffers = true;  // a connection carries one answer after the other
  return tls;
}

/// The share of one worker.
std::size_t share(std::size_t of_all, const Service& service) {
  return std::max<std::size_t>(of_all / service.options.workers, 1);
}

}  // namespace

Worker::Worker(boost::asio::io_context& io, Service& service, const Log& log)
    : io_(io),
      service_(service),
      metrics_(service.metrics.add_worker()),
      rules_(rules_of(service, api_of(service))),
      replay_memory_(share(kReplayMemory, service)),
      dialer_(io, service.clocks, tls_of(service), {}, {},
              net::ProxyRule::make(service.client.options().proxy), log),
      pool_(dialer_, api_of(service)),
      observer_(service.client),
      gate_(std::make_shared<TokenGate>(io, service.client, service.metrics, metrics_,
                                        service.options.max_waiting)),
      grace_(io),
      ticks_(io) {
  rules_.hide_tokens = [this](std::span<char> words) { sent_tokens_.hide_in(words); };
}

Worker::~Worker() = default;

void Worker::serve(ClientSocket socket, bool room) {
  if (stopped_) return;
  // In secret memory: what clients send first may hold the local secret.
  const auto session =
      std::allocate_shared<Session>(SecretAllocator<Session>(), *this, std::move(socket));
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
  grace_.expires_after(kGrace);
  grace_.async_wait([this](const auto& error) {
    if (!error) rules_.idle = kGrace;
  });
}

void Worker::reload() {
  rules_.admission = admission_of(service_);
}

/// Time passes for all sessions alike: no request sets a timer.
void Worker::tick_later() {
  ticking_ = true;
  ticks_.expires_after(kTick);
  ticks_.async_wait([this](const auto& error) {
    if (!error) tick();
  });
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
  grace_.cancel();
  ticks_.cancel();
  for (const auto& session : std::unordered_set(sessions_)) session->stop();
}

}  // namespace skewguard::proxy
