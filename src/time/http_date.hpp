#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "skewguard/time.hpp"

namespace skewguard::time {

/// Whole seconds since 1970-01-01T00:00:00Z that an HTTP date names (RFC 9110 section 5.6.7), in
/// any of its three forms: IMF-fixdate, RFC 850 (two-digit year), asctime. Nothing where the text
/// is malformed, names a day that does not exist or a weekday that does not fit, or has second 60
/// (a leap second names no instant). Case-sensitive, as the grammar is. `today` resolves a
/// two-digit year: one that would lie more than 50 years ahead of it is taken as the past century.
std::optional<std::chrono::seconds> parse_http_date(std::string_view text,
                                                    std::chrono::seconds today);

/// The same, and what else names one instant: an IMF-fixdate with no weekday or the wrong one, or a
/// day of one digit; one of these or an RFC 850 date with "UTC", "UT", "Z" (in any case), "+0200",
/// "+0000 (UTC)" or "GMT+2" for its zone (RFC 5322: positive = east of Greenwich, by up to 14 h);
/// an asctime date with the wrong weekday; an RFC 3339 date, whose parts of a second are left out.
/// Nothing where a zone is missing or is a word that several zones share.
std::optional<std::chrono::seconds> parse_loose_date(std::string_view text,
                                                     std::chrono::seconds today);

/// IMF-fixdate, rounded down: "Sun, 06 Nov 1994 08:49:37 GMT". Years 0..9999.
std::string format_http_date(std::chrono::seconds since_epoch);

/// RFC 3339, UTC, rounded down to whole seconds: "2026-01-01T00:00:00Z".
std::string format_rfc3339(Duration since_epoch);
/// The same with milliseconds: "2026-01-01T00:00:00.250Z".
std::string format_rfc3339_ms(Duration since_epoch);

}  // namespace skewguard::time
