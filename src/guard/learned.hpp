#pragma once

#include <optional>

#include "diagnosis/evidence.hpp"

/// What one call teaches all later ones, once its verdicts are settled.
namespace skewguard::guard {

/// The most that the API's clock lags the issuer's (> 0), from a trial whose token had not begun.
/// `hull`: login minus API over all that was heard of either, where known.
std::optional<Duration> learned_lag(const diagnosis::Trial& trial,
                                    const std::optional<OffsetBound>& hull, Duration staleness);

/// The issuer's clock minus the API's, by this trial alone: the issuer's read in [made, made + 1 s
/// + staleness) at some time between `asked` and `received` of the token, the API's in [date, date
/// + 1 s + staleness) at some time between `sent` and `received` of the answer.
std::optional<OffsetBound> issuer_minus_api(const diagnosis::Trial& trial, Duration staleness);

/// How much earlier tokens must end (> 0) since the API's clock leads the issuer's, from a trial
/// whose token had ended by the API's Date before our own deadline had passed. The most that it can
/// be, where such caution costs at most half of the life that is left; else what it surely is.
/// Never less than what was left of the refused token's life.
std::optional<Duration> learned_lead(const diagnosis::Trial& trial,
                                     const std::optional<OffsetBound>& hull, Duration life,
                                     Duration staleness);

}  // namespace skewguard::guard
