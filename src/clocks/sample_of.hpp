#pragma once

#include <optional>
#include <string>

#include "skewguard/http.hpp"
#include "time/date_sample.hpp"

namespace skewguard::clocks {

/// Reads an answer's Date as a sample of the server's clock, or says why it is none (in `why`, one
/// plain phrase): no Date, two of them, Age, malformed, second 60, 1xx, 407, 408, an early answer,
/// one with received before sent, a date that no clock shows today.
/// A Date may repeat a secret: turn `quote` off where the words go to a log that must not hold one.
std::optional<time::DateSample> sample_of(const AnswerHead& head, std::string* why = nullptr,
                                          bool quote = true);

}  // namespace skewguard::clocks
