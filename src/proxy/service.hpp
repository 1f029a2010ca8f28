#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "proxy/access_log.hpp"
#include "proxy/local_secret.hpp"
#include "proxy/options.hpp"
#include "relay/admission.hpp"
#include "skewguard/client.hpp"

namespace skewguard::proxy {

/// Whether requests can be served now, for /readyz. Thread-safe.
class Readiness {
 public:
  /// Empty = ready, else why not.
  void set(std::string why_not) {
    const std::lock_guard lock(mutex_);
    why_not_ = std::move(why_not);
  }
  [[nodiscard]] std::string why_not() const {
    const std::lock_guard lock(mutex_);
    return why_not_;
  }

 private:
  mutable std::mutex mutex_;
  std::string why_not_ = "there is no token yet";
};

/// What all workers share. Thread-safe; outlives them.
struct Service {
  const ServeOptions& options;
  ClockSource& clocks;
  Client& client;
  AccessLog& access_log;
  LocalSecret local;
  relay::AdmissionRules admission{.bearers = local.bearers()};
  Readiness readiness{};
};

}  // namespace skewguard::proxy
