#include "skewguard/secret.hpp"

#include "base/secret_text.hpp"

#include <string.h>  // NOLINT: explicit_bzero is not in <cstring>

#include <array>

namespace skewguard {

std::string Secret::redacted() const {
  return "[" + std::to_string(value_.size()) + " bytes]";
}

bool operator==(const Secret& a, const Secret& b) noexcept {
  if (a.value_.size() != b.value_.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.value_.size(); ++i) {
    difference |= static_cast<unsigned>(static_cast<unsigned char>(a.value_[i]) ^
                                        static_cast<unsigned char>(b.value_[i]));
  }
  return difference == 0;
}

void Secret::wipe(std::string& value) noexcept {
  value.resize(value.capacity());  // never allocates
  explicit_bzero(value.data(), value.size());
  value.clear();
}

[[gnu::noinline]] void wipe_stack() noexcept {
  std::array<char, std::size_t{16} * 1024> below;  // NOLINT: what is in it is to go
  explicit_bzero(below.data(), below.size());
}

}  // namespace skewguard
