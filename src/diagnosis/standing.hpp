#pragma once

#include <optional>

#include "diagnosis/evidence.hpp"
#include "skewguard/time.hpp"
#include "skewguard/verdict.hpp"

/// What one answer tells of one token's times. Pure.
namespace skewguard::diagnosis {

/// The begin that the token had yet to reach by this answer's Date: the earlier of nbf and iat, the
/// later one where the earlier has passed. The earlier one without a Date, or where both passed.
std::optional<ServerTime> pending_begin(const Trial& trial);
/// What the issuer's clock read when it made the token, as far as the token tells.
std::optional<ServerTime> made_at(const Trial& trial);

/// How a token's own times stand to the Date of the answer that refused it. A Date D says that the
/// API's clock then read in [D, D + 1 s + staleness).
enum class Standing {
  not_begun,          ///< nbf or iat >= D + 1 s + staleness: proof
  perhaps_not_begun,  ///< nbf or iat > D: the outcome of a wait decides
  ended,              ///< D >= ends, or our own deadline had passed
  agrees,             ///< nbf, iat <= D < ends: no clock explains the refusal
  undecided,          ///< no Date, one that does not move, or a token whose times are not known
};
Standing standing(const Evidence& evidence, const Trial& trial);

/// The API took this token although it had surely not begun by that answer's Date.
bool took_unbegun(const Trial& trial, Duration staleness);
/// By the Date the token has not begun, but this API has taken such tokens: that explains nothing.
bool begin_belied(const Evidence& evidence, const Trial& trial);
/// Already ended by the API's clock while new: D >= ends, and D - (iat + 1 s) is more than the time
/// since the token was asked for.
bool dead_on_arrival(const Evidence& evidence, const Trial& trial);
/// Taken before, and refused within the first half of its life.
bool ended_early(const Trial& trial);
/// Of a given JWT, whose life nothing but its claims tells: the local wall clock judges it
/// otherwise than the API's Date does, and the two surely differ by over 1 s. Which of them is
/// wrong, only a referee could tell.
bool local_clock_differs(const Evidence& evidence, const Trial& trial);
/// When, by the API's Dates of this call, its clock has surely reached the token's pending begin.
std::optional<Instant> begins_by(const Evidence& evidence, const Trial& trial);

}  // namespace skewguard::diagnosis
