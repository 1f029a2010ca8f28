#include "store/key.hpp"

#include <openssl/sha.h>

#include <array>
#include <string_view>

namespace skewguard::store {
namespace {

std::string sha256_hex(std::string_view text) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  std::string hex;
  hex.reserve(2 * digest.size());
  for (const unsigned char byte : digest) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    hex += kDigits[byte >> 4U];
    hex += kDigits[byte & 15U];
  }
  return hex;
}

}  // namespace

std::string key_of(const ClientOptions& options) {
  std::string whole;
  const auto add = [&whole](std::string_view part) {
    whole += std::to_string(part.size());  // lengths keep two neighbours apart
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
  add(sha256_hex(options.client_secret.reveal()));
  return sha256_hex(whole);
}

}  // namespace skewguard::store
