#pragma once

#include <optional>

#include "skewguard/error.hpp"
#include "skewguard/report.hpp"
#include "skewguard/transport.hpp"
#include "skewguard/verdict.hpp"

namespace skewguard::diagnosis {

/// The verdict of a missing answer. `local`: the wall clock's time.
Verdict verdict_of(const TransportFailure& failure, WallTime local);

/// What a call fails with that gives up on this verdict about an answer of `host`. As error_kind(),
/// but where the API cannot reach its own login service: it did answer, with an error like any
/// other, and `protocol` is what such calls end with.
ErrorKind failure_of(Verdict verdict, HostRole host) noexcept;

/// What the call behind this error failed with, if there was one, else the error's own kind.
ErrorKind failure_of(const Error& error) noexcept;

/// The error that an ended call amounts to, in the words of its last failed attempt; nothing if it
/// did not fail.
std::optional<Error> error_of(const CallReport& report);

}  // namespace skewguard::diagnosis
