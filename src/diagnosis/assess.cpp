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

/// First wait where nothing points to a lag, and attempts allow for a second one.
constexpr Duration kFirstBlindWait = seconds{1};
/// Added to a wait for a clock: the drift of two clocks over the longest wait, and enough for two
/// Dates a whole second apart to show that they moved.
constexpr Duration kPad = milliseconds{20};
/// From the judged answer to the look of rule 5: over a second, so that a clock's Date has moved.
constexpr Duration kLookAfter = milliseconds{1050};
/// A look needs this much before the deadline: a round trip.
constexpr Duration kLookTakes = milliseconds{250};

/// Before a token is asked for that may end somebody else's: doubles with each one that ended so.
constexpr Duration kFirstBackOff = seconds{1};
constexpr Duration kLongestBackOff = seconds{10};

std::size_t refusals(const Evidence& evidence) {
  return static_cast<std::size_t>(std::count_if(evidence.trials.begin(), evidence.trials.end(),
                                                [](const Trial& t) { return t.refused; }));
}

/// How many more sends of this call may end in a refusal.
std::size_t attempts_left(const Evidence& evidence) {
  const auto most = static_cast<std::size_t>(std::max(evidence.limits.attempts, 1));
  return most - std::min(refusals(evidence), most);
}
bool final_attempt(const Evidence& evidence) {
  return attempts_left(evidence) == 0;
}

/// A token that was taken, and refused again after a wait, may have been revoked, whatever the
/// Dates say of its begin.
bool last_send_is_for_a_new_one(const Evidence& evidence) {
  return evidence.trials.back().token.accepted_before && tried_twice(evidence) &&
         attempts_left(evidence) == 1;
}

Assessment give_up(std::vector<Verdict> candidates, Hindrance why) {
  return {std::move(candidates), Next::give_up, {}, why};
}

/// The first token that was refused in this call, and those that were asked for to cure that.
std::size_t tokens_refused(const Evidence& evidence) {
  const auto first = std::find_if(evidence.trials.begin(), evidence.trials.end(),
                                  [](const Trial& t) { return t.refused; });
  std::vector<std::uint64_t> seen;
  for (const Trial& t : evidence.trials) {
    const bool counts = t.refused && (same_token(t, *first) || asked_for_after(t, *first));
    if (counts && std::find(seen.begin(), seen.end(), t.token.generation) == seen.end())
      seen.push_back(t.token.generation);
  }
  return seen.size();
}

/// Where waiting for a clock is not the way: a new token, if one may still be tried. Of two tokens
/// that were refused the second was the new one; each further one would be refused like it.
Assessment renew(const Evidence& evidence, std::vector<Verdict> candidates,
                 std::size_t most_tokens = 2) {
  if (evidence.trials.back().token.given || tokens_refused(evidence) >= most_tokens)
    return give_up(std::move(candidates), Hindrance::nothing_new);
  if (final_attempt(evidence)) return give_up(std::move(candidates), Hindrance::attempts);
  if (evidence.now >= evidence.limits.deadline)
    return give_up(std::move(candidates), Hindrance::deadline);
  return {std::move(candidates), Next::renew, {}, Hindrance::none};
}

/// The token lay ready when one that had been taken was refused: what ended that one may have ended
/// this one with it.
bool lay_ready(const Evidence& evidence) {
  const Trial& last = evidence.trials.back();
  return std::any_of(evidence.trials.begin(), evidence.trials.end(), [&](const Trial& t) {
    return t.refused && t.token.accepted_before && !same_token(t, last) &&
           !asked_for_after(last, t);
  });
}

