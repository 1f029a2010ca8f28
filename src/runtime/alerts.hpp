#pragma once

#include <functional>
#include <string>

#include "skewguard/report.hpp"

namespace skewguard::runtime {

/// Whether the report warrants an alert: a rejection that a clock caused, or that could not be
/// cured.
bool alarming(const CallReport& report) noexcept;

/// Runs `command` in a shell for each such report, with the report (JSON) on its standard input,
/// and never waits for it. A command that cannot be started is ignored. For one control loop.
std::function<void(const CallReport&)> alerts_to(const std::string& command);

}  // namespace skewguard::runtime
