#include "diagnosis/assess.hpp"

#include <algorithm>
#include <chrono>

#include "oauth/refresh_schedule.hpp"

namespace skewguard::diagnosis {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// HTTP dates are truncated to whole seconds.
constexpr Duration kTick = seconds{1};
/// A never accepted token is new for so long: platforms spread tokens within it.
constexpr Duration kNewFor = seconds{10};
/// First wait where nothing points to a lag, and attempts allow for a second one.
constexpr Duration kFirstBlindWait = seconds{1};
/// A running Date that is further off another host's is no clock's: an appliance without one, say,
/// that begins with 1970. Far more than any token's life on the platforms that we know.
constexpr Duration kOffByMost = std::chrono::hours{24 * 7};
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

struct Reading {
  ServerTime date;
  Instant sent;
  Instant received;
};

std::vector<Reading> readings(const Evidence& evidence) {
  std::vector<Reading> all;
  for (const Trial& t : evidence.trials)
    if (t.date) all.push_back({*t.date, t.sent, t.received});
  for (const Look& l : evidence.looks)
    if (l.date) all.push_back({*l.date, l.sent, l.received});
  std::sort(all.begin(), all.end(),
            [](const Reading& a, const Reading& b) { return a.received < b.received; });
  return all;
}

/// What surely passed between two stamps, each made between sending and receipt; less a thousandth,
/// for drift.
Duration elapsed_between(const Reading& earlier, const Reading& later) {
  const Duration elapsed = later.sent - earlier.received;
  return elapsed - elapsed / 1000;
}

/// Long enough apart for a clock's Date to have moved.
bool comparable(const Reading& earlier, const Reading& later) {
  return elapsed_between(earlier, later) > kTick;
}

/// What one clock shows: `later` is about as much after `earlier` as passed between them.
bool moves(const Reading& earlier, const Reading& later, Duration staleness) {
  if (!comparable(earlier, later)) return false;
  const auto moved = later.date.since(earlier.date);
  return moved && *moved > Duration{0} &&
         *moved >= elapsed_between(earlier, later) - kTick - staleness;
}

/// What two clocks behind one name show now and then, and a Date that stands still never does.
bool goes_back(const Reading& earlier, const Reading& later) {
  const auto moved = later.date.since(earlier.date);
  return moved && *moved < Duration{0};
}

/// Whether more lies between the two, either way, than any two clocks behind one name would differ
/// by: one of them is not of a clock.
bool leaps(const Reading& earlier, const Reading& later) {
  constexpr Duration kLeap = std::chrono::hours{1};
  const auto moved = later.date.since(earlier.date);
  return moved && (*moved > later.received - earlier.sent + kLeap || *moved < -kLeap);
}

/// The API took a token that had ended by the Date of that very answer: it judges by another clock.
bool took_an_ended_one(const Trial& trial) {
  if (trial.refused || !trial.date || !trial.token.ends) return false;
  const auto since_end = trial.date->since(*trial.token.ends);
  return since_end && *since_end >= Duration{0};
}

/// The login host's Dates, one for each token that was got from it.
std::vector<Reading> issuer_readings(const Evidence& evidence) {
  std::vector<Reading> all;
  std::vector<std::uint64_t> seen;
  for (const Trial& t : evidence.trials) {
    if (!t.token.issued || t.token.given) continue;
    if (std::find(seen.begin(), seen.end(), t.token.generation) != seen.end()) continue;
    seen.push_back(t.token.generation);
    all.push_back({*t.token.issued, t.token.asked, t.token.received});
  }
  std::sort(all.begin(), all.end(),
            [](const Reading& a, const Reading& b) { return a.received < b.received; });
  return all;
}

template <typename Predicate>
bool any_pair(const std::vector<Reading>& all, Predicate predicate) {
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (std::size_t j = i + 1; j < all.size(); ++j)
      if (predicate(all[i], all[j])) return true;
  }
  return false;
}

bool same_token(const Trial& a, const Trial& b) {
  return a.token.generation == b.token.generation;
}

/// Readings that are enough to tell, and none of them bears out a clock.
bool stands_still(const std::vector<Reading>& all, Duration staleness) {
  return any_pair(all, comparable) && !any_pair(all, goes_back) &&
         !any_pair(all, [&](const Reading& a, const Reading& b) { return moves(a, b, staleness); });
}

