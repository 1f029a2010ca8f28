#include "runtime/token_desk.hpp"

#include <algorithm>
#include <utility>

#include "oauth/lifetime.hpp"
#include "oauth/token_answer.hpp"
#include "runtime/adopt.hpp"
#include "time/duration_text.hpp"

namespace skewguard::runtime {
namespace {

/// How often is looked whether the process that asks for a token has got it.
constexpr Duration kShareEvery = std::chrono::milliseconds{50};
/// It may be frozen. Not all who wait for it ask at the same moment: what the first of them saves
/// serves the others.
constexpr Duration kShareLeast = std::chrono::milliseconds{1500};
constexpr Duration kShareMost = std::chrono::seconds{2};

/// A claim is looked at again, for a note, at most this often.
constexpr Duration kNoteAgain = std::chrono::seconds{1};

oauth::TokenMachineOptions machine_options(const Core& core, std::uint64_t seed) {
  oauth::TokenMachineOptions out;
  out.token_url = core.token_url();
  out.region = core.options.region;
  out.raw_basic = core.options.dialect == DialectName::genesys;
  out.seed = seed;
  return out;
}

oauth::Grants grants_of(const ClientOptions& options) {
  oauth::Grants grants;
  for (const Secret& secret : secrets_of(options)) {
    grants.push_back(std::make_shared<oauth::ClientCredentials>(
        options.client_id, secret, options.token_params, options.client_auth));
  }
  return grants;
}

}  // namespace

TokenDesk::TokenDesk(Core& core, std::uint64_t seed)
    : core_(core),
      tokens_(machine_options(core, seed), grants_of(core.options), core.dialect, core.book,
              core.login),
      clocks_(
          core, [this](const oauth::TokenEvent& event) { step(event); },
          [this] { return tokens_.fetching(); }),
      shelf_(core),
      share_jitter_(seed + 2) {}

/// A program may end as soon as it has its token; the next one should know what this one learned.
TokenDesk::~TokenDesk() {
  try {
    write_note();
  } catch (...) {
    return;
  }
}

void TokenDesk::step(const oauth::TokenEvent& event) {
  for (auto& action : tokens_.step(event, core_.now())) {
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
                   [this](oauth::action::Save& a) {
                     note_.reset();  // the new token's own says it all
                     shelf_.save(std::move(a.token));
                   },
                   // In a turn of its own: a store may be slow, and a call waits.
                   [this](oauth::action::Note& a) {
                     note_ = std::move(a.known);
                     core_.later([this] { write_note(); });
                   },
                   [this](const oauth::action::Forget& a) { shelf_.forget(a.refused, a.instead); },
                   [this](const oauth::action::Log& a) { core_.log(a.line); },
               },
               action);
  }
}

/// While another process has the claim the note waits for one of the next callers, or the end.
void TokenDesk::write_note() {
  if (!note_) return;
  if (shelf_.learn(*note_)) return note_.reset();
  note_again_ = core_.now().boot + kNoteAgain;
}

