#include "proxy/worker.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "http/url.hpp"
#include "proxy/session.hpp"

namespace skewguard::proxy {
namespace {

constexpr std::chrono::seconds kGrace{1};  // for requests that are on their way

relay::AdmissionRules rules_of(const Service& service) {
  relay::AdmissionRules rules = service.options.admission;
  rules.bearers = service.local.load()->bearers();
  return rules;
}

}  // namespace

Worker::Worker(boost::asio::io_context& io, Service& service)
    : io_(io),
      service_(service),
      admission_(rules_of(service)),
      api_origin_(http::origin_of(service.client.options().api_url)),
      gate_(std::make_shared<TokenGate>(
          io, service.client, service.metrics,
          TokenGate::Limits{
              service.options.max_hold,
              std::max<std::size_t>(service.options.max_waiting / service.options.workers, 1)})),
      grace_(io) {}

Worker::~Worker() = default;

void Worker::serve(ClientSocket socket) {
  const auto session = std::make_shared<Session>(*this, std::move(socket));
  sessions_.insert(session);
  count_.store(sessions_.size(), std::memory_order_relaxed);
  session->start();
}

void Worker::ended(const std::shared_ptr<Session>& session) {
  sessions_.erase(session);
  count_.store(sessions_.size(), std::memory_order_relaxed);
  if (drained_ && sessions_.empty()) std::exchange(drained_, {})();
}

void Worker::drain(std::function<void()> done) {
  draining_ = true;
  if (sessions_.empty()) return done();
  drained_ = std::move(done);
  grace_.expires_after(kGrace);
  grace_.async_wait([this](const auto& error) {
    if (!error) end_idle();
  });
}

void Worker::end_idle() {
  for (const auto& session : std::unordered_set(sessions_)) {
    if (session->idle()) session->close();
  }
}

void Worker::reload() {
  admission_ = rules_of(service_);
}

void Worker::stop() {
  grace_.cancel();
  for (const auto& session : std::unordered_set(sessions_)) session->close();
}

}  // namespace skewguard::proxy
