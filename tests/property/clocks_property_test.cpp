/// Random histories of one name's clocks, and of a book of them, against a known truth.
/// A failure prints its seed; SKEWGUARD_SEED=<seed> replays that history alone in each test, and
/// SKEWGUARD_HISTORIES=<n> sets how many each test runs.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "../histories.hpp"
#include "clock_history.hpp"
#include "clocks/clock_book.hpp"

namespace skewguard::testing {
namespace {

using clocks::ClockBook;
using clocks::EstimatorOptions;
using clocks::Observed;
using clocks::SkewEstimator;

#ifndef SKEWGUARD_HISTORY_SHARE
#define SKEWGUARD_HISTORY_SHARE 1
#endif

/// The first thing that went wrong; empty if everything held.
using Complaint = std::optional<std::string>;

std::string text(Duration d) {
  return std::to_string(d.count()) + " ns";
}
std::string text(const OffsetBound& b) {
  return "[" + text(b.low) + ", " + text(b.high) + "]";
}

/// Runs `history(seed)` for many seeds, or for the one that SKEWGUARD_SEED names.
template <typename History>
void for_many(std::uint64_t family, std::uint64_t count, History history) {
  if (const char* seed = std::getenv("SKEWGUARD_SEED")) {
    const Complaint complaint = history(std::strtoull(seed, nullptr, 10));
    EXPECT_FALSE(complaint) << complaint.value_or("");
    return;
  }
  if (const char* asked = std::getenv("SKEWGUARD_HISTORIES")) {
    count = std::strtoull(asked, nullptr, 10);
  } else {
    count = histories(count) / SKEWGUARD_HISTORY_SHARE;
  }
  Random seeds(family);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t seed = seeds.next();
    const Complaint complaint = history(seed);
    ASSERT_FALSE(complaint) << complaint.value_or("") << "\nreplay: SKEWGUARD_SEED=" << seed;
  }
}

/// What a history may contain.
struct Kind {
  int backends = 1;
  bool steps = false;
  bool forgets = false;
};

EstimatorOptions options_of(Random& random) {
  constexpr std::array<double, 4> kDrifts{600e-6, 600e-6, 0.0, 5e-3};
  EstimatorOptions options;
  options.drift = kDrifts[static_cast<std::size_t>(random.between(0, 3))];
  if (random.chance(0.3)) options.staleness = random.between(milliseconds{0}, seconds{3});
  return options;
}

/// A time between two events: from a burst to two days.
Duration pause(Random& random) {
  const auto kind = random.between(0, 19);
  if (kind < 8) return random.between(seconds{0}, seconds{2});
  if (kind < 16) return random.between(seconds{0}, seconds{60});
  if (kind < 19) return random.between(seconds{0}, hours{3});
  return random.between(seconds{0}, hours{48});
}

/// A name with its clocks, and what its answers showed.
class Name {
 public:
  Name(ClockHistory& history, Random& random, const EstimatorOptions& options, const Kind& kind)
      : history_(history),
        random_(random),
        network_(random),
        max_drift_(static_cast<std::int64_t>(options.drift * 1e9)),
        max_late_(random.chance(0.5) ? options.staleness : Duration{0}) {
    const Duration base = seconds{1'700'000'000} + random.between(-hours{2}, hours{2});
    const double spread = std::exp(random.unit() * 9.0);  // 1 ms .. 8 s
    for (int i = 0; i < kind.backends; ++i) {
      const Duration apart{static_cast<std::int64_t>(spread * 1e6 * (2 * random.unit() - 1))};
      backends_.push_back(history.courses.size());
      history.courses.push_back({base + (i == 0 ? Duration{0} : apart), 0});
      new_rate(i);
    }
  }

  /// One request and its answer; time passes.
  struct Answer {
    time::DateSample sample;
    std::size_t course = 0;
  };
  Answer ask() {
    const auto backend = pick();
    Answer answer = begin(backend);
    history_.pass(last_back_);
    answer.sample.received = history_.read(random_);
    return answer;
  }
  /// The same without waiting for the answer: the caller sets `received` later.
  Answer begin(std::size_t backend) {
    Answer answer;
    const Network::Delay delay = network_.draw(random_);
    answer.course = backends_[backend];
    answer.sample.connection = static_cast<std::uint64_t>(random_.between(0, 3));
    answer.sample.sent = history_.read(random_);
    history_.pass(delay.there);
    const Duration late = random_.between(Duration{0}, max_late_);
    answer.sample.date = history_.date_of(answer.course, late);
    last_back_ = delay.back;
    return answer;
  }
  std::size_t pick() {
    return static_cast<std::size_t>(
        random_.between(0, static_cast<std::int64_t>(backends_.size()) - 1));
  }

  void step(std::size_t backend, Duration by) {
    Course course = history_.courses[backends_[backend]];
    course.offset += by;
    backends_[backend] = history_.courses.size();
    history_.courses.push_back(course);
  }
  void new_rate(std::size_t backend) {
    const auto extreme = random_.between(0, 3);
    history_.courses[backends_[backend]].rate = extreme == 0 ? max_drift_
                                                : extreme == 1
                                                    ? -max_drift_
                                                    : random_.between(-max_drift_, max_drift_);
  }
  void new_rate(int backend) { new_rate(static_cast<std::size_t>(backend)); }
  [[nodiscard]] Duration truth(std::size_t backend) const {
    return history_.courses[backends_[backend]].offset;
  }
  [[nodiscard]] std::size_t course(std::size_t backend) const { return backends_[backend]; }

 private:
  ClockHistory& history_;
  Random& random_;
  Network network_;
  std::int64_t max_drift_;
  Duration max_late_;
  Duration last_back_{0};
  std::vector<std::size_t> backends_;  ///< which course each follows now
};

struct Taken {
  std::size_t course;
  UnslewedTime sent;
  UnslewedTime received;
};

/// The promise of SkewEstimator, restated: does a sample still count that `newer` samples followed?
bool counts(const Taken& sample, std::size_t newer, UnslewedTime latest,
            const SkewEstimator& estimator) {
  if (estimator.settled() && sample.sent < *estimator.settled()) return false;
  return newer < 16 || (newer < 64 && latest - sample.received <= hours{1});
}

Complaint check_bounds(const SkewEstimator& estimator, UnslewedTime at) {
  const auto hull = estimator.hull(at);
  const auto prompt = estimator.prompt_hull(at);
  const auto plain = estimator.plain(at);
  const auto best = estimator.prompt_plain(at);
  if (!hull || !prompt || !plain || !best) return "nothing known after a sample";
  for (const auto& bound : {*hull, *prompt, *plain, *best})
    if (bound.low > bound.high) return "low above high: " + text(bound);
  if (prompt->low != hull->low || prompt->high > hull->high) return "prompt hull outside the hull";
  if (plain->low < hull->low || plain->high > hull->high)
    return "plain " + text(*plain) + " outside the hull " + text(*hull);
  if (best->low < hull->low || best->high > hull->high) return "best outside the hull";
  return {};
}

/// Every clock that gave a sample which still counts lies in the hull.
Complaint check_truths(const std::vector<Taken>& taken, const ClockHistory& history,
                       const SkewEstimator& estimator) {
  const OffsetBound hull = *estimator.hull(history.time());
  std::size_t expected = 0;
  UnslewedTime latest{};
  for (const Taken& t : taken) latest = std::max(latest, t.received);
  for (std::size_t i = 0; i < taken.size(); ++i) {
    if (!counts(taken[i], taken.size() - 1 - i, latest, estimator)) continue;
    ++expected;
    const Duration truth = history.courses[taken[i].course].offset;
    if (!hull.holds(truth))
      return "hull " + text(hull) + " misses " + text(truth) + " of sample " + std::to_string(i);
  }
  if (estimator.remembered() < expected) return "forgot a sample that counts";
  return {};
}

class History {
 public:
  History(std::uint64_t seed, const Kind& kind)
      : random_(seed),
        kind_(kind),
        options_(options_of(random_)),
        history_(random_),
        name_(history_, random_, options_, kind),
        estimator_(options_) {}

