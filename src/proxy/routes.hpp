#pragma once

#include <string_view>

namespace skewguard::proxy {

/// What a request's target asks for.
enum class Route {
  health,
  ready,
  login,
  logout,    ///< would end the token that all share
  api,       ///< goes to the API
  unusable,  ///< not a plain path: dot segments, a fragment, another form than origin-form
  unknown,
};

/// Of a target in the form of RFC 9112 section 3.2.1, byte for byte.
Route route_of(std::string_view method, std::string_view target) noexcept;

/// The part of it that the API understands: without the prefix that some SDKs' gateways add
/// ("/api/api/v2/users" is "/api/v2/users"). `target`: one that goes to the API.
std::string_view api_target(std::string_view target) noexcept;

/// Without the query.
std::string_view path_of(std::string_view target) noexcept;

}  // namespace skewguard::proxy
