#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "relay/buffer.hpp"
#include "relay/head_codec.hpp"

/// Where bodies end (RFC 9112 sections 6 and 7).
namespace skewguard::relay {

struct Framing {
  enum class Kind : std::uint8_t { none, length, chunked, until_close };
  Kind kind = Kind::none;
  std::uint64_t length = 0;  ///< bytes, of Kind::length

  friend bool operator==(const Framing&, const Framing&) = default;
};

Framing request_framing(const RequestHead& head) noexcept;
/// Of the answer to a request with this method. Interim answers have no body.
Framing answer_framing(const AnswerHead& head, std::string_view method) noexcept;
/// How a body with the framing `upstream` is sent to a client of this version.
Framing::Kind client_framing(Framing upstream, int client_version) noexcept;

/// The bytes in all extensions and trailers of a body together.
inline constexpr std::size_t kMaxChunkExtras = std::size_t{16} * 1024;

/// Takes a body out of its framing, in place: its pieces are parts of the bytes it is given. Chunk
/// extensions and trailers are checked and dropped. The body depends on the bytes alone, never on
/// how they arrived. Not thread-safe.
class BodyReader {
 public:
  enum class Found {
    more,       ///< everything was read, and the body goes on
    data,       ///< a piece, not empty; call again
    whole,      ///< the body ended; the remaining bytes belong to the next message
    malformed,  ///< its chunks are malformed; nothing further can be read
  };
  struct Piece {
    Found found = Found::more;
    std::string_view data;
  };

  BodyReader() = default;  ///< of no body
  explicit BodyReader(Framing framing) noexcept;

  /// Reads from the front of `bytes` and removes what it read. At most `limit` bytes of data.
  Piece take(std::string_view& bytes, std::size_t limit = SIZE_MAX) noexcept;
  [[nodiscard]] bool whole() const noexcept { return state_ == State::whole; }
  /// The connection has ended: whether the body has, too.
  [[nodiscard]] bool whole_at_close() const noexcept {
    return whole() || state_ == State::until_close;
  }

 private:
  enum class State : std::uint8_t {
    plain,
    until_close,
    size,            // of a chunk
    extension_name,  // behind ';'
    extension_value,
    extension_token,
    quoted,
    quoted_pair,
    after_quoted,
    size_lf,
    data,
    data_cr,
    data_lf,
    trailer,  // the beginning of a line
    trailer_name,
    trailer_value,
    trailer_lf,
    last_lf,
    whole,
    malformed,
  };
  Piece take_data(std::string_view& bytes, std::size_t limit) noexcept;
  State after(char c) noexcept;
  State after_size(char c) noexcept;
  State after_extension(char c) noexcept;
  State after_trailer(char c) noexcept;
  State ends_line(char c) noexcept;
  State extra(State state) noexcept;

  State state_ = State::whole;
  bool some_ = false;        // of the number or name under way, a character has come
  std::uint8_t digits_ = 0;  // of the size
  std::uint64_t left_ = 0;   // bytes of the body or chunk
  std::size_t extras_ = 0;   // bytes of extensions and trailers
};

/// Adds `data`, which is not empty, as one chunk; false and nothing if it does not fit.
bool append_chunk(Buffer& out, std::string_view data) noexcept;
/// Ends a chunked body.
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";
/// The most that one chunk and the end take beside the data.
inline constexpr std::size_t kChunkExtra = 16 + 2 + 2 + kLastChunk.size();

}  // namespace skewguard::relay
