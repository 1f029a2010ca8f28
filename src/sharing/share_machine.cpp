#include "sharing/share_machine.hpp"

#include <algorithm>
#include <utility>

#include "oauth/refusal_budget.hpp"
#include "time/backoff.hpp"

namespace skewguard::sharing {
namespace {

/// Unknown if this was never learned, or learned about another host.
Facts facts_of(const Record& record, const std::string& api) {
  Facts facts{.api = api};
  if (record.api != api) return facts;
  if (record.token && record.token->accepted) facts.accepted = record.token->id;
  facts.lag = record.lag;
  facts.lead = record.lead;
  return facts;
}

void apply(const Facts& facts, Record& record) {
  if (record.api != facts.api) {
    record.api = facts.api;
    record.lag = record.lead = Duration{0};
    if (record.token) record.token->accepted = false;
  }
  if (facts.lag) record.lag = *facts.lag;
  if (facts.lead) record.lead = *facts.lead;
  if (record.token && facts.accepted != 0 && record.token->id == facts.accepted)
    record.token->accepted = true;
}

/// A newer token than the refused one stays.
void apply(const event::Refused& refused, Record& record) {
  if (!record.token || record.token->id != refused.token) return;
  record.refused = std::max(record.refused, record.generation);
  record.token.reset();
  if (!refused.instead) return;
  record.token = refused.instead;
  // Newer than any token that was requested before; a process that is requesting one now still
  // replaces it.
  record.refused = record.generation - 1;
}

bool same(const std::optional<SharedToken>& a, const std::optional<SharedToken>& b) {
  if (!a || !b) return a.has_value() == b.has_value();
  return a->id == b->id && a->accepted == b->accepted;
}

bool same_content(const Record& a, const Record& b) {
  return same(a.token, b.token) && a.refused == b.refused && a.api == b.api && a.lag == b.lag &&
         a.lead == b.lead;
}

}  // namespace

ShareMachine::ShareMachine(ShareOptions options)
    : options_(std::move(options)), random_state_(options_.seed) {}

ShareActions ShareMachine::step(const ShareEvent& event, const View& view) {
  view_ = view;
  actions_.clear();
  wake_.reset();
  std::visit([this](const auto& what) { take(what); }, event);
  decide();
  if (wake_) actions_.emplace_back(action::WakeAt{*wake_});
  return std::move(actions_);
}

// Events ------------------------------------------------------------------------------------------

void ShareMachine::take(const event::Need& need) {
  need_ = need;
  fresh_ = looked_ = false;
  first_fence_.reset();
}

void ShareMachine::take(const event::Cancel& cancel) {
  if (need_ && need_->need == cancel.need) need_.reset();
}

void ShareMachine::take(const event::Answered& answered) {
  if (!asking_ || asking_->need != answered.need) return;
  if (!asking_->claim) {
    asking_.reset();
    return;
  }
  asking_->answer = answered;
}

void ShareMachine::take(const event::Stored& stored) {
  if (!operation_ || operation_->id != stored.operation) return;
  const Operation done = *std::exchange(operation_, std::nullopt);
  seen_ = stored.value;
  known_ = fresh_ = true;
  if (seen_ && !done.writes) {
    const Facts facts = facts_of(seen_->record, options_.api);
    if (facts.lag || facts.lead) actions_.emplace_back(action::Tell{facts});
  }
  if (done.writes && stored.swapped) won(done);
  if (done.beats && !stored.swapped && asking_) asking_->next_beat = view_.now;
  heed_refusals(with_pending(base()));
  watch(base());
  note_trouble(base());
}

void ShareMachine::take(const event::StoreFailed& failed) {
  if (operation_ && operation_->id == failed.operation) operation_failed(false);
}

void ShareMachine::take(const event::Looked&) {
  looking_ = fresh_ = false;
}

void ShareMachine::take(const event::Tick&) {
  if (operation_ && view_.now >= operation_->deadline) operation_failed(true);
  if (need_ && !asking_) fresh_ = false;
}

void ShareMachine::take(const event::Learned& learned) {
  ++pending_.changes;
  if (!pending_.facts) pending_.facts = Facts{.api = learned.facts.api};
  Facts& facts = *pending_.facts;
  if (learned.facts.accepted != 0) facts.accepted = learned.facts.accepted;
  if (learned.facts.lag) facts.lag = learned.facts.lag;
  if (learned.facts.lead) facts.lead = learned.facts.lead;
}

void ShareMachine::take(const event::Refused& refused) {
  ++pending_.changes;
  pending_.refused = refused;
  if (!live_) return;
  apply(refused, *live_);
  if (!live_->token) live_.reset();
}

// What comes next ---------------------------------------------------------------------------------

/// One operation of the register at a time.
void ShareMachine::decide() {
  if (operation_) return wake_at(operation_->deadline);
  restore_lost();
  if (operation_) return;
  if (asking_ && asking_->answer) {
    write_answer();
  } else if (asking_ && asking_->claim && view_.now >= asking_->next_beat) {
    if (!known_) return read();
    Record record = base();
    asking_->next_beat = view_.now + options_.beat_every;
    // Overtaken: the claim in the record is another's.
    if (record.claim && record.claim->id == asking_->claim->id) {
      ++record.claim->beat;
      swap(std::move(record), {.beats = true});
    }
  } else if (need_ && !asking_) {
    seek();
  } else if (pending_.any()) {
    if (!known_) return read();
    Record record = with_pending(base());
    if (!seen_ || same_content(record, seen_->record)) {
      forget_pending();  // it says so already, or has no token that this is about
    } else {
      swap(std::move(record), {.carries = pending_.changes});
    }
  }
  if (asking_ && asking_->claim && !asking_->answer) wake_at(asking_->next_beat);
}

void ShareMachine::seek() {
  if (looking_) return;
  if (!fresh_) return read();
  Record record = with_pending(base());
  if (will_do(record)) {
    live_ = record;
    if (record.api != options_.api) record.token->accepted = false;
    actions_.emplace_back(action::Found{need_->need, record, *age_of(*record.token)});
    need_.reset();
    return decide();  // what is still to be written
  }
  if (needs_look(record) && !std::exchange(looked_, true)) {
    looking_ = true;
    actions_.emplace_back(action::Look{});
    return;
  }
  if (waited_in_vain(record)) return ask(std::nullopt);
  if (waited_for_rejection(record)) {
    actions_.emplace_back(action::Rejected{need_->need});
    need_.reset();
    return decide();
  }
  if (record.claim && stillness(*record.claim) < options_.dead_after)
    return wake_at(view_.now + options_.poll_every);  // its holder may be alive
  if (wait_for_trouble(record.trouble)) return;
  claim_and_ask();
}

/// Whether the token that this process waited for could not be stored. If all who waited claimed in
/// turn, each would wait for all before it.
bool ShareMachine::waited_in_vain(const Record& record) {
  if (record.claim && !first_fence_) first_fence_ = record.claim->fence;
  return first_fence_ && record.unstored >= *first_fence_;
}

/// Whether the request that this process waited for was made with the same credentials, and these
/// were rejected. Whoever comes later asks: they may have been put right.
bool ShareMachine::waited_for_rejection(const Record& record) const {
  return first_fence_ && record.rejected >= *first_fence_ && need_->credentials != 0 &&
         record.rejected_credentials == need_->credentials;
}

/// How long another process's beat has stood still.
Duration ShareMachine::stillness(const Claim& claim) const {
  return watched_ && watched_->claim == claim ? watched_->last - watched_->since : Duration{0};
}

/// The same pause for all processes, measured by the issuer's clock if that can be read.
bool ShareMachine::wait_for_trouble(const Trouble& trouble) {
  if (trouble.failures == 0) return false;
  const Instant longest = awaited_.since + trouble.pause;
  const bool over = view_.issuer && trouble.not_before > Duration{0} &&
                    view_.issuer->earliest >= trouble.not_before;
  if (over || view_.now >= longest) return false;
  wake_at(std::min(longest, view_.now + options_.beat_every));
  return true;
}

void ShareMachine::claim_and_ask() {
  Record record = with_pending(base());
  if (record.epoch == 0) record.epoch = random();
  if (need_->pays && !pay(record)) return decide();
  const std::uint64_t newest = std::max({record.generation, record.refused, record.unstored,
                                         record.rejected, record.claim ? record.claim->fence : 0});
  const Duration still = record.claim ? stillness(*record.claim) : Duration{0};
  record.claim = Claim{random(), newest + 1, 0};
  swap(std::move(record), {.claims = true, .carries = pending_.changes, .still = still});
}

/// Pays from the bucket that all processes share; an unreadable bucket is full.
bool ShareMachine::pay(Record& record) {
  using Budget = oauth::RefusalBudget;
  if (!view_.issuer) return true;
  const Duration next = record.bucket_full_at - (Budget::kMax - 1) * Budget::kEvery;
  // A value beyond the maximum debt is not a bucket's.
  const bool readable =
      record.bucket_full_at <= view_.issuer->latest + Budget::kMax * Budget::kEvery;
  if (readable && view_.issuer->earliest < next) {
    actions_.emplace_back(
        action::TooSoon{need_->need, view_.now + (next - view_.issuer->earliest)});
    need_.reset();
    return false;
  }
  const Duration from = readable ? record.bucket_full_at : Duration{0};
  record.bucket_full_at = std::max(from, view_.issuer->earliest) + Budget::kEvery;
  return true;
}

/// An answer counts unless there is a later one, whatever happened meanwhile.
void ShareMachine::write_answer() {
  if (!known_) return read();
  Record record = base();
  const event::Answered& answer = *asking_->answer;
  if (written(record)) {
    live_ = record;
    actions_.emplace_back(action::Kept{});
    asking_.reset();
    return decide();
  }
  const bool mine = record.claim && record.claim->id == asking_->claim->id;
  const bool newest = record.epoch == 0 ||
                      (record.epoch == asking_->epoch && asking_->claim->fence > record.generation);
  if (mine) record.claim.reset();
  if (answer.token && newest) {
    record.epoch = asking_->epoch;
    record.generation = asking_->claim->fence;
    record.unstored = record.rejected = record.rejected_credentials = 0;
    record.token = answer.token;
    record.trouble = {};
  } else if (!answer.token && mine) {
    if (asking_->unstorable) record.unstored = asking_->claim->fence;
    if (answer.rejected != 0) {
      record.rejected = asking_->claim->fence;
      record.rejected_credentials = answer.rejected;
    }
    if (answer.trouble.verdict != Verdict::ok) {
      const std::uint32_t before = record.trouble.failures;
      record.trouble = answer.trouble;
      record.trouble.failures = before + 1;
    }
  } else if (!mine) {  // overtaken: nothing of it is wanted
    asking_.reset();
    return decide();
  }
  swap(with_pending(std::move(record)), {.carries = pending_.changes, .ends_request = true});
}

/// By a swap whose answer was lost.
bool ShareMachine::written(const Record& record) const {
  const event::Answered& answer = *asking_->answer;
  return answer.token && record.token && record.token->id == answer.token->id &&
         record.generation == asking_->claim->fence;
}

void ShareMachine::operation_failed(bool silent) {
  const Operation failed = *std::exchange(operation_, std::nullopt);
  known_ = fresh_ = false;
  forget_pending();
  if (asking_ && asking_->answer) answer_unwritten(silent);
  if (asking_) asking_->next_beat = view_.now + options_.beat_every;  // it may fail at once again
  if (need_ && !asking_) ask_alone(failed);
}

/// The register may have failed only once. If it reports a failure again, it does not take this
/// token, but may take the news of it. A register that takes nothing takes nobody's claim either.
void ShareMachine::answer_unwritten(bool silent) {
  const int failures = ++asking_->failed_writes;
  if (failures == 1) return;
  if (failures == 2 && !silent) {
    asking_->unstorable = std::exchange(asking_->answer->token, std::nullopt).has_value();
  } else {
    asking_.reset();
  }
}

/// The register failed. A claim may have been written nevertheless.
void ShareMachine::ask_alone(const Operation& failed) {
  ask(failed.claims ? failed.writes : std::nullopt);
}

void ShareMachine::ask(const std::optional<Record>& claimed) {
  asking_ = Asking{need_->need, {}, 0, view_.now + options_.beat_every, {}};
  if (claimed) {
    asking_->claim = claimed->claim;
    asking_->epoch = claimed->epoch;
  }
  actions_.emplace_back(action::Ask{need_->need});
  need_.reset();
}

void ShareMachine::won(const Operation& done) {
  if (done.carries == pending_.changes) forget_pending();
  if (done.ends_request) {
    if (asking_ && asking_->answer && asking_->answer->token) {
      live_ = done.writes;
      actions_.emplace_back(action::Kept{});
    }
    asking_.reset();
  }
  if (done.still > Duration{0}) actions_.emplace_back(action::TookOver{done.still});
  if (!done.claims) return;
  if (need_) return ask(done.writes);
  asking_ = Asking{.claim = done.writes->claim, .epoch = done.writes->epoch};
  asking_->answer.emplace();  // nobody needs it any more: the claim is given back
}

/// The register has lost what this process knows: it was emptied, or reverted to an older state.
void ShareMachine::restore_lost() {
  if (!live_ || !known_ || asking_) return;
  if (!lives(*live_)) {
    live_.reset();
    return;
  }
  const Record there = base();
  const bool lost =
      there.epoch == 0 || (there.epoch == live_->epoch && there.generation < live_->generation);
  if (!lost) return;
  Record back = *live_;
  back.claim.reset();
  swap(std::move(back), {});
}

/// What another process has found refused is not written back.
void ShareMachine::heed_refusals(const Record& record) {
  if (!live_ || record.epoch != live_->epoch) return;
  const bool replaced = record.generation == live_->generation && record.token &&
                        record.token->id != live_->token->id;  // by an older one
  if (replaced || record.refused >= live_->generation) live_.reset();
}

/// When this process first saw the trouble; its own when it wrote it.
void ShareMachine::note_trouble(const Record& record) {
  const Trouble& trouble = record.trouble;
  const TroubleId id{record.epoch, record.generation, trouble.failures, trouble.not_before};
  if (awaited_.trouble != id) awaited_ = Awaited{id, view_.now};
}

/// How long a beat has stood still.
void ShareMachine::watch(const Record& record) {
  if (!record.claim) {
    watched_.reset();
  } else if (watched_ && watched_->claim == *record.claim &&
             view_.now - watched_->last <= options_.longest_gap) {
    watched_->last = view_.now;
  } else {
    watched_ = Watched{*record.claim, view_.now, view_.now};
  }
}

// The register ------------------------------------------------------------------------------------

void ShareMachine::read() {
  operation_ =
      Operation{.id = ++last_operation_, .deadline = view_.now + options_.operation_timeout};
  actions_.emplace_back(action::Read{operation_->id});
  wake_at(operation_->deadline);
}

void ShareMachine::swap(Record record, Operation operation) {
  operation_ = std::move(operation);
  operation_->id = ++last_operation_;
  operation_->deadline = view_.now + options_.operation_timeout;
  operation_->writes = record;
  std::optional<std::string> version;
  if (seen_) version = seen_->version;
  actions_.emplace_back(action::Swap{operation_->id, std::move(version), std::move(record)});
  wake_at(operation_->deadline);
}

void ShareMachine::forget_pending() {
  pending_.facts.reset();
  pending_.refused.reset();
}

Record ShareMachine::base() const {
  return seen_ ? seen_->record : Record{};
}

Record ShareMachine::with_pending(Record record) const {
  if (pending_.refused) apply(*pending_.refused, record);
  if (pending_.facts) apply(*pending_.facts, record);
  return record;
}

// Tokens ------------------------------------------------------------------------------------------

bool ShareMachine::of_this_boot(const SharedToken& token) const {
  return same_boot_clock(token, options_.boot_id, options_.time_namespace);
}

/// An upper bound; empty if it is not known.
std::optional<Duration> ShareMachine::age_of(const SharedToken& token) const {
  if (of_this_boot(token) && token.sent <= view_.now) return view_.now - token.sent;
  if (!view_.issuer || token.issued_from <= Duration{0}) return std::nullopt;
  if (view_.issuer->latest < token.issued_from) return std::nullopt;  // certainly not of that clock
  return view_.issuer->latest - token.issued_from;
}

bool ShareMachine::lives(const Record& record) const {
  if (!record.token) return false;
  const auto age = age_of(*record.token);
  return age && *age < record.token->life;
}

/// Unless it is too old.
bool ShareMachine::could_do(const Record& record) const {
  if (need_->anew || !record.token || record.generation <= record.refused) return false;
  const auto& used = need_->used;
  return std::find(used.begin(), used.end(), record.token->id) == used.end();
}

bool ShareMachine::will_do(const Record& record) const {
  if (!could_do(record)) return false;
  const auto age = age_of(*record.token);
  return age && *age < record.token->life && record.token->life - *age >= need_->min_life;
}

/// A token of another boot may live longer than an old reading of the issuer's clock can show.
bool ShareMachine::needs_look(const Record& record) const {
  if (record.trouble.failures > 0 && !view_.issuer) return true;  // it may be long over
  const bool of_interest = could_do(record) && record.token->issued_from > Duration{0};
  if (!of_interest || of_this_boot(*record.token)) return false;
  return !view_.issuer || view_.issuer->age > options_.stale_reading;
}

/// Never 0.
std::uint64_t ShareMachine::random() {
  return std::max(time::next_bits(random_state_), std::uint64_t{1});
}

void ShareMachine::wake_at(Instant when) {
  wake_ = wake_ ? std::min(*wake_, when) : when;
}

}  // namespace skewguard::sharing
