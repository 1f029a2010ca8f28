#pragma once

#include <string>

#include "skewguard/time.hpp"

namespace skewguard::time {

/// "+312.402 s", "-0.31 ms": as many digits as the width of the bounds justifies.
std::string offset_text(Duration offset, Duration width);
/// Both ends of a bound: "-0.31 to +2.05 ms".
std::string bounds_text(const OffsetBound& bound);
/// The same without signs: "312.396 to 312.405 s".
std::string size_range_text(const OffsetBound& bound);
/// If the bound is a multiple of half an hour, within 10 s and up to 15 h: "; whole hours point to
/// a time zone, daylight saving, or a hardware clock that keeps local time". Otherwise empty.
std::string hours_hint(const OffsetBound& bound);

}  // namespace skewguard::time
