#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "skewguard/time.hpp"

namespace skewguard::time {

/// "500ms", "30s", "10m", "2h", "1.5s", "-3s", "+5s"; a bare number is seconds. Units: ns, us, ms,
/// s, m, h, d. Empty if the text is anything else, or over 100 years.
std::optional<Duration> parse_duration(std::string_view text);

/// A text that parse_duration() accepts, in the largest unit up to hours that needs no fraction:
/// "24h", "90s", "1ms", "0s".
std::string setting_text(Duration duration);

/// For people: "4.0 s", "-312.4 s", "12.1 ms", "2 h 5 min". At most four significant digits.
std::string human(Duration duration);

}  // namespace skewguard::time
