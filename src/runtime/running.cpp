#include "runtime/running.hpp"

#include <chrono>
#include <future>
#include <tuple>
#include <utility>

#include "runtime/check_options.hpp"
#include "runtime/real_transport.hpp"
#include "runtime/referee.hpp"
#include "system/identity.hpp"
#include "system/seed.hpp"

namespace skewguard::runtime {
namespace {

/// It is read from files, and only needed for what is kept between runs.
engine::Boot boot_for(const std::shared_ptr<TokenStore>& store) {
  if (!store) return {};
  return {system::boot_id().value_or(""), system::time_namespace().value_or("")};
}

/// The same, but secrets that cannot be sent are an error.
std::function<Dependencies::FreshSecrets()> checked(
    const std::function<Dependencies::FreshSecrets()>& fresh) {
  if (!fresh) return {};
  return [fresh]() -> Dependencies::FreshSecrets {
    auto secrets = fresh();
    if (!secrets || !*secrets) return secrets;
    if (auto usable = check_new_secrets(**secrets); !usable) return std::move(usable).error();
    return secrets;
  };
}

}  // namespace

Running::Running(const Dependencies& uses) : uses_(uses) {
  if (!uses_.executor) own_loop_ = std::make_unique<IoLoop>(uses_.clock);
}

std::shared_ptr<Running> Running::start(const ClientOptions& options, oauth::Grants grants,
                                        std::shared_ptr<const Secret> given_token,
                                        const Hooks& hooks, const Dependencies& uses,
                                        const std::shared_ptr<Publication>& publication) {
  auto self = std::make_shared<Running>(uses);
  self->transport_ =
      uses.transport ? uses.transport(self->executor())
                     : real_transport(options, *uses.clock,
                                      self->own_loop_->context().get_executor(), Log::of(hooks));
  if (uses.referee) {
    self->referee_ = uses.referee(self->executor(), *self->transport_);
  } else if (!uses.transport) {
    self->referee_ = real_referee(options, *uses.clock, *self->transport_,
                                  self->own_loop_->context().get_executor());
  }
  const engine::EngineDeps deps{self->executor(),
                                *uses.clock,
                                *self->transport_,
                                self->uses_.store.get(),
                                system::hardware_seed(),
                                uses.disruptions.get(),
                                boot_for(uses.store),
                                [publication](const oauth::TokenPtr& token, Instant until) {
                                  publication->publish(token, until);
                                },
                                checked(uses.fresh_secrets),
                                self->referee_.get(),
                                std::move(given_token)};
  self->engine_ = std::make_unique<engine::Engine>(options, std::move(grants), hooks, deps);
  return self;
}

void Running::on_loop(std::function<void(engine::Engine*)> what) {
  // Weak: our own loop must not keep its owner alive.
  executor().post([weak = weak_from_this(), what = std::move(what)] {
    const auto self = weak.lock();
    try {
      what(self ? self->engine_.get() : nullptr);
    } catch (...) {  // nothing of ours leaves by the user's loop
      return;
    }
  });
}

bool Running::inside() const noexcept {
  return own_loop_ ? own_loop_->inside() : uses_.executor->inside();
}

bool Running::of_another_process() const noexcept {
  return own_loop_ && process_ != ::getpid();
}

void Running::abandon() noexcept {
  std::ignore = engine_.release();
  std::ignore = referee_.release();
  std::ignore = transport_.release();
  std::ignore = own_loop_.release();
}

void Running::end() noexcept {
  if (of_another_process()) return abandon();
  try {
    auto ended = std::make_shared<std::promise<void>>();
    // In a hook, and so on the loop, the engine is active below us on the stack: it is destroyed
    // after it has returned.
    executor().post([self = shared_from_this(), ended] {
      self->engine_.reset();
      self->referee_.reset();
      self->transport_.reset();
      // After the calls made by the handlers of cancelled operations.
      self->executor().post([self, ended] { ended->set_value(); });
    });
    if (inside()) return;
    auto end = ended->get_future();
    if (!own_loop_) {
      const auto over = [&end] {
        return end.wait_for(std::chrono::seconds{0}) == std::future_status::ready;
      };
      executor().run_here(over, Duration{0});
      return;
    }
    end.wait();
  } catch (...) {  // no memory: what is under way is told when this goes
    if (!own_loop_) return;
  }
  own_loop_->stop();
}

}  // namespace skewguard::runtime
