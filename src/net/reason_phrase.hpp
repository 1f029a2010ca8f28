#pragma once

#include <string_view>

namespace skewguard::net {

/// The customary reason phrase of a status code (RFC 9110 section 15), 401 -> "Unauthorized";
/// empty for a code that has none.
std::string_view reason_phrase(int status) noexcept;

}  // namespace skewguard::net
