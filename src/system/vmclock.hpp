#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "skewguard/transport.hpp"

namespace skewguard::system {

/// The page that a hypervisor shares with its guest (Linux' include/uapi/linux/vmclock-abi.h,
/// version 1): its disruption marker changes when the machine was restored or migrated. Read under
/// its sequence lock, since it may change at any time.
class VmClock final : public DisruptionSource {
 public:
  struct Unmap {
    void operator()(void* page) const noexcept;
  };
  using Mapping = std::unique_ptr<void, Unmap>;

  /// Null if there is no such device, it is not readable, or its page has another layout.
  static std::unique_ptr<VmClock> open(const std::string& path = "/dev/vmclock0");
  /// `page`: of that layout.
  explicit VmClock(Mapping page) noexcept : page_(std::move(page)) {}

  /// Empty while the hypervisor writes. Makes no system call.
  [[nodiscard]] std::optional<std::uint64_t> marker() noexcept override;

 private:
  Mapping page_;
};

}  // namespace skewguard::system
