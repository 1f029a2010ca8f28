#include "oauth/token_answer.hpp"

#include <algorithm>
#include <string>
#include <string_view>

#include "base/one_line.hpp"
#include "fuzz.hpp"
#include "http/url.hpp"
#include "oauth/lifetime.hpp"
#include "oauth/refusals.hpp"
#include "oauth/rfc6749_dialect.hpp"

namespace {

std::size_t characters(std::string_view utf8) {
  return static_cast<std::size_t>(std::ranges::count_if(
      utf8, [](char c) { return (static_cast<unsigned>(c) & 0xC0U) != 0x80; }));
}

}  // namespace

/// First line: the status. The rest: the body of a token endpoint's answer.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace skewguard;
  auto text = fuzz::as_text(data, size);
  const auto status = fuzz::take_line(text);
  Exchange exchange;
  exchange.status = 200;
  exchange.body = std::string(text);
  const auto answer = oauth::token_answer(exchange);
  if (answer) {
    const auto token = answer->access_token.reveal();
    fuzz::require(!token.empty() && http::valid_field_value(token), "a token fits into a header");
    fuzz::require(!answer->expires_in || (Duration{0} < *answer->expires_in &&
                                          *answer->expires_in <= oauth::kLongestLife),
                  "a life is sane");
  } else {
    fuzz::require(answer.error().kind == ErrorKind::protocol, "an answer refused is the server's");
    const auto message = describe(answer.error());
    fuzz::require(one_line(message) == message, "a message steers no terminal");
  }

  exchange.status = 300;
  for (const char c : status.substr(0, 3)) exchange.status += static_cast<unsigned char>(c);
  const auto refusal = oauth::Rfc6749Dialect{}.login_refusal(exchange);
  fuzz::require(refusal.kind != oauth::Refusal::Kind::none, "a refusal is sorted");
  for (const std::string& words : {refusal.error_code, refusal.description}) {
    fuzz::require(characters(words) <= 203, "the server's words are short");
    fuzz::require(one_line(words) == words, "the server's words steer no terminal");
  }
  return 0;
}
