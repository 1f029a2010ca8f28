// Random histories, each from its seed: callers come and go, the login host answers in every way,
// clocks step, the machine stands still. A failure prints the seed; it replays.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <sstream>

#include "../../histories.hpp"
#include "clocks/sample_of.hpp"
#include "oauth/token_machine.hpp"
#include "token_machine_testing.hpp"

namespace skewguard::oauth {
namespace {

using action::Deliver;
using action::Fail;
using action::Publish;
using action::Save;
using action::StartFetch;
using action::WakeAt;

TokenMachineOptions seeded(std::uint64_t seed) {
  TokenMachineOptions options;
  options.seed = seed;
  return options;
}

/// Everything in an action that does not depend on our wall clock, as text.
std::string text_of(const TokenActions& actions) {
  std::ostringstream out;
  const auto at = [](Instant t) { return t.time_since_epoch().count(); };
  for (const auto& action : actions) {
    if (const auto* fetch = std::get_if<StartFetch>(&action)) {
      out << "fetch " << fetch->fetch << ' ' << at(fetch->deadline);
    } else if (const auto* deliver = std::get_if<Deliver>(&action)) {
      out << "deliver " << deliver->waiter << ' ' << deliver->token->generation << ' '
          << at(deliver->first_use) << ' ' << deliver->token_requests << ' '
          << deliver->attempts.size();
    } else if (const auto* failed = std::get_if<Fail>(&action)) {
      out << "fail " << failed->waiter << ' ' << to_string(failed->failure.verdict) << ' '
          << to_string(failed->failure.error.kind) << ' ' << describe(failed->failure.error) << ' '
          << failed->token_requests;
      for (const auto& attempt : failed->attempts) out << ' ' << attempt.attempt.waited.count();
    } else if (const auto* publish = std::get_if<Publish>(&action)) {
      out << "publish " << (publish->token ? publish->token->generation : 0) << ' '
          << at(publish->usable_until);
    } else if (const auto* wake = std::get_if<WakeAt>(&action)) {
      out << "wake " << at(wake->at);
    } else if (const auto* save = std::get_if<Save>(&action)) {
      out << "save " << save->token->generation;
    } else if (const auto* note = std::get_if<action::Note>(&action)) {
      out << "note " << note->accepted << ' ' << note->lag.count() << ' ' << note->lead.count();
    } else if (const auto* rejected = std::get_if<action::Rejected>(&action)) {
      out << "rejected " << rejected->attempt.attempt.explanation;
    } else if (std::holds_alternative<action::Forget>(action)) {
      out << "forget";
    } else {
      out << "log " << std::get<action::Log>(action).line.message;
    }
    out << '\n';
  }
  return out.str();
}

/// A history. Checks the invariants after each step and keeps the results.
class History {
 public:
  History(std::uint64_t seed, bool wall_steps)
      : seed_(seed), wall_steps_(wall_steps), random_(seed), bench_(options(seed)) {}

  std::string run(int events) {
    for (int i = 0; i < events && !testing::Test::HasFailure(); ++i) happen();
    drain();
    return log_;
  }

 private:
  static TokenMachineOptions options(std::uint64_t seed) {
    std::mt19937_64 random(seed ^ 0x5eedU);
    TokenMachineOptions options = seeded(seed);
    const double parts[] = {0.0, 0.1, 0.1, 0.5, 2.0};
    options.margins.refresh_part = parts[random() % 5];
    return options;
  }

  std::uint64_t pick(std::uint64_t n) { return random_() % n; }
  Duration part_of(Duration whole) { return whole / static_cast<int>(1 + pick(50)); }
  Duration some_time() {
    static constexpr Duration kTimes[] = {1ms, 20ms, 300ms, 1s, 4s, 20s, 100s, 1000s};
    return kTimes[pick(8)] + Duration{static_cast<Duration::rep>(pick(1'000'000))};
  }

