#pragma once

#include <optional>

#include "skewguard/error.hpp"
#include "skewguard/report.hpp"

/// The only place that knows the numbers of docs/contract.md section 3.
namespace skewguard::diagnosis {

/// Of a program that did its job (nothing) or failed.
int exit_code(std::optional<ErrorKind> failure) noexcept;

/// Notes in the report how the call ended: what it failed with, its exit code, and whether a
/// rejection was cured. `report.verdict` stands already.
void conclude(CallReport& report, std::optional<ErrorKind> failure) noexcept;

}  // namespace skewguard::diagnosis
