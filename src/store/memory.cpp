#include "store/memory.hpp"

namespace skewguard::store {

Result<std::optional<StoredToken>> Memory::load(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto found = tokens_.find(key);
  if (found == tokens_.end()) return std::optional<StoredToken>{};
  return std::optional(found->second);
}

Result<void> Memory::save(const std::string& key, const StoredToken& token) {
  const std::lock_guard lock(mutex_);
  tokens_.insert_or_assign(key, token);
  return {};
}

Result<void> Memory::erase(const std::string& key) {
  const std::lock_guard lock(mutex_);
  tokens_.erase(key);
  return {};
}

Result<bool> Memory::claim(const std::string& key) {
  const std::lock_guard lock(mutex_);
  return claims_.insert(key).second;
}

void Memory::release(const std::string& key) {
  const std::lock_guard lock(mutex_);
  claims_.erase(key);
}

}  // namespace skewguard::store
