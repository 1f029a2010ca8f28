#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/secret_text.hpp"
#include "net/line_reader.hpp"
#include "net/message_head.hpp"

namespace skewguard::net {

/// The bytes after a head -> the body, out of its chunks if it has any. The trailer's fields are
/// checked and dropped: a second Date there would pass for a measurement (RFC 9110 section 6.5.1).
/// What it finds depends on the bytes alone, never on how they were cut. Not thread-safe.
class BodyReader {
 public:
  /// How a line of a trailer may end. The line of a chunk must end with CRLF.
  enum class LineEnds { crlf_or_lf, crlf };
  enum class Found { more, whole, malformed, too_large, lines_too_large, truncated };

  BodyReader() = default;  ///< of no body
  /// `limit`: bytes of the body. `line_limit`: total bytes of the trailer and the extensions of all
  /// chunks.
  BodyReader(Framing framing, std::size_t limit, std::size_t line_limit, LineEnds line_ends);

  /// Reads from the front of `bytes` and removes what it read. Call it once with what follows the
  /// head, even if that is nothing; do not call it after anything but `more`.
  Found take(std::string_view& bytes);
  /// The connection was closed: the end of some bodies, `truncated` for others.
  [[nodiscard]] Found end() const noexcept;

  /// The body, once. Until then up to 1 MiB of it is in the memory of secrets, since a login host's
  /// answer holds a token.
  [[nodiscard]] std::string take_body();
  /// What has come since the last piece, for who does not collect the body: at most 1 MiB at once.
  [[nodiscard]] SecretText take_piece() { return std::exchange(body_, {}); }
  [[nodiscard]] const std::string& why() const noexcept { return why_; }
  /// Any byte of it has come, of its chunks' lines too.
  [[nodiscard]] bool begun() const noexcept { return begun_; }

 private:
  enum class State { chunk_line, chunk_data, chunk_end, trailer, plain, whole };

  Found fail(Found found, std::string why);
  void append(std::string_view part);
  Found take_some(std::string_view& bytes);
  Found take_data(std::string_view& bytes);
  Found take_chunk_line(std::string_view& bytes);
  Found take_chunk_end(std::string_view& bytes);
  Found take_trailer(std::string_view& bytes);

  Framing framing_;
  LineEnds line_ends_ = LineEnds::crlf;
  std::size_t limit_ = 0;
  std::size_t size_ = 0;  // bytes of the body so far
  State state_ = State::whole;
  bool known_ = false;          // left_ is a number of bytes; else all until the close
  std::uint64_t left_ = 0;      // bytes of this chunk or of the body
  std::size_t lines_left_ = 0;  // bytes that extensions and trailer may still have
  LineReader lines_{0};
  SecretText body_;
  std::string large_;  // instead of body_, if there is more than a token answer has
  std::string why_;
  bool begun_ = false;
  bool after_cr_ = false;  // of the CRLF behind a chunk, the CR has come
};

}  // namespace skewguard::net
