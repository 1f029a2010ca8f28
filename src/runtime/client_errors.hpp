#pragma once

#include "skewguard/client.hpp"
#include "skewguard/error.hpp"

/// What the client itself reports, and what keeps exceptions from crossing the public API, even
/// without threads, sockets or memory.
namespace skewguard::runtime {

Error shutting_down();
/// The deadline has passed, and the loop has not reported it.
Error overdue();
/// A blocking call on the client's own loop, which would wait for itself.
Error called_on_own_loop();
/// The error for the current exception; to be called in a catch clause.
Error not_started() noexcept;

/// What `run` returns, or the error for what it throws.
template <typename F>
auto without_exceptions(const F& run) -> decltype(run()) {
  try {
    return run();
  } catch (...) {
    return not_started();
  }
}

/// Passes what `result` returns to the user's handler. What it throws affects only its user.
template <typename Handler, typename F>
void call_handler(const Handler& handler, const F& result) noexcept {
  try {
    handler(result());
  } catch (...) {
    return;
  }
}

/// For a function with a handler: if `start` throws, the handler gets the error at once.
template <typename Handler, typename F>
Operation start_or_report(const Handler& handler, const F& start) {
  try {
    return start();
  } catch (...) {
    call_handler(handler, [] { return not_started(); });
    return {};
  }
}

}  // namespace skewguard::runtime
