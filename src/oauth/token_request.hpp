#pragma once

#include <string_view>

#include "oauth/grant.hpp"
#include "skewguard/http.hpp"

namespace skewguard::oauth {

/// How client id and secret stand in Basic authentication.
enum class BasicForm {
  form_encoded,  ///< each form-encoded first: RFC 6749 section 2.3.1
  raw,           ///< as they are: RFC 7617, and what Genesys expects
};

/// The token request of `grant`: a POST of its form fields, the client authenticated as
/// Grant::client_auth says. A public client (no secret) names itself by `client_id` in the form
/// (RFC 6749 section 3.2.1).
HttpRequest token_request(const Grant& grant, std::string_view token_url, BasicForm form);

}  // namespace skewguard::oauth
