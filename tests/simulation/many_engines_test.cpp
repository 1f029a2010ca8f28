// Many engines that share one register, on virtual time: how many token requests they make
// together, how long they wait for a token, and that none ever uses a token that has expired by the
// issuer's clock.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "simulation/dice.hpp"
#include "simulation/scenario.hpp"
#include "simulation/simulation.hpp"

namespace skewguard::simulation {
namespace {

constexpr Duration kLife = 300s;
constexpr std::uint64_t kSeed = 1;

bool long_run() {
  return std::getenv("SKEWGUARD_LONG") != nullptr;
}
Duration span() {
  return long_run() ? 2h : 15min;
}

struct Setting {
  int engines = 1;
  bool own_machines = false;  ///< one for each engine, whose clocks start and drift at random
  bool staggered = false;     ///< started over ten minutes instead of all at once
  Duration slowest{0};        ///< the longest delay of the login host's answers
  double killed = 0;          ///< the fraction of holders killed while they wait for the answer
  double frozen = 0;          ///< likewise; half of them with their machine if it is their own
  double unanswered = 0;      ///< the fraction of the register's operations; half of these are done
  bool rejected = false;      ///< the login host rejects their secret
  bool forgets = false;       ///< the register loses its contents, or those of the last minutes
  bool takes_no_token = false;       ///< the register rejects records that contain a token
  std::optional<int> swaps_taken{};  ///< after so many swaps the register can only be read
};

struct Outcome {
  std::size_t requests = 0;      ///< token requests
  std::size_t lost_holders = 0;  ///< and other losses that may cost a request
  std::size_t dead_uses = 0;
  std::size_t uses = 0;
  std::size_t failures = 0;  ///< calls that failed
  std::size_t takeovers = 0;
  /// The longest wait of a call in a process that was not frozen, less what lost holders cost.
  Duration longest_wait{0};
};

/// One value, with a version that is never repeated.
class Register {
 public:
  [[nodiscard]] std::optional<TokenStore::Value> value() const {
    if (!text_) return std::nullopt;
    return TokenStore::Value{Secret(std::string_view(*text_)), std::to_string(version_)};
  }
  [[nodiscard]] std::optional<std::string> text() const { return text_; }
  void put(std::optional<std::string> text) {
    text_ = std::move(text);
    ++version_;
  }
  bool swap(const std::optional<std::string>& expected, std::string_view text) {
    const auto there = value();
    if (there ? expected != there->version : expected.has_value()) return false;
    put(std::string(text));
    return true;
  }

 private:
  std::optional<std::string> text_;
  std::uint64_t version_ = 0;
};

/// What all engines share.
struct Common {
  Common(const Setting& with, std::uint64_t seed)
      : setting(with), dice(seed), simulation(hosts(dice), seed) {}

  /// The clocks of both hosts agree with each other, but with no machine.
  static emulator::CloudOptions hosts(Dice& dice) {
    const Duration offset = dice.between(-24h, 24h);
    return servers(TokenFormat::opaque, offset, {offset}, kLife);
  }
  bool loses() {
    const bool lost = dice.chance(setting.unanswered);
    if (lost) ++outcome.lost_holders;
    return lost;
  }
  bool takes(std::string_view text) {
    if (setting.takes_no_token && text.find("access_token") != std::string_view::npos) return false;
    return !setting.swaps_taken || swaps++ < *setting.swaps_taken;
  }

  const Setting setting;
  Dice dice;
  Simulation simulation;
  Register stored;
  int swaps = 0;
  Outcome outcome;
};

/// The register as seen by one process: over a network that may lose requests and answers.
class RegisterAccess final : public TokenStore {
 private:
  Duration way() { return common_.dice.between(0ms, 5ms); }
  void after_way(std::function<void()> function) {
    common_.simulation.timeline().after(way(), std::move(function));
  }
  /// Delivers something to the process later, if it is still alive by then.
  template <typename Handler>
  auto answer(Handler handler) {
    return [this, alive = alive_, handler = std::move(handler)]<typename Result>(Result result) {
      if (!*alive) return;
      // Copies of a secret cost more than everything else here.
      after_way([this, alive, handler, result = std::make_shared<Result>(std::move(result))] {
        if (!*alive) return;
        process_.post([handler, result] { handler(std::move(*result)); });
      });
    };
  }

