#include "proxy/routes.hpp"

#include <algorithm>
#include <string>

#include "base/strings.hpp"

namespace skewguard::proxy {
namespace {

constexpr std::string_view kApi = "/api/v2/";
constexpr std::string_view kPrefixedApi = "/api/api/v2/";

/// "." or "..", raw or percent-encoded: some servers take it for a step up.
bool is_dot_segment(std::string_view segment) {
  std::string plain;
  for (std::size_t i = 0; i < segment.size(); ++i) {
    const bool dot = iequals(segment.substr(i, 3), "%2e");
    plain += dot ? '.' : segment[i];
    if (dot) i += 2;
    if (plain.size() > 2) return false;
  }
  return plain == "." || plain == "..";
}

/// Segments end at a slash or backslash, raw or percent-encoded.
bool has_dot_segment(std::string_view path) {
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= path.size(); ++i) {
    const bool encoded = iequals(path.substr(std::min(i, path.size()), 3), "%2f") ||
                         iequals(path.substr(std::min(i, path.size()), 3), "%5c");
    if (i < path.size() && path[i] != '/' && path[i] != '\\' && !encoded) continue;
    if (is_dot_segment(path.substr(begin, i - begin))) return true;
    begin = i + (encoded ? 3 : 1);
  }
  return false;
}

bool is_plain(std::string_view target) {
  const bool visible =
      std::ranges::all_of(target, [](char c) { return c > ' ' && c < '\x7f' && c != '#'; });
  return visible && target.starts_with('/') && !has_dot_segment(path_of(target));
}

}  // namespace

std::string_view path_of(std::string_view target) noexcept {
  return target.substr(0, target.find('?'));
}

std::string_view api_target(std::string_view target) noexcept {
  return target.starts_with(kPrefixedApi) ? target.substr(kPrefixedApi.size() - kApi.size())
                                          : target;
}

Route route_of(std::string_view method, std::string_view target) noexcept {
  const std::string_view path = path_of(target);
  if (!is_plain(target)) return Route::unusable;
  if (path == "/healthz") return Route::health;
  if (path == "/readyz") return Route::ready;
  if (path == "/oauth/token" || path == "/login/oauth/token") return Route::login;
  const std::string_view for_api = api_target(target);
  if (!for_api.starts_with(kApi)) return Route::unknown;
  if (method == "DELETE" && path_of(for_api) == "/api/v2/tokens/me") return Route::logout;
  return Route::api;
}

}  // namespace skewguard::proxy
