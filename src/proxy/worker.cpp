#include "proxy/worker.hpp"

#include <chrono>
#include <utility>

#include "proxy/session.hpp"

namespace skewguard::proxy {
namespace {

constexpr std::chrono::seconds kGrace{1};  // for requests that are on their way

}  // namespace

Worker::Worker(boost::asio::io_context& io, Service& service)
    : io_(io),
      service_(service),
      gate_(std::make_shared<TokenGate>(
          io, service.client,
          TokenGate::Limits{service.options.max_hold, service.options.max_waiting})),
      grace_(io) {}

Worker::~Worker() = default;

void Worker::serve(ClientSocket socket) {
  const auto session = std::make_shared<Session>(*this, std::move(socket));
  sessions_.insert(session);
  session->start();
}

void Worker::ended(const std::shared_ptr<Session>& session) {
  sessions_.erase(session);
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

void Worker::stop() {
  grace_.cancel();
  for (const auto& session : std::unordered_set(sessions_)) session->close();
}

}  // namespace skewguard::proxy
