#include "oauth/token_machine.hpp"

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
  const auto same = [&](const Waiter& w) { return w.want.waiter == want.waiter; };
  const bool may_be_here = want.waiter <= newest_waiter_;
  if (may_be_here && std::any_of(waiters_.begin(), waiters_.end(), same)) return;
  newest_waiter_ = std::max(newest_waiter_, want.waiter);
  Waiter waiter{.want = want, .newest_before = newest_generation(), .came = view.now().boot};
  if (want.force) waiter.want.after = std::max(want.after, waiter.newest_before);
  if (Holding* older = older_for(want, view)) return deliver(waiter, *older);
  waiters_.push_back(std::move(waiter));
}

void TokenMachine::Impl::on(const event::Withdraw& withdraw, const clocks::ClockView& /*view*/) {
  std::erase_if(waiters_, [&](const Waiter& w) { return w.want.waiter == withdraw.waiter; });
}

void TokenMachine::Impl::on(const event::Tick& /*tick*/, const clocks::ClockView& /*view*/) {
  wake_.reset();  // spent, or early: set it again
}

void TokenMachine::Impl::on(const event::Used& /*used*/, const clocks::ClockView& /*view*/) {
  if (current_) current_->wanted = true;
}

void TokenMachine::Impl::on(const event::Accepted& accepted, const clocks::ClockView& view) {
  if (!was_accepted(accepted.generation)) {
    note_accepted(accepted.generation);
    noteworthy_ = accepted.generation;
  }
  if (accepted.generation > discarded_generation_) discarded_generation_ = 0;
  if (current_ && current_->token->generation == accepted.generation) before_.reset();
  for (auto* holding : {&current_, &next_}) {
    if (!*holding || (*holding)->token->generation != accepted.generation) continue;
    (*holding)->accepted = (*holding)->wanted = true;
    (*holding)->first_use = std::min((*holding)->first_use, view.now().boot);
  }
  if (accepted.generation >= refused_generation_) {
    api_closed_.reset();
    api_refusals_ = 0;
    refused_generation_ = 0;
  }
}

const Holding* TokenMachine::Impl::holding_of(std::uint64_t generation) const {
  for (const auto* holding : {&current_, &next_})
    if (*holding && (*holding)->token->generation == generation) return &**holding;
  return nullptr;
}

void TokenMachine::Impl::note_accepted(std::uint64_t generation) {
  constexpr std::size_t kKept = 8;
  if (accepted_.size() == kKept) accepted_.erase(accepted_.begin());
  accepted_.push_back(generation);
}

void TokenMachine::Impl::on(const event::RefusedForGood& refused, const clocks::ClockView& view) {
  // Of many callers that got the same token the first counts; an older token has been replaced.
  if (refused.generation < newest_generation() || refused.generation <= refused_generation_) return;
  refused_generation_ = refused.generation;
  // A clock can be set right at any time, and a call of now may be the first to gain by it.
  const bool clock = refused.verdict == Verdict::issuer_clock_behind && newest() != nullptr;
  const Duration pause =
      clock ? std::max(newest()->token->sent + options_.first_pause - view.now().boot, Duration{0})
            : growing_pause(options_.first_pause, options_.longest_pause, api_refusals_++);
  TokenFailure failure = fresh_token_refused(refused.verdict, pause);
  log(LogLevel::warn, failure.error.message, failure.verdict);
  forget_refused(refused.verdict, view);
  api_closed_ = Closed{.until = view.now().boot + pause,
                       .failure = std::move(failure),
                       .may_pass = clock && !accepted_.empty()};
}

/// A gateway's page says nothing of the token: then an older one that the API took goes back into
/// the store, and without one the refused token stays there.
void TokenMachine::Impl::forget_refused(Verdict verdict, const clocks::ClockView& view) {
  if (newest() == nullptr) return;
  action::Forget forget{newest()->token};
  if (verdict == Verdict::gateway_refused) {
    if (!before_ || !alive(*before_, view)) return;
    forget.instead = before_->token;
  }
  actions_.emplace_back(std::move(forget));
}

