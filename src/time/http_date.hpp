#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "skewguard/time.hpp"

namespace skewguard::time {

/// Parses an HTTP date (RFC 9110 section 5.6.7) in any of its three forms: IMF-fixdate, RFC 850
/// (two-digit year), asctime. Returns whole seconds since 1970-01-01T00:00:00Z, or empty if the
/// text is malformed, names a day that does not exist or the wrong weekday, or has second 60 (a
/// leap second has no representation). Case-sensitive, like the grammar. `today` resolves a
/// two-digit year: a date more than 50 years in the future is in the past century.
std::optional<std::chrono::seconds> parse_http_date(std::string_view text,
                                                    std::chrono::seconds today);

/// The same, but also accepts other unambiguous dates: an IMF-fixdate with no weekday, the wrong
/// one, or a one-digit day; one of these or an RFC 850 date with "UTC", "UT", "Z" (in any case),
/// "+0200", "+0000 (UTC)" or "GMT+2" as its zone (RFC 5322: positive = east of Greenwich, up to 14
/// h); an asctime date with the wrong weekday; an RFC 3339 date, whose fraction of a second is
/// dropped. Empty if the zone is missing or is an abbreviation that several zones share.
std::optional<std::chrono::seconds> parse_loose_date(std::string_view text,
                                                     std::chrono::seconds today);

/// IMF-fixdate, rounded down: "Sun, 06 Nov 1994 08:49:37 GMT". Years 0..9999.
std::string format_http_date(std::chrono::seconds since_epoch);

/// RFC 3339, UTC, rounded down to whole seconds: "2026-01-01T00:00:00Z".
std::string format_rfc3339(Duration since_epoch);
/// The same with milliseconds: "2026-01-01T00:00:00.250Z".
std::string format_rfc3339_ms(Duration since_epoch);

}  // namespace skewguard::time
