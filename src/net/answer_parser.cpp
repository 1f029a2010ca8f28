#include "net/answer_parser.hpp"

#include <boost/asio/buffer.hpp>
#include <optional>
#include <utility>

#include "base/secret_text.hpp"
#include "base/strings.hpp"
#include "net/message_parser.hpp"

namespace skewguard::net {
namespace beast_http = boost::beast::http;
using Outcome = AnswerParser::Outcome;

namespace {

constexpr std::string_view kVersion = "HTTP/1.";

/// Whether `text` may yet become, or is, the beginning of an answer.
bool begins_like_http(std::string_view text) {
  const auto known = std::min(text.size(), kVersion.size());
  return text.substr(0, known) == kVersion.substr(0, known);
}

}  // namespace

struct AnswerParser::Impl {
  Impl(std::string_view method, std::size_t limit)
      : connects(method == "CONNECT"), bodiless(connects || method == "HEAD"), body_limit(limit) {
    renew();
  }

  void renew() {
    parser.emplace();
    parser->eager(true);
    parser->header_limit(
        static_cast<std::uint32_t>(kHeadLimit + 1));  // ours is the one that counts
    parser->body_limit(body_limit);
    parser->skip(bodiless);
  }

  Outcome fail(Outcome outcome, std::string reason) {
    why = std::move(reason);
    return outcome;
  }

  Outcome fail(const boost::system::error_code& error) {
    if (error == beast_http::error::body_limit) {
      return fail(Outcome::too_large,
                  "the body is over the limit of " + std::to_string(body_limit) + " bytes");
    }
    if (error == beast_http::error::partial_message) {
      return fail(Outcome::truncated, "the connection ended in the middle of the answer");
    }
    return fail(Outcome::malformed, "the answer is not valid HTTP (" + error.message() + ")");
  }

  /// Collects the whole head first, so that its size is known whatever the pieces were.
  Outcome read_head(std::string_view bytes) {
    const auto searched = held.size() < 3 ? 0 : held.size() - 3;
    held.append(bytes);
    if (!begins_like_http(held.view())) {
      return fail(Outcome::malformed, "what came does not begin like an answer of HTTP/1.1");
    }
    const auto end = held.view().find(kEndOfHead, searched);
    const auto size = end == std::string::npos ? held.size() : end + kEndOfHead.size();
    if (size > kHeadLimit) {
      return fail(Outcome::too_large,
                  "the head is over the limit of " + std::to_string(kHeadLimit) + " bytes");
    }
    if (end == std::string::npos) return Outcome::more;
    boost::system::error_code error;
    const auto used = parser->put(boost::asio::buffer(held.data(), size), error);
    head_done = error == beast_http::error::body_limit;  // by its Content-Length: it is whole
    if (error && error != beast_http::error::need_more) return fail(error);
    if (!parser->is_header_done() || used != size) {
      return fail(Outcome::malformed, "the head ends in the middle of a line");
    }
    return after_head(size);
  }

  Outcome after_head(std::size_t size) {
    const int status = parser->status;
    if (status < 100) return fail(Outcome::malformed, "the status code is under 100");
    if (status == 101) {
      return fail(Outcome::malformed, "the server switched protocols without being asked");
    }
    const SecretText all = std::exchange(held, {});
    const std::string_view rest = all.view().substr(size);
    if (status < 200) {
      if (++interim > kMostInterim) {
        return fail(Outcome::malformed, "too many interim answers (1xx)");
      }
      renew();
      return rest.empty() ? Outcome::more : read_head(rest);
    }
    if (auto outcome = check_framing(); outcome != Outcome::more) return outcome;
    head_done = true;
    return read_body(rest);
  }

  /// What Beast lets pass: codings that nobody asked for, which it would read until the close.
  Outcome check_framing() {
    if (connects) return Outcome::more;  // what such an answer says of its body means nothing
    const auto codings = parser->headers.all("Transfer-Encoding");
    if (codings.empty()) return Outcome::more;
    if (parser->headers.count("Content-Length") > 0) {
      return fail(Outcome::malformed, "both Content-Length and Transfer-Encoding are there");
    }
    if (codings.size() > 1 || !iequals(trim(codings.front()), "chunked")) {
      return fail(Outcome::malformed, "a transfer coding was used that was not asked for");
    }
    if (parser->version < 11) {
      return fail(Outcome::malformed, "an answer of HTTP/1.0 has no transfer coding");
    }
    return Outcome::more;
  }

  Outcome read_body(std::string_view bytes) {
    if (held.empty()) return parse_body(bytes);
    held.append(bytes);
    const SecretText all = std::exchange(held, {});
    return parse_body(all.view());
  }

  Outcome parse_body(std::string_view bytes) {
    while (bytes.size() >= parser->least() && !parser->is_done()) {
      boost::system::error_code error;
      const auto used = parser->put(boost::asio::buffer(bytes.data(), bytes.size()), error);
      bytes.remove_prefix(used);
      if (error == beast_http::error::need_more) break;
      if (error) return fail(error);
    }
    held = SecretText(
        bytes);  // the beginning of a chunk's line or of the trailer; or what is too much
    if (parser->is_done()) return Outcome::complete;
    if (held.size() > kHeadLimit) {
      return fail(Outcome::too_large, "a chunk's line or the trailer is over the limit");
    }
    return Outcome::more;
  }

  Outcome end() {
    if (!head_done) {
      return fail(Outcome::truncated, "the connection ended in the middle of the answer's head");
    }
    boost::system::error_code error;
    parser->put_eof(error);
    return error ? fail(error) : Outcome::complete;
  }

  bool connects;
  bool bodiless;
  std::uint64_t body_limit;
  std::optional<MessageParser<false>> parser;
  SecretText held;  ///< bytes not yet parsed
  std::string why;
  int interim = 0;
  bool begun = false;
  bool head_done = false;
};

AnswerParser::AnswerParser(std::string_view method, std::size_t body_limit)
    : impl_(std::make_unique<Impl>(method, body_limit)) {}
AnswerParser::AnswerParser(AnswerParser&&) noexcept = default;
AnswerParser& AnswerParser::operator=(AnswerParser&&) noexcept = default;
AnswerParser::~AnswerParser() = default;

Outcome AnswerParser::feed(std::string_view bytes) {
  if (bytes.empty()) return Outcome::more;
  impl_->begun = true;
  return impl_->head_done ? impl_->read_body(bytes) : impl_->read_head(bytes);
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
  return impl_->parser->keep_alive() && impl_->held.empty();
}
bool AnswerParser::surplus() const noexcept {
  return !impl_->held.empty();
}
const std::string& AnswerParser::why() const noexcept {
  return impl_->why;
}

void AnswerParser::take(Exchange& exchange) {
  exchange.status = impl_->parser->status;
  exchange.headers = std::move(impl_->parser->headers);
  exchange.body = std::move(impl_->parser->body);
}

}  // namespace skewguard::net
