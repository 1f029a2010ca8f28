#include "net/answer_parser.hpp"

#include <optional>
#include <string>
#include <utility>

#include "base/strings.hpp"
#include "net/body_reader.hpp"
#include "net/line_reader.hpp"
#include "net/message_head.hpp"

namespace skewguard::net {
using Outcome = AnswerParser::Outcome;

namespace {

/// The type of a record of TLS: an alert or a handshake (RFC 8446 section 5.1).
constexpr bool speaks_tls(char first) noexcept {
  return first == '\x15' || first == '\x16';
}

}  // namespace

struct AnswerParser::Impl {
  Impl(std::string_view method, std::size_t limit)
      : connects(method == "CONNECT"), bodiless(connects || method == "HEAD"), body_limit(limit) {}

  Outcome fail(Outcome outcome, std::string reason) {
    why = std::move(reason);
    return outcome;
  }

  Outcome feed(std::string_view bytes) {
    auto outcome = Outcome::more;
    while (outcome == Outcome::more && !head_done && !bytes.empty()) outcome = read_line(bytes);
    if (outcome == Outcome::more && head_done) outcome = read_body(bytes);
    surplus = !bytes.empty();
    return outcome;
  }

  Outcome read_line(std::string_view& bytes) {
    if (lines.size() == 0 && speaks_tls(bytes.front())) {
      return fail(Outcome::malformed, "the server speaks TLS: use https:// in the URL");
    }
    const auto found = lines.take(bytes);
    if (status_line.status == 0 && !begins_like_answer(lines.line())) {
      return fail(Outcome::malformed, "it does not start like an HTTP/1.1 answer");
    }
    switch (found) {
      case LineReader::Found::more:
        return Outcome::more;
      case LineReader::Found::over:
        return fail(Outcome::too_large,
                    "the head is over the limit of " + std::to_string(kHeadLimit) + " bytes");
      case LineReader::Found::bad_byte:
        return fail(Outcome::malformed, "its head contains an invalid byte");
      case LineReader::Found::line:
        break;
    }
    if (status_line.status == 0) return begin(lines.line());
    return lines.line().empty() ? end_of_head() : read_field(lines.line());
  }

  Outcome begin(std::string_view line) {
    const auto parsed = parse_status_line(line);
    if (!parsed) return fail(Outcome::malformed, "its first line is not an HTTP/1.1 status line");
    if (parsed->status < 100) return fail(Outcome::malformed, "the status code is under 100");
    if (parsed->status == 101) {
      return fail(Outcome::malformed, "the server switched protocols without being asked");
    }
    status_line = *parsed;
    return Outcome::more;
  }

  /// A line that begins with a blank goes on with the field before it (RFC 9112 section 5.2).
  Outcome read_field(std::string_view line) {
    if (line.front() == ' ' || line.front() == '\t') {
      if (!field) return fail(Outcome::malformed, "its first field starts with a space");
      const auto more = trim(line);
      if (!more.empty()) field->value.append(field->value.empty() ? "" : " ").append(more);
      return Outcome::more;
    }
    keep_field();
    field = parse_field(line);
    if (!field) return fail(Outcome::malformed, "its head contains a line that is not a field");
    return Outcome::more;
  }

  void keep_field() {
    if (field) headers.add(std::move(field->name), std::move(field->value));
    field.reset();
  }

  Outcome end_of_head() {
    keep_field();
    lines.restart(kHeadLimit);
    if (status_line.status < 200) {
      if (++interim > kMaxInterim) {
        return fail(Outcome::malformed, "too many interim answers (1xx)");
      }
      status_line = {};
      headers = {};
      return Outcome::more;
    }
    const bool none = bodiless || status_line.status == 204 || status_line.status == 304;
    Framing framing;
    auto fault = answer_framing(headers, status_line.version, framing);
    if (fault && !none) return fail(Outcome::malformed, std::move(*fault));
    odd_framing = fault.has_value();
    stays_open = keeps_alive(headers, status_line.version);
    if (none) framing = {};
    body = BodyReader(framing, body_limit, kHeadLimit, BodyReader::LineEnds::crlf_or_lf);
    head_done = true;
    return Outcome::more;
  }

  Outcome read_body(std::string_view& bytes) { return outcome_of(body.take(bytes)); }

  Outcome outcome_of(BodyReader::Found found) {
    switch (found) {
      case BodyReader::Found::more:
        return Outcome::more;
      case BodyReader::Found::whole:
        return Outcome::complete;
      case BodyReader::Found::malformed:
        return fail(Outcome::malformed, body.why());
      case BodyReader::Found::too_large:
      case BodyReader::Found::lines_too_large:
        return fail(Outcome::too_large, body.why());
      case BodyReader::Found::truncated:
        break;
    }
    return fail(Outcome::truncated, "the connection ended in the middle of the answer");
  }

  Outcome end() {
    if (!head_done) {
      return fail(Outcome::truncated, "the connection ended in the middle of the answer's head");
    }
    closed = true;
    return outcome_of(body.end());
  }

  bool connects;
  bool bodiless;
  std::size_t body_limit;
  LineReader lines{kHeadLimit};
  StatusLine status_line;  ///< status 0: it has not come yet
  Headers headers;
  std::optional<HeaderField> field;  ///< the last one, whose value may go on in the next line
  BodyReader body;
  std::string why;
  int interim = 0;
  bool begun = false;
  bool head_done = false;
  bool surplus = false;
  bool odd_framing = false;  ///< of an answer without a body: the next one may begin elsewhere
  bool stays_open = false;   ///< by what the head says
  bool closed = false;
};

AnswerParser::AnswerParser(std::string_view method, std::size_t body_limit)
    : impl_(std::make_unique<Impl>(method, body_limit)) {}
AnswerParser::AnswerParser(AnswerParser&&) noexcept = default;
AnswerParser& AnswerParser::operator=(AnswerParser&&) noexcept = default;
AnswerParser::~AnswerParser() = default;

Outcome AnswerParser::feed(std::string_view bytes) {
  if (bytes.empty()) return Outcome::more;
  impl_->begun = true;
  return impl_->feed(bytes);
}

Outcome AnswerParser::end() {
  return impl_->end();
}
bool AnswerParser::begun() const noexcept {
  return impl_->begun;
}
bool AnswerParser::head_done() const noexcept {
  return impl_->head_done;
}
bool AnswerParser::reusable() const noexcept {
  return !impl_->closed && !impl_->surplus && !impl_->odd_framing && impl_->stays_open;
}
bool AnswerParser::surplus() const noexcept {
  return impl_->surplus;
}
const std::string& AnswerParser::why() const noexcept {
  return impl_->why;
}

void AnswerParser::take_head(AnswerHead& head) {
  head.status = impl_->status_line.status;
  head.headers = std::move(impl_->headers);
}

SecretText AnswerParser::take_piece() {
  return impl_->body.take_piece();
}

void AnswerParser::take(Exchange& exchange) {
  take_head(exchange);
  exchange.body = impl_->body.take_body();
}

}  // namespace skewguard::net
