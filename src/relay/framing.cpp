#include "relay/framing.hpp"

#include <algorithm>

#include "relay/characters.hpp"

namespace skewguard::relay {
namespace {

constexpr std::uint8_t kMaxSizeDigits = 15;  // 60 bits: no sum of two overflows

}  // namespace

Framing request_framing(const RequestHead& head) noexcept {
  if (head.chunked) return {Framing::Kind::chunked};
  if (head.content_length.value_or(0) > 0) return {Framing::Kind::length, *head.content_length};
  return {};
}

Framing answer_framing(const AnswerHead& head, std::string_view method) noexcept {
  if (method == "HEAD" || head.status < 200 || head.status == 204 || head.status == 304) return {};
  if (head.chunked) return {Framing::Kind::chunked};
  if (head.content_length) return {Framing::Kind::length, *head.content_length};
  return {Framing::Kind::until_close};
}

Framing::Kind client_framing(Framing upstream, int client_version) noexcept {
  if (upstream.kind == Framing::Kind::none || upstream.kind == Framing::Kind::length)
    return upstream.kind;
  return client_version >= 11 ? Framing::Kind::chunked : Framing::Kind::until_close;
}

BodyReader::BodyReader(Framing framing) noexcept : left_(framing.length) {
  switch (framing.kind) {
    case Framing::Kind::none:
      state_ = State::whole;
      break;
    case Framing::Kind::length:
      state_ = framing.length > 0 ? State::plain : State::whole;
      break;
    case Framing::Kind::chunked:
      state_ = State::size;
      break;
    case Framing::Kind::until_close:
      state_ = State::until_close;
      break;
  }
}

BodyReader::Piece BodyReader::take(std::string_view& bytes, std::size_t limit) noexcept {
  while (true) {
    switch (state_) {
      case State::whole:
        return {Found::whole, {}};
      case State::malformed:
        return {Found::malformed, {}};
      case State::plain:
      case State::until_close:
      case State::data:
        return take_data(bytes, limit);
      default:
        if (bytes.empty()) return {Found::more, {}};
        state_ = after(bytes.front());
        bytes.remove_prefix(1);
    }
  }
}

BodyReader::Piece BodyReader::take_data(std::string_view& bytes, std::size_t limit) noexcept {
  std::size_t size = std::min(bytes.size(), limit);
  if (state_ != State::until_close)
    size = static_cast<std::size_t>(std::min<std::uint64_t>(size, left_));
  if (size == 0) return {Found::more, {}};
  const std::string_view data = bytes.substr(0, size);
  bytes.remove_prefix(size);
  if (state_ == State::until_close) return {Found::data, data};
  left_ -= size;
  if (left_ == 0) state_ = state_ == State::plain ? State::whole : State::data_cr;
  return {Found::data, data};
}

BodyReader::State BodyReader::after(char c) noexcept {
  switch (state_) {
    case State::size:
      return after_size(c);
    case State::size_lf:
      if (c != '\n') return State::malformed;
      digits_ = 0;
      return left_ > 0 ? State::data : State::trailer;
    case State::data_cr:
      return c == '\r' ? State::data_lf : State::malformed;
    case State::data_lf:
      return c == '\n' ? State::size : State::malformed;
    case State::trailer:
    case State::trailer_name:
    case State::trailer_value:
    case State::trailer_lf:
      return after_trailer(c);
    case State::last_lf:
      return c == '\n' ? State::whole : State::malformed;
    default:
      return after_extension(c);
  }
}

BodyReader::State BodyReader::after_size(char c) noexcept {
  if (const int digit = hex_value(c); digit >= 0) {
    if (digits_ == kMaxSizeDigits) return State::malformed;
    ++digits_;
    left_ = left_ * 16 + static_cast<std::uint64_t>(digit);
    return State::size;
  }
  return digits_ > 0 ? ends_line(c) : State::malformed;
}

/// Behind a size or a complete extension: the line ends, or another extension begins.
BodyReader::State BodyReader::ends_line(char c) noexcept {
  if (c == '\r') return State::size_lf;
  if (c != ';') return State::malformed;
  some_ = false;
  return extra(State::extension_name);
}

BodyReader::State BodyReader::after_extension(char c) noexcept {
  switch (state_) {
    case State::extension_name:
      if (token_character(c)) {
        some_ = true;
        return extra(State::extension_name);
      }
      if (!some_) return State::malformed;
      return c == '=' ? extra(State::extension_value) : ends_line(c);
    case State::extension_value:
      if (c == '"') return extra(State::quoted);
      return token_character(c) ? extra(State::extension_token) : State::malformed;
    case State::extension_token:
      return token_character(c) ? extra(State::extension_token) : ends_line(c);
    case State::quoted:
      if (c == '"') return extra(State::after_quoted);
      if (c == '\\') return extra(State::quoted_pair);
      return field_text({&c, 1}) ? extra(State::quoted) : State::malformed;
    case State::quoted_pair:
      return field_text({&c, 1}) ? extra(State::quoted) : State::malformed;
    default:  // after_quoted
      return ends_line(c);
  }
}

BodyReader::State BodyReader::after_trailer(char c) noexcept {
  switch (state_) {
    case State::trailer:
      if (c == '\r') return State::last_lf;
      return token_character(c) ? extra(State::trailer_name) : State::malformed;
    case State::trailer_name:
      if (c == ':') return extra(State::trailer_value);
      return token_character(c) ? extra(State::trailer_name) : State::malformed;
    case State::trailer_value:
      if (c == '\r') return State::trailer_lf;
      return field_text({&c, 1}) ? extra(State::trailer_value) : State::malformed;
    default:  // trailer_lf
      return c == '\n' ? extra(State::trailer) : State::malformed;
  }
}

BodyReader::State BodyReader::extra(State state) noexcept {
  return ++extras_ > kMaxChunkExtras ? State::malformed : state;
}

bool append_chunk(Buffer& out, std::string_view data) noexcept {
  return out.append({NumberText(data.size(), 16).view(), "\r\n", data, "\r\n"});
}

}  // namespace skewguard::relay
