#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "diagnosis/evidence.hpp"

namespace skewguard::diagnosis {

/// How a token's own times stand to the Date of the answer that refused it. A Date D says that the
/// API's clock then read in [D, D + 1 s + staleness).
enum class Standing {
  not_begun,          ///< begins >= D + 1 s + staleness: proof
  perhaps_not_begun,  ///< begins > D: the outcome of a wait decides
  ended,              ///< D >= ends, or our own deadline had passed
  agrees,             ///< begins <= D < ends: no clock explains the refusal
  undecided,          ///< no Date, one that does not move, or a token whose times are not known
};
Standing standing(const Evidence& evidence, const Trial& trial);

/// False where Dates of this call, over a second apart, show that this host's Date does not move as
/// one or several clocks do, where the API took a token that had ended by that Date, or where the
/// look that rule 5 asks for brought none.
bool dates_count(const Evidence& evidence);
/// False where the login host's Date is surely no clock's: the Dates of two tokens' answers do not
/// move as a clock does, or are off the API's by more than any clock is, or the API took a token
/// that had ended by them. Then the times that a token has from that Date alone are not known.
bool issuer_dates_count(const Evidence& evidence);
/// The API took this token although it had surely not begun by that answer's Date.
bool took_unbegun(const Trial& trial, Duration staleness);
/// By the Date the token has not begun, but this API has taken such tokens: that explains nothing.
bool begin_belied(const Evidence& evidence, const Trial& trial);
/// Rule 5: two Dates of the API, at least a second apart, are at hand, and they moved as a clock's.
bool date_seen_again(const Evidence& evidence);
/// Already ended by the API's clock while new: D >= ends, and D - (begins + 1 s) is more than the
/// time since the token was asked for.
bool dead_on_arrival(const Evidence& evidence, const Trial& trial);
/// The later trial's token was asked for when the earlier one had been sent: a new one, that was to
/// cure the refusal. One that lay ready tells nothing of new ones.
bool asked_for_after(const Trial& later, const Trial& earlier);
/// Taken before, and refused within the first half of its life.
bool ended_early(const Trial& trial);
/// Of a given JWT, whose life nothing but its claims tells: the fault of the local wall clock,
/// where that judges the token otherwise than the API's Date does, and the two surely differ by
/// over 1 s.
std::optional<Verdict> local_clock_fault(const Evidence& evidence, const Trial& trial);
/// When, by the API's Dates of this call, its clock has surely reached the token's beginning.
std::optional<Instant> begins_by(const Evidence& evidence, const Trial& trial);

enum class Next {
  wait,      ///< until `until`, then send the same token again
  renew,     ///< a new token, at once or at `until`
  back_off,  ///< a new token, at `until`
  look,      ///< at `until`, see the API's Date without a token (rule 5), then assess again
  give_up,   ///< nothing that this machine can do will help
};

/// Why nothing more is tried, for the explanation.
enum class Hindrance { none, attempts, max_wait, deadline, nothing_new };

struct Assessment {
  /// What the evidence still allows, likeliest first; never empty.
  std::vector<Verdict> candidates;
  Next next = Next::give_up;
  Instant until{};  ///< for wait, renew, look and back_off
  Hindrance hindrance = Hindrance::none;
  [[nodiscard]] Verdict verdict() const { return candidates.front(); }
};

/// Judges the last trial, a refusal: what it may be, and what to do next. Pure.
Assessment assess(const Evidence& evidence);

/// The final verdict of a trial that was refused, now that nothing more follows (rule 1). Pure.
Verdict settle(const Evidence& evidence, std::size_t trial);

}  // namespace skewguard::diagnosis
