#include "net/resend_rule.hpp"

#include <algorithm>
#include <array>

namespace skewguard::net {

bool idempotent(std::string_view method) noexcept {
  static constexpr std::array<std::string_view, 6> kIdempotent{"GET",   "HEAD", "OPTIONS",
                                                               "TRACE", "PUT",  "DELETE"};
  return std::ranges::find(kIdempotent, method) != kIdempotent.end();
}

bool may_resend(std::string_view method, const LostConnection& lost) noexcept {
  if (!lost.pooled || lost.resent) return false;
  return !lost.request_written || idempotent(method);
}

}  // namespace skewguard::net
