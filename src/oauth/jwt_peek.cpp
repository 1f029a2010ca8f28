#include "oauth/jwt_peek.hpp"

#include <cmath>

#include "oauth/base64.hpp"
#include "oauth/json.hpp"

namespace skewguard::oauth {
namespace {

constexpr std::size_t kMaxTokenBytes = std::size_t{256} * 1024;
/// A Duration covers 292 years, and the difference of any two such times must fit as well.
constexpr double kFarthestSeconds = 200.0 * 365.25 * 86400.0;

std::optional<nlohmann::json> json_object(std::string_view part) {
  const auto text = base64url_decode(part);
  if (!text) return std::nullopt;
  auto value = parse_json(text->view());
  if (!value || !value->is_object()) return std::nullopt;
  return value;
}

std::optional<double> number_of(const nlohmann::json& claim) {
  if (claim.is_number()) return claim.get<double>();
  return claim.is_string() ? number_of_text(claim.get_ref<const std::string&>()) : std::nullopt;
}

/// A NumericDate (RFC 7519 section 2): whole or fractional seconds since 1970.
std::optional<Duration> numeric_date(const nlohmann::json& payload, const char* name) {
  const auto claim = payload.find(name);
  const auto number = claim == payload.end() ? std::nullopt : number_of(*claim);
  if (!number) return std::nullopt;
  const double seconds = *number;
  if (!(seconds >= 0 && seconds <= kFarthestSeconds)) return std::nullopt;  // NaN too
  // Apart, so that today's whole seconds stay exact in ns.
  const double whole = std::floor(seconds);
  return std::chrono::seconds{static_cast<std::int64_t>(whole)} +
         Duration{static_cast<std::int64_t>((seconds - whole) * 1e9)};
}

std::optional<nlohmann::json> payload_of(std::string_view token) {
  if (token.size() > kMaxTokenBytes) return std::nullopt;
  const auto first = token.find('.');
  if (first == std::string_view::npos) return std::nullopt;
  const auto second = token.find('.', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  // An empty signature is well-formed (RFC 7515 appendix A.5); a third dot is in no alphabet.
  if (!base64url_decode(token.substr(second + 1))) return std::nullopt;
  if (!json_object(token.substr(0, first))) return std::nullopt;
  return json_object(token.substr(first + 1, second - first - 1));
}

}  // namespace

std::optional<JwtClaims> peek_jwt(std::string_view token) {
  const auto payload = payload_of(token);
  if (!payload) return std::nullopt;
  return JwtClaims{.iat = numeric_date(*payload, "iat"),
                   .nbf = numeric_date(*payload, "nbf"),
                   .exp = numeric_date(*payload, "exp")};
}

std::vector<std::string> odd_claims(std::string_view token) {
  std::vector<std::string> odd;
  const auto payload = payload_of(token);
  if (!payload) return odd;
  for (const char* name : {"iat", "nbf", "exp"}) {
    const auto claim = payload->find(name);
    const bool there = claim != payload->end() && !claim->is_null();
    if (there && !numeric_date(*payload, name)) odd.emplace_back(name);
  }
  return odd;
}

}  // namespace skewguard::oauth
