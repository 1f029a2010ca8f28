#include "net/body_reader.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

namespace skewguard::net {
namespace {

using Found = BodyReader::Found;

constexpr std::uint64_t kNoEnd = std::numeric_limits<std::uint64_t>::max();
/// More than any token answer.
constexpr std::size_t kMaxSecret = std::size_t{1024} * 1024;
/// For larger bodies the whole address range is reserved at once, so that they never move: copying
/// many MiB would block the loop. Memory is used only as bytes arrive.
constexpr std::uint64_t kMaxReserved = std::uint64_t{64} * 1024 * 1024;
/// The line of a chunk without extensions: 16 digits and CRLF.
constexpr std::size_t kPlainLine = 18;

std::optional<unsigned> hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10U;
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10U;
  return std::nullopt;
}

/// The line before a chunk (RFC 9112 section 7.1), or a prefix of it.
struct ChunkLine {
  bool bad = false;        ///< no line begins like this
  bool complete = false;   ///< a line may end here
  std::uint64_t size = 0;  ///< of the chunk, bytes; the largest number if it is larger
};

/// Whether a quoted string (RFC 9110 section 5.6.4) is open at the end of `text`.
bool open_quote(std::string_view text) noexcept {
  bool open = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') open = !open;
    if (open && text[i] == '\\') ++i;
  }
  return open;
}

ChunkLine read_chunk_line(std::string_view text) noexcept {
  ChunkLine line;
  std::size_t digits = 0;
  for (; digits < text.size(); ++digits) {
    const auto digit = hex_digit(text[digits]);
    if (!digit) break;
    line.size = line.size > kNoEnd >> 4U ? kNoEnd : line.size << 4U | *digit;
  }
  const auto rest = text.substr(digits);
  const auto mark = rest.find_first_not_of(" \t");
  line.bad =
      (digits == 0 && !text.empty()) || (mark != std::string_view::npos && rest[mark] != ';');
  line.complete = digits > 0 && !line.bad && !open_quote(rest);
  return line;
}

}  // namespace

BodyReader::BodyReader(Framing framing, std::size_t limit, std::size_t line_limit,
                       LineEnds line_ends)
    : framing_(framing),
      line_ends_(line_ends),
      limit_(limit),
      lines_left_(line_limit),
      lines_(line_limit + kPlainLine) {
  if (framing.kind == Framing::Kind::chunked) {
    state_ = State::chunk_line;
    known_ = true;
  } else if (framing.kind != Framing::Kind::none) {
    state_ = State::plain;
    known_ = framing.kind == Framing::Kind::length;
    left_ = known_ ? framing.length : kNoEnd;
  }
}

Found BodyReader::fail(Found found, std::string why) {
  why_ = std::move(why);
  return found;
}

Found BodyReader::take(std::string_view& bytes) {
  begun_ = begun_ || (state_ != State::whole && !bytes.empty());
  auto found = take_some(bytes);
  while (found == Found::more && !bytes.empty()) found = take_some(bytes);
  return found;
}

Found BodyReader::take_some(std::string_view& bytes) {
  switch (state_) {
    case State::chunk_line:
      return take_chunk_line(bytes);
    case State::chunk_end:
      return take_chunk_end(bytes);
    case State::trailer:
      return take_trailer(bytes);
    case State::chunk_data:
    case State::plain:
      return take_data(bytes);
    case State::whole:
      break;
  }
  return Found::whole;
}

void BodyReader::append(std::string_view part) {
  size_ += part.size();
  if (large_.empty() && body_.size() + part.size() <= kMaxSecret) {
    body_.append(part);
    return;
  }
  if (large_.empty()) {
    const bool announced = framing_.kind == Framing::Kind::length;
    const std::uint64_t most = announced ? framing_.length : limit_;
    large_.reserve(static_cast<std::size_t>(std::min(most, kMaxReserved)));
    large_.append(body_.view());
    body_ = {};
  }
  large_.append(part);
}

std::string BodyReader::take_body() {
  return large_.empty() ? std::string(body_.view()) : std::move(large_);
}

Found BodyReader::take_data(std::string_view& bytes) {
  const std::size_t room = limit_ - size_;
  if (known_ ? left_ > room : bytes.size() > room) {
    return fail(Found::too_large,
                "the body is over the limit of " + std::to_string(limit_) + " bytes");
  }
  const auto part = bytes.substr(0, std::min<std::uint64_t>(left_, bytes.size()));
  append(part);
  bytes.remove_prefix(part.size());
  if (known_) left_ -= part.size();
  if (left_ > 0) return Found::more;
  state_ = state_ == State::plain ? State::whole : State::chunk_end;
  return state_ == State::whole ? Found::whole : Found::more;
}

Found BodyReader::take_chunk_line(std::string_view& bytes) {
  const auto found = lines_.take(bytes);
  const auto line = read_chunk_line(lines_.line());
  const bool ends = found == LineReader::Found::line;
  if (line.bad || found == LineReader::Found::bad_byte || (ends && !line.complete)) {
    return fail(Found::malformed, "a chunk does not start with its size");
  }
  if (ends && lines_.bare_lf()) {
    return fail(Found::malformed, "the line before a chunk ends with a bare LF, not CRLF");
  }
  if (found == LineReader::Found::over) {
    return fail(Found::lines_too_large, "the extensions of its chunks are over the limit");
  }
  if (!ends) return Found::more;
  lines_left_ -= std::max(lines_.size(), kPlainLine) - kPlainLine;
  left_ = line.size;
  lines_.restart(left_ == 0 ? lines_left_ : lines_left_ + kPlainLine);
  state_ = left_ == 0 ? State::trailer : State::chunk_data;
  return left_ == 0 ? Found::more : take_data(bytes);
}

Found BodyReader::take_chunk_end(std::string_view& bytes) {
  const char wanted = after_cr_ ? '\n' : '\r';
  if (bytes.empty()) return Found::more;
  if (bytes.front() != wanted) {
    return fail(Found::malformed, bytes.front() == '\n' ? "a chunk ends with a bare LF, not CRLF"
                                                        : "a chunk is longer than it says");
  }
  bytes.remove_prefix(1);
  if (after_cr_) state_ = State::chunk_line;
  after_cr_ = !after_cr_;
  return Found::more;
}

Found BodyReader::take_trailer(std::string_view& bytes) {
  switch (lines_.take(bytes)) {
    case LineReader::Found::more:
      return Found::more;
    case LineReader::Found::over:
      return fail(Found::lines_too_large, "its trailer is over the limit");
    case LineReader::Found::line:
      if (lines_.bare_lf() && line_ends_ == LineEnds::crlf)
        return fail(Found::malformed, "a line of its trailer ends with a bare LF, not CRLF");
      if (lines_.line().empty()) {
        state_ = State::whole;
        return Found::whole;
      }
      if (parse_field(lines_.line())) return Found::more;
      [[fallthrough]];
    case LineReader::Found::bad_byte:
      break;
  }
  return fail(Found::malformed, "its trailer contains a line that is not a field");
}

Found BodyReader::end() const noexcept {
  const bool whole = state_ == State::whole || framing_.kind == Framing::Kind::until_close;
  return whole ? Found::whole : Found::truncated;
}

}  // namespace skewguard::net
