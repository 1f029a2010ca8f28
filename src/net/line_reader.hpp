#pragma once

#include <cstddef>
#include <string_view>

#include "base/secret_text.hpp"

namespace skewguard::net {

/// Bytes of a connection -> the lines of a head, a chunk or a trailer. A line ends with CRLF or a
/// bare LF (RFC 9112 section 2.2). What it finds depends on the bytes alone, never on how they were
/// cut into pieces. Not thread-safe.
class LineReader {
 public:
  enum class Found {
    more,      ///< the line is not whole
    line,      ///< line() is whole, its ending left off
    bad_byte,  ///< a control character, or a CR that no LF follows
    over,      ///< more bytes than the limit allows
  };

  /// `limit`: bytes of all lines together, their endings included.
  explicit LineReader(std::size_t limit) : limit_(limit) {}

  /// Reads from the front of `bytes`, which it shortens by what it took: up to the line's end at
  /// most. After `line`, the next call begins the next line. Not to be called after a failure.
  Found take(std::string_view& bytes);

  /// What there is of the line. The view ends with the next call.
  [[nodiscard]] std::string_view line() const noexcept { return text_.view(); }
  /// It ended with LF alone. Only after `line`.
  [[nodiscard]] bool bare_lf() const noexcept { return bare_lf_; }
  /// Bytes of all lines so far, their endings included.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// Counts anew, against this limit.
  void restart(std::size_t limit) noexcept {
    limit_ = limit;
    size_ = 0;
  }

 private:
  SecretText text_;  // a head may hold credentials
  std::size_t limit_;
  std::size_t size_ = 0;
  bool whole_ = false;
  bool bare_lf_ = false;
  bool after_cr_ = false;  // the last byte was a CR, which is not in text_
};

}  // namespace skewguard::net
