#include "relay/head_codec.hpp"

#include <algorithm>
#include <cstring>

#include "relay/characters.hpp"

namespace skewguard::relay {
namespace {

constexpr std::size_t kVersionSize = std::string_view("HTTP/1.1").size();
constexpr std::size_t kMaxLengthDigits = 18;  // positive in every 64-bit number, signed or not

/// Of what is not the version of HTTP/1.0 or HTTP/1.1: whether it is that of another HTTP, or else.
HeadFault version_fault(std::string_view text, HeadFault otherwise) noexcept {
  const bool version = text.size() == kVersionSize && text.starts_with("HTTP/") && digit(text[5]) &&
                       text[6] == '.' && digit(text[7]);
  return version ? HeadFault::unsupported_version : otherwise;
}

/// 10 or 11; 0 for another version.
int version_number(std::string_view text) noexcept {
  if (text == "HTTP/1.1") return 11;
  return text == "HTTP/1.0" ? 10 : 0;
}

std::optional<std::uint64_t> parse_length(std::string_view text) noexcept {
  if (text.empty() || text.size() > kMaxLengthDigits) return std::nullopt;
  std::uint64_t length = 0;
  for (const char c : text) {
    if (!digit(c)) return std::nullopt;
    length = length * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return length;
}

/// Of what follows the host: nothing, or a colon and at most five digits.
bool valid_port(std::string_view text) noexcept {
  if (text.empty()) return true;
  return text[0] == ':' && text.size() <= 6 && std::all_of(text.begin() + 1, text.end(), digit);
}

/// uri-host [":" port], without user information, percent-encoding or an empty host.
bool valid_host(std::string_view host) noexcept {
  if (host.starts_with('[')) {
    const std::size_t end = host.find(']');
    if (end == std::string_view::npos || end < 3) return false;
    const std::string_view address = host.substr(1, end - 1);
    return valid_port(host.substr(end + 1)) && std::ranges::all_of(address, [](char c) {
             return hex_value(c) >= 0 || c == ':' || c == '.';
           });
  }
  const std::string_view name = host.substr(0, host.find(':'));
  return !name.empty() && std::ranges::all_of(name, host_character) &&
         valid_port(host.substr(name.size()));
}

template <typename Fits>
std::size_t count_while(std::string_view text, Fits fits) noexcept {
  std::size_t count = 0;
  while (count < text.size() && fits(text[count])) ++count;
  return count;
}

/// Programs behind gateways of the CGI kind get field names with underscores for hyphens.
bool framing_with_underscore(std::string_view name) noexcept {
  constexpr std::string_view kLength = "content_length";
  constexpr std::string_view kCoding = "transfer_encoding";
  return (name.size() == kLength.size() && iequals(name, kLength)) ||
         (name.size() == kCoding.size() && iequals(name, kCoding));
}

}  // namespace

std::string_view words(HeadFault fault) noexcept {
  switch (fault) {
    case HeadFault::none:
      return "nothing is wrong";
    case HeadFault::not_http:
      return "it is not HTTP";
    case HeadFault::head_too_large:
      return "its head is larger than 32 KiB";
    case HeadFault::too_many_fields:
      return "it has more than 100 fields";
    case HeadFault::too_many_connection_options:
      return "the field Connection has more than 32 options";
    case HeadFault::bad_connection_option:
      return "the field Connection is malformed";
    case HeadFault::bare_line_feed:
      return "a line ends with LF instead of CRLF";
    case HeadFault::bare_carriage_return:
      return "a CR is not followed by LF";
    case HeadFault::bad_request_line:
      return "the request line is malformed";
    case HeadFault::bad_status_line:
      return "the status line is malformed";
    case HeadFault::unsupported_version:
      return "its version is neither HTTP/1.1 nor HTTP/1.0";
    case HeadFault::connect_method:
      return "the method CONNECT is not served";
    case HeadFault::bad_target:
      return "the request target contains a character that must be percent-encoded";
    case HeadFault::not_origin_form:
      return "the request target does not begin with a slash";
    case HeadFault::folded_field:
      return "a field continues on another line";
    case HeadFault::bad_field_name:
      return "a field's name is malformed, or a space stands before its colon";
    case HeadFault::control_character:
      return "a field contains a control character";
    case HeadFault::host_missing:
      return "the field Host is missing";
    case HeadFault::host_repeated:
      return "the field Host occurs more than once";
    case HeadFault::bad_host:
      return "the field Host does not name a host";
    case HeadFault::authorization_repeated:
      return "the field Authorization occurs more than once";
    case HeadFault::bad_content_length:
      return "the field Content-Length is not a number of bytes";
    case HeadFault::content_length_repeated:
      return "the field Content-Length occurs more than once";
    case HeadFault::length_and_coding:
      return "it has both Content-Length and Transfer-Encoding";
    case HeadFault::disguised_framing:
      return "a field is called Content-Length or Transfer-Encoding with an underscore";
    case HeadFault::bad_transfer_coding:
      return "its Transfer-Encoding is not `chunked`";
    case HeadFault::coding_in_http_1_0:
      return "HTTP/1.0 has no Transfer-Encoding";
  }
  return "it is malformed";
}

int status_for(HeadFault fault) noexcept {
  switch (fault) {
    case HeadFault::head_too_large:
    case HeadFault::too_many_fields:
    case HeadFault::too_many_connection_options:
      return 431;
    case HeadFault::unsupported_version:
      return 505;
    case HeadFault::connect_method:
      return 501;
    default:
      return 400;
  }
}

HeadLines::Found HeadLines::next(std::string_view bytes) noexcept {
  const std::size_t limit = std::min(bytes.size(), kMaxHead);
  const void* found =
      scanned_ < limit ? std::memchr(bytes.data() + scanned_, '\n', limit - scanned_) : nullptr;
  const std::size_t stop =
      found == nullptr ? limit
                       : static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
  // Only the last CR may still belong to the end of the line; without this, a head of bare CRs
  // would be waited for in vain.
  const std::size_t unread = std::max(next_at_, scanned_ == 0 ? 0 : scanned_ - 1);
  const std::size_t cr = bytes.substr(0, stop).find('\r', unread);
  if (cr != std::string_view::npos && cr + 1 < stop) {
    fail(HeadFault::bare_carriage_return);
    return Found::fault;
  }
  if (found == nullptr) {
    scanned_ = limit;
    if (limit < kMaxHead) return Found::more;
    fail(HeadFault::head_too_large);
    return Found::fault;
  }
  if (stop == next_at_ || bytes[stop - 1] != '\r') {
    fail(HeadFault::bare_line_feed);
    return Found::fault;
  }
  line_at_ = next_at_;
  line_ = bytes.substr(line_at_, stop - 1 - line_at_);
  next_at_ = scanned_ = stop + 1;
  return Found::line;
}

std::optional<Field> HeadLines::add_field(HeadFacts& head) noexcept {
  const std::size_t name_size = count_while(line_, [](char c) { return token_character(c); });
  if (line_[0] == ' ' || line_[0] == '\t') {
    fail(HeadFault::folded_field);
    return std::nullopt;
  }
  if (name_size == 0 || name_size == line_.size() || line_[name_size] != ':') {
    fail(HeadFault::bad_field_name);
    return std::nullopt;
  }
  const std::string_view rest = line_.substr(name_size + 1);
  if (!field_text(rest)) {
    fail(HeadFault::control_character);
    return std::nullopt;
  }
  Fields& fields = head.fields;
  if (fields.count_ == kMaxFields) {
    fail(HeadFault::too_many_fields);
    return std::nullopt;
  }
  Field field{line_.substr(0, name_size), trim(rest), FieldName::other};
  field.known = field_name(field.name);
  const std::size_t value_at =
      field.value.empty() ? 0 : static_cast<std::size_t>(field.value.data() - line_.data());
  fields.places_[fields.count_++] = {.name = static_cast<std::uint16_t>(line_at_),
                                     .name_size = static_cast<std::uint16_t>(name_size),
                                     .value = static_cast<std::uint16_t>(line_at_ + value_at),
                                     .value_size = static_cast<std::uint16_t>(field.value.size()),
                                     .known = field.known};
  if (!note(field, head)) return std::nullopt;
  return field;
}

bool HeadLines::note(const Field& field, HeadFacts& head) noexcept {
  switch (field.known) {
    case FieldName::content_length:
      return note_length(field.value, head);
    case FieldName::transfer_encoding:
      return note_coding(field.value, head);
    case FieldName::connection:
      return note_options(field.value, head);
    default:
      return true;
  }
}

bool HeadLines::note_length(std::string_view value, HeadFacts& head) noexcept {
  const auto length = parse_length(value);
  if (!length || has_tab()) return fail(HeadFault::bad_content_length);  // http_parser takes no tab
  if (head.content_length && (lengths_ == Lengths::one || head.content_length != length))
    return fail(HeadFault::content_length_repeated);
  head.content_length = length;
  return true;
}

bool HeadLines::note_coding(std::string_view value, HeadFacts& head) noexcept {
  if (head.version < 11) return fail(HeadFault::coding_in_http_1_0);
  const bool clear = iequals(value, "chunked") && !has_tab();  // llhttp takes the tab for a letter
  if (head.chunked || !clear) return fail(HeadFault::bad_transfer_coding);
  head.chunked = true;
  return true;
}

bool HeadLines::note_options(std::string_view value, HeadFacts& head) noexcept {
  bool tokens = true;
  for_each_element(value, [&](std::string_view option) {
    ++options_;
    tokens = tokens && std::ranges::all_of(option, token_character);
    head.close = head.close || iequals(option, "close");
  });
  if (!tokens) return fail(HeadFault::bad_connection_option);
  return options_ <= kMaxConnectionOptions || fail(HeadFault::too_many_connection_options);
}

bool HeadLines::finish(HeadFacts& head, std::string_view bytes) noexcept {
  if (head.chunked && head.content_length) return fail(HeadFault::length_and_coding);
  head.close = head.close || head.version < 11;
  head.fields.bytes_ = bytes.data();
  head.size = next_at_;
  return true;
}

ReadHead RequestReader::read(std::string_view bytes) noexcept {
  while (true) {
    if (!started_ && !starts_well(bytes)) return ReadHead::refused;
    const auto found = lines_.next(bytes);
    if (found == HeadLines::Found::more) return ReadHead::more;
    if (found == HeadLines::Found::fault) return ReadHead::refused;
    if (started_ && lines_.line().empty()) {
      return finish(bytes) ? ReadHead::whole : ReadHead::refused;
    }
    if (!(started_ ? field_line() : start_line())) return ReadHead::refused;
  }
}

/// Refuses what cannot become a request at its first byte: a TLS client would wait forever.
bool RequestReader::starts_well(std::string_view bytes) noexcept {
  if (bytes.size() <= lines_.next_at()) return true;
  const char first = bytes[lines_.next_at()];
  if (first == '\n') return lines_.fail(HeadFault::bare_line_feed);
  if (first == '\r' && !after_empty_) return true;
  return token_character(first) || lines_.fail(HeadFault::not_http);
}

bool RequestReader::start_line() noexcept {
  const std::string_view line = lines_.line();
  if (line.empty()) {  // one may come before a request (RFC 9112 section 2.2)
    after_empty_ = true;
    return true;
  }
  method_size_ = count_while(line, [](char c) { return token_character(c); });
  if (method_size_ == 0 || method_size_ == line.size() || line[method_size_] != ' ')
    return lines_.fail(HeadFault::bad_request_line);
  const std::string_view rest = line.substr(method_size_ + 1);
  target_size_ = count_while(rest, [](char c) { return target_character(c); });
  const std::string_view version = rest.substr(std::min(target_size_ + 1, rest.size()));
  if (target_size_ == 0 || target_size_ == rest.size())
    return lines_.fail(HeadFault::bad_request_line);
  if (rest[target_size_] != ' ') return lines_.fail(HeadFault::bad_target);
  head_.version = version_number(version);
  if (head_.version == 0) return lines_.fail(version_fault(version, HeadFault::bad_request_line));
  if (line.substr(0, method_size_) == "CONNECT") return lines_.fail(HeadFault::connect_method);
  if (rest[0] != '/') return lines_.fail(HeadFault::not_origin_form);
  line_at_ = lines_.line_at();
  started_ = true;
  return true;
}

bool RequestReader::field_line() noexcept {
  const auto field = lines_.add_field(head_);
  if (!field) return false;
  switch (field->known) {
    case FieldName::host:
      if (host_seen_) return lines_.fail(HeadFault::host_repeated);
      host_seen_ = true;
      return valid_host(field->value) || lines_.fail(HeadFault::bad_host);
    case FieldName::authorization:
      if (authorization_seen_) return lines_.fail(HeadFault::authorization_repeated);
      authorization_seen_ = true;
      return true;
    case FieldName::expect:
      head_.expects_continue = head_.expects_continue || iequals(field->value, "100-continue");
      return true;
    case FieldName::other:
      return !framing_with_underscore(field->name) || lines_.fail(HeadFault::disguised_framing);
    default:
      return true;
  }
}

bool RequestReader::finish(std::string_view bytes) noexcept {
  if (!host_seen_) return lines_.fail(HeadFault::host_missing);
  if (!lines_.finish(head_, bytes)) return false;
  head_.method = bytes.substr(line_at_, method_size_);
  head_.target = bytes.substr(line_at_ + method_size_ + 1, target_size_);
  head_.host = *head_.fields.find(FieldName::host);
  head_.expects_continue = head_.expects_continue && head_.version >= 11;
  return true;
}

ReadHead AnswerReader::read(std::string_view bytes) noexcept {
  while (true) {
    if (!started_ && !bytes.empty() && bytes[0] != 'H') {
      lines_.fail(HeadFault::not_http);
      return ReadHead::refused;
    }
    const auto found = lines_.next(bytes);
    if (found == HeadLines::Found::more) return ReadHead::more;
    if (found == HeadLines::Found::fault) return ReadHead::refused;
    if (!started_) {
      if (!start_line()) return ReadHead::refused;
    } else if (!lines_.line().empty()) {
      if (!lines_.add_field(head_)) return ReadHead::refused;
    } else {
      if (!lines_.finish(head_, bytes)) return ReadHead::refused;
      head_.reason = bytes.substr(reason_at_, reason_size_);
      return ReadHead::whole;
    }
  }
}

/// A missing reason phrase is accepted, even without the space before it: nobody reads it.
bool AnswerReader::start_line() noexcept {
  const std::string_view line = lines_.line();
  const std::string_view version = line.substr(0, kVersionSize);
  head_.version = version_number(version);
  if (head_.version == 0) return lines_.fail(version_fault(version, HeadFault::bad_status_line));
  const std::string_view rest = line.substr(kVersionSize);
  if (rest.size() < 4 || rest[0] != ' ' || !digit(rest[1]) || !digit(rest[2]) || !digit(rest[3]) ||
      (rest.size() > 4 && rest[4] != ' '))
    return lines_.fail(HeadFault::bad_status_line);
  head_.status = (rest[1] - '0') * 100 + (rest[2] - '0') * 10 + (rest[3] - '0');
  if (head_.status < 100 || head_.status == 101) return lines_.fail(HeadFault::bad_status_line);
  reason_size_ = rest.size() - std::min(rest.size(), std::size_t{5});
  if (!field_text(rest.substr(rest.size() - reason_size_)))
    return lines_.fail(HeadFault::control_character);
  reason_at_ = kVersionSize + 5;
  started_ = true;
  return true;
}

}  // namespace skewguard::relay
