#include "net/request_parser.hpp"

#include <boost/asio/buffer.hpp>
#include <optional>
#include <utility>

#include "base/strings.hpp"
#include "net/message_parser.hpp"

namespace skewguard::net {
namespace beast_http = boost::beast::http;

namespace {

RequestParser::Outcome outcome_of(const boost::system::error_code& error) {
  if (error == beast_http::error::body_limit) return RequestParser::Outcome::body_over;
  if (error == beast_http::error::header_limit) return RequestParser::Outcome::head_over;
  return RequestParser::Outcome::malformed;
}

}  // namespace

struct RequestParser::Impl {
  explicit Impl(Limits the_limits) : limits(the_limits) { renew(); }

  void renew() {
    head_size = 0;
    parser.emplace();
    parser->eager(true);
    parser->header_limit(static_cast<std::uint32_t>(limits.head + 1));  // ours is what counts
    parser->body_limit(limits.body);
  }

  /// Beast counts the request line and the fields apart.
  [[nodiscard]] bool head_is_over() const {
    if (parser->is_header_done()) return false;
    const auto end = held.find(kEndOfHead);
    const auto size = end == std::string::npos ? held.size() : end + kEndOfHead.size();
    return head_size + size > limits.head;
  }

  Outcome parse() {
    if (head_is_over()) return Outcome::head_over;
    std::size_t used = 0;
    boost::system::error_code error;
    while (!error && !parser->is_done() && held.size() - used >= parser->least()) {
      used += parser->put(boost::asio::buffer(held.data() + used, held.size() - used), error);
    }
    if (!parser->is_header_done()) head_size += used;
    std::string rest = held.substr(used);
    Secret::wipe(held);
    held = std::move(rest);
    if (error && error != beast_http::error::need_more) return outcome_of(error);
    if (parser->is_done()) return Outcome::complete;
    // The beginning of a chunk's line, or of the trailer.
    if (parser->is_header_done() && held.size() > limits.head) return Outcome::head_over;
    return Outcome::more;
  }

  Limits limits;
  std::optional<MessageParser<true>> parser;
  std::size_t head_size = 0;  ///< of a head that is not whole yet: what Beast has taken
  std::string held;           ///< bytes not yet parsed
};

RequestParser::RequestParser(Limits limits) : impl_(std::make_unique<Impl>(limits)) {}
RequestParser::RequestParser(RequestParser&&) noexcept = default;
RequestParser& RequestParser::operator=(RequestParser&&) noexcept = default;
RequestParser::~RequestParser() {
  if (impl_) Secret::wipe(impl_->held);
}

RequestParser::Outcome RequestParser::feed(std::string_view bytes) {
  impl_->held.append(bytes);
  return impl_->parse();
}

ReceivedRequest RequestParser::take() {
  auto& parser = *impl_->parser;
  ReceivedRequest request{
      std::move(parser.method), std::move(parser.target), std::move(parser.headers),
      std::move(parser.body),   parser.version,           parser.keep_alive()};
  impl_->renew();
  return request;
}

bool RequestParser::awaits_continue() const {
  const auto& parser = *impl_->parser;
  return parser.is_header_done() && !parser.is_done() && parser.body.empty() &&
         impl_->held.empty() && parser.version >= 11 &&
         iequals(parser.headers.find("Expect").value_or(""), "100-continue");
}

}  // namespace skewguard::net
