#pragma once

#include <cstddef>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "skewguard/secret.hpp"

namespace skewguard {

/// A growable text in secret memory, for composing or reading text that contains a secret. When it
/// grows, the old block is wiped.
class SecretText {
 public:
  SecretText() = default;
  explicit SecretText(std::string_view text) : bytes_(text.begin(), text.end()) {}

  SecretText& append(std::string_view text) {
    bytes_.insert(bytes_.end(), text.begin(), text.end());
    return *this;
  }
  void append(char c) { bytes_.push_back(c); }
  void reserve(std::size_t size) { bytes_.reserve(size); }
  void resize(std::size_t size) { bytes_.resize(size); }

  [[nodiscard]] char* data() noexcept { return bytes_.data(); }
  [[nodiscard]] std::size_t size() const noexcept { return bytes_.size(); }
  [[nodiscard]] bool empty() const noexcept { return bytes_.empty(); }
  [[nodiscard]] std::string_view view() const noexcept { return {bytes_.data(), bytes_.size()}; }
  [[nodiscard]] Secret secret() && noexcept { return Secret(std::move(bytes_)); }

  friend bool operator==(const SecretText& text, std::string_view other) noexcept {
    return text.view() == other;
  }

 private:
  SecretBytes bytes_;
};

/// Overwrites vector registers and the stack below its caller, where functions that have returned
/// may have left pieces of a secret. The dynamic linker, for example, saves vector registers there
/// when it resolves a function.
void wipe_stack() noexcept;

/// Concatenates the parts.
inline Secret joined_secret(std::span<const std::string_view> parts) {
  std::size_t size = 0;
  for (const auto part : parts) size += part.size();
  SecretText text;
  text.reserve(size);
  for (const auto part : parts) text.append(part);
  return std::move(text).secret();
}

inline Secret joined_secret(std::initializer_list<std::string_view> parts) {
  return joined_secret(std::span(parts.begin(), parts.size()));
}

}  // namespace skewguard
