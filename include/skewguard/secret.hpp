#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "skewguard/export.hpp"

namespace SKEWGUARD_API skewguard {

class Secret;
bool operator==(const Secret& a, const Secret& b) noexcept;  // a friend alone would be hidden

/// Memory for secrets: excluded from core dumps, and wiped when it is freed. If the system refuses,
/// the ordinary heap is used, and still wiped. Thread-safe, also in a forked child
/// (docs/adr/0008-secret-memory.md).
struct SecretMemory {
  /// Aligned like operator new; throws std::bad_alloc.
  static void* take(std::size_t size);
  /// `size`: the size passed to take().
  static void give_back(void* block, std::size_t size) noexcept;
};

/// An allocator on it, for containers that keep everything in allocated memory: a std::vector, not
/// a std::string.
template <typename T>
struct SecretAllocator {
  using value_type = T;
  SecretAllocator() = default;
  template <typename U>
  SecretAllocator(const SecretAllocator<U>& /*all are one*/) noexcept {}  // NOLINT: converts
  [[nodiscard]] T* allocate(std::size_t count) {
    constexpr std::size_t kMax = std::numeric_limits<std::size_t>::max();  // take() throws then
    return static_cast<T*>(SecretMemory::take(count > kMax / sizeof(T) ? kMax : count * sizeof(T)));
  }
  void deallocate(T* block, std::size_t count) noexcept {
    SecretMemory::give_back(block, count * sizeof(T));
  }
  friend bool operator==(const SecretAllocator&, const SecretAllocator&) noexcept { return true; }
};
using SecretBytes = std::vector<char, SecretAllocator<char>>;

/// A string that must never be shown: a client secret, an access token, an Authorization value. It
/// has no operator<< and no conversion to std::string, is excluded from core dumps, and is wiped
/// when destroyed or overwritten. Thread safety: like std::string.
class Secret {
 public:
  Secret() = default;
  explicit Secret(SecretBytes&& value) noexcept : value_(std::move(value)) {}
  explicit Secret(std::string&& value) : Secret(std::string_view(value)) { wipe(value); }
  explicit Secret(std::string_view value) : value_(value.begin(), value.end()) {}
  /// Null, as std::getenv returns for an unset variable, is empty.
  explicit Secret(const char* value)
      : Secret(value == nullptr ? std::string_view() : std::string_view(value)) {}
  Secret(const Secret& other) = default;
  Secret(Secret&& other) noexcept = default;
  Secret& operator=(const Secret& other) {
    if (this != &other) value_ = SecretBytes(other.value_);
    return *this;
  }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) value_ = std::exchange(other.value_, {});
    return *this;
  }
  ~Secret() = default;

  /// The value itself. Search for this name to find every place where a secret leaves.
  [[nodiscard]] std::string_view reveal() const noexcept { return {value_.data(), value_.size()}; }
  [[nodiscard]] bool empty() const noexcept { return value_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return value_.size(); }
  /// "[86 bytes]": all that a log may say about it.
  [[nodiscard]] std::string redacted() const;

  /// Compares the contents, in constant time for secrets of equal length.
  friend bool operator==(const Secret& a, const Secret& b) noexcept;

  /// Overwrites the characters of `value` (its whole capacity) in a way that no optimizer removes,
  /// then empties it. For strings that a secret passes through.
  static void wipe(std::string& value) noexcept;

 private:
  SecretBytes value_;
};

}  // namespace skewguard
