#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>

#include "base/fork_mutex.hpp"
#include "skewguard/token_store.hpp"

namespace skewguard::store {

/// Shared by several clients of one process: one of them asks, all use the token. Thread-safe.
class Memory final : public TokenStore {
 public:
  Result<std::optional<StoredToken>> load(const std::string& key) override;
  Result<void> save(const std::string& key, const StoredToken& token) override;
  Result<void> erase(const std::string& key) override;
  Result<bool> claim(const std::string& key) override;
  void release(const std::string& key) override;

 private:
  ForkMutex mutex_;
  std::map<std::string, StoredToken> tokens_;
  std::set<std::string> claims_;
};

}  // namespace skewguard::store
