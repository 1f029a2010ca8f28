#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace skewguard::cli {

/// The JSON text, with a newline. Bytes that are not UTF-8 are replaced. `indent` -1: on one line.
inline std::string json_text(const nlohmann::ordered_json& json, int indent = 2) {
  return json.dump(indent, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace skewguard::cli
