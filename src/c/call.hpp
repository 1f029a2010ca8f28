#pragma once

#include <unistd.h>

#include <memory>

#include "c/abi.hpp"
#include "c/call_state.hpp"
#include "c/results.hpp"
#include "skewguard/client.hpp"

/// A call's handle. The state is shared with the control loop, and lives on without it.
struct skewguard_call {
  explicit skewguard_call(std::shared_ptr<skewguard::c::CallState> its_state)
      : state(std::move(its_state)) {}

  const pid_t process = ::getpid();
  std::shared_ptr<skewguard::c::CallState> state;
  skewguard::Operation operation;
  mutable std::unique_ptr<skewguard::c::Results> results{};  // made when they are asked for
};
