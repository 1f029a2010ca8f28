#include "guard/call_retries.hpp"

#include <algorithm>

namespace skewguard::guard {
namespace {

constexpr int kMaxGatewayRetries = 2;
constexpr time::Backoff::Options kGatewayBackoff{std::chrono::milliseconds{250},
                                                 std::chrono::seconds{2}};
constexpr time::Backoff::Options kLimitBackoff{std::chrono::seconds{1}, std::chrono::seconds{30}};
constexpr time::Backoff::Options kAuthBackoff{std::chrono::milliseconds{500},
                                              std::chrono::seconds{5}};

std::optional<Duration> next_wait(time::Backoff& backoff, std::optional<Duration> asked,
                                  Duration left) {
  const Duration wait = std::max(backoff.next(), asked.value_or(Duration{0}));
  return wait < left ? std::optional(wait) : std::nullopt;
}

}  // namespace

CallRetries::CallRetries(std::uint64_t seed) noexcept
    : gateway_(kGatewayBackoff, seed),
      limit_(kLimitBackoff, seed + 1),
      auth_backend_(kAuthBackoff, seed + 2) {}

std::optional<Duration> CallRetries::after_gateway_trouble(std::optional<Duration> asked,
                                                           Duration left) {
  if (gateway_retries_ >= kMaxGatewayRetries) return std::nullopt;
  const auto wait = next_wait(gateway_, asked, left);
  if (wait) ++gateway_retries_;
  return wait;
}

std::optional<Duration> CallRetries::after_auth_backend(std::optional<Duration> asked,
                                                        Duration left) {
  return next_wait(auth_backend_, asked, left);
}

CallRetries::Limit CallRetries::after_limit(std::optional<Duration> asked, Duration left) {
  Limit limit{.asked = asked};
  if (asked == Duration{0} && limit_.steps() > 0) limit.asked.reset();
  const Duration backoff = limit_.next();
  limit.wait = limit.asked.value_or(backoff);
  limit.retry = limit.wait < left;
  return limit;
}

}  // namespace skewguard::guard
