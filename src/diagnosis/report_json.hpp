#pragma once

#include <nlohmann/json.hpp>

#include "skewguard/report.hpp"

/// Parts of reports as JSON, as schema `skewguard.report/1` has them.
namespace skewguard::diagnosis {

nlohmann::ordered_json json_of(const ReportedAttempt& attempt);
nlohmann::ordered_json json_of(const ReportedClock& clock);

}  // namespace skewguard::diagnosis