  Complaint run() {
    const auto count = random_.chance(0.01) ? random_.between(60, 150) : random_.between(3, 20);
    for (std::int64_t i = 0; i < count; ++i) {
      events();
      if (random_.chance(0.05)) {
        if (auto complaint = ask_slowly()) return complaint;
      } else if (auto complaint = take(name_.ask())) {
        return complaint;
      }
    }
    history_.pass(pause(random_));
    return check();
  }

 private:
  void events() {
    history_.pass(pause(random_));
    if (random_.chance(0.2)) name_.new_rate(name_.pick());
    if (random_.chance(0.2)) history_.slew = random_.between(-500'000, 500'000);
    if (random_.chance(0.1))
      history_.wall_ahead = random_.between(-hours{24 * 365}, hours{24 * 365});
    if (random_.chance(0.05) && !slept_) {
      const Duration max = options_.suspend_widening;
      history_.suspend(random_.between(milliseconds{100}, hours{10}), random_.between(-max, max));
      ++suspends_;
      slept_ = true;
    }
    if (kind_.steps && random_.chance(0.1)) {
      const double size = std::exp(random_.unit() * 12.0);  // 1 ms .. 160 s
      const Duration by{static_cast<std::int64_t>(size * 1e6)};
      name_.step(name_.pick(), random_.chance(0.5) ? by : -by);
    }
    if (kind_.forgets && random_.chance(0.05) && !taken_.empty())
      estimator_.forget_before(history_.time() - random_.between(seconds{0}, seconds{60}));
  }

