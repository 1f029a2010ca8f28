#pragma once

#include <string>

#include "skewguard/secret.hpp"

namespace skewguard::store {

/// A buffer that a secret passes through. It must not grow: reserve first.
struct Wiped {
  Wiped() = default;
  ~Wiped() { Secret::wipe(text); }
  Wiped(const Wiped&) = delete;
  Wiped& operator=(const Wiped&) = delete;

  std::string text;
};

}  // namespace skewguard::store