  void happen() {
    const bool to_the_timer = pick(3) == 0 && wake_ && *wake_ > bench_.boot;
    bench_.advance(to_the_timer ? *wake_ - bench_.boot : part_of(some_time()));
    if (wall_steps_ && pick(10) == 0) bench_.wall_offset += pick(2) == 0 ? 3600s : -3600s;
    switch (pick(12)) {
      case 0:
      case 1:
      case 2:
        return want();
      case 3:
        return answer();
      case 4:
      case 5:
        return fetching_ ? answer() : want();
      case 6:
        return rumour();
      case 7:
        return withdraw();
      case 8:
        return hear();
      default:
        return step(event::Tick{});
    }
  }

  void want() {
    event::Want want{.waiter = ++waiter_, .deadline = bench_.boot + some_time()};
    if (pick(3) == 0) want.after = newest_ - std::min<std::uint64_t>(newest_, pick(2));
    if (pick(6) == 0) want.min_life = some_time();
    if (pick(10) == 0) want.force = true;
    waiting_[want.waiter] = want;
    step(want);
  }

  void withdraw() {
    if (waiting_.empty()) return;
    const WaiterId id = waiting_.begin()->first;
    waiting_.erase(id);
    step(event::Withdraw{id});
  }

  void hear() {
    if (pick(8) == 0) bench_.issuer_offset += pick(3) == 0 ? -some_time() : some_time();
    const Exchange answer = bench_.exchange(200, "");
    if (const auto sample = clocks::sample_of(answer); sample && !fetching_) {
      bench_.book.observe(bench_.login, *sample);
    }
    step(event::Tick{});
  }

  /// What the API's side reports.
  void rumour() {
    const std::uint64_t generation = newest_ - std::min<std::uint64_t>(newest_, pick(2));
    switch (pick(9)) {
      case 8:
        return step(event::TakesUnbegun{});
      case 7:
        return step(event::EndedEarly{generation});
      case 0:
        return step(event::RefusedForGood{generation});
      case 1:
        return step(event::ApiLags{some_time()});
      case 2:
        return step(event::ApiLeads{lead_ = some_time()});
      case 3:
        return step(event::StoodStill{some_time()});
      default:
        return step(event::Accepted{generation});
    }
  }

  std::string some_token() {
    const int n = pick(4) == 0 ? tokens_ : ++tokens_;  // the same again
    if (pick(3) != 0) return "t" + std::to_string(n);
    const auto issued = std::chrono::floor<std::chrono::seconds>(bench_.boot.time_since_epoch() +
                                                                 bench_.issuer_offset)
                            .count();
    return testing_jwt(R"({"jti":)" + std::to_string(n) + R"(,"iat":)" + std::to_string(issued) +
                       R"(,"exp":)" + std::to_string(issued - 10 + static_cast<long>(pick(400))) +
                       "}");
  }

  void answer() {
    using Kind = TransportFailure::Kind;
    static constexpr Kind kKinds[] = {Kind::refused, Kind::reset,     Kind::timeout,
                                      Kind::dns,     Kind::malformed, Kind::tls_failed};
    if (pick(5) == 0) {  // late or doubled: of a fetch that has ended
      step(event::Fetched{bench_.fetch() - 1, bench_.exchange(200, token_body("stale"))});
      return;
    }
    if (!fetching_) return step(event::Tick{});
    fetching_ = false;
    switch (pick(10)) {
      case 0:
        return reply(503, "");
      case 1:
        return reply(429, "", {{"Retry-After", std::to_string(pick(60))}});
      case 2:
        return reply(401, oauth_error_body("invalid_client", "no"));
      case 3:
        return reply(200, "<html>");
      case 4:
        return step(event::FetchFailed{bench_.fetch(), {.kind = kKinds[pick(6)], .detail = "x"}});
      default: {
        static constexpr const char* kLives[] = {"1", "5", "300", "3600", "172800"};
        return reply(200, token_body(some_token(), kLives[pick(5)]));
      }
    }
  }

  void reply(int status, std::string body, Headers headers = {}) {
    const Exchange answer = bench_.exchange(status, std::move(body), std::move(headers));
    if (const auto sample = clocks::sample_of(answer)) bench_.book.observe(bench_.login, *sample);
    note_arrival(answer);
    step(event::Fetched{bench_.fetch(), answer});
  }

