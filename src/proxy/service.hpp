#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "proxy/access_log.hpp"
#include "proxy/local_secret.hpp"
#include "proxy/metrics.hpp"
#include "proxy/options.hpp"
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

/// The local secret, which a reload replaces. Thread-safe.
class CurrentSecret {
 public:
  explicit CurrentSecret(const Secret& secret) { set(secret); }
  void set(const Secret& secret) {
    auto fresh = std::make_shared<const LocalSecret>(secret);
    const std::lock_guard lock(mutex_);
    current_ = std::move(fresh);
  }
  [[nodiscard]] std::shared_ptr<const LocalSecret> load() const {
    const std::lock_guard lock(mutex_);
    return current_;
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const LocalSecret> current_;
};

/// What all workers share. Thread-safe; outlives them.
struct Service {
  const ServeOptions& options;
  ClockSource& clocks;
  Client& client;
  AccessLog& access_log;
  Metrics& metrics;
  CurrentSecret local;
  Readiness readiness{};
  std::vector<std::string> listening_on{};  ///< set before the workers start
  Instant started = clocks.boot_now();
};

}  // namespace skewguard::proxy
