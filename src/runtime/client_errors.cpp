#include "runtime/client_errors.hpp"

#include <exception>
#include <string>

#include "oauth/refusals.hpp"

namespace skewguard::runtime {
namespace {

Error not_started_because(const std::string& why) {
  return Error{ErrorKind::unavailable, "the call could not be started: " + why, kCheckLimits};
}

}  // namespace

Error shutting_down() {
  return Error{ErrorKind::cancelled, "the client is shutting down", ""};
}

Error overdue() {
  return Error{ErrorKind::timeout, "the deadline passed and the control loop did not answer",
               "check that no hook blocks it, that the user's loop runs, and that the machine is "
               "not overloaded"};
}

Error called_on_own_loop() {
  return Error{ErrorKind::config, "a blocking call from within the client's own loop",
               "use the asynchronous calls in hooks and handlers"};
}

Error not_started() noexcept {
  try {
    try {
      throw;
    } catch (const std::exception& e) {
      return not_started_because(e.what());
    } catch (...) {
      return not_started_because("an unknown exception");
    }
  } catch (...) {
    return Error{ErrorKind::unavailable, "out of memory", ""};  // short: it needs none
  }
}

}  // namespace skewguard::runtime
