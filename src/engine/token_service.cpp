#include "engine/token_service.hpp"

#include <algorithm>
#include <utility>

#include "base/overloaded.hpp"
#include "engine/adopt.hpp"
#include "oauth/lifetime.hpp"
#include "oauth/token_answer.hpp"
#include "store/digest.hpp"
#include "store/key.hpp"

namespace skewguard::engine {
namespace {

oauth::TokenMachineOptions machine_options(const TokenService::Uses& uses, std::uint64_t seed) {
  oauth::TokenMachineOptions out;
  out.token_url = uses.sender.token_url();
  out.region = uses.options.region;
  out.raw_basic = uses.options.dialect == DialectName::genesys;
  out.seed = seed;
  return out;
}

bool same_secrets(const oauth::Grants& grants, const std::vector<Secret>& secrets) {
  return std::ranges::equal(grants, secrets, {}, [](const auto& grant) -> const Secret& {
    return grant->client_secret();
  });
}

}  // namespace

TokenService::TokenService(Uses uses, oauth::Grants grants,
                           std::shared_ptr<const oauth::Dialect> dialect, Boot boot,
                           std::uint64_t seed)
    : uses_(std::move(uses)),
      grants_(std::move(grants)),
      tokens_(machine_options(uses_, seed), grants_, std::move(dialect), uses_.clocks.login()),
      shared_(shared_tokens(std::move(boot), seed + 2)) {}

TokenService::~TokenService() {
  if (!shared_) return;
  uses_.loop.within([this] {
    flush_notes();
    shared_.reset();
  });
}

std::unique_ptr<SharedTokens> TokenService::shared_tokens(Boot boot, std::uint64_t seed) {
  if (uses_.store == nullptr) return nullptr;
  return std::make_unique<SharedTokens>(
      SharedTokens::Uses{uses_.loop, uses_.sender, uses_.clocks, uses_.listeners.log(),
                         *uses_.store},
      SharedTokens::Options{store::key_of(uses_.options, grants_.front()->client_secret()),
                            std::move(boot), seed},
      SharedTokens::Callbacks{[this] { ask(); },
                              [this](const oauth::TokenEvent& event) {
                                asking_.reset();
                                step(event);
                              },
                              [this](const sharing::Facts& facts) { learn_from(facts); },
                              [this](const oauth::Token& token, Duration min_life) {
                                return tokens_.would_serve(token, min_life, uses_.clocks.view());
                              }});
}

/// A program may end as soon as it has its token; the next one should know what this one learned.
void TokenService::flush_notes() noexcept {
  try {
    for (const auto& known : std::exchange(notes_, {})) shared_->learned(known);
  } catch (...) {
    return;
  }
}

void TokenService::step(const oauth::TokenEvent& event) {
  auto actions = tokens_.step(event, uses_.clocks.view());
  const bool answered = std::holds_alternative<oauth::event::Fetched>(event) ||
                        std::holds_alternative<oauth::event::FetchFailed>(event);
  if (answered) count_request(actions);
  if (answered && shared_) share(actions);
  for (auto& action : actions) {
    std::visit(Overloaded{
                   [this](oauth::action::StartFetch& a) { start_fetch(a); },
                   [this](oauth::action::Deliver& a) { answer(std::move(a)); },
                   [this](oauth::action::Fail& a) { answer(std::move(a)); },
                   [this](const oauth::action::Publish& a) {
                     if (uses_.publish) uses_.publish(a.token, a.usable_until);
                   },
                   [this](oauth::action::WakeAt& a) { wake_at(a.at); },
                   [this](const oauth::action::Rejected& a) {
                     const ReportedAttempt& attempt = a.attempt.attempt;
                     uses_.listeners.rejected({"POST",
                                               uses_.sender.token_url(),
                                               attempt,
                                               {attempt.verdict.value_or(Verdict::unknown)}});
                   },
                   [](const oauth::action::Save&) {},  // share() has seen it
                   // In its own turn: a store may be slow, and a call waits.
                   [this](oauth::action::Note& a) {
                     if (!shared_) return;
                     notes_.push_back(std::move(a));
                     uses_.loop.later([this] { flush_notes(); });
                   },
                   [this](const oauth::action::Forget& a) {
                     if (shared_) shared_->refused(a);
                   },
                   [this](const oauth::action::Log& a) { uses_.listeners.log().write(a.line); },
               },
               action);
  }
}

/// A token request has ended.
void TokenService::count_request(const oauth::TokenActions& actions) {
  Verdict verdict = Verdict::ok;
  for (const auto& action : actions) {
    const auto* rejected = std::get_if<oauth::action::Rejected>(&action);
    if (rejected != nullptr) verdict = rejected->attempt.attempt.verdict.value_or(Verdict::unknown);
  }
  ++requests_[verdict];
  last_request_ = verdict;
}

/// Shares the result of a token request with other processes; first, since the next request may
/// follow at once.
void TokenService::share(const oauth::TokenActions& actions) {
  oauth::TokenPtr token;
  for (const auto& action : actions)
    if (const auto* save = std::get_if<oauth::action::Save>(&action)) token = save->token;
  shared_->answered(token, token && tokens_.was_accepted(token->generation),
                    tokens_.pause(uses_.clocks.now().boot));
}

void TokenService::renew(oauth::Grants grants) {
  grants_ = std::move(grants);
  step(oauth::event::NewGrants{grants_});
}

/// A hook that throws affects only its user.
void TokenService::look_for_secrets() {
  if (!uses_.fresh_secrets) return;
  Dependencies::FreshSecrets fresh;
  try {
    fresh = uses_.fresh_secrets();
  } catch (...) {
    return;
  }
  if (!fresh) return;
  if (!*fresh) {
    uses_.listeners.log().write(
        {LogLevel::error,
         "the client's new secrets are unusable, the old ones remain: " + fresh->error().message});
    return;
  }
  if (same_secrets(grants_, **fresh)) return;
  uses_.listeners.log().write({LogLevel::info, "the client's secrets have changed"});
  renew(oauth::client_credentials(uses_.options, **std::move(fresh)));
}

void TokenService::wake_at(Instant when) {
  uses_.loop.cancel(timer_);
  timer_ = uses_.loop.at(when, [this] {
    timer_ = 0;
    look_for_secrets();
    step(oauth::event::Tick{});
  });
}

// Who wants a token -------------------------------------------------------------------------------

void TokenService::want(oauth::event::Want want, Taker taker) {
  look_for_secrets();
  takers_.emplace(want.waiter, Waiting{std::move(taker), want.deadline});
  const bool may_check = ready_ && !uses_.options.login_url.empty() && !given();
  if (may_check && uses_.watch.disrupted()) {
    ready_ = false;  // until it is known what became of the tokens nobody gets one
    uses_.watch.check_after_disruption([this] { ready(); });
  }
  if (ready_) return step(want);
  early_wants_.push_back(want);
  if (!std::exchange(adopting_, true)) adopt();
  if (ready_) return;
  uses_.loop.at(want.deadline, [this, id = want.waiter] { wait_no_longer(id); });
}

void TokenService::withdraw(oauth::WaiterId waiter) {
  if (takers_.erase(waiter) == 0) return;
  std::erase_if(early_wants_, [waiter](const auto& want) { return want.waiter == waiter; });
  step(oauth::event::Withdraw{waiter});
  if (!takers_.empty() || !asking_) return;
  const oauth::FetchId fetch = std::exchange(asking_, std::nullopt)->fetch.fetch;
  shared_->cancel(fetch);
  step(oauth::event::Dropped{fetch});
}

void TokenService::answer(Answer answer) {
  const auto found = takers_.find(std::visit([](const auto& a) { return a.waiter; }, answer));
  if (found == takers_.end()) return;
  uses_.loop.next([taker = std::move(found->second.taker), answer = std::move(answer)]() mutable {
    taker(std::move(answer));
  });
  takers_.erase(found);
}

/// The tokens may be judged (again): serves the callers that came too early.
void TokenService::ready() {
  ready_ = true;
  for (const auto& want : std::exchange(early_wants_, {})) step(want);
}

void TokenService::wait_no_longer(oauth::WaiterId id) {
  const auto early = std::find_if(early_wants_.begin(), early_wants_.end(),
                                  [id](const auto& want) { return want.waiter == id; });
  if (early == early_wants_.end()) return;
  const oauth::event::Want want = *early;
  early_wants_.erase(early);
  step(want);
}

// Where tokens come from --------------------------------------------------------------------------

/// Adopts the token that the user obtained, once, before the first request for one.
void TokenService::adopt() {
  if (given()) {
    step(oauth::event::Adopt{
        given_token(*uses_.given_token, uses_.clocks.now(), uses_.clocks.login())});
  }
  ready();
}

/// It holds as long as this process's own observations allow it.
void TokenService::learn_from(const sharing::Facts& facts) {
  const auto learn = [this](const oauth::TokenEvent& fact) { step(uses_.watch.learned(fact)); };
  // Another process may write anything; sums of these values stay far from overflow.
  const auto believed = [](Duration fact) { return std::min(fact, oauth::kLongestLife); };
  // At least half of it: with less it no longer holds. 0: it is over.
  if (facts.lag) learn(oauth::event::ApiLags{believed(*facts.lag), believed(*facts.lag) / 2});
  if (facts.lead) learn(oauth::event::ApiLeads{believed(*facts.lead), believed(*facts.lead) / 2});
}

void TokenService::start_fetch(oauth::action::StartFetch& fetch) {
  asking_ = Asking{std::move(fetch), uses_.clocks.now().boot};
  if (shared_) return shared_->need(asking_->fetch, credentials());
  ask();
}

/// The first of them is in the store's key, the others may differ from process to process.
std::uint64_t TokenService::credentials() const {
  std::string all;
  for (const auto& grant : grants_) all += store::key_of(uses_.options, grant->client_secret());
  return store::id_of_text(all);
}

void TokenService::ask() {
  if (!asking_) return;
  oauth::action::StartFetch fetch = std::move(asking_->fetch);
  const Instant deadline = uses_.clocks.now().boot + (fetch.deadline - asking_->since);
  asking_.reset();
  Instant wanted = deadline;  // by the most hurried caller
  for (const auto& [id, waiting] : takers_) wanted = std::min(wanted, waiting.deadline);
  uses_.sender.send(
      std::move(fetch.request), SendOptions{deadline, oauth::kMaxTokenAnswerBytes},
      uses_.clocks.login(), wanted, [this, id = fetch.fetch](clocks::AnswerResult result) {
        if (auto* answer = std::get_if<clocks::Answer>(&result)) {
          oauth::TokenEvent fetched = oauth::event::Fetched{id, std::move(*answer)};
          step(fetched);
          Secret::wipe(std::get<oauth::event::Fetched>(fetched).answer.body);
        } else {
          step(oauth::event::FetchFailed{id, std::move(std::get<TransportFailure>(result))});
        }
      });
}

}  // namespace skewguard::engine