void TokenMachine::Impl::on(const event::EndedEarly& fact, const clocks::ClockView& /*view*/) {
  early_ends_.note(fact.generation);
}

void TokenMachine::Impl::on(const event::TakesUnbegun& /*fact*/,
                            const clocks::ClockView& /*view*/) {
  begins_ignored_ = true;
}

void TokenMachine::Impl::on(const event::ApiLags& fact, const clocks::ClockView& /*view*/) {
  const Duration lag = std::max(fact.lag, Duration{0});
  if (lag == learned_.lag) return;
  if (lag > learned_.lag) begins_ignored_ = false;  // one was refused until it had begun
  learned_.lag = lag;
  noteworthy_ = newest_generation();
  for (auto* holding : {&current_, &next_}) {
    if (*holding && !(*holding)->accepted && !(*holding)->token->given) {
      (*holding)->first_use = first_use(*(*holding)->token, learned_);
    }
  }
  log(LogLevel::info, lag > Duration{0}
                          ? "the API's clock is behind the login host's by up to " +
                                time::human(lag) + ": new tokens are used that much later"
                          : "the API's clock is no longer behind the login host's");
}

void TokenMachine::Impl::on(const event::ApiLeads& fact, const clocks::ClockView& /*view*/) {
  const Duration lead = std::max(fact.lead, Duration{0});
  if (lead == learned_.lead) return;
  learned_.lead = lead;
  noteworthy_ = newest_generation();
  log(LogLevel::info, lead > Duration{0}
                          ? "the API's clock is ahead of the login host's by " + time::human(lead) +
                                ": tokens end that much earlier"
                          : "the API's clock is no longer ahead of the login host's");
}

void TokenMachine::Impl::on(const event::StoodStill& event, const clocks::ClockView& /*view*/) {
  if (event.gap <= Duration{0}) return;
  const Duration gap = std::min(event.gap, kLongestLife);
  for (auto* holding : {&before_, &current_, &next_}) {
    if (!*holding || (*holding)->token->received >= event.issued_from) continue;
    // To a clock that did not stand still it was sent that much earlier.
    auto token = std::make_shared<Token>(*(*holding)->token);
    token->sent -= gap;
    token->received -= gap;
    (*holding)->token = std::move(token);
  }
  log(LogLevel::warn, "this machine stood still for about " + time::human(gap) +
                          ": the tokens from before end that much earlier");
}

void TokenMachine::Impl::on(const event::Adopt& adopt, const clocks::ClockView& view) {
  if (!adopt.token) return;
  Holding holding = hold(*adopt.token, view);
  holding.issuer_counts = true;  // of a token from before it is the better witness
  holding.no_refresh_before = view.now().boot + options_.lasting_program;
  const Holding* held = newest();
  const bool better = adopt.token->given || held == nullptr || !alive(*held, view) ||
                      life_of(holding, view).end > life_of(*held, view).end;
  if (!better) return;
  holding.first_use = adopt.token->given ? view.now().boot : holding.first_use;
  auto token = std::make_shared<Token>(*holding.token);
  token->generation = ++generations_;
  if (holding.accepted) note_accepted(token->generation);
  holding.token = std::move(token);
  current_ = std::move(holding);
  next_.reset();
}

void TokenMachine::Impl::on(const event::Found& found, const clocks::ClockView& view) {
  if (!end_unsent(found.fetch)) return;
  Holding fresh = hold(*found.token, view);
  fresh.issuer_counts = true;  // of a token from before it is the better witness
  fresh.no_refresh_before = view.now().boot + options_.lasting_program;
  place(std::move(fresh), view);
  log(LogLevel::info,
      "token " + std::to_string(generations_) + " was requested by another process");
}

