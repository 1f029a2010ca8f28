#pragma once

#include <cstddef>
#include <string_view>

#include "base/secret_text.hpp"
#include "skewguard/http.hpp"

/// What a body says, whatever it is packed in.
namespace skewguard::http {

enum class Decoding {
  plain,      ///< nothing to do: no coding, or no body
  decoded,    ///< the body is what it was before it was coded
  unknown,    ///< a coding that this program does not know; nothing was changed
  broken,     ///< cut off or corrupt; nothing was changed
  too_large,  ///< it is over the limit; nothing was changed
};

/// Of deflate, all codings of a body together: empty ones cost time, and bring nothing.
inline constexpr std::size_t kMostBlocks = 20'000;

/// Takes the body out of its Content-Encoding (gzip, deflate, or several of them, RFC 9110 section
/// 8.4) and drops Content-Encoding and Content-Length, which speak of the coded one. At most
/// `limit` bytes may come out of its codings together, each of at most twice as many bytes and
/// kMostBlocks blocks. Hostile input safe: the limit bounds memory and time; what it goes through
/// is wiped, for it may be a token.
Decoding decode_body(Exchange& exchange, std::size_t limit);

/// The body is still in some Content-Encoding other than `identity`.
bool is_coded(const Headers& headers);

/// `body` as UTF-8: as it stands where it is, else read as ISO 8859-1, whatever its charset says.
/// The view is into `body` or `held`.
std::string_view as_utf8(std::string_view body, SecretText& held);

}  // namespace skewguard::http
