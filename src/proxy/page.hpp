#pragma once

#include <string>
#include <string_view>

#include "relay/session_machine.hpp"
#include "skewguard/http.hpp"
#include "skewguard/secret.hpp"
#include "skewguard/time.hpp"

namespace skewguard::proxy {

/// An answer of the sidecar's own.
struct Page {
  int status = 200;
  Headers headers{};  ///< without Date, Connection and Content-Length
  Secret body{};      ///< a login's holds the handle
};

Page json_page(int status, std::string_view body);
Page text_page(int status, std::string_view body);

/// An error in the platform's format, so that SDKs understand it. `code`: without "skewguard.".
Page error_page(int status, std::string_view code, std::string_view message);

/// The answer to a request that gets none from the API. 503 with Retry-After means that nothing was
/// sent to the API, and nothing else does (docs/guide/sidecar.md).
Page problem_page(const relay::Problem& problem);

/// The lines of its fields and of a Date.
std::string fields_text(const Page& page, WallTime now);

}  // namespace skewguard::proxy