  void step(const TokenEvent& event) {
    const TokenActions actions = bench_.step(event);
    log_ += text_of(actions);
    for (const auto& fetch : all<StartFetch>(actions)) {
      EXPECT_FALSE(fetching_) << "two fetches in flight, seed " << seed_;
      fetching_ = true;
      EXPECT_EQ(fetch.fetch, bench_.fetch());
    }
    EXPECT_EQ(bench_.machine->fetching(), fetching_) << "seed " << seed_;
    for (const auto& deliver : all<Deliver>(actions)) check(deliver);
    for (const auto& failed : all<Fail>(actions)) settle(failed.waiter);
    for (const auto& wake : all<WakeAt>(actions)) {
      EXPECT_GT(wake.at, bench_.boot) << "a timer that is due would spin, seed " << seed_;
      wake_ = wake.at;
    }
    for (const auto& [id, want] : waiting_) {
      EXPECT_GT(want.deadline, bench_.boot) << "left waiting past its deadline, seed " << seed_;
    }
    if (const TokenPtr token = bench_.machine->usable(bench_.view())) check_alive(token);
  }

  void settle(WaiterId waiter) {
    EXPECT_EQ(waiting_.erase(waiter), 1U) << "answered twice or after it left, seed " << seed_;
  }

  void check(const Deliver& deliver) {
    const auto asked = waiting_.find(deliver.waiter);
    ASSERT_NE(asked, waiting_.end()) << "seed " << seed_;
    EXPECT_LE(bench_.boot, asked->second.deadline) << "seed " << seed_;
    EXPECT_GT(deliver.token->generation, asked->second.after) << "seed " << seed_;
    EXPECT_GE(deliver.token->dead_at() - bench_.boot, asked->second.min_life) << "seed " << seed_;
    settle(deliver.waiter);
    check_alive(deliver.token);
    newest_ = std::max(newest_, deliver.token->generation);
  }

  /// By both witnesses; but an issuer whose own Date contradicted its exp is no witness.
  void check_alive(const TokenPtr& token) {
    EXPECT_LT(bench_.boot, token->dead_at()) << "dead by our clock, seed " << seed_;
    if (!token->ends || contradicted_.count(std::string(token->value.reveal())) > 0) return;
    const auto ended = bench_.book.when(*token->ends, bench_.now());
    ASSERT_TRUE(ended) << "seed " << seed_;
    EXPECT_LT(bench_.boot, ended->latest) << "dead by the issuer's clock, seed " << seed_;
  }

  /// Notes a token that is dead, or in its last 2 s, by its issuer's clock when it first comes; or
  /// by the API's, which is ahead of it: that costs half of its life at most.
  void note_arrival(const Exchange& answer) {
    const auto read = Rfc6749Dialect{}.token(answer);
    if (!read || !arrived_.insert(std::string(read->access_token.reveal())).second) return;
    const auto claims = peek_jwt(read->access_token.reveal());
    if (!claims || !claims->exp) return;
    const auto ended = bench_.book.when(ServerTime{bench_.login, *claims->exp}, bench_.now());
    if (!ended) return;
    const Duration lead = std::min(lead_, (ended->latest - answer.sent.boot) / 2);
    if (bench_.boot + 2s + std::max(lead, Duration{0}) >= ended->latest) {
      contradicted_.insert(std::string(read->access_token.reveal()));
    }
  }

  /// Lets every deadline pass: all that still wait must be answered.
  void drain() {
    for (int i = 0; i < 3; ++i) {
      bench_.advance(2000s);
      step(event::Tick{});
    }
    EXPECT_TRUE(waiting_.empty()) << "never answered, seed " << seed_;
  }

