#pragma once

#include <optional>

#include "skewguard/error.hpp"
#include "skewguard/report.hpp"
#include "skewguard/transport.hpp"
#include "skewguard/verdict.hpp"

namespace skewguard::diagnosis {

/// The exit code of a call that gives up on this verdict (docs/contract.md section 3); 0 for `ok`.
int exit_code(Verdict verdict, HostRole host = HostRole::api) noexcept;

/// The exit code of an error without a report; its own kind tells it. Never 0.
int exit_code(ErrorKind kind) noexcept;

/// What a caller should do next after that exit code. `timeout` is told from `network` by the
/// verdict. Not for 0.
ErrorKind error_kind(int exit_code, Verdict last) noexcept;

/// The verdict of a missing answer. `local`: the wall clock's time.
Verdict verdict_of(const TransportFailure& failure, WallTime local);

/// The error that an ended call amounts to, worded by its last failed attempt; nothing for exit
/// code 0.
std::optional<Error> error_of(const CallReport& report);

}  // namespace skewguard::diagnosis
