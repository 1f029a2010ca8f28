#pragma once

#include <cstdint>

namespace skewguard::system {

/// A seed for jitter that differs between processes and calls, so that a fleet that starts together
/// does not send its requests together. Thread-safe; does not wait for entropy.
std::uint64_t hardware_seed() noexcept;

}  // namespace skewguard::system
