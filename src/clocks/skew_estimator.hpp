#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "clocks/drifting_bound.hpp"
#include "clocks/groups.hpp"
#include "clocks/sample_ring.hpp"
#include "skewguard/time.hpp"
#include "time/date_sample.hpp"

namespace skewguard::clocks {

struct EstimatorOptions {
  /// Most that the server's clock and the local crystal drift apart, in parts per 1. 600 ppm = a
  /// crystal's 100 + a server being slewed by 500. Taken as 0 .. 0.01.
  double drift = 600e-6;
  /// How late a server's date string may be (>= 0); widens the high end only: a string that is
  /// late by s was made at [date, date + 1 s) and read at up to s later.
  Duration staleness = std::chrono::seconds{1};
  /// A date string that is late by no more than this (>= 0) is not a contradiction: widens the high
  /// end of each sample, whether staleness is counted or not.
  Duration prompt{0};
  /// What a suspend (boot ran on while mono stood) adds to both ends of what was known before it:
  /// the kernel measures a suspend with a clock of whole seconds. Several suspends between two
  /// answers count as one.
  Duration suspend_widening = std::chrono::seconds{2};
  /// The answers are so close together that a Date that is updated only now and then can be
  /// recognized: what such a Date explains is then not a step. With distant answers, it would
  /// explain nearly anything.
  bool close_together = false;
};

/// What one observation did.
enum class Observed {
  narrowed,    ///< a bound got tighter
  consistent,  ///< agrees, nothing new
  rebuilt,     ///< contradicts, or the samples already need several groups: they were made anew
  stepped,     ///< a clean split in time: the clock stepped; the newest group is kept
  dropped,     ///< not a usable sample: received before sent, a time that no clock here can show,
               ///< or asked for before the last step was over
};

/// What kind of picture the samples give.
enum class Picture {
  none,                  ///< no sample
  one_clock,             ///< one interval fits them all
  late_or_second_clock,  ///< a gap of at most 1.1 s (or the staleness): a late date string, or a
                         ///< second clock; name neither
  several_clocks,        ///< two to four groups
  incoherent,            ///< more than four groups: not a clock at all
};

struct ClockGroup {
  OffsetBound offset;       ///< server minus unslewed local time; includes staleness
  double share = 1.0;       ///< of the samples, 0..1
  std::size_t samples = 0;  ///< that fit no other group
  Duration best{0};         ///< the best single estimate, within `offset`
};

/// The offset interval of one name's clock or clocks, from passive Date samples alone.
/// All offsets are server minus UnslewedTime. Pure: no clock is read. Not thread-safe.
///
/// Two answers, for two questions, as long as drift, staleness, suspends and the truncation to
/// whole seconds stay within the options:
///
/// - `hull` holds every clock that gave a remembered sample. Which sample came from which clock is
///   unknown, so each may be another's: the hull is the union of the samples' own intervals, and
///   nothing narrower would be sound (two clocks at 0 and +0.3 s can agree for ever on an
///   intersection that holds neither). It needs no contradiction to have been seen. For samples of
///   one age it lies within the intersection widened by 1 s + the longest round trip.
///   Remembered are the last 64 samples, but of those over an hour old only the last 16 (a clock
///   not heard of for so long has drifted into uselessness), and none from before a step.
///   Neither the same connection nor a lack of contradictions narrows it: gateways hand each
///   request of a connection to another backend.
/// - `plain` is the intersection, and holds the truth if *one* clock gave all samples: 1 s narrower
///   at least, in the end about one round trip + staleness wide. For display, waits and hints.
///   Where no single clock can have given the samples it is the hull of the groups.
///
/// A contradiction is an empty intersection with staleness *not* counted: that decides the picture.
/// Whether it was a late date or a second clock is then open (`late_or_second_clock`); the hull
/// holds both readings since it never intersects, and `plain` stays sound for one late clock since
/// it adds the staleness to its high end before it asks whether anything is left.
class SkewEstimator {
 public:
  static constexpr std::size_t kMaxSamples = SampleRing::kCapacity;
  static constexpr std::size_t kMaxGroups = Groups::kMax;
  /// A sample older than this is kept only while it is among the last kOldSamples.
  static constexpr Duration kMemory = std::chrono::hours{1};
  static constexpr std::size_t kOldSamples = 16;
  /// Dates outside [1970, 2191] and local readings over 31 years are not samples, so that
  /// differences of offsets fit into int64 nanoseconds.
  static constexpr std::chrono::seconds kLatestDate{7'000'000'000};
  static constexpr std::chrono::seconds kLatestLocal{1'000'000'000};

  explicit SkewEstimator(EstimatorOptions options = {});

  /// Takes one sample. O(1), no allocation, unless it contradicts what is known.
  Observed observe(const time::DateSample& sample);
  /// The same, if interval_of(sample) is known already.
  Observed observe(const time::DateSample& sample, const OffsetBound& shown);

  /// The cautious hull at `at`: contains every clock that gave a sample (and was not left behind by
  /// a step). Includes staleness on the high end. Empty without a sample. O(1).
  [[nodiscard]] std::optional<OffsetBound> hull(UnslewedTime at) const {
    if (ring_.empty()) return std::nullopt;
    return with_staleness(grown(ring_.hull(), at));
  }
  /// The same from the samples of the last hour alone, or from the newest one if there is none.
  [[nodiscard]] std::optional<OffsetBound> recent_hull(UnslewedTime at) const;
  /// The same without staleness, as if the server were always prompt. At most as wide.
  [[nodiscard]] std::optional<OffsetBound> prompt_hull(UnslewedTime at) const;
  /// Sound if one clock gave all samples; never wider than the hull. Includes staleness. O(1).
  [[nodiscard]] std::optional<OffsetBound> plain(UnslewedTime at) const;
  /// The same for prompt date strings; the hull of the groups if these contradict each other. Its
  /// middle is the best single estimate.
  [[nodiscard]] std::optional<OffsetBound> prompt_plain(UnslewedTime at) const;
  /// What the remembered answers of one connection show, for prompt date strings.
  struct ConnectionBound {
    std::uint64_t connection = 0;  ///< never 0
    std::size_t samples = 0;
    OffsetBound offset{};  ///< low above high: they contradict each other
  };
  [[nodiscard]] std::vector<ConnectionBound> by_connection(UnslewedTime at) const;
  /// The narrowest of these. If each connection meets one clock, that clock is in it, however many
  /// clocks the name has; `plain` may contain none of them then. Empty if no connection is known.
  [[nodiscard]] std::optional<ConnectionBound> by_best_connection(UnslewedTime at) const;
  /// By how much both ends of any of these must still be moved outward at `now`, because the
  /// machine was suspended since the last sample.
  [[nodiscard]] Duration suspend_widening_at(const Now& now) const noexcept;

  [[nodiscard]] Picture picture() const noexcept { return picture_; }
  /// No single prompt clock can have given the remembered samples, but one whose Date is updated
  /// only now and then can.
  [[nodiscard]] bool may_be_renewed_late() const {
    return groups_.size() > 1 && explained_by_late_renewals(ring_, latest_, rate_);
  }
  /// One entry for each group, largest share first, at `at`. An incoherent picture has one: the
  /// hull of everything.
  [[nodiscard]] std::vector<ClockGroup> groups(UnslewedTime at) const;
  [[nodiscard]] std::size_t samples() const noexcept { return taken_; }  ///< ever taken
  /// How many samples the hull rests on now.
  [[nodiscard]] std::size_t remembered() const noexcept { return ring_.size(); }
  [[nodiscard]] std::optional<Duration> rtt_min() const noexcept { return rtt_min_; }
  [[nodiscard]] std::size_t steps() const noexcept { return steps_; }  ///< of this clock, seen
  /// The size of the last step (positive = it jumped forward), midpoint to midpoint.
  [[nodiscard]] std::optional<Duration> last_step() const noexcept { return last_step_; }
  /// When the last step was certainly over: samples sent before that are ignored.
  [[nodiscard]] std::optional<UnslewedTime> settled() const noexcept { return settled_; }
  /// When the newest sample was sent.
  [[nodiscard]] std::optional<UnslewedTime> last_sent() const noexcept;
  [[nodiscard]] const EstimatorOptions& options() const noexcept { return options_; }

  /// The machine stood still for about `gap` (a VM stopped): every server's offset jumped up by
  /// that. Drops everything from before `at`.
  void forget_before(UnslewedTime at);

  /// The interval from this sample alone when it was received, without staleness; empty if it is
  /// unusable.
  [[nodiscard]] static std::optional<OffsetBound> interval_of(const time::DateSample& sample);

 private:
  /// Later times are clamped to this.
  static constexpr Duration kLatestAsked{2 * kLatestLocal};

  /// As at `at`.
  [[nodiscard]] OffsetBound grown(const DriftingBound& bound, UnslewedTime at) const noexcept {
    if (latest_ <= at && at.time_since_epoch() <= kLatestAsked) return bound.at(at, rate_);
    return grown_at_odd_times(bound, at);
  }
  [[nodiscard]] OffsetBound grown_at_odd_times(const DriftingBound& bound,
                                               UnslewedTime at) const noexcept;
  [[nodiscard]] OffsetBound with_staleness(OffsetBound bound) const noexcept {
    bound.high += options_.staleness;
    return bound;
  }
  [[nodiscard]] OffsetBound hull_of_groups(UnslewedTime at) const;
  [[nodiscard]] Duration likeliest(std::size_t group, UnslewedTime at) const;
  [[nodiscard]] bool contradicted() const noexcept;
  [[nodiscard]] Duration late_limit() const noexcept;
  void note_suspends(const time::DateSample& sample, RawSample& taken);
  void spread_all(Duration by);
  void remember(const RawSample& sample);
  void regroup();
  void classify();
  void leave_behind(const Split& split);

  EstimatorOptions options_;
  DriftRate rate_;
  SampleRing ring_;
  DriftingBound plain_;  ///< the intersection, prompt; low above high = no one prompt clock
  Groups groups_;
  Picture picture_ = Picture::none;
  UnslewedTime latest_{};              ///< the latest `received` so far
  std::optional<Duration> suspended_;  ///< boot - mono as last taken note of
  std::optional<UnslewedTime> settled_;
  std::optional<Duration> rtt_min_;
  std::optional<Duration> last_step_;
  std::size_t taken_ = 0;
  std::size_t steps_ = 0;
};

}  // namespace skewguard::clocks
