#include "net/request_parser.hpp"

#include <limits>
#include <optional>
#include <utility>

#include "base/secret_text.hpp"
#include "base/strings.hpp"
#include "net/body_reader.hpp"
#include "net/line_reader.hpp"
#include "net/message_head.hpp"

namespace skewguard::net {

struct RequestParser::Impl {
  explicit Impl(Limits the_limits) : limits(the_limits), lines(the_limits.head) {}

  Outcome feed(std::string_view bytes) {
    SecretText all;
    if (!held.empty()) {
      all = std::exchange(held, {});
      bytes = all.append(bytes).view();
    }
    const auto size = bytes.size();
    auto outcome = Outcome::more;
    while (outcome == Outcome::more && !head_done && !bytes.empty()) outcome = read_line(bytes);
    if (outcome == Outcome::more && head_done) outcome = read_body(bytes);
    consumed += size - bytes.size();
    if (outcome == Outcome::complete) held = SecretText(bytes);
    return outcome;
  }

  Outcome read_line(std::string_view& bytes) {
    switch (lines.take(bytes)) {
      case LineReader::Found::more:
        return Outcome::more;
      case LineReader::Found::over:
        return Outcome::head_over;
      case LineReader::Found::bad_byte:
        return Outcome::malformed;
      case LineReader::Found::line:
        break;
    }
    const auto line = lines.line();
    if (lines.bare_lf()) return Outcome::malformed;
    if (request.method.empty()) return line.empty() && !skipped ? skip() : begin(line);
    return line.empty() ? end_of_head() : read_field(line);
  }

  /// Some clients put a line break behind a body that its length does not count (RFC 9112 section
  /// 2.2).
  Outcome skip() {
    skipped = true;
    return Outcome::more;
  }

  Outcome begin(std::string_view line) {
    auto parsed = parse_request_line(line);
    if (!parsed) return Outcome::malformed;
    request.method = std::move(parsed->method);
    request.target = std::move(parsed->target);
    request.version = parsed->version;
    return Outcome::more;
  }

  /// A field that goes on in a second line is not accepted (RFC 9112 section 5.2): such a line does
  /// not begin with a name.
  Outcome read_field(std::string_view line) {
    auto field = parse_field(line);
    if (!field) return Outcome::malformed;
    request.headers.add(std::move(field->name), std::move(field->value));
    return Outcome::more;
  }

  Outcome end_of_head() {
    Framing framing;
    if (check_host(request.headers, request.version) ||
        request_framing(request.headers, request.version, framing)) {
      return Outcome::malformed;
    }
    request.keep_alive = keeps_alive(request.headers, request.version);
    sink = choose ? choose(request) : Sink{};
    const auto limit = sink ? std::numeric_limits<std::size_t>::max() : limits.body;
    body = BodyReader(framing, limit, limits.head, BodyReader::LineEnds::crlf);
    head_done = true;
    return Outcome::more;
  }

  Outcome read_body(std::string_view& bytes) {
    const auto found = body.take(bytes);
    if (sink) {
      const auto piece = body.take_piece();
      if (!piece.view().empty()) sink(piece.view());
    }
    switch (found) {
      case BodyReader::Found::more:
        return Outcome::more;
      case BodyReader::Found::whole:
        return Outcome::complete;
      case BodyReader::Found::too_large:
        return Outcome::body_over;
      case BodyReader::Found::lines_too_large:
        return Outcome::head_over;
      case BodyReader::Found::malformed:
      case BodyReader::Found::truncated:
        break;
    }
    return Outcome::malformed;
  }

  ReceivedRequest take() {
    request.body = body.take_body();
    auto taken = std::exchange(request, {});
    lines.restart(limits.head);
    body = {};
    head_done = skipped = false;
    sink = {};
    consumed = 0;
    return taken;
  }

  Limits limits;
  ChooseSink choose{};
  Sink sink{};  ///< of the current request's body; empty = collected
  LineReader lines;
  ReceivedRequest request;  ///< without a method: its first line has not come yet
  BodyReader body;
  SecretText held;  ///< bytes behind a whole request, which begin the next one
  std::uint64_t consumed = 0;
  bool head_done = false;
  bool skipped = false;  ///< an empty line before it
};

RequestParser::RequestParser(Limits limits) : impl_(std::make_unique<Impl>(limits)) {}
RequestParser::RequestParser(RequestParser&&) noexcept = default;
RequestParser& RequestParser::operator=(RequestParser&&) noexcept = default;
RequestParser::~RequestParser() = default;

void RequestParser::on_head(ChooseSink choose) {
  impl_->choose = std::move(choose);
}

RequestParser::Outcome RequestParser::feed(std::string_view bytes) {
  return impl_->feed(bytes);
}

ReceivedRequest RequestParser::take() {
  return impl_->take();
}

std::uint64_t RequestParser::consumed() const {
  return impl_->consumed;
}

bool RequestParser::awaits_continue() const {
  const auto& request = impl_->request;
  return impl_->head_done && !impl_->body.begun() && request.version >= 11 &&
         iequals(request.headers.find("Expect").value_or(""), "100-continue");
}

}  // namespace skewguard::net
