#pragma once

#include <cstddef>
#include <string_view>

#include "base/secret_text.hpp"

namespace skewguard::net {

/// Splits the bytes of a connection into the lines of a head, a chunk or a trailer. A line ends
/// with CRLF or a bare LF (RFC 9112 section 2.2). The result depends only on the bytes, not on how
/// they were split. Not thread-safe.
class LineReader {
 public:
  enum class Found {
    more,      ///< the line is not whole
    line,      ///< line() is whole, its ending left off
    bad_byte,  ///< a control character, or a CR that no LF follows
    over,      ///< more bytes than the limit allows
  };

  /// `limit`: total bytes of all lines, including their endings.
  explicit LineReader(std::size_t limit) : limit_(limit) {}

  /// Reads from the front of `bytes` and removes what it read, at most to the end of the line.
  /// After `line`, the next call starts the next line. Do not call it after a failure.
  Found take(std::string_view& bytes);

  /// The line so far. The view is valid until the next call.
  [[nodiscard]] std::string_view line() const noexcept { return text_.view(); }
  /// Whether it ended with a bare LF. Only after `line`.
  [[nodiscard]] bool bare_lf() const noexcept { return bare_lf_; }
  /// Total bytes of all lines so far, including their endings.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// Restarts the count, with this limit.
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