  std::uint64_t seed_;
  bool wall_steps_;
  std::mt19937_64 random_;
  Bench bench_;
  std::string log_;
  std::map<WaiterId, event::Want> waiting_;
  std::set<std::string> arrived_;
  std::set<std::string> contradicted_;
  std::optional<Instant> wake_;
  Duration lead_{0};
  WaiterId waiter_ = 0;
  std::uint64_t newest_ = 0;
  int tokens_ = 0;
  bool fetching_ = false;
};

const std::uint64_t kHistories = histories(200);
constexpr int kEvents = 150;

TEST(TokenMachineProperty, KeepsItsPromisesThroughRandomHistories) {
  for (std::uint64_t seed = 1; seed <= kHistories && !HasFailure(); ++seed) {
    History(seed, /*wall_steps=*/true).run(kEvents);
  }
}

TEST(TokenMachineProperty, IsDeterministic) {
  for (std::uint64_t seed = 1; seed <= kHistories / 10 && !HasFailure(); ++seed) {
    EXPECT_EQ(History(seed, false).run(kEvents), History(seed, false).run(kEvents));
  }
}

/// Runs a fixed script with occasional wall clock steps and returns the results.
std::string scripted(std::uint64_t seed, Duration wall_step) {
  Bench bench(seeded(seed));
  std::mt19937_64 random(seed);
  std::string log;
  WaiterId id = 0;
  int tokens = 0;
  for (int i = 0; i < 200; ++i) {
    bench.advance(std::chrono::milliseconds{random() % 40'000});
    if (i % 7 == 0) bench.wall_offset += wall_step;
    log += text_of(bench.want(++id));
    if (!bench.machine->fetching()) continue;
    const bool well = random() % 3 != 0;
    log += text_of(well ? bench.give("t" + std::to_string(++tokens)) : bench.reply(503, ""));
  }
  return log;
}

TEST(TokenMachineProperty, AStepOfTheWallClockChangesNoAction) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const std::string still = scripted(seed, 0s);
    EXPECT_EQ(still, scripted(seed, 1h));
    EXPECT_EQ(still, scripted(seed, -100h));
    EXPECT_EQ(still, scripted(seed, std::chrono::hours{24 * 365}));
  }
}

/// When a token of `life` that is in use is refreshed.
Duration refresh_after(Duration most, double part, Duration life, std::uint64_t seed) {
  TokenMachineOptions options = seeded(seed);
  options.margins.refresh_part = part;
  options.margins.refresh_max = most;
  Bench bench(options);
  const Instant sent = bench.boot;
  bench.get("t1", std::to_string(life / 1s));
  while (bench.fetches < 2 && bench.boot < sent + life) {
    bench.advance(life / 500);
    bench.tick();
  }
  return bench.boot - sent;
}

TEST(TokenMachineProperty, ALargerMarginNeverMeansALaterRefresh) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    for (const Duration life : {Duration{5s}, Duration{300s}, Duration{24h}}) {
      Duration last = Duration::max();
      for (const double part : {0.0, 0.01, 0.1, 0.2, 0.5, 1.0, 5.0}) {
        const Duration after = refresh_after(1h, part, life, seed);
        EXPECT_LE(after, last);
        EXPECT_GE(after, life / 2) << "nor a second token in the first half";
        last = after;
      }
      last = Duration::max();
      for (const Duration most : {Duration{0s}, Duration{1s}, Duration{90s}, Duration{100h}}) {
        const Duration after = refresh_after(most, 0.1, life, seed);
        EXPECT_LE(after, last);
        last = after;
      }
    }
  }
}

TEST(TokenMachineProperty, TheSameTokenForEverCostsOneRequestEachBackoffStep) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    Bench bench(seeded(seed));
    WaiterId id = 0;
    bench.get("t1", std::to_string(1 + seed * 7));
    const int before = bench.fetches;
    for (int i = 0; i < 600; ++i) {  // five minutes, callers all the time
      bench.want(++id, 45s);
      if (bench.machine->fetching()) bench.give("t1", "1");  // nearly dead, it says
      bench.advance(500ms);
    }
    // Six doublings from 0.5 s, then one each 15 to 30 s.
    EXPECT_LE(bench.fetches - before, 7 + 300 / 15) << "seed " << seed;
  }
}

}  // namespace
}  // namespace skewguard::oauth