/// How long to wait where nothing points to a lag, from the last refusal on; nothing where a wait
/// is over.
std::optional<Duration> blind_wait(const Evidence& evidence) {
  const Trial& last = evidence.trials.back();
  const Duration most = std::min(evidence.limits.blind_wait, evidence.limits.max_wait);
  if (!is_new(last)) {
    const Duration wait = std::min(kFirstBlindWait, most);
    return tried_twice(evidence) || wait <= Duration{0} ? std::nullopt : std::optional(wait);
  }
  if (lay_ready(evidence)) return std::nullopt;
  // The last token that may be tried has until it is new no longer, as far as attempts go.
  const bool last_one = tokens_refused(evidence) >= 2;
  const Instant spread = last.token.received + (last_one && most > Duration{0} ? kNewFor : most);
  const Duration left = std::min(spread - last.received, most);
  if (left <= Duration{0}) return std::nullopt;
  // A wait that is split costs a send: there must be one for the rest, and one for a new token.
  const std::size_t sends = attempts_left(evidence);
  if (!last_one && tried_twice(evidence) && sends < 2) return std::nullopt;
  const bool split = !last_one && !tried_twice(evidence) && sends > 2;
  return split ? std::min(left, kFirstBlindWait) : left;
}

/// Rule 3 where nothing points to a lag, and `unknown`'s one wait: the same token once more.
Assessment wait_blindly(const Evidence& evidence, std::vector<Verdict> candidates) {
  if (final_attempt(evidence)) return give_up(std::move(candidates), Hindrance::attempts);
  const Trial& last = evidence.trials.back();
  const auto wait = blind_wait(evidence);
  if (!wait) return renew(evidence, std::move(candidates));
  const Instant until = std::max(last.received + *wait, evidence.now);
  if (until >= evidence.limits.deadline) {
    // A newer token than a new one would be refused like it (rule 3).
    return last.token.accepted_before ? renew(evidence, std::move(candidates))
                                      : give_up(std::move(candidates), Hindrance::deadline);
  }
  return {std::move(candidates), Next::wait, until, Hindrance::none};
}

/// Where a second refusal's Date does not count since it did not move: of two clocks behind one
/// name the second may be the later one. When that clock has reached the token's begin; nothing
/// where that was waited for already, or is too far off.
std::optional<Instant> begins_by_another_clock(const Evidence& evidence) {
  const Trial& last = evidence.trials.back();
  const auto sends = std::count_if(evidence.trials.begin(), evidence.trials.end(),
                                   [&](const Trial& t) { return same_token(t, last); });
  if (sends != 2 || !evidence.looks.empty() || !last.date || !last.token.begins)
    return std::nullopt;
  if (last_send_is_for_a_new_one(evidence)) return std::nullopt;
  if (last.token.begin_dated && !issuer_dates_count(evidence)) return std::nullopt;
  if (evidence.begins_ignored || *last.token.begins->since(*last.date) <= Duration{0})
    return std::nullopt;
  const auto at = begins_by(evidence, last);
  if (!at || *at - last.received > evidence.limits.max_wait) return std::nullopt;
  return *at + kPad;
}

Assessment assess_undecided(const Evidence& evidence) {
  if (evidence.trials.back().token.given)
    return give_up({Verdict::token_rejected}, Hindrance::nothing_new);
  const auto until = final_attempt(evidence) ? std::nullopt : begins_by_another_clock(evidence);
  if (until && *until < evidence.limits.deadline) {
    return {{Verdict::unknown, Verdict::issuer_clock_ahead, Verdict::token_not_yet_active},
            Next::wait,
            std::max(*until, evidence.now),
            Hindrance::none};
  }
  return wait_blindly(evidence, {Verdict::unknown, Verdict::token_not_yet_active});
}

