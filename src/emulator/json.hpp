#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "skewguard/time.hpp"

namespace skewguard::emulator {

/// Answers keep the order in which their fields are written.
using OrderedJson = nlohmann::ordered_json;

/// As a JSON number of seconds: an integer where it is whole.
inline nlohmann::json seconds_number(Duration duration) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(duration);
  if (whole == duration) return whole.count();
  return std::chrono::duration<double>(duration).count();
}

/// Never throws: bytes that are no UTF-8 (of a path, of a client's id) are replaced.
inline std::string to_text(const nlohmann::json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}
inline std::string to_text(const OrderedJson& value) {
  return value.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace skewguard::emulator