  /// An answer in flight while other things happen.
  Complaint ask_slowly() {
    Name::Answer slow = name_.begin(name_.pick());
    events();
    if (auto complaint = take(name_.ask())) return complaint;
    slow.sample.received = history_.read(random_);
    return take(slow);
  }

  Complaint take(const Name::Answer& answer) {
    const Observed outcome = estimator_.observe(answer.sample);
    slept_ = false;
    if (outcome == Observed::dropped) {
      const bool may =
          estimator_.settled() && answer.sample.sent.unslewed() < *estimator_.settled();
      return may ? Complaint{} : Complaint{"a good sample was dropped"};
    }
    taken_.push_back(
        {answer.course, answer.sample.sent.unslewed(), answer.sample.received.unslewed()});
    if (auto complaint = check()) return complaint;
    // The newest sample counts, whatever was forgotten.
    const Duration truth = history_.courses[answer.course].offset;
    if (!estimator_.hull(history_.time())->holds(truth))
      return "misses the clock that just answered";
    return {};
  }

  Complaint check() {
    if (estimator_.remembered() == 0) {
      if (kind_.forgets) return {};
      return "forgot all";
    }
    if (auto complaint = check_bounds(estimator_, history_.time())) return complaint;
    if (auto complaint = check_truths(taken_, history_, estimator_)) return complaint;
    return kind_.backends == 1 && !kind_.steps ? check_one_clock() : Complaint{};
  }

  Complaint check_one_clock() {
    const Duration truth = name_.truth(0);
    if (!estimator_.plain(history_.time())->holds(truth)) return "plain misses the only clock";
    if (estimator_.steps() != 0) return "a step of a clock that made none";
    // Not by being wide: the width comes only from the samples, drift, staleness and suspends.
    Duration width = seconds{1} + options_.staleness + 2 * options_.suspend_widening * suspends_ +
                     milliseconds{1};
    Duration longest{0};
    UnslewedTime first = history_.time();
    for (const Taken& t : taken_) {
      longest = std::max(longest, t.received - t.sent);
      first = std::min(first, t.sent);
    }
    width += longest +
             2 * ClockHistory::drift(history_.time() - first, std::llround(options_.drift * 1e9));
    const OffsetBound hull = *estimator_.hull(history_.time());
    if (hull.low < truth - width || hull.high > truth + width) return "hull wider than it must be";
    return {};
  }

