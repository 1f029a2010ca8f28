#include "oauth/token_answer.hpp"

#include <string>

#include "fuzz.hpp"
#include "http/url.hpp"
#include "oauth/lifetime.hpp"
#include "oauth/refusals.hpp"
#include "oauth/rfc6749_dialect.hpp"

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
    fuzz::require(http::valid_field_value(describe(answer.error())), "a message is visible ASCII");
  }

  exchange.status = 300;
  for (const char c : status.substr(0, 3)) exchange.status += static_cast<unsigned char>(c);
  const auto refusal = oauth::Rfc6749Dialect{}.login_refusal(exchange);
  fuzz::require(refusal.kind != oauth::Refusal::Kind::none, "a refusal is sorted");
  fuzz::require(refusal.error_code.size() <= 203 && refusal.description.size() <= 203,
                "the server's words are short");
  fuzz::require(http::valid_field_value(refusal.error_code + refusal.description),
                "the server's words are visible ASCII");
  return 0;
}
