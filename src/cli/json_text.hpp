#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace skewguard::cli {

/// As it is printed, with a newline. What is not UTF-8 is replaced. `indent` -1: on one line.
inline std::string json_text(const nlohmann::ordered_json& json, int indent = 2) {
  return json.dump(indent, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace skewguard::cli
