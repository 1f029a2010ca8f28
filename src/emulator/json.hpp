#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "skewguard/time.hpp"

namespace skewguard::emulator {

/// Keeps the order in which fields are written.
using OrderedJson = nlohmann::ordered_json;

/// A JSON number of seconds: an integer if it is whole.
inline nlohmann::json seconds_number(Duration duration) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(duration);
  if (whole == duration) return whole.count();
  return std::chrono::duration<double>(duration).count();
}

/// Never throws: bytes that are not UTF-8 (in a path or a client id) are replaced.
inline std::string to_text(const nlohmann::json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}
inline std::string to_text(const OrderedJson& value) {
  return value.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace skewguard::emulator