 public:
  RegisterAccess(Common& common, virtual_time::Process& process)
      : common_(common), process_(process) {}
  ~RegisterAccess() override { *alive_ = false; }
  RegisterAccess(const RegisterAccess&) = delete;
  RegisterAccess& operator=(const RegisterAccess&) = delete;

  void read(const std::string& /*key*/, ReadHandler handler) override {
    if (!process_.alive() || common_.loses()) return;
    after_way([&all = common_, back = answer(std::move(handler))] { back(all.stored.value()); });
  }
  void swap(const std::string& /*key*/, std::optional<std::string> expected, Secret text,
            SwapHandler handler) override {
    if (!process_.alive()) return;
    const bool unanswered = common_.loses();
    if (unanswered && common_.dice.chance(0.5)) return;
    after_way([&all = common_, expected = std::move(expected), text = std::move(text), unanswered,
               back = answer(std::move(handler))] {
      if (!all.takes(text.reveal()))
        return back(Result<Swapped>(Error{ErrorKind::unavailable, "the store is full", ""}));
      const bool swapped = all.stored.swap(expected, text.reveal());
      if (!unanswered) back(Result<Swapped>(Swapped{swapped, all.stored.value()}));
    });
  }

 private:
  Common& common_;
  virtual_time::Process& process_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

/// One process with an engine, from its start to its end. It makes a call now and then.
class Life {
 public:
  Life(Common& common, virtual_time::Machine& machine, const std::string& boot)
      : common_(common), process_(common.simulation, machine), register_(common, process_.loop) {
    process_.breaks = [this](const HttpRequest& request) {
      leaves(request);
      return std::nullopt;
    };
    engine::EngineDeps deps = process_.engine_deps(common.dice.number());
    deps.store = &register_;
    deps.boot = {boot, "time"};
    ClientOptions options = VirtualClient::default_options();
    if (common.setting.rejected) options.client_secrets = {Secret{"wrong-secret"}};
    engine_ = std::make_unique<engine::Engine>(
        options, oauth::client_credentials(options, options.client_secrets), hooks(), deps);
    process_.loop.post([this] { live(); });
  }
  ~Life() { process_.loop.kill(); }
  Life(const Life&) = delete;
  Life& operator=(const Life&) = delete;

  std::function<void()> on_kill;  ///< ends and destroys this process

 private:
  [[nodiscard]] Duration now() const { return common_.simulation.timeline().now(); }

  Hooks hooks() {
    Hooks hooks;
    hooks.log_level = LogLevel::warn;
    hooks.log = [this](const LogLine& line) {
      if (line.message.find("shown no sign of life") != std::string::npos)
        ++common_.outcome.takeovers;
    };
    return hooks;
  }
  void live() {
    if (!calling_) call();
    const Duration pause = std::max<Duration>(5s, 2s * common_.setting.engines);
    process_.loop.call_at(process_.loop.machine().now().boot + pause, [this] { live(); });
  }
  void call() {
    calling_ = true;
    began_ = now();
    lost_before_ = common_.outcome.lost_holders;
    Request request;
    request.path = "/api/v2/tokens/me";
    engine_->call(request, process_.loop.machine().now().boot + 10min,
                  [this](const guard::action::Finish& finished) {
                    if (!process_.loop.alive()) return;
                    calling_ = false;
                    const bool good = finished.answer && finished.answer->status == 200;
                    if (!good) ++common_.outcome.failures;
                    note_wait();
                  });
  }
  /// Nobody waits until a frozen holder thaws: each lost holder costs 3 s and another request.
  void note_wait() {
    if (frozen_until_ > began_) return;
    const auto lost = static_cast<int>(common_.outcome.lost_holders - lost_before_) + 1;
    const Duration wait = now() - began_ - lost * (3s + common_.setting.slowest);
    common_.outcome.longest_wait = std::max(common_.outcome.longest_wait, wait);
  }

