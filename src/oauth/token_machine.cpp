#include "oauth/token_machine.hpp"

#include <algorithm>
#include <utility>

#include "oauth/lifetime.hpp"
#include "oauth/token_machine_impl.hpp"
#include "time/duration_text.hpp"

namespace skewguard::oauth {
namespace {

/// The published end moves a little with each answer; readers need not hear of each.
constexpr Duration kRepublishEarlier = std::chrono::milliseconds{5};
constexpr Duration kRepublishLater = std::chrono::milliseconds{100};

}  // namespace

// Events ------------------------------------------------------------------------------------------

void TokenMachine::Impl::on(const event::Want& want, const clocks::ClockView& view) {
  if (waiters_.contains(want.waiter)) return;
  Waiter waiter{
      .want = want, .newest_before = tokens_.newest_generation(), .came = view.now().boot};
  if (want.force) waiter.want.after = std::max(want.after, waiter.newest_before);
  if (want.refused && !want.refused->ill_timed) tokens_.mark_refused(want.after);
  if (Holding* older = tokens_.older_for(want, lives(view))) return deliver(waiter, *older);
  waiters_.add(std::move(waiter));
}

void TokenMachine::Impl::on(const event::Withdraw& withdraw, const clocks::ClockView& /*view*/) {
  waiters_.remove(withdraw.waiter);
}

void TokenMachine::Impl::on(const event::Tick& /*tick*/, const clocks::ClockView& /*view*/) {
  wake_.reset();  // spent, or early: set it again
}

void TokenMachine::Impl::on(const event::Used& /*used*/, const clocks::ClockView& /*view*/) {
  tokens_.mark_used();
}

void TokenMachine::Impl::on(const event::Accepted& accepted, const clocks::ClockView& view) {
  if (!known_.was_accepted(accepted.generation)) noteworthy_ = accepted.generation;
  known_.note_accepted(accepted.generation);
  tokens_.mark_accepted(accepted.generation, view.now().boot);
  api_door_.accept(accepted.generation);
}

void TokenMachine::Impl::on(const event::RefusedForGood& refused, const clocks::ClockView& view) {
  const Holding* newest = tokens_.newest();
  if (newest == nullptr || refused.generation < newest->token->generation) return;  // replaced
  const auto failure = api_door_.refuse(refused.generation, refused.verdict, newest->token->sent,
                                        known_.any_accepted(), view.now().boot);
  if (!failure) return;
  log(LogLevel::warn, failure->error.message, failure->verdict);
  forget_refused(refused.verdict, view);
}

/// A gateway's page says nothing about the token. So an older one that the API has accepted goes
/// back into the store, and if there is none the refused token stays there.
void TokenMachine::Impl::forget_refused(Verdict verdict, const clocks::ClockView& view) {
  action::Forget forget{tokens_.newest()->token};
  if (verdict == Verdict::gateway_refused) {
    forget.instead = tokens_.before(lives(view));
    if (!forget.instead) return;
  }
  actions_.emplace_back(std::move(forget));
}

void TokenMachine::Impl::on(const event::EndedEarly& fact, const clocks::ClockView& /*view*/) {
  known_.early_ends().note(fact.generation);
}

void TokenMachine::Impl::on(const event::TakesUnbegun& /*fact*/,
                            const clocks::ClockView& /*view*/) {
  known_.note_begin_ignored();
}

void TokenMachine::Impl::on(const event::ApiLags& fact, const clocks::ClockView& /*view*/) {
  if (!known_.learn_lag(fact.lag)) return;
  noteworthy_ = tokens_.newest_generation();
  tokens_.schedule_first_use(known_.learned());
  const Duration lag = known_.learned().lag;
  log(LogLevel::info, lag > Duration{0}
                          ? "the API's clock is behind the login host's by up to " +
                                time::human(lag) + ": new tokens are used that much later"
                          : "the API's clock is no longer behind the login host's");
}

void TokenMachine::Impl::on(const event::ApiLeads& fact, const clocks::ClockView& /*view*/) {
  if (!known_.learn_lead(fact.lead)) return;
  noteworthy_ = tokens_.newest_generation();
  const Duration lead = known_.learned().lead;
  log(LogLevel::info, lead > Duration{0}
                          ? "the API's clock is ahead of the login host's by " + time::human(lead) +
                                ": tokens end that much earlier"
                          : "the API's clock is no longer ahead of the login host's");
}

void TokenMachine::Impl::on(const event::StoodStill& event, const clocks::ClockView& /*view*/) {
  if (event.gap <= Duration{0}) return;
  const Duration gap = std::min(event.gap, kLongestLife);
  tokens_.age(gap, event.issued_from);
  log(LogLevel::warn, "this machine stood still for about " + time::human(gap) +
                          ": the tokens from before end that much earlier");
}

void TokenMachine::Impl::on(const event::Adopt& adopt, const clocks::ClockView& view) {
  if (!adopt.token) return;
  const Lives now = lives(view);
  if (!tokens_.adopt(tokens_.made_elsewhere(*adopt.token, options_.early_refresh_after, now), now))
    return;
  const Holding& held = *tokens_.newest();
  if (held.accepted) known_.note_accepted(held.token->generation);
}

void TokenMachine::Impl::on(const event::Found& found, const clocks::ClockView& view) {
  if (!fetch_.end_unsent(found.fetch)) return;
  place(tokens_.made_elsewhere(*found.token, options_.early_refresh_after, lives(view)), view);
  log(LogLevel::info,
      "token " + std::to_string(tokens_.generations()) + " was requested by another process");
}

void TokenMachine::Impl::on(const event::TooSoon& late, const clocks::ClockView& /*view*/) {
  if (fetch_.end_unsent(late.fetch)) fetch_.wait_until(late.until);
}

void TokenMachine::Impl::on(const event::RejectedElsewhere& rejected,
                            const clocks::ClockView& view) {
  if (fetch_.end_unsent(rejected.fetch))
    fail_all(rejected_elsewhere(host_.origin()), nullptr, view);
}

void TokenMachine::Impl::on(const event::Dropped& dropped, const clocks::ClockView& /*view*/) {
  fetch_.end_unsent(dropped.fetch);
}

void TokenMachine::Impl::on(const event::NewGrants& fresh, const clocks::ClockView& view) {
  host_.replace(fresh.grants);
  if (!fetch_.busy()) host_.forget_replaced();
  login_door_.open_for_new_secrets(view.now().boot);
}

// What follows from the state ---------------------------------------------------------------------

void TokenMachine::Impl::settle(const clocks::ClockView& view) {
  tokens_.promote(lives(view));
  serve(view);
  if (!waiters_.empty() || refresh_due(view).value_or(Instant::max()) <= view.now().boot) {
    start_fetch(view);
  }
  turn_away(view);
  tell_hold_up(view);
  publish(view);
  set_wake(view);
  save();  // a store may be slow: those who wait come first
}

void TokenMachine::Impl::save() {
  if (std::exchange(unsaved_, false)) actions_.emplace_back(action::Save{tokens_.newest()->token});
  const auto noteworthy = std::exchange(noteworthy_, std::nullopt);
  if (!noteworthy || tokens_.given()) return;
  if (const Holding* held = tokens_.of(*noteworthy)) {
    const Learned& learned = known_.learned();
    actions_.emplace_back(action::Note{held->token, held->accepted, learned.lag, learned.lead});
  }
}

void TokenMachine::Impl::serve(const clocks::ClockView& view) {
  waiters_.remove_unseen_if([&](const Waiter& waiter) { return answer(waiter, view); });
}

/// Answers the waiter if that can be done now.
bool TokenMachine::Impl::answer(const Waiter& waiter, const clocks::ClockView& view) {
  const event::Want& want = waiter.want;
  const Lives now = lives(view);
  if (now.now() <= want.deadline) {
    if (Holding* held = tokens_.serving(want, now)) {
      deliver(waiter, *held);
      return true;
    }
    const Holding* newest = tokens_.newest();
    const bool fresh = newest != nullptr && !newest->token->given &&
                       newest->token->generation > std::max(want.after, waiter.newest_before);
    if (fresh && now.alive(*newest) && now.remaining(*newest) < want.min_life) {
      fail(waiter, new_token_too_short(now.remaining(*newest), want.min_life), view);
      return true;
    }
  }
  if (now.now() < want.deadline) return false;
  fail(waiter, reason_to_turn_away(waiter, view), view);
  return true;
}

void TokenMachine::Impl::start_fetch(const clocks::ClockView& view) {
  const Instant now = view.now().boot;
  if (fetch_.busy() || !can_fetch() || now < earliest_fetch(view)) return;
  const bool pays = paid_for(view, now);
  waiters_.count_hold_up(now);
  action::StartFetch fetch{fetch_.start(pays, now), host_.request(), now + options_.fetch_timeout};
  fetch.pays = pays;
  fetch.anew = waiters_.any_forces();
  fetch.min_life = waiters_.min_life();
  actions_.emplace_back(std::move(fetch));
}

/// Fails those whom no token request can serve in time.
void TokenMachine::Impl::turn_away(const clocks::ClockView& view) {
  if (fetch_.busy()) return;
  const Instant now = view.now().boot;
  const bool shut = turns_away(now);
  const Instant earliest = earliest_fetch(view);
  const bool too_often =  // only evidence rule 8
      closed(now) == nullptr && can_fetch() && earliest > std::max(login_door_.not_before(), now);
  waiters_.remove_unseen_if([&](const Waiter& waiter) {
    if (!shut && waiter.want.deadline > earliest) return false;
    fail(waiter, too_often ? refused_too_often(earliest, now) : reason_to_turn_away(waiter, view),
         view);
    return true;
  });
}

/// Those who wait because tokens have been refused are told so as their wait begins.
void TokenMachine::Impl::tell_hold_up(const clocks::ClockView& view) {
  const Instant now = view.now().boot;
  const bool wait = !fetch_.busy() && !waiters_.empty() && can_fetch();
  const Instant until = wait ? earliest_fetch(view) : now;
  if (until <= std::max(login_door_.not_before(), now)) return waiters_.end_hold_up();
  if (!waiters_.hold_up(now)) return;
  log_wait(until - now,
           "before asking the login host for another token: some have been refused just before");
}

void TokenMachine::Impl::publish(const clocks::ClockView& view) {
  const TokenPtr token = usable(view);
  const Instant until = token ? lives(view).usable_until(*tokens_.current()) : Instant{};
  const bool moved = until + kRepublishEarlier < published_.usable_until ||
                     until > published_.usable_until + kRepublishLater;
  if (token == published_.token && !moved) return;
  published_ = {token, until};
  actions_.emplace_back(published_);
}

std::optional<Instant> TokenMachine::Impl::next_chance(const clocks::ClockView& view) const {
  if (usable(view)) return std::nullopt;
  const Holding* newest = tokens_.newest();
  if (newest != nullptr && lives(view).alive(*newest)) return newest->first_use;
  if (fetch_.busy() || !can_fetch()) return std::nullopt;
  return earliest_fetch(view);
}

void TokenMachine::Impl::set_wake(const clocks::ClockView& view) {
  std::optional<Instant> wake;
  const auto consider = [&](std::optional<Instant> at) {
    if (at) wake = std::min(*at, wake.value_or(*at));
  };
  if (waiters_.any_seen()) consider(wake_);  // no later than their deadlines
  consider(waiters_.unseen_deadline());
  if (!fetch_.busy()) {
    if (!waiters_.empty()) consider(earliest_fetch(view));
    if (const auto due = refresh_due(view)) consider(std::max(*due, earliest_fetch(view, *due)));
  }
  consider(tokens_.next_change(lives(view)));
  if (!wake || wake == wake_) return;
  wake_ = wake;
  actions_.emplace_back(action::WakeAt{*wake});
}

// The public face ---------------------------------------------------------------------------------

TokenMachine::TokenMachine(TokenMachineOptions options, Grants grants,
                           std::shared_ptr<const Dialect> dialect, ServerId login)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(grants), std::move(dialect),
                                   login)) {}
