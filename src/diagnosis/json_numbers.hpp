#pragma once

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "skewguard/time.hpp"

/// Durations as JSON numbers, to the microsecond.
namespace skewguard::diagnosis {

inline double in_seconds(Duration d) {
  return std::round(static_cast<double>(d.count()) / 1e3) / 1e6;
}
inline double in_ms(Duration d) {
  return std::round(static_cast<double>(d.count()) / 1e3) / 1e3;
}
inline nlohmann::ordered_json seconds_or_null(const std::optional<Duration>& d) {
  return d ? nlohmann::ordered_json(in_seconds(*d)) : nlohmann::ordered_json();
}

}  // namespace skewguard::diagnosis