  void leaves(const HttpRequest& request) {
    const auto authorization = request.authorization.reveal();
    constexpr std::string_view kBearer = "Bearer ";
    if (request.url.starts_with(kApiUrl) && authorization.starts_with(kBearer))
      return uses(authorization.substr(kBearer.size()));
    if (request.method == "POST" && request.url.starts_with(kLoginUrl)) holds();
  }
  void uses(std::string_view token) {
    ++common_.outcome.uses;
    auto& servers = common_.simulation.servers();
    const auto* record = servers.tokens().find(token);
    const Instant at = common_.simulation.server_now().boot;
    if (record == nullptr || servers.login_clock().reading(at) >= record->ends)
      ++common_.outcome.dead_uses;
  }
  /// A process that requests a token holds the claim. Here it may be killed or frozen.
  void holds() {
    auto& dice = common_.dice;
    const Duration soon = dice.between(0s, common_.setting.slowest + 50ms);
    if (dice.chance(common_.setting.killed)) {
      ++common_.outcome.lost_holders;
      common_.simulation.timeline().after(soon, [alive = std::weak_ptr(alive_), this] {
        if (!alive.expired()) std::exchange(on_kill, {})();
      });
    } else if (dice.chance(common_.setting.frozen)) {
      ++common_.outcome.lost_holders;
      freeze(dice.between(3s, 40s), common_.setting.own_machines && dice.chance(0.5));
    }
  }
  void freeze(Duration span, bool machine_too) {
    using virtual_time::Machine;
    Machine& machine = process_.loop.machine();
    frozen_until_ = now() + span;
    process_.loop.freeze();
    if (machine_too) machine.enter(Machine::State::suspended);
    common_.simulation.timeline().after(span, [alive = std::weak_ptr(alive_), this, &machine] {
      machine.enter(Machine::State::running);
      if (!alive.expired()) process_.loop.thaw();
    });
  }

  Common& common_;
  VirtualProcess process_;
  RegisterAccess register_;
  std::unique_ptr<engine::Engine> engine_;  // destroyed before the others, on its dead process
  bool calling_ = false;
  Duration began_{0};
  std::size_t lost_before_ = 0;  ///< lost holders when the call began
  Duration frozen_until_{0};
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

/// All engines.
class Crowd {
 public:
  Crowd(const Setting& setting, std::uint64_t seed) : all_(setting, seed) {
    all_.simulation.fate = [this](const HttpRequest& request) { return fate(request); };
    const auto count = static_cast<std::size_t>(setting.engines);
    lives_.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
      if (setting.own_machines) add_machine();
      const Duration begin = setting.staggered ? all_.dice.between(0s, 10min) : Duration{0};
      all_.simulation.timeline().at(begin, [this, i] { start(i); });
    }
    if (setting.forgets) forget();
  }

  Outcome play() {
    all_.simulation.run_for(span());
    all_.outcome.requests = all_.simulation.token_requests();
    all_.outcome.dead_uses += all_.simulation.rejections();
    return all_.outcome;
  }

