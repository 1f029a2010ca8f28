#include <string>

#include "fuzz.hpp"
#include "net/answer_parser.hpp"

namespace {

using skewguard::net::AnswerParser;

/// The outcome with the answer's text, or with why there is none: equal for equal outcomes.
std::string outcome_of(std::string_view bytes, std::size_t piece) {
  AnswerParser parser("GET", 4096);
  auto outcome = AnswerParser::Outcome::more;
  while (!bytes.empty() && outcome == AnswerParser::Outcome::more) {
    const auto part = bytes.substr(0, piece);
    bytes.remove_prefix(part.size());
    outcome = parser.feed(part);
  }
  if (outcome == AnswerParser::Outcome::more) outcome = parser.end();
  auto text = std::to_string(static_cast<int>(outcome));
  if (outcome != AnswerParser::Outcome::complete) return text + parser.why();
  skewguard::Exchange exchange;
  parser.take(exchange);
  skewguard::fuzz::require(exchange.status >= 200 && exchange.status <= 999,
                           "an answer is a final one");
  skewguard::fuzz::require(exchange.body.size() <= 4096, "a body is within the limit");
  text += std::to_string(exchange.status);
  for (const auto& field : exchange.headers.fields()) text += field.name + ':' + field.value + '\n';
  return text + exchange.body;
}

}  // namespace

/// First byte: the size of the pieces. The rest: what a server sends before it closes.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return skewguard::fuzz::require_same_in_pieces(data, size, outcome_of);
}
