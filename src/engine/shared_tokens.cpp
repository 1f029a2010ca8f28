#include "engine/shared_tokens.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "base/overloaded.hpp"
#include "store/digest.hpp"
#include "time/duration_text.hpp"

namespace skewguard::engine {
namespace {

/// A look whose answer takes longer costs a token request. An answer that took long says little,
/// but enough of a token that lives for minutes, and a host that is slow is best asked for no
/// token.
constexpr Duration kSharedLookTimeout = std::chrono::seconds{12};

sharing::ShareOptions share_options(const SharedTokens::Options& options, std::string api) {
  sharing::ShareOptions out;
  out.boot_id = options.boot.id;
  out.time_namespace = options.boot.time_namespace;
  out.api = std::move(api);
  out.seed = options.seed;
  return out;
}

std::uint64_t id_of(const Secret& token) {
  return store::id_of_text(token.reveal());
}

}  // namespace

SharedTokens::SharedTokens(const Uses& uses, Options options, Callbacks callbacks)
    : uses_(uses),
      boot_(options.boot),
      callbacks_(std::move(callbacks)),
      machine_(share_options(options, uses.clocks.origin(uses.clocks.api()))),
      store_(uses.loop, uses.log, uses.store, std::move(options.key),
             [this](const sharing::ShareEvent& event) { step(event); }) {}

SharedTokens::~SharedTokens() {
  try {
    uses_.loop.cancel(timer_);
    callbacks_ = {};
    if (need_) step(sharing::event::Answered{.need = need_->need});
    store_.open_inbox();
  } catch (...) {
    return;
  }
}

void SharedTokens::need(const oauth::action::StartFetch& fetch, std::uint64_t credentials) {
  need_ =
      sharing::event::Need{fetch.fetch, fetch.min_life, fetch.anew, fetch.pays, used_, credentials};
  step(*need_);
}

void SharedTokens::cancel(oauth::FetchId fetch) {
  need_.reset();
  step(sharing::event::Cancel{fetch});
}

void SharedTokens::answered(const oauth::TokenPtr& token, bool accepted,
                            const std::optional<oauth::TokenMachine::Pause>& pause) {
  if (!need_) return;
  const sharing::event::Need need = *std::exchange(need_, std::nullopt);
  sharing::event::Answered answer{.need = need.need};
  if (token) {
    answer.token = shared_token(*token, id_of(token->value), boot_, accepted);
    remember(answer.token->id);
  } else if (pause && pause->credentials) {
    answer.rejected = need.credentials;
  } else if (pause) {
    const Instant now = uses_.clocks.now().boot;
    answer.trouble.pause = std::max(pause->until - now, Duration{0});
    answer.trouble.verdict = pause->verdict;
    if (const auto issuer = view().issuer)
      answer.trouble.not_before = issuer->latest + answer.trouble.pause;
  }
  step(answer);
}

/// Only what this process learned itself: the rest came from the store.
void SharedTokens::learned(const oauth::action::Note& known) {
  sharing::Facts facts{.api = uses_.clocks.origin(uses_.clocks.api())};
  if (known.accepted) facts.accepted = id_of(known.token->value);
  if (known.lag != lag_) facts.lag = lag_ = known.lag;
  if (known.lead != lead_) facts.lead = lead_ = known.lead;
  if (facts.accepted != 0 || facts.lag || facts.lead) step(sharing::event::Learned{facts});
}

void SharedTokens::refused(const oauth::action::Forget& forget) {
  sharing::event::Refused refused{.token = id_of(forget.refused->value)};
  if (forget.instead) {
    const auto& older = *forget.instead;
    refused.instead = shared_token(older, id_of(older.value), boot_, true);
  }
  step(refused);
}

void SharedTokens::step(const sharing::ShareEvent& event) {
  for (const auto& action : machine_.step(event, view())) act(action);
}

void SharedTokens::act(const sharing::ShareAction& action) {
  std::visit(Overloaded{
                 [this](const sharing::action::Read& a) { store_.read(a); },
                 [this](const sharing::action::Swap& a) { store_.swap(a); },
                 [this](const sharing::action::Ask&) {
                   note("no token of this client");
                   if (callbacks_.ask) callbacks_.ask();
                 },
                 [this](const sharing::action::Found& a) { found(a); },
                 [this](const sharing::action::TooSoon& a) {
                   const auto need = std::exchange(need_, std::nullopt);
                   callbacks_.tell(oauth::event::TooSoon{need->need, a.until});
                 },
                 [this](const sharing::action::Rejected& a) {
                   need_.reset();
                   callbacks_.tell(oauth::event::RejectedElsewhere{a.need});
                 },
                 [this](const sharing::action::Look&) { look(); },
                 [this](const sharing::action::Tell& a) { learn(a); },
                 [this](const sharing::action::WakeAt& a) { wake_at(a.at); },
                 [this](const sharing::action::Kept&) { note("the new token is kept"); },
                 [this](const sharing::action::TookOver& a) { took_over(a); },
             },
             action);
}

void SharedTokens::found(const sharing::action::Found& found) {
  if (!need_) return;
  const sharing::SharedToken& shared = *found.record.token;
  auto token = adopted_token(shared, found.age, uses_.clocks.login(), uses_.clocks.now());
  remember(shared.id);
  if (!callbacks_.would_serve(*token, need_->min_life)) {  // its begin or its claims say otherwise
    need_->used = used_;
    return step(*need_);
  }
  const oauth::FetchId fetch = std::exchange(need_, std::nullopt)->need;
  note("it has a token of this client");
  callbacks_.tell(oauth::event::Found{fetch, std::move(token)});
}

void SharedTokens::note(const char* what) const {
  uses_.log.write({LogLevel::debug, std::string("token store: ") + what, {}, {}});
}

void SharedTokens::remember(std::uint64_t id) {
  constexpr std::size_t kMaxUsed = 16;
  used_.push_back(id);
  if (used_.size() > kMaxUsed) used_.erase(used_.begin());
}

void SharedTokens::took_over(const sharing::action::TookOver& over) {
  uses_.log.write({LogLevel::warn,
                   "another process began to request a token and has shown no sign of "
                   "life for " +
                       time::human(over.after) +
                       " (is it frozen?): this one requests the token instead"});
}

void SharedTokens::learn(const sharing::action::Tell& told) {
  sharing::Facts news{.api = told.facts.api};
  if (told.facts.lag && *told.facts.lag != lag_) news.lag = lag_ = *told.facts.lag;
  if (told.facts.lead && *told.facts.lead != lead_) news.lead = lead_ = *told.facts.lead;
  if (callbacks_.learn && (news.lag || news.lead)) callbacks_.learn(news);
}

void SharedTokens::look() {
  uses_.sender.look_at_login(
      uses_.clocks.now().boot + kSharedLookTimeout,
      [this](const clocks::AnswerResult&) { step(sharing::event::Looked{}); });
}

void SharedTokens::wake_at(Instant when) {
  uses_.loop.cancel(timer_);
  timer_ = uses_.loop.at(when, [this] {
    timer_ = 0;
    step(sharing::event::Tick{});
  });
}

sharing::View SharedTokens::view() const {
  const clocks::ClockView clocks = uses_.clocks.view();
  sharing::View view{clocks.now().boot, std::nullopt};
  const auto reading = clocks.recent_reading(uses_.clocks.login());
  if (!reading) return view;
  view.issuer =
      sharing::IssuerReading{reading->earliest.since_epoch(), reading->latest.since_epoch(),
                             clocks.silence(uses_.clocks.login()).value_or(Duration{0})};
  return view;
}

}  // namespace skewguard::engine
