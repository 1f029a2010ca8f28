#pragma once

#include <cstdint>
#include <optional>

#include "skewguard/time.hpp"
#include "time/backoff.hpp"

namespace skewguard::guard {

/// The retries of one call that are not about its token. Each function returns how long to wait
/// before the request is sent again, always less than `left`, the time left until the call's
/// deadline; nullopt: give up. Not thread-safe.
class CallRetries {
 public:
  /// `seed`: for jitter, so that callers rejected together do not come back together.
  explicit CallRetries(std::uint64_t seed) noexcept;

  /// After a broken connection, or a gateway's 502, 503 or 504 that asks for `asked`. At most
  /// twice.
  std::optional<Duration> after_gateway_trouble(std::optional<Duration> asked, Duration left);

  /// After the API could not reach its own login service and asked for `asked`.
  std::optional<Duration> after_auth_backend(std::optional<Duration> asked, Duration left);

  /// A rate limit.
  struct Limit {
    std::optional<Duration> asked;  ///< what the server asked for, if that is credible
    Duration wait{0};               ///< that, or a backoff of our own
    bool retry = false;
  };
  /// After a 429 that asks for `asked`. A server that keeps saying "at once" is believed once.
  Limit after_limit(std::optional<Duration> asked, Duration left);

 private:
  int gateway_retries_ = 0;
  time::Backoff gateway_;
  time::Backoff limit_;
  time::Backoff auth_backend_;
};

}  // namespace skewguard::guard
