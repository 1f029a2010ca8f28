#include "emulator/fields.hpp"

#include <cmath>
#include <utility>

#include "time/duration_text.hpp"

namespace skewguard::emulator {

using nlohmann::json;

Fields::Fields(std::string_view text)
    : object_(text.empty() ? json::object() : json::parse(text, nullptr, false)) {
  if (object_.is_object()) return;
  complaint_ = object_.is_discarded() ? "the body is not JSON" : "the body is not a JSON object";
  object_ = json::object();
}

Fields::Fields(json object, std::string prefix)
    : object_(std::move(object)), prefix_(std::move(prefix)) {}

std::optional<std::string> Fields::text(std::string_view name) {
  const auto* value = look(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_string()) return value->get<std::string>();
  complain(name, "must be a string");
  return std::nullopt;
}

std::optional<bool> Fields::flag(std::string_view name) {
  const auto* value = look(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_boolean()) return value->get<bool>();
  complain(name, "must be true or false");
  return std::nullopt;
}

std::optional<double> Fields::number(std::string_view name, double min, double max) {
  const auto* value = look(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_number()) {
    const auto number = value->get<double>();
    if (number >= min && number <= max) return number;
  }
  complain(name, "must be a number from " + std::to_string(static_cast<long long>(min)) + " to " +
                     std::to_string(static_cast<long long>(max)));
  return std::nullopt;
}

std::optional<std::uint64_t> Fields::count(std::string_view name, std::uint64_t max) {
  const auto* value = look(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_number_unsigned() && value->get<std::uint64_t>() <= max)
    return value->get<std::uint64_t>();
  complain(name, "must be a whole number from 0 to " + std::to_string(max));
  return std::nullopt;
}

std::optional<Duration> Fields::duration(std::string_view name, Duration min, Duration max) {
  const auto* value = look(name);
  if (value == nullptr) return std::nullopt;
  const auto duration = duration_from(*value);
  if (duration && *duration >= min && *duration <= max) return duration;
  complain(name, !duration ? "must be a duration: \"5s\", \"-300ms\", or seconds as a number"
                           : "must be between " + time::human(min) + " and " + time::human(max));
  return std::nullopt;
}

std::optional<std::vector<std::string>> Fields::texts(std::string_view name) {
  const auto* value = look(name);
  if (value == nullptr) return std::nullopt;
  std::vector<std::string> out;
  for (const auto& one : value->is_array() ? *value : json::array({nullptr})) {
    if (!one.is_string()) {
      complain(name, "must be an array of strings");
      return std::nullopt;
    }
    out.push_back(one.get<std::string>());
  }
  return out;
}

std::optional<json> Fields::any(std::string_view name) {
  const auto* value = look(name);
  return value == nullptr ? std::nullopt : std::optional<json>(*value);
}

bool Fields::null(std::string_view name) {
  asked_.emplace(name);
  const auto found = object_.find(name);
  return found != object_.end() && found->is_null();
}

void Fields::complain(std::string_view name, std::string_view why) {
  complain_whole("field '" + prefix_ + std::string(name) + "': " + std::string(why));
}

void Fields::complain_whole(std::string complaint) {
  if (!complaint_) complaint_ = std::move(complaint);
}

std::optional<std::string> Fields::complaint() {
  for (const auto& [name, value] : object_.items())
    if (!asked_.contains(name)) complain(name, "not known here");
  return complaint_;
}

const json* Fields::look(std::string_view name) {
  asked_.emplace(name);
  const auto found = object_.find(name);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

std::optional<Duration> duration_from(const json& value) {
  if (value.is_string()) return time::parse_duration(value.get_ref<const std::string&>());
  if (!value.is_number()) return std::nullopt;
  const auto seconds = value.get<double>();
  constexpr double kMax = std::chrono::duration<double>(SkewedClock::kMaxOffset).count();
  if (!(std::abs(seconds) <= kMax)) return std::nullopt;
  return std::chrono::round<Duration>(std::chrono::duration<double>(seconds));
}

}  // namespace skewguard::emulator
