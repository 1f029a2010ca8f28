#include "store/key.hpp"

#include <string_view>

#include "store/digest.hpp"

namespace skewguard::store {

std::string key_of(const ClientOptions& options, const Secret& client_secret) {
  std::string whole;
  const auto add = [&whole](std::string_view part) {
    whole += std::to_string(part.size());  // lengths keep two neighbors apart
    whole += ':';
    whole += part;
  };
  add(options.login_url);
  add(options.token_path);
  for (const auto& [name, value] : options.token_params) {
    add(name);
    add(value);
  }
  add(options.client_id);
  add(sha256_hex(client_secret.reveal()));
  return sha256_hex(whole);
}

}  // namespace skewguard::store
