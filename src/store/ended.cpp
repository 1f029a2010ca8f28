#include "store/ended.hpp"

#include <chrono>

namespace skewguard::store {

bool has_ended(const StoredToken& old, const StoredToken& fresh) {
  constexpr Duration kIssuersApart = std::chrono::hours{24};
  const bool same_clock = !fresh.boot_id.empty() && old.boot_id == fresh.boot_id &&
                          !fresh.time_namespace.empty() &&
                          old.time_namespace == fresh.time_namespace;
  if (same_clock) return fresh.sent - old.sent >= old.expires_in;
  if (old.issued == Duration{0} || fresh.issued == Duration{0}) return false;
  return fresh.issued - old.issued >= old.expires_in + kIssuersApart;
}

}  // namespace skewguard::store
