#pragma once

#include <optional>

#include "diagnosis/evidence.hpp"
#include "skewguard/time.hpp"
#include "skewguard/verdict.hpp"

/// What one answer shows about a token's times. Pure.
namespace skewguard::diagnosis {

/// When the token was still to become valid by this answer's Date: the earlier of nbf and iat, or
/// the later one if the earlier has passed. The earlier one if there is no Date, or if both have
/// passed.
std::optional<ServerTime> pending_begin(const Trial& trial);
/// The issuer's time when it issued the token, as far as the token says.
std::optional<ServerTime> made_at(const Trial& trial);

/// How a token's own times relate to the Date of the answer that refused it. A Date D means that
/// the API's clock was then in [D, D + 1 s + staleness).
enum class Standing {
  not_begun,          ///< nbf or iat >= D + 1 s + staleness: proof
  perhaps_not_begun,  ///< nbf or iat > D: the outcome of a wait decides
  ended,              ///< D >= ends, or our own deadline had passed
  agrees,             ///< nbf, iat <= D < ends: no clock explains the refusal
  undecided,          ///< no Date, one that does not move, or a token whose times are not known
};
Standing standing(const Evidence& evidence, const Trial& trial);

/// The API accepted this token although it was certainly not valid yet by that answer's Date.
bool took_unbegun(const Trial& trial, Duration staleness);
/// The token is not valid yet by the Date, but this API has accepted such tokens: that explains
/// nothing.
bool begin_belied(const Evidence& evidence, const Trial& trial);
/// New and yet expired by the API's clock: D >= ends, and D - (iat + 1 s) exceeds the time since
/// the token was requested.
bool dead_on_arrival(const Evidence& evidence, const Trial& trial);
/// Accepted before, and refused within the first half of its lifetime.
bool ended_early(const Trial& trial);
/// For a given JWT, whose lifetime is known only from its claims: the local wall clock and the
/// API's Date disagree about it, and the two certainly differ by over 1 s. Only a referee could say
/// which is wrong.
bool local_clock_differs(const Evidence& evidence, const Trial& trial);
/// When, by the API's Dates of this call, its clock has certainly reached the time at which the
/// token becomes valid.
std::optional<Instant> begins_by(const Evidence& evidence, const Trial& trial);

}  // namespace skewguard::diagnosis
