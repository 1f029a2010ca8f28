// Many engines over one register on virtual time: how many token requests they make together, and
// that none of them ever uses a token past its end by the issuer's clock.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "sharing/share_machine.hpp"

namespace skewguard::sharing {
namespace {

using namespace std::chrono_literals;

constexpr Duration kLife = 300s;
constexpr Duration kSpan = 2h;
constexpr Duration kEpoch = std::chrono::seconds{1'767'225'600};

struct Setting {
  int engines = 1;
  bool own_machines = false;  ///< boot clocks of their own, with drift
  bool staggered = false;     ///< started over ten minutes, not at once
  Duration slowest{0};        ///< of the login host's answers
  double killed = 0;          ///< this part of the holders, while they wait for the answer
  double frozen = 0;          ///< likewise
  double unanswered = 0;      ///< this part of the register's operations; every other one is done
  bool forgets = false;       ///< the register becomes empty, or as it was minutes before
};

struct Outcome {
  int requests = 0;
  int lost_holders = 0;  ///< and other losses that may cost a request
  int dead_uses = 0;
  long uses = 0;
  /// For a token, of an engine that was not frozen itself: beyond the time that lost holders cost.
  Duration longest_wait{0};
};

class Engine;

/// True time, the login host and the register.
class World {
 public:
  World(const Setting& with, unsigned seed) : setting(with), random_(seed) {
    issuer_offset = between(-24h, 24h);
  }
  void at(Duration when, std::function<void()> what) {
    queue_.emplace(std::pair{std::max(when, now), ++order_}, std::move(what));
  }
  void run();
  void start(std::size_t index);

  Duration between(Duration low, Duration high) {
    if (high <= low) return low;
    return low + Duration{static_cast<std::int64_t>(
                     random_() % static_cast<std::uint64_t>((high - low).count()))};
  }
  bool chance(double part) { return static_cast<double>(random_() % 1'000'000) < part * 1e6; }
  bool loses() {
    const bool lost = chance(setting.unanswered);
    if (lost) ++outcome.lost_holders;
    return lost;
  }
  /// Every ten minutes or so.
  void forget() {
    at(now + between(5min, 15min), [this, old = shared] {
      ++outcome.lost_holders;
      shared = chance(0.5) ? std::nullopt : old;
      forget();
    });
  }
  std::uint64_t random() { return random_(); }
  [[nodiscard]] Duration issuer_time() const { return now + issuer_offset + kEpoch; }
  std::uint64_t mint() {
    ends[++minted_] = now + kLife;
    return minted_;
  }

  Setting setting;
  Duration now{0};
  Duration issuer_offset{0};
  std::optional<Value> shared;
  int versions = 0;
  std::map<std::uint64_t, Duration> ends;  ///< of each token, in true time
  Outcome outcome;

 private:
  std::mt19937_64 random_;
  std::map<std::pair<Duration, std::uint64_t>, std::function<void()>> queue_;
  std::uint64_t order_ = 0;
  std::uint64_t minted_ = 0;
  std::vector<std::shared_ptr<Engine>> engines_;
};

/// One process: renews its token in time, and uses it every second.
class Engine : public std::enable_shared_from_this<Engine> {
 public:
  Engine(World& world, std::size_t index, const ShareOptions& options)
      : world_(world),
        index_(index),
        machine_(options),
        boot_id_(options.boot_id),
        boot_offset_(world.setting.own_machines ? world.between(0s, 24h * 30) : Duration{1h}),
        drift_(world.setting.own_machines
                   ? static_cast<double>(world.between(-300us, 300us).count()) * 1e-9
                   : 1e-4) {}

  void live() {
    if (!alive_) return;
    if (world_.now >= frozen_until_) second();
    world_.at(world_.now + 1s, [self = shared_from_this()] { self->live(); });
  }

 private:
  [[nodiscard]] Duration boot() const {
    return Duration{
               static_cast<std::int64_t>(static_cast<double>(world_.now.count()) * (1 + drift_))} +
           boot_offset_;
  }
  [[nodiscard]] Duration true_time(Instant when) const {
    return Duration{static_cast<std::int64_t>(
        static_cast<double>((when.time_since_epoch() - boot_offset_).count()) / (1 + drift_))};
  }
  [[nodiscard]] View view() const {
    View view;
    view.now = Instant{boot()};
    if (heard_) {
      const Duration age = world_.now - *heard_;
      const Duration grown = age * 6 / 10'000;
      const Duration reads = world_.issuer_time();
      view.issuer = IssuerReading{reads - 1100ms - grown, reads + 100ms + grown, age};
    }
    return view;
  }
  /// Unless this process is dead by then; after its thaw if it is frozen.
  void later(Duration delay, std::function<void()> what) {
    world_.at(world_.now + delay, [self = shared_from_this(), what = std::move(what)] {
      if (!self->alive_) return;
      if (self->world_.now >= self->frozen_until_) return what();
      self->later(self->frozen_until_ - self->world_.now, what);
    });
  }
  Duration way() { return world_.between(0ms, 5ms); }

  void step(const ShareEvent& event) {
    for (const auto& action : machine_.step(event, view()))
      std::visit([this](const auto& what) { act(what); }, action);
  }
  void act(const action::Read& read) {
    if (world_.loses()) return;
    later(way(), [this, read] { answer(read.operation, false); });
  }
  void act(const action::Swap& swap) {
    const bool unanswered = world_.loses();
    if (unanswered && world_.chance(0.5)) return;
    later(way(), [this, swap, unanswered] {
      const auto& there = world_.shared;
      const bool same = there ? swap.version == there->version : !swap.version;
      if (same) world_.shared = Value{std::to_string(++world_.versions), swap.record};
      if (!unanswered) answer(swap.operation, same);
    });
  }
  void answer(OperationId operation, bool swapped) {
    later(way(), [this, operation, swapped, value = world_.shared] {
      step(event::Stored{operation, swapped, value});
    });
  }
  void act(const action::Ask& ask) {
    ++world_.outcome.requests;
    if (world_.chance(world_.setting.killed)) {
      ++world_.outcome.lost_holders;
      alive_ = false;
      world_.at(world_.now + world_.between(1s, 20s),
                [&world = world_, index = index_] { world.start(index); });
    } else if (world_.chance(world_.setting.frozen)) {
      ++world_.outcome.lost_holders;
      frozen_until_ = world_.now + world_.between(3s, 40s);
    }
    // Minted at once, stamped late: the token is older than the answer's Date says.
    const Duration there = 20ms + world_.between(0s, world_.setting.slowest / 2);
    const Duration back = 20ms + world_.between(0s, world_.setting.slowest / 2);
    const Duration sent = world_.now;
    world_.at(sent + there, [self = shared_from_this(), ask, sent, back] {
      const std::uint64_t id = self->world_.mint();
      self->later(back, [self, ask, sent, id] { self->receive(ask.need, sent, id); });
    });
  }
  void receive(NeedId need, Duration sent, std::uint64_t id) {
    heard_ = world_.now;
    SharedToken token;
    token.id = id;
    token.life = kLife;
    token.issued_from =
        std::chrono::floor<std::chrono::seconds>(world_.issuer_time()) - (world_.now - sent);
    token.boot_id = boot_id_;
    token.time_namespace = "time";
    token.sent = Instant{boot() - (world_.now - sent)};
    hold(token, world_.now - sent);
    step(event::Answered{.need = need, .token = token});
  }
  void act(const action::Found& found) { hold(*found.record.token, found.age); }
  void act(const action::TooSoon&) { needing_ = false; }
  void act(const action::Look&) {
    later(40ms, [this] {
      heard_ = world_.now;
      step(event::Looked{});
    });
  }
  void act(const action::Tell&) {}
  void act(const action::Kept&) {}
  void act(const action::TookOver&) {}
  void act(const action::WakeAt& wake) {
    const std::uint64_t mine = ++wakes_;
    later(std::max(true_time(wake.at) - world_.now, Duration{0}) + 1ms, [this, mine] {
      if (mine == wakes_) step(event::Tick{});
    });
  }

  /// Someone else's thaw is not waited for: each lost holder costs 3 s, and the request after it.
  void note_wait() {
    if (frozen_until_ > needing_since_) return;
    const int lost = 1 + world_.outcome.lost_holders - lost_before_;
    world_.outcome.longest_wait =
        std::max(world_.outcome.longest_wait,
                 world_.now - needing_since_ - lost * (3s + world_.setting.slowest));
  }
  void hold(const SharedToken& token, Duration age) {
    if (std::exchange(needing_, false)) note_wait();
    held_ = token;
    held_from_ = boot() - age;
    had_.push_back(token.id);
  }
  void second() {
    constexpr Duration kAhead = kLife * 45 / 1000;
    const Duration age = boot() - held_from_;
    if (held_ && age < kLife - 2s) {
      ++world_.outcome.uses;
      if (world_.now >= world_.ends.at(held_->id)) ++world_.outcome.dead_uses;
    }
    if (needing_ || (held_ && age < kLife - kAhead)) return;
    needing_ = true;
    needing_since_ = world_.now;
    lost_before_ = world_.outcome.lost_holders;
    step(event::Need{.need = ++needs_, .min_life = kAhead + 1s, .had = had_});
  }

  World& world_;
  std::size_t index_;
  ShareMachine machine_;
  std::string boot_id_;
  Duration boot_offset_;
  double drift_;
  bool alive_ = true;
  Duration frozen_until_{0};
  std::optional<Duration> heard_;  ///< when the login host answered last, in true time
  std::optional<SharedToken> held_;
  Duration held_from_{0};
  std::vector<std::uint64_t> had_;
  NeedId needs_ = 0;
  bool needing_ = false;
  Duration needing_since_{0};
  int lost_before_ = 0;  ///< holders, until then
  std::uint64_t wakes_ = 0;
};

void World::start(std::size_t index) {
  ShareOptions options;
  options.seed = random();
  options.boot_id = setting.own_machines ? "boot " + std::to_string(options.seed) : "boot";
  options.time_namespace = "time";
  engines_.at(index) = std::make_shared<Engine>(*this, index, options);
  engines_[index]->live();
}

void World::run() {
  if (setting.forgets) forget();
  engines_.resize(static_cast<std::size_t>(setting.engines));
  for (std::size_t i = 0; i < engines_.size(); ++i)
    at(setting.staggered ? between(0s, 10min) : Duration{0}, [this, i] { start(i); });
  while (!queue_.empty() && queue_.begin()->first.first <= kSpan) {
    auto next = queue_.extract(queue_.begin());
    now = next.key().first;
    next.mapped()();
  }
}

Outcome play(const Setting& setting, unsigned seed) {
  World world(setting, seed);
  world.run();
  return world.outcome;
}

class ManyEngines : public testing::TestWithParam<std::tuple<bool, bool, bool>> {
 protected:
  /// At most 5% more than one engine alone makes, and one for each holder that was lost.
  static void expect_few_requests(Setting setting) {
    const unsigned seeds = std::getenv("SKEWGUARD_LONG") == nullptr ? 1 : 10;
    for (unsigned seed = 1; seed <= seeds; ++seed) {
      Setting alone = setting;
      alone.engines = 1;
      alone.staggered = false;  // it lives as long as the first of them
      alone.killed = alone.frozen = alone.unanswered = 0;
      alone.forgets = false;
      const Outcome one = play(alone, seed);
      const Outcome all = play(setting, seed);
      EXPECT_GT(all.uses, 3000L * setting.engines);
      EXPECT_EQ(all.dead_uses, 0) << setting.engines << " engines, seed " << seed;
      EXPECT_LE(all.longest_wait, setting.slowest + 1s)
          << setting.engines << " engines, seed " << seed;
      EXPECT_LE(all.requests, one.requests * 1.05 + all.lost_holders)
          << setting.engines << " engines, seed " << seed << ", one alone " << one.requests;
    }
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
  for (const int engines : {2, 5, 20, 100}) {
    Setting with = setting();
    with.engines = engines;
    expect_few_requests(with);
  }
}

TEST_P(ManyEngines, MakeOneMoreForEachHolderThatIsKilled) {
  for (const int engines : {2, 5, 20}) {
    Setting with = setting();
    with.engines = engines;
    with.killed = 0.3;
    expect_few_requests(with);
  }
}

TEST_P(ManyEngines, MakeOneMoreForEachHolderThatIsFrozen) {
  for (const int engines : {2, 5, 20}) {
    Setting with = setting();
    with.engines = engines;
    with.frozen = 0.3;
    expect_few_requests(with);
  }
}

TEST_P(ManyEngines, MakeOneMoreForEachOperationThatIsNotAnswered) {
  for (const int engines : {2, 5, 20}) {
    Setting with = setting();
    with.engines = engines;
    with.unanswered = 0.01;
    expect_few_requests(with);
  }
}

TEST_P(ManyEngines, MakeOneMoreEachTimeTheRegisterForgets) {
  for (const int engines : {2, 5, 20}) {
    Setting with = setting();
    with.engines = engines;
    with.forgets = true;
    expect_few_requests(with);
  }
}

TEST_P(ManyEngines, GetTheirTokensWhateverGoesWrongTogether) {
  for (const int engines : {2, 5, 20}) {
    Setting with = setting();
    with.engines = engines;
    with.unanswered = 0.01;
    with.forgets = true;
    with.killed = with.frozen = 0.2;
    expect_few_requests(with);
  }
}

std::string name_of(const testing::TestParamInfo<std::tuple<bool, bool, bool>>& world) {
  return std::string(std::get<0>(world.param) ? "OwnMachines" : "OneMachine") +
         (std::get<1>(world.param) ? "Staggered" : "AtOnce") +
         (std::get<2>(world.param) ? "Slow" : "Quick");
}

INSTANTIATE_TEST_SUITE_P(Worlds, ManyEngines,
                         testing::Combine(testing::Bool(), testing::Bool(), testing::Bool()),
                         name_of);

}  // namespace
}  // namespace skewguard::sharing
