#pragma once

#include "skewguard/token_store.hpp"

namespace skewguard::store {

/// Keeps nothing: each process asks for a token of its own, and each claim is granted.
class None final : public TokenStore {
 public:
  Result<std::optional<StoredToken>> load(const std::string& key) override;
  Result<void> save(const std::string& key, const StoredToken& token) override;
  Result<void> erase(const std::string& key) override;
  Result<bool> claim(const std::string& key) override;
  void release(const std::string& key) override;
};

}  // namespace skewguard::store
