#pragma once

#include <memory>

#include "net/lookup.hpp"
#include "net/timers.hpp"

namespace skewguard::net {

/// What is taken from outside besides sockets and the clock; tests bring their own.
struct Edges {
  std::shared_ptr<Timers> timers = nullptr;  ///< null: the loop's own
  Lookup lookup = &system_lookup;
};

}  // namespace skewguard::net
