#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "relay/head_codec.hpp"
#include "skewguard/secret.hpp"

/// Who is served, and what: the guard in front of the credentials.
namespace skewguard::relay {

/// A request's target without its query.
constexpr std::string_view path_of(std::string_view target) noexcept {
  return target.substr(0, target.find('?'));
}

/// One `--allow`: requests of this method to this path, byte for byte.
struct AllowRule {
  std::string method;
  std::string path;     ///< without query
  bool prefix = false;  ///< any path that begins with `path`

  [[nodiscard]] bool allows(std::string_view request_method, std::string_view request_path) const;
};
/// "METHOD PATH", with a `*` at the end of PATH if it is a prefix. Empty if it is not that.
std::optional<AllowRule> parse_allow_rule(std::string_view text);

struct AdmissionRules {
  std::vector<std::string> hosts;    ///< names or addresses without port, besides loopback's
  std::vector<std::string> origins;  ///< of web pages that are served, besides none
  std::vector<Secret> bearers;       ///< one of them must be shown; none = everybody is served
  std::vector<std::string> required_fields;  ///< names
  std::vector<AllowRule> allow;              ///< one of them must match; none = everything
};

/// What a request is for.
enum class Route : std::uint8_t {
  api,        ///< forward it
  login,      ///< an SDK's own login
  end_token,  ///< `DELETE /api/v2/tokens/me`, which would end everybody's token: answer 204
  healthz,
  readyz,
  metrics,
  status,
  preflight,  ///< a browser asks whether a page may send a request: the session answers
};

/// Why a request is denied.
enum class Denial : std::uint8_t {
  none,
  host,            ///< DNS rebinding: a web page under a name of its own
  origin,          ///< a web page
  cross_site,      ///< a web page's image, form or link
  bearer,          ///< it does not show the handle
  required_field,  ///< it lacks a field of --require-header
  path_form,       ///< a server might resolve the path to another
  not_found,       ///< nothing is served there
  method,          ///< nor with this method
  not_allowed,     ///< no --allow matches
};
struct DenialText {
  int status = 403;
  std::string_view code;     ///< follows "skewguard."
  std::string_view message;  ///< a sentence
};
DenialText text_of(Denial denial) noexcept;

struct Admission {
  Denial denial = Denial::none;
  Route route = Route::api;
  std::string_view target;  ///< where to forward it: the request's own, without a gateway prefix
  /// Of the web page that may read the answer, a denial too; empty if no page asks.
  std::string_view origin;
};

/// Judges a request in this order: Host, Origin, Sec-Fetch-Site, preflights, own pages, the bearer,
/// required fields, the form of the path, the allow-list. Nothing is normalized: what needs it is
/// denied. A preflight shows neither bearer nor fields; the request that it asks for must.
/// Takes the same time for every wrong bearer of one length. Thread-safe, allocates nothing.
Admission admit(const RequestHead& head, const AdmissionRules& rules) noexcept;

}  // namespace skewguard::relay