/// To ask at once would be one more blow in a fight for the client.
Assessment back_off(const Evidence& evidence) {
  const Trial& last = evidence.trials.back();
  std::vector<Verdict> candidates{Verdict::token_contended};
  if (final_attempt(evidence)) return give_up(std::move(candidates), Hindrance::attempts);
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

/// Rule 5: give up with 4 once the Date has been seen again; without that, the Date counts for
/// nothing.
Assessment blame_clock(const Evidence& evidence, std::vector<Verdict> candidates, Hindrance why) {
  if (date_seen_again(evidence)) return give_up(std::move(candidates), why);
  const Instant judged = evidence.trials.back().received;
  const bool looked = std::any_of(evidence.looks.begin(), evidence.looks.end(),
                                  [&](const Look& l) { return l.received > judged; });
  const Instant at = std::max(judged + kLookAfter, evidence.now);
  if (looked || at + kLookTakes >= evidence.limits.deadline) return assess_undecided(evidence);
  return {std::move(candidates), Next::look, at, why};
}

/// When to send a token again that has not begun. Every clock behind the name counts where the
/// limits allow for it; else this answer's own clock.
Instant wait_until(const Evidence& evidence, const Trial& last) {
  const Instant latest_allowed =
      std::min(last.received + evidence.limits.max_wait, evidence.limits.deadline);
  const Instant own = begins_by(evidence, last).value_or(last.received);
  const Instant all = evidence.begun_by.value_or(own);
  return std::max(all <= latest_allowed ? all : own, evidence.now - kPad) + kPad;
}

/// A wait did not help: a token that was waited for was refused again, although it had begun by
/// then. A clock may be in the way, but it is not all that is.
bool waited_in_vain(const Evidence& evidence) {
  for (std::size_t i = 1; i < evidence.trials.size(); ++i) {
    const Trial& again = evidence.trials[i];
    const bool before = std::any_of(
        evidence.trials.begin(), evidence.trials.begin() + static_cast<std::ptrdiff_t>(i),
        [&](const Trial& t) { return t.refused && same_token(t, again); });
    if (before && again.refused && standing(evidence, again) == Standing::agrees) return true;
  }
  return false;
}

Assessment assess_not_begun(const Evidence& evidence) {
  std::vector<Verdict> candidates{Verdict::issuer_clock_ahead};
  if (final_attempt(evidence)) {
    if (waited_in_vain(evidence)) return give_up(std::move(candidates), Hindrance::attempts);
    return blame_clock(evidence, std::move(candidates), Hindrance::attempts);
  }
  if (last_send_is_for_a_new_one(evidence)) return renew(evidence, std::move(candidates));
  const Instant until = wait_until(evidence, evidence.trials.back());
  if (until - kPad - evidence.trials.back().received > evidence.limits.max_wait)
    return blame_clock(evidence, std::move(candidates), Hindrance::max_wait);
  if (until >= evidence.limits.deadline)
    return blame_clock(evidence, std::move(candidates), Hindrance::deadline);
  return {std::move(candidates), Next::wait, until, Hindrance::none};
}

Assessment assess_perhaps_not_begun(const Evidence& evidence) {
  const Trial& last = evidence.trials.back();
  std::vector<Verdict> candidates{Verdict::issuer_clock_ahead};
  if (!last.token.given) candidates.push_back(Verdict::token_revoked);
  candidates.push_back(Verdict::token_rejected);
  if (final_attempt(evidence)) return give_up(std::move(candidates), Hindrance::attempts);
  if (last_send_is_for_a_new_one(evidence)) return renew(evidence, std::move(candidates));
  // Refused again, and by this answer's Date it still has not begun: from a clock that lags more.
  const Instant until =
      std::min(wait_until(evidence, last), last.received + evidence.limits.max_wait);
  if (until >= evidence.limits.deadline) return give_up(std::move(candidates), Hindrance::deadline);
  return {std::move(candidates), Next::wait, std::max(until, evidence.now), Hindrance::none};
}

Assessment assess_ended(const Evidence& evidence) {
  const std::size_t index = evidence.trials.size() - 1;
  const Trial& last = evidence.trials[index];
  constexpr std::size_t kMostTokens = 3;  // one that ended, and two that were born dead
  if (!dead_on_arrival(evidence, last))
    return renew(evidence, {Verdict::token_expired}, kMostTokens);
  const Trial* before = token_before(evidence, index);
  if (before != nullptr && dead_on_arrival(evidence, *before) &&
      issuer_borne_out(evidence, *before, last))
    return blame_clock(evidence, {Verdict::issuer_clock_behind}, Hindrance::nothing_new);
  Assessment next =
      renew(evidence, {Verdict::token_expired, Verdict::issuer_clock_behind}, kMostTokens);
  // So that the Date of the next token's answer shows whether the login host's moves at all.
  const Instant until = last.token.received + kLookAfter;
  if (last.token.end_dated && next.next == Next::renew && until < evidence.limits.deadline)
    next.until = until;
  return next;
}

}  // namespace

Assessment assess(const Evidence& evidence) {
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

}  // namespace skewguard::diagnosis