TokenMachine::~TokenMachine() = default;
TokenMachine::TokenMachine(TokenMachine&&) noexcept = default;
TokenMachine& TokenMachine::operator=(TokenMachine&&) noexcept = default;

TokenActions TokenMachine::step(const TokenEvent& event, const clocks::ClockView& view) {
  return impl_->step(event, view);
}
TokenPtr TokenMachine::usable(const clocks::ClockView& view) const {
  return impl_->usable(view);
}
std::optional<Instant> TokenMachine::ends_at(const clocks::ClockView& view) const {
  return impl_->ends_at(view);
}
bool TokenMachine::would_serve(const Token& token, Duration min_life,
                               const clocks::ClockView& view) const {
  return impl_->would_serve(token, min_life, view);
}
std::optional<TokenMachine::Pause> TokenMachine::pause(Instant now) const {
  return impl_->pause(now);
}
bool TokenMachine::fetching() const noexcept {
  return impl_->fetching();
}
std::optional<Instant> TokenMachine::next_chance(const clocks::ClockView& view) const {
  return impl_->next_chance(view);
}
bool TokenMachine::was_accepted(std::uint64_t generation) const noexcept {
  return impl_->known().was_accepted(generation);
}
bool TokenMachine::begins_ignored() const noexcept {
  return impl_->known().begins_ignored();
}
Instant TokenMachine::older_until(std::uint64_t generation, const clocks::ClockView& view) const {
  return impl_->older_until(generation, view);
}
unsigned TokenMachine::early_ends_before(std::uint64_t generation) const noexcept {
  return impl_->known().early_ends().running_before(generation);
}

}  // namespace skewguard::oauth
