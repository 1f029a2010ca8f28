#include "oauth/secret_hint.hpp"

namespace skewguard::oauth {

std::string_view secret_hint(std::string_view secret, ClientAuth sent_in) noexcept {
  if (secret.size() < 2) return {};
  const char first = secret.front();
  const char last = secret.back();
  if (first == last && (first == '"' || first == '\''))
    return "the client secret stands in quotation marks, which are sent as part of it: remove them";
  if (first == ' ' || last == ' ')
    return "the client secret begins or ends with a blank, which is sent as part of it: remove it";
  if (first == '$' && secret[1] == '{' && last == '}') {
    return "the client secret is the name of a variable (${...}) that nothing has replaced by its "
           "value";
  }
  if (sent_in == ClientAuth::basic && secret.find_first_of("+%") != std::string_view::npos) {
    return "the client secret holds a + or %: --dialect genesys sends it as it is, --dialect "
           "rfc6749 form-encoded; the login host may want the other one";
  }
  return {};
}

}  // namespace skewguard::oauth
