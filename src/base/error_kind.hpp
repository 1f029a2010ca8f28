#pragma once

#include "skewguard/error.hpp"
#include "skewguard/verdict.hpp"

namespace skewguard {

/// What the caller should do next after giving up on this verdict. `ok` means that the server
/// answered with an error unrelated to the token: `protocol`.
ErrorKind error_kind(Verdict verdict) noexcept;

}  // namespace skewguard
