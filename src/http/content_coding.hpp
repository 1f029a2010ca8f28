#pragma once

#include <cstddef>
#include <string_view>

#include "base/secret_text.hpp"
#include "skewguard/http.hpp"

/// Decodes bodies.
namespace skewguard::http {

enum class Decoding {
  plain,      ///< nothing to do: no coding, or no body
  decoded,    ///< the body is what it was before it was coded
  unknown,    ///< a coding that this program does not know; nothing was changed
  broken,     ///< cut off or corrupt; nothing was changed
  too_large,  ///< it is over the limit; nothing was changed
};

/// The limit of deflate blocks, over all codings of a body: empty ones cost time and contain
/// nothing.
inline constexpr std::size_t kMaxBlocks = 20'000;

/// Decodes the body (gzip, deflate, or several of them, RFC 9110 section 8.4) and removes
/// Content-Encoding and Content-Length, which describe the encoded body. The result may have at
/// most `limit` bytes, each encoded form at most twice as many bytes and kMaxBlocks blocks. Safe
/// for hostile input: the limit bounds memory and time. Wipes its buffers, since they may hold a
/// token.
Decoding decode_body(Exchange& exchange, std::size_t limit);

/// Whether the body still has a Content-Encoding other than `identity`.
bool is_coded(const Headers& headers);

/// `body` as UTF-8: unchanged if it is, otherwise converted from ISO 8859-1, whatever its charset
/// says. The view refers to `body` or `held`.
std::string_view as_utf8(std::string_view body, SecretText& held);

}  // namespace skewguard::http
