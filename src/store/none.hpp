#pragma once

#include "skewguard/token_store.hpp"

namespace skewguard::store {

/// Keeps nothing: each process asks for a token of its own.
class None final : public TokenStore {
 public:
  std::optional<StoredToken> load(const std::string& key) override;
  void save(const std::string& key, const StoredToken& token) override;
  void erase(const std::string& key) override;
};

}  // namespace skewguard::store
