#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "oauth/base64.hpp"
#include "skewguard/http.hpp"

namespace skewguard::oauth {

/// base64url without padding.
inline std::string base64url(std::string_view bytes) {
  std::string text(base64_encode(bytes).view());
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  while (!text.empty() && text.back() == '=') text.pop_back();
  return text;
}

/// A JWT with this payload and an invalid signature.
inline std::string testing_jwt(std::string_view payload) {
  return base64url(R"({"alg":"HS256"})") + "." + base64url(payload) + "." + base64url("signature");
}

inline Exchange answer_of(int status, std::string body, Headers headers = {}) {
  Exchange exchange;
  exchange.status = status;
  exchange.body = std::move(body);
  exchange.headers = std::move(headers);
  return exchange;
}

}  // namespace skewguard::oauth
