#include "store/ended.hpp"

#include <algorithm>
#include <chrono>

namespace skewguard::store {
namespace {

constexpr Duration kIssuersApart = std::chrono::hours{24};

bool is_over(const sharing::SharedToken& old, const sharing::SharedToken& fresh) {
  if (sharing::same_boot_clock(old, fresh.boot_id, fresh.time_namespace))
    return fresh.sent - old.sent >= old.life;
  if (old.issued_from == Duration{0} || fresh.issued_from == Duration{0}) return false;
  return fresh.issued_from - old.issued_from >= old.life + kIssuersApart;
}

}  // namespace

bool has_ended(const sharing::Record& old, const sharing::SharedToken& fresh) {
  if (old.token) return is_over(*old.token, fresh);
  const Duration last = std::max(old.trouble.not_before, old.bucket_full_at);
  if (last == Duration{0} || fresh.issued_from == Duration{0}) return false;
  return fresh.issued_from - last >= kIssuersApart;
}

}  // namespace skewguard::store
