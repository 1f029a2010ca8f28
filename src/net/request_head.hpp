#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/url.hpp"
#include "skewguard/http.hpp"

namespace skewguard::net {

/// Whether only the transport may set this field: it sets it itself, or it is about a single
/// connection (RFC 9110 section 7.6.1).
bool transport_field(std::string_view name) noexcept;

/// Why this request cannot be sent, in plain words without its values; empty if it can. Control
/// bytes would let a value end its line and start new fields.
std::optional<std::string> why_invalid(const HttpRequest& request);

/// The head as sent (RFC 9112 section 3), including the credentials. `request`: one that passes
/// why_invalid().
Secret wire_head(const HttpRequest& request, const http::Url& url);

/// The head that requests a tunnel to `target` ("host:port") from a proxy; `authorization`: the
/// value of Proxy-Authorization, empty = none.
Secret connect_head(std::string_view target, const Secret& authorization);

}  // namespace skewguard::net
