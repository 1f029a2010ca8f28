#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret_text.hpp"
#include "skewguard/secret.hpp"
#include "skewguard/time.hpp"

namespace skewguard::store {

inline constexpr std::size_t kMaxTextBytes = std::size_t{128} * 1024;

// What a sealed text may contain.
bool visible_ascii(std::string_view text);
bool is_name(std::string_view text);    ///< at most 256 characters; may be empty
bool is_origin(std::string_view text);  ///< at most 512: a host name may already have 253
bool in_range(Duration time);           ///< from 0 to 199 years: sums stay far from overflow

/// Composes one JSON object in a fixed form: one member per line, the last one a SHA-256 digest of
/// everything before it. Strings are visible ASCII. Wipes all memory that held a secret.
class SealedWriter {
 public:
  /// `secret_bytes`: of the longest string.
  SealedWriter(std::string_view schema, std::string_view key, std::size_t secret_bytes);

  void string(std::string_view name, std::string_view value);
  void number(std::string_view name, std::uint64_t value);
  void duration(std::string_view name, Duration value);  ///< nanoseconds
  void flag(std::string_view name, bool value);
  void id(std::string_view name, std::uint64_t value);  ///< 16 hex digits: JSON's numbers are short

  /// Empty if it is over kMaxTextBytes.
  [[nodiscard]] std::optional<Secret> seal() &&;

 private:
  void name(std::string_view name);
  SecretText text_;
};

/// Reads such a text, with members in any order. Each function returns false if the member is
/// missing or has another form, and may then have changed `value`. The text must outlive the
/// reader.
class SealedReader {
 public:
  /// Empty if the text is truncated, altered, or in another form.
  static std::optional<SealedReader> open(std::string_view text);

  [[nodiscard]] bool has(std::string_view name) const { return find(name).has_value(); }
  bool string(std::string_view name, std::string& value) const;
  bool string(std::string_view name, SecretText& value) const;
  bool number(std::string_view name, std::uint64_t& value) const;
  bool duration(std::string_view name, Duration& value) const;
  bool flag(std::string_view name, bool& value) const;
  bool id(std::string_view name, std::uint64_t& value) const;

 private:
  SealedReader() = default;
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const;
  std::vector<std::string_view> members_;
};

}  // namespace skewguard::store
