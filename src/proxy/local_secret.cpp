#include "proxy/local_secret.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <string>
#include <utility>

#include "base/same_secret.hpp"
#include "base/secret_text.hpp"

namespace skewguard::proxy {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
/// What no other use of the secret signs.
constexpr std::string_view kPurpose = "skewguard login handle, version 1";

Secret handle_of(const Secret& secret) {
  SecretText text("skewguard-");
  if (secret.empty()) return std::move(text.append("local")).secret();
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  const auto key = secret.reveal();
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(kPurpose.data()), kPurpose.size(), digest.data(),
       &size);
  for (unsigned int i = 0; i < size; ++i) {
    text.append(kHexDigits[digest[i] >> 4U]);
    text.append(kHexDigits[digest[i] & 15U]);
  }
  OPENSSL_cleanse(digest.data(), digest.size());
  return std::move(text).secret();
}

}  // namespace

LocalSecret::LocalSecret(Secret secret) : secret_(std::move(secret)), handle_(handle_of(secret_)) {}

std::vector<Secret> LocalSecret::bearers() const {
  if (secret_.empty()) return {};
  return {handle_, secret_};
}

bool LocalSecret::admits_login(std::string_view client_secret) const noexcept {
  return secret_.empty() || same_secret(client_secret, secret_.reveal());
}

}  // namespace skewguard::proxy
