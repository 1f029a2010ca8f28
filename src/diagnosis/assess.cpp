#include "diagnosis/assess.hpp"

#include <algorithm>
#include <chrono>

#include "diagnosis/dates.hpp"
#include "diagnosis/standing.hpp"
#include "diagnosis/trials.hpp"
#include "oauth/refresh_schedule.hpp"

namespace skewguard::diagnosis {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// If nothing points to a lag, and the token is not new.
constexpr Duration kWaitForOldToken = seconds{1};
/// The limits for sending one token within a call: how often, and how far apart.
constexpr std::size_t kMaxSends = 4;
/// Added to a wait for a clock: covers the drift of two clocks over the longest wait, and makes two
/// Dates a whole second apart show that they moved.
constexpr Duration kPad = milliseconds{20};
/// The time from the judged answer to the look of evidence rule 5: over a second, so that a clock's
/// Date has moved.
constexpr Duration kLookAfter = milliseconds{1050};
/// A look needs this much time before the deadline: a round trip.
constexpr Duration kLookTakes = milliseconds{250};

/// The first back-off before requesting a token that may end somebody else's; doubled for each
/// token that ended like this.
constexpr Duration kFirstBackOff = seconds{1};
constexpr Duration kLongestBackOff = seconds{10};

bool may_send_again(const Evidence& evidence) {
  return refusals_of_last(evidence) < kMaxSends;
}
bool tried_twice(const Evidence& evidence) {
  return refusals_of_last(evidence) > 1;
}

Assessment give_up(std::vector<Verdict> candidates, Hindrance why) {
  return {std::move(candidates), Next::give_up, {}, why};
}

/// Not before `until`, nor too soon after the last send.
Instant resend_at(const Evidence& evidence, Instant until) {
  const std::uint64_t generation = evidence.trials.back().token.generation;
  return std::max({until, evidence.now, next_send(evidence.trials, generation)});
}
Assessment wait(std::vector<Verdict> candidates, Instant until) {
  return {std::move(candidates), Next::wait, until, Hindrance::none};
}

/// What prevents this call from getting another token. `most_cures`: how many new ones may be
/// refused.
Hindrance hindrance_to_renewal(const Evidence& evidence, std::size_t most_cures) {
  const auto max = static_cast<std::size_t>(std::max(evidence.limits.attempts, 1));
  if (evidence.trials.back().token.given || cures_refused(evidence) >= most_cures)
    return Hindrance::nothing_new;
  if (tokens_refused(evidence) >= max) return Hindrance::attempts;
  return evidence.now >= evidence.limits.deadline ? Hindrance::deadline : Hindrance::none;
}

/// If waiting for a clock does not help: a new token, if one may still be tried. If two tokens were
/// refused, the second was the new one; another one would be refused too.
Assessment renew(const Evidence& evidence, std::vector<Verdict> candidates,
                 std::size_t most_cures = 1) {
  const Hindrance why = hindrance_to_renewal(evidence, most_cures);
  if (why != Hindrance::none) return give_up(std::move(candidates), why);
  return {std::move(candidates), Next::renew, {}, Hindrance::none};
}

/// The token was prefetched when an accepted one was refused: whatever ended that one may have
/// ended this one too.
bool was_prefetched(const Evidence& evidence) {
  const Trial& last = evidence.trials.back();
  return std::any_of(evidence.trials.begin(), evidence.trials.end(), [&](const Trial& t) {
    return t.refused && t.token.accepted_before && !same_token(t, last) &&
           !asked_for_after(last, t);
  });
}

/// A call waits only once if nothing points to a lag.
bool waited_blindly(const Evidence& evidence) {
  return std::any_of(evidence.trials.begin(), evidence.trials.end(), [&](const Trial& t) {
    if (!t.refused || t.followed != Action::wait_and_retry) return false;
    const Standing how = standing(evidence, t);
    return how == Standing::agrees || how == Standing::undecided;
  });
}

/// How long to wait after the last refusal if nothing points to a lag; empty if the call has waited
/// already.
std::optional<Duration> blind_wait(const Evidence& evidence) {
  const Trial& last = evidence.trials.back();
  const Duration max = std::min(evidence.limits.blind_wait, evidence.limits.max_wait);
  if (tried_twice(evidence) || waited_blindly(evidence) || max <= Duration{0}) return std::nullopt;
  if (!is_new(last)) return std::min(kWaitForOldToken, max);
  if (was_prefetched(evidence)) return std::nullopt;
  const Duration left = std::min(last.token.received + max - last.received, max);
  return left > Duration{0} ? std::optional(left) : std::nullopt;
}

/// Evidence rule 3 if nothing points to a lag, and the one wait of `unknown`: the same token once
/// more.
Assessment wait_blindly(const Evidence& evidence, std::vector<Verdict> candidates) {
  const Trial& last = evidence.trials.back();
  const auto span = blind_wait(evidence);
  if (!span) return renew(evidence, std::move(candidates));
  const Instant until = resend_at(evidence, last.received + *span);
  if (until < evidence.limits.deadline) return wait(std::move(candidates), until);
  // A token newer than a new one would be refused too (evidence rule 3).
  return last.token.accepted_before ? renew(evidence, std::move(candidates))
                                    : give_up(std::move(candidates), Hindrance::deadline);
}

/// A token that was accepted, and refused again after a wait, may have been revoked, whatever the
/// Dates say about when it becomes valid.
bool may_be_revoked(const Evidence& evidence) {
  return evidence.trials.back().token.accepted_before && tried_twice(evidence);
}

/// If a second refusal's Date does not count because it did not move, the second of two clocks
/// behind the name may be the later one. Returns when that clock reaches the time at which the
/// token becomes valid; empty if the call has waited for that already, or it is too far off.
std::optional<Instant> begins_by_another_clock(const Evidence& evidence) {
  const Trial& last = evidence.trials.back();
  const auto begins = pending_begin(last);
  if (refusals_of_last(evidence) != 2 || !evidence.looks.empty() || !last.date || !begins)
    return std::nullopt;
  if (may_be_revoked(evidence)) return std::nullopt;
  if (last.token.begin_dated && !issuer_dates_count(evidence)) return std::nullopt;
  if (evidence.begins_ignored || *begins->since(*last.date) <= Duration{0}) return std::nullopt;
  const auto at = begins_by(evidence, last);
  if (!at || *at - last.received > evidence.limits.max_wait) return std::nullopt;
  return resend_at(evidence, *at + kPad);
}

Assessment assess_undecided(const Evidence& evidence) {
  if (evidence.trials.back().token.given)
    return give_up({Verdict::token_rejected}, Hindrance::nothing_new);
  const auto until = begins_by_another_clock(evidence);
  if (until && *until < evidence.limits.deadline) {
    return wait({Verdict::unknown, Verdict::issuer_clock_ahead, Verdict::token_not_yet_active},
                *until);
  }
  return wait_blindly(evidence, {Verdict::unknown, Verdict::token_not_yet_active});
}

/// Requesting one at once would only continue the fight over the client.
Assessment back_off(const Evidence& evidence) {
  const Trial& last = evidence.trials.back();
  std::vector<Verdict> candidates{Verdict::token_contended};
  const auto max = static_cast<std::size_t>(std::max(evidence.limits.attempts, 1));
  if (tokens_refused(evidence) >= max) return give_up(std::move(candidates), Hindrance::attempts);
  const Instant until = std::max(
      evidence.now, last.received + oauth::growing_pause(kFirstBackOff, kLongestBackOff,
                                                         last.token.early_ends_before - 1));
  if (until >= evidence.limits.deadline) return give_up(std::move(candidates), Hindrance::deadline);
  return {std::move(candidates), Next::back_off, until, Hindrance::none};
}

Assessment assess_agreeing(const Evidence& evidence) {
  const Trial& last = evidence.trials.back();
  if (last.token.given) return give_up({Verdict::token_rejected}, Hindrance::nothing_new);
  if (contended(last)) return back_off(evidence);
  if (is_new(last)) {
    return wait_blindly(
        evidence, {Verdict::token_not_yet_active, Verdict::token_revoked, Verdict::token_rejected});
  }
  return renew(evidence, {Verdict::token_revoked, Verdict::token_rejected});
}

/// The look that evidence rule 5 requires before a clock is blamed; empty if the Date has been seen
/// again, has been looked for in vain, or if there is no time left.
std::optional<Instant> look_at(const Evidence& evidence) {
  const Instant judged = evidence.trials.back().received;
  const bool looked = std::any_of(evidence.looks.begin(), evidence.looks.end(),
                                  [&](const Look& l) { return l.received > judged; });
  const Instant at = std::max(judged + kLookAfter, evidence.now);
  if (looked || date_seen_again(evidence) || at + kLookTakes >= evidence.limits.deadline)
    return std::nullopt;
  return at;
}

/// Evidence rule 5: give up with 4 only after the Date has been seen again; otherwise, the Date
/// proves nothing.
Assessment blame_clock(const Evidence& evidence, std::vector<Verdict> candidates, Hindrance why) {
  if (date_seen_again(evidence)) return give_up(std::move(candidates), why);
  if (const auto at = look_at(evidence)) return {std::move(candidates), Next::look, *at, why};
  return assess_undecided(evidence);
}

/// The token that this one replaced is still valid, and has not been tried: the API accepts that
/// one now.
bool older_serves(const Evidence& evidence) {
  return evidence.now < evidence.older_until && tokens_refused(evidence) == 1 &&
         hindrance_to_renewal(evidence, 1) == Hindrance::none;
}

/// The token becomes valid later than this call may wait. It may have come from a clock that has
/// been corrected since, or from one of several: a new token will show.
Assessment assess_begins_too_late(const Evidence& evidence, Hindrance why) {
  std::vector<Verdict> candidates{Verdict::issuer_clock_ahead};
  if (older_serves(evidence)) return {std::move(candidates), Next::renew, {}, why};
  const Trial& last = evidence.trials.back();
  // The token was valid by some clock behind the name, and this send shows whether the Date moves.
  const Instant soon = resend_at(evidence, last.received + kLookAfter);
  const bool lives = !last.token.dead_at || soon < *last.token.dead_at;
  if (last.token.accepted_before && lives && !tried_twice(evidence) &&
      soon < evidence.limits.deadline) {
    return wait(std::move(candidates), soon);
  }
  if (const auto at = look_at(evidence)) return {std::move(candidates), Next::look, *at, why};
  // A token that this call requested shows that clock's present time already; within --max-wait it
  // will be useful to a later call.
  const bool telling = why == Hindrance::deadline && last.token.asked >= evidence.started;
  if (!telling && hindrance_to_renewal(evidence, 1) == Hindrance::none)
    return {std::move(candidates), Next::renew, {}, why};
  return blame_clock(evidence, std::move(candidates), why);
}

/// How long to wait at most until the token becomes valid, and by which limit: if nbf and iat
/// differ, only the deadline limits the wait for the later one (evidence rule 2).
struct WaitLimit {
  Duration max;
  Hindrance name;
};
WaitLimit longest_wait(const Evidence& evidence) {
  const Trial& last = evidence.trials.back();
  if (pending_begin(last) == last.token.begins)
    return {evidence.limits.max_wait, Hindrance::max_wait};
  return {evidence.limits.deadline - last.received, Hindrance::deadline};
}

/// When to resend a token that is not valid yet. Waits for every clock behind the name if the
/// limits allow; otherwise for this answer's own clock.
Instant wait_until(const Evidence& evidence) {
  const Trial& last = evidence.trials.back();
  const Instant latest_allowed =
      std::min(last.received + longest_wait(evidence).max, evidence.limits.deadline);
  const Instant own = begins_by(evidence, last).value_or(last.received);
  const Instant all = evidence.begun_by.value_or(own);
  return std::max(all <= latest_allowed ? all : own, evidence.now - kPad) + kPad;
}

Assessment assess_not_begun(const Evidence& evidence) {
  std::vector<Verdict> candidates{Verdict::issuer_clock_ahead};
  if (may_be_revoked(evidence)) return renew(evidence, std::move(candidates));
  const Trial& last = evidence.trials.back();
  const Instant begun = wait_until(evidence);
  const Instant until = resend_at(evidence, begun);
  const WaitLimit limit = longest_wait(evidence);
  if (begun - kPad - last.received > limit.max) return assess_begins_too_late(evidence, limit.name);
  if (until >= evidence.limits.deadline)
    return assess_begins_too_late(evidence, Hindrance::deadline);
  if (!may_send_again(evidence)) return assess_begins_too_late(evidence, Hindrance::sends);
  return wait(std::move(candidates), until);
}

Assessment assess_perhaps_not_begun(const Evidence& evidence) {
  const Trial& last = evidence.trials.back();
  std::vector<Verdict> candidates{Verdict::issuer_clock_ahead};
  if (!last.token.given) candidates.push_back(Verdict::token_revoked);
  candidates.push_back(Verdict::token_rejected);
  if (may_be_revoked(evidence) || !may_send_again(evidence))
    return renew(evidence, std::move(candidates));
  // Refused again, and still not valid by this answer's Date: from a clock that lags more.
  const Instant until =
      resend_at(evidence, std::min(wait_until(evidence), last.received + evidence.limits.max_wait));
  if (until >= evidence.limits.deadline) return give_up(std::move(candidates), Hindrance::deadline);
  return wait(std::move(candidates), until);
}

/// The token was accepted by one of several clocks that answer in turn: the one by which it has
/// expired may not answer the next time.
bool ended_by_one_clock_of_several(const Evidence& evidence) {
  const Trial& last = evidence.trials.back();
  const bool ours = last.token.dead_at && last.received >= *last.token.dead_at;
  return evidence.takes_turns && last.token.accepted_before && !ours && !tried_twice(evidence);
}

Assessment assess_ended(const Evidence& evidence) {
  const std::size_t index = evidence.trials.size() - 1;
  const Trial& last = evidence.trials[index];
  constexpr std::size_t kMaxCures = 2;  // both born dead
  const Instant soon = resend_at(evidence, evidence.now);
  if (ended_by_one_clock_of_several(evidence) && soon < evidence.limits.deadline)
    return wait({Verdict::token_expired}, soon);
  if (!dead_on_arrival(evidence, last)) return renew(evidence, {Verdict::token_expired}, kMaxCures);
  const Trial* before = token_before(evidence, index);
  if (before != nullptr && dead_on_arrival(evidence, *before) &&
      issuer_borne_out(evidence, *before, last))
    return blame_clock(evidence, {Verdict::issuer_clock_behind}, Hindrance::nothing_new);
  Assessment next =
      renew(evidence, {Verdict::token_expired, Verdict::issuer_clock_behind}, kMaxCures);
  // So that the Date of the next token answer shows whether the login host's Date moves at all.
  const Instant until = last.token.received + kLookAfter;
  if (last.token.end_dated && next.next == Next::renew && until < evidence.limits.deadline)
    next.until = until;
  return next;
}

Assessment assess_replayable(const Evidence& evidence) {
  switch (standing(evidence, evidence.trials.back())) {
    case Standing::not_begun:
      return assess_not_begun(evidence);
    case Standing::perhaps_not_begun:
      return assess_perhaps_not_begun(evidence);
    case Standing::ended:
      return assess_ended(evidence);
    case Standing::agrees:
      return assess_agreeing(evidence);
    case Standing::undecided:
      break;
  }
  return assess_undecided(evidence);
}

/// What is left if the request cannot be sent again: the look that lets a clock be blamed, and a
/// new token for others. A new token that may only be too early is left alone.
Assessment without_resend(const Evidence& evidence, Assessment assessment) {
  const Next next = assessment.next;
  if (next == Next::give_up || next == Next::look) return assessment;
  const Trial& last = evidence.trials.back();
  const Standing how = standing(evidence, last);
  assessment.hindrance = Hindrance::not_replayable;
  assessment.next = Next::give_up;
  if (next == Next::wait && how == Standing::not_begun) {
    if (const auto at = look_at(evidence)) {
      assessment.next = Next::look;
      assessment.until = *at;
    }
    return assessment;
  }
  const bool in_vain = how == Standing::agrees || how == Standing::undecided;
  assessment.replace = next != Next::wait || (in_vain && !is_new(last));
  return assessment;
}

}  // namespace

Assessment assess(const Evidence& evidence) {
  Assessment assessment = assess_replayable(evidence);
  return evidence.limits.replayable ? assessment : without_resend(evidence, std::move(assessment));
}

std::optional<oauth::Refused> refused(const Evidence& evidence) {
  if (evidence.trials.empty() || !evidence.trials.back().refused) return std::nullopt;
  const Trial& last = evidence.trials.back();
  oauth::Refused out{.sent = last.sent};
  if (last.token.accepted_before) return out;
  const bool unbegun = standing(evidence, last) == Standing::not_begun;
  out.ill_timed = unbegun || dead_on_arrival(evidence, last);
  if (unbegun) out.begins = begins_by(evidence, last);
  out.older_too = std::any_of(evidence.trials.begin(), evidence.trials.end(), [&](const Trial& t) {
    return t.refused && t.token.generation < last.token.generation;
  });
  return out;
}

}  // namespace skewguard::diagnosis