void TokenMachine::Impl::on(const event::TooSoon& late, const clocks::ClockView& /*view*/) {
  if (!end_unsent(late.fetch)) return;
  budget_.wait_until(late.until);
}

void TokenMachine::Impl::on(const event::Dropped& dropped, const clocks::ClockView& /*view*/) {
  end_unsent(dropped.fetch);
}

/// It cost no token request. False: it was not under way.
bool TokenMachine::Impl::end_unsent(FetchId fetch) {
  if (fetch_ != fetch) return false;
  fetch_.reset();
  if (std::exchange(fetch_paid_, false)) budget_.give_back();
  return true;
}

void TokenMachine::Impl::on(const event::NewGrants& fresh, const clocks::ClockView& view) {
  grants_ = fresh.grants;
  turn_ = refused_ = 0;
  grants_worked_ = false;
  if (!login_closed_ || login_closed_->failure.verdict != Verdict::credentials_rejected) return;
  login_closed_.reset();  // it was the old ones' door
  login_refusals_ = 0;
  not_before_ = view.now().boot;
}

// What follows from the state ---------------------------------------------------------------------

void TokenMachine::Impl::settle(const clocks::ClockView& view) {
  promote(view);
  serve(view);
  if (!waiters_.empty() || refresh_due(view).value_or(Instant::max()) <= view.now().boot) {
    start_fetch(view);
  }
  turn_away(view);
  tell_hold_up(view);
  publish(view);
  set_wake(view);
  // A store may be slow: those who wait come first.
  const auto noteworthy = std::exchange(noteworthy_, std::nullopt);
  if (std::exchange(unsaved_, false)) actions_.emplace_back(action::Save{newest()->token});
  if (const Holding* known = noteworthy && !given() ? holding_of(*noteworthy) : nullptr) {
    actions_.emplace_back(action::Note{known->token, known->accepted, learned_.lag, learned_.lead});
  }
}

void TokenMachine::Impl::promote(const clocks::ClockView& view) {
  if (!next_) return;
  if (view.now().boot < next_->first_use && alive(*current_, view)) return;
  replace_current(*std::exchange(next_, std::nullopt));
}

void TokenMachine::Impl::serve(const clocks::ClockView& view) {
  const auto answered = [&](const Waiter& waiter) { return answer(waiter, view); };
  waiters_.erase(std::remove_if(first_to_look_at(), waiters_.end(), answered), waiters_.end());
}

/// Answers the waiter if that can be done now.
bool TokenMachine::Impl::answer(const Waiter& waiter, const clocks::ClockView& view) {
  const event::Want& want = waiter.want;
  const bool in_time = view.now().boot <= want.deadline;
  for (auto* holding : {&current_, &next_}) {
    if (!in_time || !serves(*holding, want, view)) continue;
    deliver(waiter, **holding);
    return true;
  }
  const Holding* fresh = newest();
  if (in_time && fresh != nullptr && !fresh->token->given && alive(*fresh, view) &&
      remaining(*fresh, view) < want.min_life &&
      fresh->token->generation > std::max(want.after, waiter.newest_before)) {
    deny(waiter, new_token_too_short(remaining(*fresh, view), want.min_life), view);
    return true;
  }
  if (view.now().boot < want.deadline) return false;
  deny(waiter, reason_to_turn_away(waiter, view), view);
  return true;
}

void TokenMachine::Impl::start_fetch(const clocks::ClockView& view) {
  if (fetch_ || !can_fetch() || view.now().boot < earliest_fetch(view)) return;
  fetch_paid_ = paid_for(view);
  if (fetch_paid_) budget_.pay(view.now().boot);
  const auto since = std::exchange(held_up_since_, std::nullopt);
  for (auto& waiter : waiters_)
    if (since) waiter.held_up += view.now().boot - std::max(*since, waiter.came);
  fetch_ = ++fetches_;
  action::StartFetch fetch{*fetch_, dialect_->request(grant(), options_.token_url),
                           view.now().boot + options_.fetch_timeout};
  fetch.pays = fetch_paid_;
  for (const auto& waiter : waiters_) {
    fetch.anew = fetch.anew || waiter.want.force;
    fetch.min_life = std::max(fetch.min_life, waiter.want.min_life);
  }
  actions_.emplace_back(std::move(fetch));
}

