#include <string>
#include <utility>

#include "fuzz.hpp"
#include "net/request_parser.hpp"

namespace {

using skewguard::net::RequestParser;

constexpr RequestParser::Limits kLimits{.head = 2048, .body = 4096};

/// Every whole request of a connection, one after the other; the bodies of those with a target of
/// odd length come through a sink.
std::string requests_of(std::string_view bytes, std::size_t piece) {
  RequestParser parser(kLimits);
  std::string text;
  std::string sunk;
  parser.on_head([&sunk](const skewguard::net::ReceivedRequest& head) {
    if (head.target.size() % 2 == 0) return RequestParser::Sink{};
    return RequestParser::Sink([&sunk](std::string_view part) { sunk += part; });
  });
  while (!bytes.empty()) {
    const auto part = bytes.substr(0, piece);
    bytes.remove_prefix(part.size());
    auto outcome = parser.feed(part);
    while (outcome == RequestParser::Outcome::complete) {
      const auto request = parser.take();
      skewguard::fuzz::require(!request.method.empty(), "a request has a method");
      skewguard::fuzz::require(request.body.size() <= kLimits.body, "a body is within the limit");
      text += request.method + ' ' + request.target + std::to_string(request.version) + '\n';
      for (const auto& field : request.headers.fields()) text += field.name + field.value + '\n';
      text += request.body + std::exchange(sunk, {});
      outcome = parser.feed("");
    }
    if (outcome == RequestParser::Outcome::more) continue;
    text += std::to_string(static_cast<int>(outcome));
    break;
  }
  return text;
}

}  // namespace

/// First byte: the size of the pieces. The rest: what a client sends.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return skewguard::fuzz::require_same_in_pieces(data, size, requests_of);
}
