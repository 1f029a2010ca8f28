#include "oauth/secret_hint.hpp"

namespace skewguard::oauth {

std::string_view secret_hint(std::string_view secret, ClientAuth sent_in) noexcept {
  if (secret.size() < 2) return {};
  const char first = secret.front();
  const char last = secret.back();
  if (first == last && (first == '"' || first == '\''))
    return "the client secret is in quotation marks, which are sent as part of it: remove them";
  if (first == ' ' || last == ' ')
    return "the client secret begins or ends with a space, which is sent as part of it: remove it";
  if (first == '$' && secret[1] == '{' && last == '}') {
    return "the client secret is the name of a variable (${...}) instead of its value: pass the "
           "value";
  }
  if (sent_in == ClientAuth::basic && secret.find_first_of("+%") != std::string_view::npos) {
    return "the client secret contains a + or %: --dialect genesys sends it unchanged, --dialect "
           "rfc6749 form-encoded; the login host may expect the other one";
  }
  return {};
}

}  // namespace skewguard::oauth
