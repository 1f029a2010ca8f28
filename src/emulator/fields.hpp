#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "emulator/skewed_clock.hpp"

namespace skewguard::emulator {

/// Reads the fields of one JSON object, each by its type, and keeps the first error, which names
/// the field. A field that is missing or null is empty.
class Fields {
 public:
  /// The text must be one JSON object; an empty one counts as {}.
  explicit Fields(std::string_view text);
  /// `prefix` precedes the names in errors: "add[0].".
  Fields(nlohmann::json object, std::string prefix);

  std::optional<std::string> text(std::string_view name);
  std::optional<bool> flag(std::string_view name);
  std::optional<double> number(std::string_view name, double min, double max);
  std::optional<std::uint64_t> count(std::string_view name, std::uint64_t max);
  /// "5s", "-300ms", or a number of seconds.
  std::optional<Duration> duration(std::string_view name, Duration min, Duration max);
  std::optional<std::vector<std::string>> texts(std::string_view name);
  /// The value unchanged, for fields that accept several types.
  std::optional<nlohmann::json> any(std::string_view name);
  /// Whether the field is present and null.
  bool null(std::string_view name);

  /// Records the error "field 'name': why", unless there is one already.
  void complain(std::string_view name, std::string_view why);
  /// Records an error from a nested object, unless there is one already.
  void complain_whole(std::string complaint);
  /// The first error; an unknown field is one too.
  [[nodiscard]] std::optional<std::string> complaint();

 private:
  const nlohmann::json* look(std::string_view name);

  nlohmann::json object_;
  std::string prefix_;
  std::set<std::string, std::less<>> asked_;
  std::optional<std::string> complaint_;
};

/// A JSON string or number as a duration.
std::optional<Duration> duration_from(const nlohmann::json& value);

}  // namespace skewguard::emulator