 private:
  void add_machine() {
    auto& dice = all_.dice;
    Now now;
    now.boot = Instant{dice.between(1h, 24h * 30)};
    now.mono = MonotonicTime{dice.between(1min, now.boot.time_since_epoch())};
    now.raw = RawTime{now.mono.time_since_epoch() - dice.between(-1s, 1s)};
    now.wall = all_.simulation.now().wall + dice.between(-24h, 24h);
    machines_.push_back(std::make_unique<virtual_time::Machine>(all_.simulation.timeline(), now));
    const auto ppm = [&dice] {
      return static_cast<double>(dice.between(-300us, 300us).count()) / 1e3;
    };
    machines_.back()->set_drift(ppm(), ppm());
  }
  void start(std::size_t i) {
    auto& machine = all_.setting.own_machines ? *machines_[i] : all_.simulation.machine();
    const std::string boot = all_.setting.own_machines ? "boot-" + std::to_string(i) : "boot";
    lives_[i] = std::make_unique<Life>(all_, machine, boot);
    lives_[i]->on_kill = [this, i] {
      all_.simulation.timeline().after(all_.dice.between(1s, 20s), [this, i] { start(i); });
      lives_[i].reset();
    };
  }
  /// The login host issues the token at once but stamps its answer late: the token is older than
  /// the Date says.
  Fate fate(const HttpRequest& request) {
    Fate fate;
    if (!request.url.starts_with(kLoginUrl)) return fate;
    const Duration slow = all_.setting.slowest;
    const Duration stamped = all_.dice.between(0s, slow / 2);
    fate.extra = all_.dice.between(0s, slow / 2);
    fate.extra_down = stamped;
    fate.spoil = [this, stamped](emulator::Reply& reply) {
      const Instant then = all_.simulation.server_now().boot + stamped;
      const Duration clock = all_.simulation.servers().login_clock().reading(then);
      redate(reply, std::chrono::floor<std::chrono::seconds>(clock));
    };
    return fate;
  }
  /// Every ten minutes or so.
  void forget() {
    all_.simulation.timeline().after(all_.dice.between(5min, 15min),
                                     [this, old = all_.stored.text()] {
                                       ++all_.outcome.lost_holders;
                                       all_.stored.put(all_.dice.chance(0.5) ? std::nullopt : old);
                                       forget();
                                     });
  }

