#include "runtime/client_impl.hpp"

#include <algorithm>
#include <mutex>
#include <string>
#include <utility>

#include "engine/engine.hpp"
#include "runtime/check_options.hpp"
#include "settings/limits.hpp"
#include "system/system_clocks.hpp"
#include "system/vmclock.hpp"

namespace skewguard {

using engine::Engine;
using runtime::Running;

namespace {

/// Null if there is none.
std::shared_ptr<const Secret> released_token(ClientOptions& options) {
  if (options.access_token.empty()) return nullptr;
  return std::make_shared<const Secret>(std::exchange(options.access_token, {}));
}

}  // namespace

Client::Impl::Impl(ClientOptions options, Hooks hooks, Dependencies dependencies)
    : grants_(oauth::client_credentials(options, std::exchange(options.client_secrets, {}))),
      given_token_(released_token(options)),
      options_(std::move(options)),
      hooks_(std::move(hooks)),
      dependencies_(std::move(dependencies)) {
  if (!dependencies_.clock) dependencies_.clock = std::make_shared<system::SystemClocks>();
  if (!dependencies_.disruptions) dependencies_.disruptions = system::VmClock::open();
}

Client::Impl::~Impl() {
  if (running_) running_->end();
}

Result<void> Client::Impl::reload(std::vector<Secret> secrets) {
  if (auto checked = runtime::check_new_secrets(secrets); !checked) return checked;
  auto grants = oauth::client_credentials(options_, std::move(secrets));
  {
    const std::lock_guard lock(mutex_);
    grants_ = grants;
  }
  start()->on_loop([grants = std::move(grants)](Engine* engine) {
    if (engine != nullptr) engine->renew(grants);
  });
  return {};
}

Result<void> Client::Impl::reload() {
  if (!reread_) {
    return Error{ErrorKind::config, "the secrets of this client were handed in",
                 "hand the new ones in as well"};
  }
  auto secrets = reread_();
  if (!secrets) return std::move(secrets).error();
  if (secrets->empty()) return {};  // a public client, or a token that was given
  return reload(*std::move(secrets));
}

std::shared_ptr<Running> Client::Impl::start() {
  const std::lock_guard lock(mutex_);
  if (running_ && running_->of_another_process()) {
    running_->abandon();
    running_.reset();
    observations_->start_afresh();
  }
  if (running_) return running_;
  running_ = Running::start(options_, grants_, given_token_, hooks_, dependencies_, publication_);
  const std::lock_guard slot_lock(slot_->mutex);
  slot_->running = running_;
  return running_;
}

Duration Client::Impl::time_for(std::optional<Duration> timeout) const {
  return std::clamp(timeout.value_or(options_.timeout), Duration{0}, settings::kMaxTimeout);
}

}  // namespace skewguard
