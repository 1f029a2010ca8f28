#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "skewguard/export.hpp"

namespace SKEWGUARD_API skewguard {

class Secret;
bool operator==(const Secret& a, const Secret& b) noexcept;  // a friend alone would be hidden

/// A string that must never be seen: a client secret, an access token, an Authorization value.
/// It has no operator<<, no conversion to std::string, and is wiped when destroyed or overwritten.
/// Thread-safety: as std::string.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string&& value) : value_(std::move(value)) { wipe(value); }
  explicit Secret(std::string_view value) : value_(value) {}
  explicit Secret(const char* value) : value_(value) {}
  Secret(const Secret& other) = default;
  Secret(Secret&& other) noexcept : value_(std::move(other.value_)) { wipe(other.value_); }
  Secret& operator=(const Secret& other) {
    if (this != &other) {
      wipe(value_);
      value_ = other.value_;
    }
    return *this;
  }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      wipe(value_);
      value_ = std::move(other.value_);
      wipe(other.value_);
    }
    return *this;
  }
  ~Secret() { wipe(value_); }

  /// The value itself. Search for this name to find each place that a secret leaves from.
  [[nodiscard]] std::string_view reveal() const noexcept { return value_; }
  [[nodiscard]] bool empty() const noexcept { return value_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return value_.size(); }
  /// "[86 bytes]": all that a log may say of it.
  [[nodiscard]] std::string redacted() const;

  /// Equal in content. Takes the same time wherever two secrets of one length differ.
  friend bool operator==(const Secret& a, const Secret& b) noexcept;

  /// Overwrites the characters of `value` (all of its capacity) in a way that no optimiser
  /// removes, then empties it. For the strings that a secret passes through.
  static void wipe(std::string& value) noexcept;

 private:
  std::string value_;
};

}  // namespace skewguard
