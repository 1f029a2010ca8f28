#pragma once

#include <utility>

#include "base/log.hpp"
#include "skewguard/client.hpp"

namespace skewguard::engine {

/// The user's hooks and log. Exceptions of hooks are dropped.
class Listeners {
 public:
  explicit Listeners(Hooks hooks) : hooks_(std::move(hooks)), log_(Log::of(hooks_)) {}

  [[nodiscard]] const Log& log() const noexcept { return log_; }
  void rejected(const Rejection& rejection) const noexcept { tell(hooks_.on_rejection, rejection); }
  /// Not called for calls without a rejection.
  void resolved(const CallReport& report) const noexcept {
    if (report.verdict != Verdict::ok) tell(hooks_.on_resolved, report);
  }

 private:
  template <typename Hook, typename What>
  static void tell(const Hook& hook, const What& what) noexcept {
    if (!hook) return;
    try {
      hook(what);
    } catch (...) {
      return;
    }
  }

  Hooks hooks_;
  Log log_;
};

}  // namespace skewguard::engine
