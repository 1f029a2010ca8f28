// Tokens that users' own HTTP stacks send, and what comes back with them.
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "engine/engine.hpp"
#include "runtime/client_errors.hpp"
#include "runtime/client_impl.hpp"
#include "runtime/handover.hpp"
#include "runtime/operations.hpp"

namespace skewguard {

using engine::Engine;
using runtime::Running;

void Client::Impl::Slot::on_loop(std::function<void(Engine*)> what) {
  std::shared_ptr<Running> alive;
  {
    const std::lock_guard lock(mutex);
    alive = running.lock();
  }
  if (alive) alive->on_loop(std::move(what));
}

std::shared_ptr<runtime::Publication> Client::Impl::publication_for(
    const std::shared_ptr<Slot>& slot) {
  return std::make_shared<runtime::Publication>([slot] {
    slot->on_loop([](Engine* engine) {
      if (engine != nullptr) engine->note_use();
    });
  });
}

std::shared_ptr<runtime::Observations> Client::Impl::observations_for(
    const std::shared_ptr<Slot>& slot, const std::string& api_url) {
  // It is asked for what it has noted: so the loop holds it weakly.
  auto self = std::make_shared<std::weak_ptr<runtime::Observations>>();
  auto made = std::make_shared<runtime::Observations>(api_url, [slot, self] {
    slot->on_loop([self](Engine* engine) {
      const auto observations = self->lock();
      if (engine != nullptr && observations) engine->observe(observations->take());
    });
  });
  *self = made;
  return made;
}

Result<std::uint64_t> Client::Impl::await_lease(std::uint64_t after,
                                                std::optional<Duration> timeout) {
  const auto running = start();
  if (running->inside()) return runtime::called_on_own_loop();
  const Duration at_most = time_for(timeout);
  auto handover = std::make_shared<runtime::Handover<Result<std::uint64_t>>>();
  runtime::start_await(running, after, now() + at_most,
                       [handover](Result<std::uint64_t> done) { handover->put(std::move(done)); });
  auto result = handover->wait(running->executor(), at_most + runtime::kGrace);
  if (!result) return runtime::overdue();
  return std::move(*result);
}

Operation Client::Impl::async_await_lease(std::uint64_t after, std::optional<Duration> timeout,
                                          LeaseHandler handler) {
  return runtime::start_await(start(), after, now() + time_for(timeout),
                              [handler = std::move(handler)](Result<std::uint64_t> done) {
                                runtime::call_handler(handler, [&] { return std::move(done); });
                              });
}

}  // namespace skewguard
