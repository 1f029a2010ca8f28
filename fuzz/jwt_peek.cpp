#include "oauth/jwt_peek.hpp"

#include <string>

#include "fuzz.hpp"
#include "oauth/base64.hpp"
#include "oauth/lifetime.hpp"

namespace {

/// base64url without padding.
std::string base64url(std::string_view bytes) {
  std::string text(skewguard::oauth::base64_encode(bytes).view());
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  while (!text.empty() && text.back() == '=') text.pop_back();
  return text;
}

void check(const std::optional<skewguard::oauth::JwtClaims>& claims) {
  using namespace skewguard;
  if (!claims) return;
  constexpr Duration kFarthest = std::chrono::hours{24 * 366 * 250};
  for (const auto& time : {claims->iat, claims->nbf, claims->exp}) {
    fuzz::require(!time || (-kFarthest < *time && *time < kFarthest), "a time is within 250 years");
  }
  const auto life = oauth::life_of_claims(*claims);
  fuzz::require(!life || (Duration{0} < *life && *life <= oauth::kLongestLife), "a life is sane");
}

}  // namespace

/// The input as a whole token, and as the payload of one.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace skewguard;
  const auto text = fuzz::as_text(data, size);
  check(oauth::peek_jwt(text));
  check(oauth::peek_jwt("e30." + base64url(text) + "."));
  const auto decoded = oauth::base64url_decode(base64url(text));
  fuzz::require(decoded && *decoded == text, "base64url reads back");
  return 0;
}
