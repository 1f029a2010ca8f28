#pragma once

#include <openssl/types.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The emulator's own readers and writers of wire formats. It shares none with the client that it
/// judges, to be an independent witness.
namespace skewguard::emulator {

/// Base64 of RFC 4648 section 4, with padding. Empty if the text is not valid.
std::optional<std::string> base64_decode(std::string_view text);
/// Base64url of RFC 4648 section 5, without padding.
std::string base64url(std::string_view bytes);
std::string hex(std::string_view bytes);

std::string sha256(std::string_view bytes);  ///< 32 bytes
std::string sha512(std::string_view bytes);  ///< 64 bytes
/// SHA-256 of bytes that come piece by piece.
class Sha256 {
 public:
  Sha256();
  void add(std::string_view bytes);
  std::string hex();  ///< of all of them; once, then add() no more

 private:
  std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context_;
};

std::string hmac_sha256(std::string_view key, std::string_view bytes);
std::string hmac_sha512(std::string_view key, std::string_view bytes);

using Parameters = std::vector<std::pair<std::string, std::string>>;
/// application/x-www-form-urlencoded. Empty if a '%' is not followed by two hex digits.
std::optional<Parameters> parse_form(std::string_view text);
/// How often `name` occurs, and its first value.
std::size_t count(const Parameters& parameters, std::string_view name) noexcept;
std::optional<std::string_view> find(const Parameters& parameters, std::string_view name) noexcept;

/// A decimal number from `min` to `max`; `otherwise` if the name does not occur. Empty if it is
/// anything else or occurs twice.
std::optional<std::uint64_t> number_of(const Parameters& parameters, std::string_view name,
                                       std::uint64_t otherwise, std::uint64_t min,
                                       std::uint64_t max);

/// IMF-fixdate of RFC 9110 section 5.6.7.
std::string http_date(std::chrono::seconds since_epoch);

}  // namespace skewguard::emulator
