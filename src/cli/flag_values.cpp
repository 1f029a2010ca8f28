#include "cli/flag_values.hpp"

#include "time/duration_text.hpp"

namespace skewguard::cli {

std::optional<Error> read_duration(const char* flag, const std::optional<std::string>& text,
                                   Duration& into) {
  if (!text) return std::nullopt;
  const auto duration = time::parse_duration(trim(*text));
  if (!duration) {
    return usage_error(std::string(flag) + " is not a duration",
                       "write 500ms, 1.5s, 10m or 2h; a bare number is seconds");
  }
  into = *duration;
  return std::nullopt;
}

}  // namespace skewguard::cli
