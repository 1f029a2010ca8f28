#pragma once

#include <optional>
#include <vector>

#include "diagnosis/evidence.hpp"
#include "oauth/token_events.hpp"

/// What later calls learn from a call once its verdicts are settled.
namespace skewguard::guard {

/// The most that the API's clock can lag the issuer's (> 0), from a trial whose token was not valid
/// yet. `hull`: login minus API from everything known about either, if any.
std::optional<Duration> learned_lag(const diagnosis::Trial& trial,
                                    const std::optional<OffsetBound>& hull, Duration staleness);

/// The issuer's clock minus the API's, by this trial alone: the issuer's read in [made, made + 1 s
/// + staleness) at some time between `asked` and `received` of the token, the API's in [date, date
/// + 1 s + staleness) at some time between `sent` and `received` of the answer.
std::optional<OffsetBound> issuer_minus_api(const diagnosis::Trial& trial, Duration staleness);

/// How much earlier tokens must end (> 0) because the API's clock leads the issuer's, from a trial
/// whose token had expired by the API's Date before our own deadline. The largest possible value if
/// that costs at most half of the remaining life; otherwise the smallest. Never less than the
/// remaining life of the refused token.
std::optional<Duration> learned_lead(const diagnosis::Trial& trial,
                                     const std::optional<OffsetBound>& hull, Duration life,
                                     Duration staleness);

/// What the token machine is told after a call: tokens that ended early, a lag or a lead of the
/// API's clock, and a new token that was refused for good. `verdicts`: the final one of each trial,
/// `ok` where the token was accepted; at least one. `hull` as above.
std::vector<oauth::TokenEvent> lessons(const std::vector<diagnosis::Trial>& trials,
                                       const std::vector<Verdict>& verdicts,
                                       const std::optional<OffsetBound>& hull, Duration staleness);

}  // namespace skewguard::guard