void TokenDesk::renew_secrets(const std::vector<Secret>& secrets) {
  core_.options.client_secret = secrets.front();
  core_.options.more_secrets.assign(secrets.begin() + 1, secrets.end());
  step(oauth::event::NewGrants{grants_of(core_.options)});
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
  const auto checked = *fresh ? check_secrets(**fresh) : Result<void>(fresh->error());
  if (!checked) {
    core_.log({LogLevel::error, "the client's new secrets are of no use, the old ones stay: " +
                                    checked.error().message});
    return;
  }
  if (**fresh == secrets_of(core_.options)) return;
  core_.log({LogLevel::info, "the client's secrets have changed"});
  renew_secrets(**fresh);
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
  if (note_ && core_.now().boot >= note_again_) core_.later([this] { write_note(); });
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

/// A token from elsewhere, once, before the first one is asked for.
void TokenDesk::adopt() {
  if (!core_.options.access_token.empty()) {
    step(oauth::event::Adopt{given_token(core_.options.access_token, core_.now(), core_.login)});
    return ready();
  }
  const auto loaded = shelf_.load();
  if (!loaded) return ready();
  learn_from(*loaded);
  const auto take = [this, stored = loaded->token] {
    auto token = stored_token(stored, core_.world.boot, core_.book, core_.login, core_.now());
    if (token == nullptr) return false;
    step(oauth::event::Adopt{std::move(token)});
    return true;
  };
  if (take() || !issuer_must_tell(loaded->token, core_.world.boot)) return ready();
  core_.look_at_login(core_.now().boot + kLookTimeout, [this, take](const SendResult&) {
    static_cast<void>(take());
    ready();
  });
}

/// It holds for as long as what this process sees itself allows it.
void TokenDesk::learn_from(const Shelf::Loaded& loaded) {
  const auto learn = [this](const oauth::TokenEvent& fact) { step(clocks_.learned(fact)); };
  // A user's own store may tell anything; sums of these stay far from overflow.
  const auto believed = [](Duration fact) { return std::min(fact, oauth::kLongestLife); };
  // Of what it is at least nothing is kept: with less than half of it, it is no longer true.
  if (loaded.lag) learn(oauth::event::ApiLags{believed(*loaded.lag), believed(*loaded.lag) / 2});
  if (loaded.lead)
    learn(oauth::event::ApiLeads{believed(*loaded.lead), believed(*loaded.lead) / 2});
}

void TokenDesk::start_fetch(oauth::action::StartFetch& fetch) {
  const Instant now = core_.now().boot;
  const auto spread =
      std::chrono::duration_cast<Duration>((kShareMost - kShareLeast) * share_jitter_.next());
  asking_ = Asking{std::move(fetch), now, now + kShareLeast + spread};
  ask_or_share();
}

/// Not beyond kShareMost, nor beyond the middle of what time the most hurried caller has: then this
/// process asks for itself, and saves without the claim.
bool TokenDesk::may_wait_for_others() const {
  const Instant now = core_.now().boot;
  Instant until = asking_->share_until;
  for (const auto& [id, waiting] : takers_)
    until = std::min(until, asking_->since + (waiting.deadline - asking_->since) / 2);
  if (now < until) return true;
  core_.log({LogLevel::warn,
             "another process has been asking for a token for " +
                 time::human(now - asking_->since) +
                 " and has none yet (is it frozen, or is the login host slow?): this one asks for "
                 "itself"});
  return false;
}

/// One process asks, the others take what it got.
void TokenDesk::ask_or_share() {
  const bool claimed = shelf_.claim();
  if (auto token = shared(asking_->fetch)) {
    shelf_.release();
    const oauth::FetchId id = asking_->fetch.fetch;
    asking_.reset();
    return step(oauth::event::Found{id, std::move(token)});
  }
  if (claimed || !may_wait_for_others()) return ask();
  core_.at(core_.now().boot + kShareEvery, [this, id = asking_->fetch.fetch] {
    if (asking_ && asking_->fetch.fetch == id) ask_or_share();
  });
}

void TokenDesk::ask() {
  oauth::action::StartFetch fetch = std::move(asking_->fetch);
  const Instant deadline = core_.now().boot + (fetch.deadline - asking_->since);
  asking_.reset();
  Instant wanted = deadline;  // by the most hurried caller
  for (const auto& [id, waiting] : takers_) wanted = std::min(wanted, waiting.deadline);
  core_.send(std::move(fetch.request), SendOptions{deadline, oauth::kMaxTokenAnswerBytes},
             core_.login, wanted, [this, id = fetch.fetch](SendResult result) {
               if (auto* exchange = std::get_if<Exchange>(&result)) {
                 oauth::TokenEvent fetched = oauth::event::Fetched{id, std::move(*exchange)};
                 step(fetched);
                 Secret::wipe(std::get<oauth::event::Fetched>(fetched).exchange.body);
               } else {
                 step(oauth::event::FetchFailed{id, std::move(std::get<TransportFailure>(result))});
               }
               shelf_.release();
             });
}

/// What another process has got, where that will do; else null.
oauth::TokenPtr TokenDesk::shared(const oauth::action::StartFetch& fetch) {
  if (fetch.anew) return nullptr;
  const auto loaded = shelf_.load();
  if (!loaded) return nullptr;
  learn_from(*loaded);
  const Now now = core_.now();
  auto token = stored_token(loaded->token, core_.world.boot, core_.book, core_.login, now);
  return token && tokens_.would_serve(*token, fetch.min_life, now) ? token : nullptr;
}

}  // namespace skewguard::runtime
