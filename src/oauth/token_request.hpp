#pragma once

#include <string_view>

#include "oauth/grant.hpp"
#include "skewguard/http.hpp"

namespace skewguard::oauth {

/// The form of client id and secret in Basic authentication.
enum class BasicForm {
  form_encoded,  ///< each form-encoded first: RFC 6749 section 2.3.1
  raw,           ///< as they are: RFC 7617, and what Genesys expects
};

/// The token request of `grant`: a POST of its form fields, with the client authenticated according
/// to Grant::client_auth. A public client (no secret) identifies itself with `client_id` in the
/// form (RFC 6749 section 3.2.1).
HttpRequest token_request(const Grant& grant, std::string_view token_url, BasicForm form);

}  // namespace skewguard::oauth
