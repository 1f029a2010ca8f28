#pragma once

#include <cstdint>

namespace skewguard::system {

/// Differs between processes and calls: seeds jitter, so that a fleet which starts together does
/// not ask together. Thread-safe; does not block for want of entropy.
std::uint64_t hardware_seed() noexcept;

}  // namespace skewguard::system
