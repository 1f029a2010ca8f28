#include "oauth/withhold.hpp"

#include <utility>

namespace skewguard::oauth {

std::string without_secrets(std::string text, std::initializer_list<std::string_view> secrets) {
  for (const auto secret : secrets) {
    if (secret.empty()) continue;
    for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret, at)) {
      text.replace(at, secret.size(), "***");
      at += 3;
    }
  }
  return text;
}

Exchange without_secrets(const Exchange& answer, std::initializer_list<std::string_view> secrets) {
  Exchange out = answer;
  out.body = without_secrets(std::move(out.body), secrets);
  out.headers = {};
  for (const auto& field : answer.headers.fields()) {
    out.headers.add(field.name, without_secrets(field.value, secrets));
  }
  return out;
}

}  // namespace skewguard::oauth