  Common all_;
  std::vector<std::unique_ptr<virtual_time::Machine>> machines_;
  std::vector<std::unique_ptr<Life>> lives_;
};

Outcome play(const Setting& setting) {
  return Crowd(setting, kSeed).play();
}

/// One undisturbed engine that runs as long as the first of the others. Played
/// once for all settings that differ in what happens.
Outcome play_alone(const Setting& setting) {
  static std::map<std::pair<bool, Duration>, Outcome> played;
  const Setting alone{.own_machines = setting.own_machines, .slowest = setting.slowest};
  const auto [found, fresh] = played.try_emplace({alone.own_machines, alone.slowest});
  if (fresh) found->second = play(alone);
  return found->second;
}

class ManyEngines : public testing::TestWithParam<std::tuple<bool, bool, bool>> {
 protected:
  /// At most 5% more token requests than one engine alone makes, plus one for each lost holder.
  /// Short runs try one number of engines, long runs all.
  static void expect_few_requests(Setting setting, int in_short_runs) {
    for (const int engines : {2, 5, 20, 100}) {
      if (!long_run() && engines != in_short_runs) continue;
      setting.engines = engines;
      SCOPED_TRACE(std::to_string(engines) + " engines");
      expect_few_requests(setting, play_alone(setting), play(setting));
    }
  }
  static void expect_few_requests(const Setting& setting, const Outcome& alone,
                                  const Outcome& all) {
    tell(setting, alone, all);
    EXPECT_GT(all.uses, 150U);
    EXPECT_EQ(all.dead_uses, 0U);
    EXPECT_EQ(all.failures, 0U);
    EXPECT_LE(all.longest_wait, setting.slowest + 1s);
    EXPECT_LE(static_cast<double>(all.requests),
              static_cast<double>(alone.requests) * 1.05 + static_cast<double>(all.lost_holders))
        << "alone " << alone.requests;
  }
  /// As many requests as without a store.
  static void expect_each_asks(Setting setting) {
    setting.engines = 100;
    const Outcome alone = play_alone(setting);
    const Outcome all = play(setting);
    tell(setting, alone, all);
    EXPECT_EQ(all.dead_uses, 0U);
    EXPECT_EQ(all.failures, 0U);
    EXPECT_LE(all.longest_wait, setting.slowest + 1s);
    EXPECT_GT(all.requests, 2 * alone.requests);
    EXPECT_LE(all.requests, 100 * alone.requests + 100);
  }
  /// In long runs only.
  static void tell(const Setting& setting, const Outcome& alone, const Outcome& all) {
    if (!long_run()) return;
    std::cout << setting.engines << " engines: " << all.requests << " token requests (one alone "
              << alone.requests << "), " << all.lost_holders << " losses, " << all.takeovers
              << " takeovers, " << all.uses << " uses, " << all.dead_uses << " past the end\n";
  }
  static Setting setting() {
    const auto [own_machines, staggered, slow] = GetParam();
    Setting setting;
    setting.own_machines = own_machines;
    setting.staggered = staggered;
    setting.slowest = slow ? Duration{10s} : Duration{0};
    return setting;
  }
};

TEST_P(ManyEngines, MakeAsManyTokenRequestsAsOne) {
  expect_few_requests(setting(), std::get<0>(GetParam()) ? 20 : 100);
}

TEST_P(ManyEngines, MakeOneMoreForEachHolderThatIsKilled) {
  Setting with = setting();
  with.killed = 0.5;
  expect_few_requests(with, 5);
}

TEST_P(ManyEngines, MakeOneMoreForEachHolderThatIsFrozen) {
  Setting with = setting();
  with.frozen = 0.5;
  expect_few_requests(with, 5);
}

TEST_P(ManyEngines, MakeOneMoreForEachOperationThatIsNotAnswered) {
  Setting with = setting();
  with.unanswered = 0.01;
  expect_few_requests(with, 2);
}

TEST_P(ManyEngines, MakeOneMoreEachTimeTheRegisterForgets) {
  Setting with = setting();
  with.forgets = true;
  expect_few_requests(with, 2);
}

/// Each engine then needs its own token, but none waits for more than one other.
TEST_P(ManyEngines, DoNotWaitInARowForTokensThatCannotBeStored) {
  Setting with = setting();
  with.takes_no_token = true;
  expect_each_asks(with);
}

TEST_P(ManyEngines, DoNotWaitInARowForARegisterThatTakesNothingMore) {
  Setting with = setting();
  with.swaps_taken = 1;
  expect_each_asks(with);
}

TEST_P(ManyEngines, GetTheirTokensWhateverGoesWrongTogether) {
  Setting with = setting();
  with.unanswered = 0.01;
  with.forgets = true;
  with.killed = with.frozen = 0.2;
  expect_few_requests(with, 5);
}

/// Those who wait for one that is rejected learn of it; none of them asks in turn.
TEST_P(ManyEngines, LearnTogetherThatTheirCredentialsAreRejected) {
  Setting with = setting();
  // Whoever comes when nobody asks finds out by itself; machines of their own drift apart.
  if (with.staggered || with.own_machines) return;
  with.rejected = true;
  const Outcome alone = play(with);
  with.engines = 20;
  const Outcome all = play(with);
  tell(with, alone, all);
  EXPECT_GT(alone.failures, 5U);
  EXPECT_GT(all.failures, 20U);
  EXPECT_LE(all.requests, 2 * alone.requests);
}

std::string name_of(const testing::TestParamInfo<std::tuple<bool, bool, bool>>& info) {
  return std::string(std::get<0>(info.param) ? "OwnMachines" : "OneMachine") +
         (std::get<1>(info.param) ? "Staggered" : "AtOnce") +
         (std::get<2>(info.param) ? "Slow" : "Quick");
}

INSTANTIATE_TEST_SUITE_P(Worlds, ManyEngines,
                         testing::Combine(testing::Bool(), testing::Bool(), testing::Bool()),
                         name_of);

}  // namespace
}  // namespace skewguard::simulation
