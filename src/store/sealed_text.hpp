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

inline constexpr std::size_t kMostTextBytes = std::size_t{128} * 1024;

// What may stand in a sealed text.
bool visible_ascii(std::string_view text);
bool is_name(std::string_view text);    ///< at most 256 characters; may be empty
bool is_origin(std::string_view text);  ///< at most 512: a host name alone may have 253
bool in_range(Duration time);           ///< from 0 to 199 years: sums stay far from overflow

/// Composes one JSON object in a fixed form: one member a line, the last one a SHA-256 digest of
/// all that stands before it. Strings are of visible ASCII. Leaves no secret behind unwiped.
class SealedWriter {
 public:
  /// `secret_bytes`: of the longest string.
  SealedWriter(std::string_view schema, std::string_view key, std::size_t secret_bytes);

  void string(std::string_view name, std::string_view value);
  void number(std::string_view name, std::uint64_t value);
  void duration(std::string_view name, Duration value);  ///< nanoseconds
  void flag(std::string_view name, bool value);
  void id(std::string_view name, std::uint64_t value);  ///< 16 hex digits: JSON's numbers are short

  /// Nothing where it is over kMostTextBytes.
  [[nodiscard]] std::optional<Secret> seal() &&;

 private:
  void name(std::string_view name);
  SecretText text_;
};

/// Reads such a text, members in any order. Each member's function is false where the member is
/// missing or of another form, and may have changed `value` then. The text must outlive the reader.
class SealedReader {
 public:
  /// Nothing where the text is cut off, altered, or of another form.
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
