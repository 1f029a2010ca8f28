#pragma once

#include <cstddef>
#include <string_view>

namespace skewguard {

/// Whether they are equal, in a time that depends on the lengths alone.
inline bool same_secret(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference |=
        static_cast<unsigned>(static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]));
    asm volatile("" : "+r"(difference));  // no optimizer may stop at the first difference
  }
  return difference == 0;
}

}  // namespace skewguard
