#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/url.hpp"
#include "skewguard/http.hpp"

namespace skewguard::net {

/// Whether a field is one that the transport sets itself, or that speaks of one connection alone
/// (RFC 9110 section 7.6.1): nobody else may set it.
bool transport_field(std::string_view name) noexcept;

/// Why this request cannot be sent as it stands, in plain words without its values; nothing if it
/// can. Control bytes would let a value end its line and begin fields of its own.
std::optional<std::string> refusal(const HttpRequest& request);

/// The head as it goes over the wire (RFC 9112 section 3); it holds the credentials. `request` is
/// one that refusal() has nothing against.
Secret wire_head(const HttpRequest& request, const http::Url& url);

/// The head that asks a proxy for a tunnel to `target` ("host:port"); `authorization` is the value
/// of Proxy-Authorization, empty = none.
Secret connect_head(std::string_view target, const Secret& authorization);

}  // namespace skewguard::net