  Random random_;
  Kind kind_;
  EstimatorOptions options_;
  ClockHistory history_;
  Name name_;
  SkewEstimator estimator_;
  std::vector<Taken> taken_;
  int suspends_ = 0;
  bool slept_ = false;  ///< since the last answer: two suspends would count as one
};

void histories(std::uint64_t family, std::uint64_t count, const Kind& kind) {
  for_many(family, count, [&](std::uint64_t seed) { return History(seed, kind).run(); });
}

TEST(SkewEstimatorProperty, OneClockLiesInHullAndPlain) {
  histories(1, 300'000, {.backends = 1});
}
TEST(SkewEstimatorProperty, HullHoldsAClockThatSteps) {
  histories(2, 200'000, {.backends = 1, .steps = true, .forgets = true});
}
TEST(SkewEstimatorProperty, HullHoldsBothOfTwoClocks) {
  histories(3, 200'000, {.backends = 2});
}
TEST(SkewEstimatorProperty, HullHoldsAllOfThreeClocks) {
  histories(4, 100'000, {.backends = 3});
}
TEST(SkewEstimatorProperty, HullHoldsSeveralClocksThatStep) {
  histories(5, 100'000, {.backends = 3, .steps = true, .forgets = true});
}

/// Two servers with one clock each, seen from a machine whose wall clock is stepped, whose boot
/// clock is slewed, and which may be paused.
class BookHistory {
 public:
  BookHistory(std::uint64_t seed, bool stands_still)
      : random_(seed),
        stands_still_(stands_still),
        options_(options_of(random_)),
        history_(random_),
        names_{Name(history_, random_, options_, {}), Name(history_, random_, options_, {})},
        book_(options_),
        ids_{book_.id("https://login.example"), book_.id("https://api.example")} {}

  Complaint run() {
    const auto count = random_.between(3, 16);
    const auto stop_at = random_.between(1, count - 1);
    for (std::int64_t i = 0; i < count; ++i) {
      history_.pass(random_.between(seconds{0}, seconds{40}));
      if (random_.chance(0.3)) history_.slew = random_.between(-500'000, 500'000);
      if (random_.chance(0.3))
        history_.wall_ahead = random_.between(-hours{400'000}, hours{900'000});
      if (stands_still_ && i == stop_at) stand_still();
      for (std::size_t n = 0; n < 2; ++n)
        if (auto complaint = hear(n)) return complaint;
    }
    history_.pass(random_.between(seconds{0}, hours{2}));
    if (auto complaint = check_all()) return complaint;
    if (stands_still_ && !claimed_) return "standing still went unnoticed";
    return {};
  }

 private:
  void stand_still() {
    stood_ = random_.between(seconds{60}, hours{1000});
    for (std::size_t n = 0; n < 2; ++n) names_[n].step(0, stood_);
    heard_ = {false, false};
  }

  Complaint hear(std::size_t n) {
    const Name::Answer answer = names_[n].ask();
    const clocks::Observation seen = book_.observe(ids_[n], answer.sample);
    longest_ =
        std::max(longest_, answer.sample.received.unslewed() - answer.sample.sent.unslewed());
    heard_[n] = true;
    if (seen.step) return "a step of a clock that made none";
    if (seen.machine_stood_still) {
      if (stood_ == Duration{0} || claimed_) return "stood still, but it did not";
      claimed_ = true;
      const Duration slack = seconds{3} + 2 * options_.staleness + 2 * longest_ + seconds{10};
      const Duration error = *seen.machine_stood_still - stood_;
      if (error > slack || error < -slack) return "stood still for another time: " + text(error);
    }
    return check_all();
  }

  Complaint check_all() {
    if (!heard_[0] || !heard_[1]) return {};
    const Now now = history_.read(random_);
    for (std::size_t n = 0; n < 2; ++n)
      if (auto complaint = check_server(n, now)) return complaint;
    const Duration apart = names_[0].truth(0) - names_[1].truth(0);
    const auto between = book_.between(ids_[0], ids_[1], now);
    const auto plain = book_.between_plain(ids_[0], ids_[1], now);
    const auto reverse = book_.between(ids_[1], ids_[0], now);
    if (!between || !between->holds(apart)) return "between misses";
    if (!reverse || reverse->low != -between->high) return "between is not antisymmetric";
    if (one_era() && (!plain || !plain->holds(apart))) return "plain between misses";
    return {};
  }

  Complaint check_server(std::size_t n, const Now& now) {
    const Duration server_now = history_.time().time_since_epoch() + names_[n].truth(0);
    const auto boot = book_.to_boot(ids_[n], now);
    const auto wall = book_.to_wall(ids_[n], now);
    const auto plain = book_.to_wall(ids_[n], now, clocks::Trust::one_clock);
    if (!boot || !boot->holds(server_now - history_.boot())) return "to_boot misses";
    if (!wall || !wall->holds(server_now - history_.wall())) return "to_wall misses";
    if (one_era() && (!plain || !plain->holds(server_now - history_.wall())))
      return "plain to_wall misses";
    const auto reading = book_.reading(ids_[n], now);
    // The reading belongs to the moment of now.boot, which lies within the gap.
    if (!reading || reading->earliest.since_epoch() > server_now + 2 * now.gap ||
        reading->latest.since_epoch() < server_now - 2 * now.gap)
      return "reading misses";
    return check_when(n, now, server_now);
  }

  /// Runs a copy of the history ahead, and compares the boot clock when the server's clock reaches
  /// the time.
  Complaint check_when(std::size_t n, const Now& now, Duration server_now) {
    ClockHistory later = history_;
    later.pass(random_.between(seconds{0}, seconds{600}));
    const Duration server_then =
        later.time().time_since_epoch() + later.courses[names_[n].course(0)].offset;
    if (server_then < server_now) return "the history ran backwards";
    const auto span = book_.when(ServerTime(ids_[n], server_then), now);
    const Instant then{later.boot()};
    if (!span || span->earliest > then + 2 * now.gap || span->latest < then - 2 * now.gap)
      return "when misses";
    return {};
  }

  /// All samples in the book are from one side of the standstill.
  [[nodiscard]] bool one_era() const { return stood_ == Duration{0} || claimed_; }

  Random random_;
  bool stands_still_;
  EstimatorOptions options_;
  ClockHistory history_;
  std::array<Name, 2> names_;
  ClockBook book_;
  std::array<ServerId, 2> ids_;
  std::array<bool, 2> heard_{};
  Duration stood_{0};
  Duration longest_{0};
  bool claimed_ = false;
};

TEST(ClockBookProperty, BoundsHoldWhateverTheLocalClocksDo) {
  for_many(7, 50'000, [](std::uint64_t seed) { return BookHistory(seed, false).run(); });
}
TEST(ClockBookProperty, AMachineThatStoodStillIsNoticedAndMeasured) {
  for_many(8, 50'000, [](std::uint64_t seed) { return BookHistory(seed, true).run(); });
}

}  // namespace
}  // namespace skewguard::testing
