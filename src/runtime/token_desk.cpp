#include "runtime/token_desk.hpp"

#include <algorithm>
#include <utility>

#include "oauth/lifetime.hpp"
#include "oauth/token_answer.hpp"
#include "runtime/adopt.hpp"
#include "store/key.hpp"
#include "time/duration_text.hpp"

namespace skewguard::runtime {
namespace {

oauth::TokenMachineOptions machine_options(const Core& core, std::uint64_t seed) {
  oauth::TokenMachineOptions out;
  out.token_url = core.token_url();
  out.region = core.options.region;
  out.raw_basic = core.options.dialect == DialectName::genesys;
  out.seed = seed;
  return out;
}

bool same_secrets(const oauth::Grants& grants, const std::vector<Secret>& secrets) {
  return std::ranges::equal(grants, secrets, {}, [](const auto& grant) -> const Secret& {
    return grant->client_secret();
  });
}

}  // namespace

TokenDesk::TokenDesk(Core& core, oauth::Grants grants, std::uint64_t seed)
    : core_(core),
      grants_(std::move(grants)),
      tokens_(machine_options(core, seed), grants_, core.dialect, core.login),
      clocks_(
          core, [this](const oauth::TokenEvent& event) { step(event); },
          [this] { return tokens_.fetching(); }),
      shared_(shared_tokens(seed + 2)) {}

TokenDesk::~TokenDesk() {
  if (!shared_) return;
  core_.turns.within([this] {
    flush_notes();
    shared_.reset();
  });
}

std::unique_ptr<SharedTokens> TokenDesk::shared_tokens(std::uint64_t seed) {
  if (core_.world.store == nullptr) return nullptr;
  return std::make_unique<SharedTokens>(
      core_, *core_.world.store, store::key_of(core_.options, grants_.front()->client_secret()),
      seed,
      SharedTokens::Uses{[this] { ask(); },
                         [this](const oauth::TokenEvent& event) {
                           asking_.reset();
                           step(event);
                         },
                         [this](const sharing::Facts& facts) { learn_from(facts); },
                         [this](const oauth::Token& token, Duration min_life) {
                           return tokens_.would_serve(token, min_life, core_.view());
                         }});
}

/// A program may end as soon as it has its token; the next one should know what this one learned.
void TokenDesk::flush_notes() noexcept {
  try {
    for (const auto& known : std::exchange(notes_, {})) shared_->learned(known);
  } catch (...) {
    return;
  }
}

void TokenDesk::step(const oauth::TokenEvent& event) {
  auto actions = tokens_.step(event, core_.view());
  const bool answered = std::holds_alternative<oauth::event::Fetched>(event) ||
                        std::holds_alternative<oauth::event::FetchFailed>(event);
  if (answered && shared_) share(actions);
  for (auto& action : actions) {
    std::visit(Overloaded{
                   [this](oauth::action::StartFetch& a) { start_fetch(a); },
                   [this](oauth::action::Deliver& a) { answer(std::move(a)); },
                   [this](oauth::action::Deny& a) { answer(std::move(a)); },
                   [this](const oauth::action::Publish& a) {
                     if (core_.world.publish) core_.world.publish(a.token, a.usable_until);
                   },
                   [this](oauth::action::WakeAt& a) { wake_at(a.at); },
                   [this](const oauth::action::Rejected& a) {
                     const ReportedAttempt& attempt = a.attempt.attempt;
                     core_.tell_rejection({"POST",
                                           core_.token_url(),
                                           attempt,
                                           {attempt.verdict.value_or(Verdict::unknown)}});
                   },
                   [](const oauth::action::Save&) {},  // share() has seen it
                   // In a turn of its own: a store may be slow, and a call waits.
                   [this](oauth::action::Note& a) {
                     if (!shared_) return;
                     notes_.push_back(std::move(a));
                     core_.later([this] { flush_notes(); });
                   },
                   [this](const oauth::action::Forget& a) {
                     if (shared_) shared_->refused(a);
                   },
                   [this](const oauth::action::Log& a) { core_.log(a.line); },
               },
               action);
  }
}

/// What came of a token request, for the others; first, since the next request may follow at once.
void TokenDesk::share(const oauth::TokenActions& actions) {
  oauth::TokenPtr token;
  for (const auto& action : actions)
    if (const auto* save = std::get_if<oauth::action::Save>(&action)) token = save->token;
  shared_->answered(token, token && tokens_.was_accepted(token->generation), tokens_.pause());
}

void TokenDesk::renew(oauth::Grants grants) {
  grants_ = std::move(grants);
  step(oauth::event::NewGrants{grants_});
}

/// One that throws is the user's loss alone.
void TokenDesk::look_for_secrets() {
  if (!core_.world.fresh_secrets) return;
  Dependencies::FreshSecrets fresh;
  try {
    fresh = core_.world.fresh_secrets();
  } catch (...) {
    return;
  }
  if (!fresh) return;
  const auto checked = *fresh ? check_new_secrets(**fresh) : Result<void>(fresh->error());
  if (!checked) {
    core_.log({LogLevel::error, "the client's new secrets are of no use, the old ones stay: " +
                                    checked.error().message});
    return;
  }
  if (same_secrets(grants_, **fresh)) return;
  core_.log({LogLevel::info, "the client's secrets have changed"});
  renew(oauth::client_credentials(core_.options, **std::move(fresh)));
}

void TokenDesk::wake_at(Instant when) {
  core_.cancel(timer_);
  timer_ = core_.at(when, [this] {
    timer_ = 0;
    look_for_secrets();
    step(oauth::event::Tick{});
  });
}

// Who wants a token -------------------------------------------------------------------------------

void TokenDesk::want(oauth::event::Want want, Taker taker) {
  look_for_secrets();
  takers_.emplace(want.waiter, Waiting{std::move(taker), want.deadline});
  const auto& options = core_.options;
  const bool may_check = ready_ && !options.login_url.empty() && options.access_token.empty();
  if (may_check && clocks_.disrupted()) {
    ready_ = false;  // until it is known what became of the tokens nobody gets one
    clocks_.check_after_disruption([this] { ready(); });
  }
  if (ready_) return step(want);
  early_wants_.push_back(want);
  if (!std::exchange(adopting_, true)) adopt();
  if (ready_) return;
  core_.at(want.deadline, [this, id = want.waiter] { wait_no_longer(id); });
}

void TokenDesk::withdraw(oauth::WaiterId waiter) {
  if (takers_.erase(waiter) == 0) return;
  std::erase_if(early_wants_, [waiter](const auto& want) { return want.waiter == waiter; });
  step(oauth::event::Withdraw{waiter});
  if (!takers_.empty() || !asking_) return;
  const oauth::FetchId fetch = std::exchange(asking_, std::nullopt)->fetch.fetch;
  shared_->cancel(fetch);
  step(oauth::event::Dropped{fetch});
}

void TokenDesk::answer(Answer answer) {
  const auto found = takers_.find(std::visit([](const auto& a) { return a.waiter; }, answer));
  if (found == takers_.end()) return;
  core_.turns.next([taker = std::move(found->second.taker), answer = std::move(answer)]() mutable {
    taker(std::move(answer));
  });
  takers_.erase(found);
}

/// The tokens may be judged (again): those who came too early are served.
void TokenDesk::ready() {
  ready_ = true;
  for (const auto& want : std::exchange(early_wants_, {})) step(want);
}

void TokenDesk::wait_no_longer(oauth::WaiterId id) {
  const auto early = std::find_if(early_wants_.begin(), early_wants_.end(),
                                  [id](const auto& want) { return want.waiter == id; });
  if (early == early_wants_.end()) return;
  const oauth::event::Want want = *early;
  early_wants_.erase(early);
  step(want);
}

// Where tokens come from --------------------------------------------------------------------------

/// A token that the user obtained, once, before the first one is asked for.
void TokenDesk::adopt() {
  if (!core_.options.access_token.empty())
    step(oauth::event::Adopt{given_token(core_.options.access_token, core_.now(), core_.login)});
  ready();
}

/// It holds for as long as what this process sees itself allows it.
void TokenDesk::learn_from(const sharing::Facts& facts) {
  const auto learn = [this](const oauth::TokenEvent& fact) { step(clocks_.learned(fact)); };
  // Another process may say anything; sums of these stay far from overflow.
  const auto believed = [](Duration fact) { return std::min(fact, oauth::kLongestLife); };
  // At least half of it: with less it is no longer true. 0: that it is over.
  if (facts.lag) learn(oauth::event::ApiLags{believed(*facts.lag), believed(*facts.lag) / 2});
  if (facts.lead) learn(oauth::event::ApiLeads{believed(*facts.lead), believed(*facts.lead) / 2});
}

void TokenDesk::start_fetch(oauth::action::StartFetch& fetch) {
  asking_ = Asking{std::move(fetch), core_.now().boot};
  if (shared_) return shared_->need(asking_->fetch);
  ask();
}

void TokenDesk::ask() {
  if (!asking_) return;
  oauth::action::StartFetch fetch = std::move(asking_->fetch);
  const Instant deadline = core_.now().boot + (fetch.deadline - asking_->since);
  asking_.reset();
  Instant wanted = deadline;  // by the most hurried caller
  for (const auto& [id, waiting] : takers_) wanted = std::min(wanted, waiting.deadline);
  core_.send(std::move(fetch.request), SendOptions{deadline, oauth::kMaxTokenAnswerBytes},
             core_.login, wanted, [this, id = fetch.fetch](clocks::AnswerResult result) {
               if (auto* answer = std::get_if<clocks::Answer>(&result)) {
                 oauth::TokenEvent fetched = oauth::event::Fetched{id, std::move(*answer)};
                 step(fetched);
                 Secret::wipe(std::get<oauth::event::Fetched>(fetched).answer.body);
               } else {
                 step(oauth::event::FetchFailed{id, std::move(std::get<TransportFailure>(result))});
               }
             });
}

}  // namespace skewguard::runtime