/// Denies those whom no token request can serve in time.
void TokenMachine::Impl::turn_away(const clocks::ClockView& view) {
  if (fetch_) return;
  const bool shut = turns_away(view);
  const Instant earliest = earliest_fetch(view);
  const bool too_often =  // evidence rule 8 alone
      closed(view) == nullptr && can_fetch() && earliest > std::max(not_before_, view.now().boot);
  const auto hopeless = [&](const Waiter& waiter) {
    if (!shut && waiter.want.deadline > earliest) return false;
    deny(waiter,
         too_often ? refused_too_often(earliest, view.now().boot)
                   : reason_to_turn_away(waiter, view),
         view);
    return true;
  };
  waiters_.erase(std::remove_if(first_to_look_at(), waiters_.end(), hopeless), waiters_.end());
}

/// Those who wait because tokens have been refused are told so as their wait begins.
void TokenMachine::Impl::tell_hold_up(const clocks::ClockView& view) {
  const bool waits = !fetch_ && !waiters_.empty() && can_fetch();
  const Instant until = waits ? earliest_fetch(view) : view.now().boot;
  if (until <= std::max(not_before_, view.now().boot)) return held_up_since_.reset();
  if (held_up_since_) return;
  held_up_since_ = view.now().boot;
  log(LogLevel::info, "waiting " + time::human(until - view.now().boot) +
                          " before asking the login host for another token: some have been "
                          "refused just before");
  std::get<action::Log>(actions_.back()).line.wait = until - view.now().boot;
}

void TokenMachine::Impl::publish(const clocks::ClockView& view) {
  const TokenPtr token = usable(view);
  const Instant until =
      token ? usable_until(life_of(*current_, view), options_, learned_) : Instant{};
  const bool moved =
      until + kRepublishEarlier < published_until_ || until > published_until_ + kRepublishLater;
  if (token == published_ && !moved) return;
  published_ = token;
  published_until_ = until;
  actions_.emplace_back(action::Publish{token, until});
}

void TokenMachine::Impl::set_wake(const clocks::ClockView& view) {
  std::optional<Instant> wake;
  const auto consider = [&](Instant at) { wake = std::min(at, wake.value_or(at)); };
  if (looked_at_ > 0) consider(*wake_);  // no later than their deadlines
  std::for_each(first_to_look_at(), waiters_.end(),
                [&](const Waiter& waiter) { consider(waiter.want.deadline); });
  if (!fetch_) {
    if (!waiters_.empty()) consider(earliest_fetch(view));
    if (const auto due = refresh_due(view)) consider(std::max(*due, earliest_fetch(view)));
  }
  if (next_) consider(next_->first_use);
  if (current_ && alive(*current_, view)) {
    const Instant until = usable_until(life_of(*current_, view), options_, learned_);
    consider(view.now().boot < current_->first_use ? std::min(current_->first_use, until) : until);
  }
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
std::optional<TokenMachine::Pause> TokenMachine::pause() const {
  return impl_->pause();
}
bool TokenMachine::fetching() const noexcept {
  return impl_->fetching();
}
bool TokenMachine::was_accepted(std::uint64_t generation) const noexcept {
  return impl_->was_accepted(generation);
}
bool TokenMachine::begins_ignored() const noexcept {
  return impl_->begins_ignored();
}
Instant TokenMachine::older_until(std::uint64_t generation, const clocks::ClockView& view) const {
  return impl_->older_until(generation, view);
}
unsigned TokenMachine::early_ends_before(std::uint64_t generation) const noexcept {
  return impl_->early_ends_before(generation);
}

}  // namespace skewguard::oauth