std::size_t refusals(const Evidence& evidence) {
  return static_cast<std::size_t>(std::count_if(evidence.trials.begin(), evidence.trials.end(),
                                                [](const Trial& t) { return t.refused; }));
}

/// The last trial's token had been refused in this call before.
bool tried_twice(const Evidence& evidence) {
  const Trial& last = evidence.trials.back();
  return std::any_of(evidence.trials.begin(), evidence.trials.end() - 1,
                     [&](const Trial& t) { return t.refused && same_token(t, last); });
}

bool is_new(const Trial& trial) {
  return !trial.token.given && !trial.token.accepted_before &&
         trial.received - trial.token.asked < kNewFor;
}

/// The refusal before this one, of the token before this one.
const Trial* token_before(const Evidence& evidence, std::size_t index) {
  for (std::size_t i = index; i-- > 0;) {
    if (!same_token(evidence.trials[i], evidence.trials[index]))
      return evidence.trials[i].refused ? &evidence.trials[i] : nullptr;
  }
  return nullptr;
}

const Trial* token_after(const Evidence& evidence, std::size_t index) {
  for (std::size_t i = index + 1; i < evidence.trials.size(); ++i) {
    if (!same_token(evidence.trials[i], evidence.trials[index]))
      return evidence.trials[i].refused ? &evidence.trials[i] : nullptr;
  }
  return nullptr;
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

/// The second token running that was taken, then refused early: someone else's takes its place.
bool contended(const Trial& trial) {
  return ended_early(trial) && trial.token.early_ends_before > 0;
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

/// Rule 5 for the login host: what its Dates tell of these two tokens needs two that moved.
bool issuer_borne_out(const Evidence& evidence, const Trial& one, const Trial& other) {
  const auto dated = [](const Trial& t) { return t.token.begin_dated || t.token.end_dated; };
  if (!dated(one) && !dated(other)) return true;
  return any_pair(issuer_readings(evidence), [&](const Reading& a, const Reading& b) {
    return moves(a, b, evidence.limits.staleness);
  });
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

/// Whatever became of the call, was this proof of rule 2 upheld? One that ended it needs rule 5.
bool upheld(const Evidence& evidence, std::size_t index) {
  const bool came_through =
      std::any_of(evidence.trials.begin() + static_cast<std::ptrdiff_t>(index),
                  evidence.trials.end(), [](const Trial& t) { return !t.refused; });
  return came_through || date_seen_again(evidence);
}

Verdict settle_ended(const Evidence& evidence, std::size_t index) {
  if (dead_on_arrival(evidence, evidence.trials[index]) && date_seen_again(evidence)) {
    for (const Trial* other : {token_before(evidence, index), token_after(evidence, index)}) {
      if (other != nullptr && dead_on_arrival(evidence, *other) &&
          issuer_borne_out(evidence, *other, evidence.trials[index]))
        return Verdict::issuer_clock_behind;
    }
  }
  // An earlier call has shown it, so no other token is asked for at once.
  const bool shown = evidence.denied == Verdict::issuer_clock_behind &&
                     dead_on_arrival(evidence, evidence.trials[index]);
  return shown ? Verdict::issuer_clock_behind : Verdict::token_expired;
}

/// What became of one token and of newer ones after it was refused.
struct Outcome {
  bool same_accepted = false;
  bool same_refused = false;  ///< twice in all, before or after
  bool new_accepted = false;
  bool new_refused = false;
  bool new_refused_for_no_clock = false;  ///< and no clock explains that
};
Outcome outcome(const Evidence& evidence, std::size_t index) {
  const Trial& trial = evidence.trials[index];
  Outcome seen;
  for (std::size_t i = 0; i < evidence.trials.size(); ++i) {
    const Trial& other = evidence.trials[i];
    if (i == index) continue;
    if (same_token(other, trial)) {
      (other.refused ? seen.same_refused : seen.same_accepted) = true;
    } else if (i > index && !other.refused) {
      seen.new_accepted = true;
    } else if (i > index && asked_for_after(other, trial)) {
      seen.new_refused = true;
      seen.new_refused_for_no_clock |= standing(evidence, other) == Standing::agrees;
    }
  }
  return seen;
}

/// The trial's token was itself the new one that was to cure an earlier refusal.
bool refused_as_new_one(const Evidence& evidence, std::size_t index, bool twice) {
  const Trial* before = token_before(evidence, index);
  return before != nullptr && asked_for_after(evidence.trials[index], *before) &&
         (twice || standing(evidence, *before) == Standing::agrees);
}

/// No clock is to blame by proof: the outcome tells, as far as clocks are excluded.
Verdict settle_by_outcome(const Evidence& evidence, std::size_t index) {
  const Trial& trial = evidence.trials[index];
  const Standing how = standing(evidence, trial);
  const Outcome seen = outcome(evidence, index);
  if (seen.same_accepted) return is_new(trial) ? Verdict::token_not_yet_active : Verdict::unknown;
  const bool waited = how == Standing::perhaps_not_begun && seen.same_refused;
  if (trial.token.given && (how == Standing::undecided || how == Standing::agrees || waited))
    return Verdict::token_rejected;
  if (how != Standing::agrees && !waited) return Verdict::unknown;
  if (contended(trial) && how == Standing::agrees) return Verdict::token_contended;
  if (seen.new_accepted) return Verdict::token_revoked;
  const bool in_vain = seen.same_refused && seen.new_refused;
  if (in_vain || seen.new_refused_for_no_clock ||
      refused_as_new_one(evidence, index, seen.same_refused))
    return Verdict::token_rejected;
  return evidence.denied == Verdict::token_rejected ? Verdict::token_rejected : Verdict::unknown;
}

}  // namespace

TokenFacts facts_of(const oauth::Token& token, bool accepted_before, ServerId api) {
  TokenFacts facts;
  facts.generation = token.generation;
  facts.jwt = token.jwt();
  facts.given = token.given;
  facts.accepted_before = accepted_before;
  facts.asked = token.sent;
  facts.received = token.received;
  if (!token.given) facts.dead_at = token.dead_at();
  if (token.begins) facts.begins = token.begins->as_read_by(api);
  if (token.ends) facts.ends = token.ends->as_read_by(api);
  if (token.issuer_date) facts.issued = token.issuer_date->as_read_by(api);
  facts.begin_dated = token.begins && !(token.claims && (token.claims->nbf || token.claims->iat));
  facts.end_dated = token.ends && !(token.claims && token.claims->exp);
  return facts;
}

bool dates_count(const Evidence& evidence) {
  const bool look_in_vain = std::any_of(evidence.looks.begin(), evidence.looks.end(),
                                        [](const Look& l) { return !l.date.has_value(); });
  const bool belied =
      std::any_of(evidence.trials.begin(), evidence.trials.end(),
                  [](const Trial& t) { return !t.token.end_dated && took_an_ended_one(t); });
  const auto all = readings(evidence);
  return !look_in_vain && !belied && !any_pair(all, leaps) &&
         !stands_still(all, evidence.limits.staleness);
}

bool issuer_dates_count(const Evidence& evidence) {
  const auto all = issuer_readings(evidence);
  // Far ahead is no sign: between two tokens this machine may have stood still.
  if (!evidence.issuer_coherent || stands_still(all, evidence.limits.staleness)) return false;
  if (!dates_count(evidence)) return true;
  return std::all_of(evidence.trials.begin(), evidence.trials.end(), [](const Trial& t) {
    if (!t.token.issued || !t.date || t.token.given) return true;
    if (t.token.end_dated && took_an_ended_one(t)) return false;
    const auto apart = t.date->since(*t.token.issued);
    const Duration age = t.received - t.token.asked;
    return !apart || (*apart - age <= kOffByMost && *apart >= -kOffByMost);
  });
}

bool asked_for_after(const Trial& later, const Trial& earlier) {
  return later.token.asked >= earlier.sent;
}

bool took_unbegun(const Trial& trial, Duration staleness) {
  if (trial.refused || !trial.date || !trial.token.begins) return false;
  const auto to_begin = trial.token.begins->since(*trial.date);
  return to_begin && *to_begin >= kTick + staleness;
}

bool begin_belied(const Evidence& evidence, const Trial& trial) {
  if (!evidence.begins_ignored || !trial.date || !trial.token.begins) return false;
  const auto to_begin = trial.token.begins->since(*trial.date);
  return to_begin && *to_begin > Duration{0};
}

bool date_seen_again(const Evidence& evidence) {
  return dates_count(evidence) &&
         any_pair(readings(evidence), [&](const Reading& a, const Reading& b) {
           return moves(a, b, evidence.limits.staleness);
         });
}

Standing standing(const Evidence& evidence, const Trial& trial) {
  const bool dated = trial.date.has_value() && dates_count(evidence);
  const auto after_date = [&](const std::optional<ServerTime>& time) {
    return time && dated ? time->since(*trial.date) : std::nullopt;
  };
  const bool belied = begin_belied(evidence, trial);
  const bool issued = issuer_dates_count(evidence);
  const bool begin_known = !belied && (issued || !trial.token.begin_dated);
  const auto to_begin = begin_known ? after_date(trial.token.begins) : std::nullopt;
  const auto to_end =
      issued || !trial.token.end_dated ? after_date(trial.token.ends) : std::nullopt;
  if (to_begin && *to_begin >= kTick + evidence.limits.staleness) return Standing::not_begun;
  if (to_end && *to_end <= Duration{0}) return Standing::ended;
  if (trial.token.dead_at && trial.received >= *trial.token.dead_at) return Standing::ended;
  if (to_begin && *to_begin > Duration{0}) return Standing::perhaps_not_begun;
  // A JWT without a claim is not bounded on that side; an opaque token without one is not known.
  const bool known = dated && !belied && (trial.token.jwt || (to_begin && to_end));
  return known ? Standing::agrees : Standing::undecided;
}

bool dead_on_arrival(const Evidence& evidence, const Trial& trial) {
  if (!trial.refused || !trial.date || !trial.token.begins || !trial.token.ends) return false;
  if (trial.token.given || !dates_count(evidence)) return false;
  const bool dated = trial.token.begin_dated || trial.token.end_dated;
  if (dated && !issuer_dates_count(evidence)) return false;
  const auto since_begin = trial.date->since(*trial.token.begins);
  const auto since_end = trial.date->since(*trial.token.ends);
  return since_end && *since_end >= Duration{0} && since_begin &&
         *since_begin - kTick > trial.received - trial.token.asked;
}

bool ended_early(const Trial& trial) {
  if (!trial.refused || !trial.token.accepted_before || !trial.token.dead_at) return false;
  return trial.received - trial.token.asked < (*trial.token.dead_at - trial.token.asked) / 2;
}

std::optional<Verdict> local_clock_fault(const Evidence& evidence, const Trial& trial) {
  const auto& bound = trial.api_minus_wall;
  if (!trial.token.given || !trial.token.jwt || !trial.date || !bound) return std::nullopt;
  if (!dates_count(evidence) || bound->meets({-kTick, kTick})) return std::nullopt;
  const auto judged_at = [&](Duration clock) {
    if (trial.token.begins && clock < trial.token.begins->since_epoch()) return -1;
    return trial.token.ends && clock >= trial.token.ends->since_epoch() ? 1 : 0;
  };
  if (judged_at(trial.wall.time_since_epoch()) == judged_at(trial.date->since_epoch()))
    return std::nullopt;
  return bound->low > Duration{0} ? Verdict::local_clock_behind : Verdict::local_clock_ahead;
}

std::optional<Instant> begins_by(const Evidence& evidence, const Trial& trial) {
  if (!trial.token.begins || !trial.date) return std::nullopt;
  std::optional<Instant> soonest;
  for (const Reading& r : readings(evidence)) {
    const auto left = trial.token.begins->since(r.date);
    if (!left || r.received < trial.received) continue;
    const Instant at = r.received + std::max(*left, Duration{0});
    soonest = soonest ? std::min(*soonest, at) : at;
  }
  return soonest;
}

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

Verdict settle(const Evidence& evidence, std::size_t index) {
  const Trial& trial = evidence.trials[index];
  switch (standing(evidence, trial)) {
    case Standing::not_begun:
      if (upheld(evidence, index)) return Verdict::issuer_clock_ahead;
      break;
    case Standing::perhaps_not_begun:
      if (outcome(evidence, index).same_accepted) return Verdict::issuer_clock_ahead;
      break;
    case Standing::ended:
      return settle_ended(evidence, index);
    case Standing::agrees:
    case Standing::undecided:
      break;
  }
  return settle_by_outcome(evidence, index);
}

}  // namespace skewguard::diagnosis
