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

/// Reads the fields of one JSON object, each by its kind, and keeps the first complaint, which
/// names the field. A field that is not there, or null, is nothing.
class Fields {
 public:
  /// The text must be one JSON object; an empty one counts as {}.
  explicit Fields(std::string_view text);
  /// `prefix` stands before the names in complaints: "add[0].".
  Fields(nlohmann::json object, std::string prefix);

  std::optional<std::string> text(std::string_view name);
  std::optional<bool> flag(std::string_view name);
  std::optional<double> number(std::string_view name, double least, double most);
  std::optional<std::uint64_t> count(std::string_view name, std::uint64_t most);
  /// "5s", "-300ms", or a number of seconds.
  std::optional<Duration> duration(std::string_view name, Duration least, Duration most);
  std::optional<std::vector<std::string>> texts(std::string_view name);
  /// The value as it is, for those that take several kinds.
  std::optional<nlohmann::json> any(std::string_view name);
  /// There, and null.
  bool null(std::string_view name);

  /// Keeps "field 'name': why", unless there is a complaint already.
  void complain(std::string_view name, std::string_view why);
  /// Keeps a complaint as it is, unless there is one already: that of an object within.
  void complain_whole(std::string complaint);
  /// The first complaint; a field that nobody asked for is one too.
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
