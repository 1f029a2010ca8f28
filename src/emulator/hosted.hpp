#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "emulator/options.hpp"
#include "emulator/server.hpp"

namespace skewguard::emulator {

/// An emulator that runs on its own thread, for tests and demonstrations. Thread-safe.
class Hosted {
  struct Impl;

 public:
  /// `clocks` must outlive this object, and is read on its thread.
  static Result<std::unique_ptr<Hosted>> start(const Options& options, ClockSource& clocks,
                                               std::uint64_t seed = system_seed());
  explicit Hosted(std::unique_ptr<Impl> impl);  ///< start() makes it
  ~Hosted();                                    ///< stops and joins
  Hosted(const Hosted&) = delete;
  Hosted& operator=(const Hosted&) = delete;

  [[nodiscard]] const std::string& login_url() const noexcept;
  [[nodiscard]] const std::string& api_url() const noexcept;
  [[nodiscard]] const std::string& ca_file() const noexcept;

  /// Runs `what` on the emulator's thread, between two requests, and waits for it. Must not be
  /// called from `what`.
  void with(const std::function<void(CloudEmulator&, const Now&)>& what);

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace skewguard::emulator
