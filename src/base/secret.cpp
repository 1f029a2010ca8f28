#include "skewguard/secret.hpp"

#include "base/same_secret.hpp"
#include "base/secret_text.hpp"

#include <string.h>  // NOLINT: explicit_bzero is not in <cstring>

#include <array>
#include <cstring>

namespace skewguard {
namespace {

/// Overwrites the vector registers that memmove uses, by copying zeros the same way.
[[gnu::noinline, gnu::zero_call_used_regs("all")]] void wipe_registers() noexcept {
  std::array<char, 1024> nothing{};
  for (std::size_t size = nothing.size() / 2; size >= 8; size /= 2) {
    std::memmove(nothing.data(), nothing.data() + nothing.size() / 2, size);
    asm volatile("" : : "r"(nothing.data()) : "memory");  // it may be read
  }
}

[[gnu::noinline]] void wipe_below() noexcept {
  std::array<char, std::size_t{16} * 1024> below;  // NOLINT: what is in it is to go
  explicit_bzero(below.data(), below.size());
}

}  // namespace

void wipe_stack() noexcept {
  wipe_registers();  // first: they are saved on the stack while memmove is looked up
  wipe_below();
}

std::string Secret::redacted() const {
  return "[" + std::to_string(value_.size()) + " bytes]";
}

bool operator==(const Secret& a, const Secret& b) noexcept {
  return same_secret(a.reveal(), b.reveal());
}

void Secret::wipe(std::string& value) noexcept {
  value.resize(value.capacity());  // never allocates
  explicit_bzero(value.data(), value.size());
  value.clear();
}

}  // namespace skewguard
