#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "clocks/skew_estimator.hpp"
#include "skewguard/http.hpp"
#include "skewguard/time.hpp"
#include "time/date_sample.hpp"

namespace skewguard::clocks {

/// What an answer changed in what is known about all clocks.
struct Observation {
  ServerId server;
  Observed outcome = Observed::dropped;
  /// Set if this server's clock stepped, confirmed by three answers on each side: about how far
  /// (positive = forward).
  std::optional<Duration> step{};
  /// Set if this answer contradicts everything known about this server, by about this much: its
  /// clock stepped, it has a second clock, or this machine stood still. Another server's next
  /// answer will show which; take no action on this alone.
  std::optional<Duration> jump{};
  /// Set if two or more servers jumped together: this machine stood still for about that long (a VM
  /// that was stopped or restored), so local boot time is behind by that much.
  std::optional<Duration> machine_stood_still{};
};

/// Which of an estimator's two intervals is requested (SkewEstimator says what each guarantees).
enum class Trust {
  every_clock,  ///< the hull: right for every clock behind the name. For verdicts.
  one_clock,    ///< the plain interval: right if one clock answers. For waits, hints, display.
};

/// All observed clocks. Pure: reads no clock. Not thread-safe: it belongs to the loop.
class ClockBook {
 public:
  explicit ClockBook(EstimatorOptions options = {});

  /// The id of an origin ("https://api.mypurecloud.ie"); the same one each time.
  ServerId id(std::string_view origin);
  /// Precondition here and below: the id is of this book.
  [[nodiscard]] const std::string& origin(ServerId server) const;
  [[nodiscard]] std::vector<ServerId> servers() const;

  Observation observe(ServerId server, const time::DateSample& sample);
  /// The hypervisor reports that this machine was stopped or restored before `now`: a server that
  /// jumps forward across that time needs no second witness.
  void note_disruption(UnslewedTime now) { disrupted_ = now; }

  /// Whether several clocks answer under this name, and an earlier one has answered again after a
  /// later one: they take turns, so it was not a step.
  [[nodiscard]] bool takes_turns(ServerId server) const;
  /// Whether its last two Dates, over a second apart, moved less than time did, but not back:
  /// typical of a Date that stands still, rare for a clock that is set.
  [[nodiscard]] bool stalls(ServerId server) const { return servers_.at(server.index).stalls; }

  /// Server minus local boot time or local wall time, at `now`. The wall clock is used only here,
  /// so that a step of it changes nothing that was learned. Includes now.gap, and what a suspend
  /// since the last answer adds.
  [[nodiscard]] std::optional<OffsetBound> to_boot(ServerId server, const Now& now,
                                                   Trust trust = Trust::every_clock) const;
  [[nodiscard]] std::optional<OffsetBound> to_wall(ServerId server, const Now& now,
                                                   Trust trust = Trust::every_clock) const;
  /// a minus b, at `now`: the only place where two servers' times are compared. Includes staleness.
  /// From the hulls: for a server with itself, it shows how far apart its own clocks may be.
  [[nodiscard]] std::optional<OffsetBound> between(ServerId a, ServerId b, const Now& now) const;
  /// The same from the plain intervals: right if one clock answers for each name.
  [[nodiscard]] std::optional<OffsetBound> between_plain(ServerId a, ServerId b,
                                                         const Now& now) const;

  /// The span of boot time in which `server`'s clock reads `time`: [earliest, latest].
  struct BootSpan {
    Instant earliest;
    Instant latest;
  };
  /// For a time far from `now` it is an estimate: until then, NTP may slew our boot clock by up to
  /// 500 ppm (allowed for) or chrony by more (not allowed for). So ask again when it is due.
  [[nodiscard]] std::optional<BootSpan> when(ServerTime time, const Now& now,
                                             Trust trust = Trust::every_clock) const;
  /// What `server`'s clock reads at `now`: [earliest, latest] as ServerTime.
  struct ServerSpan {
    ServerTime earliest;
    ServerTime latest;
  };
  [[nodiscard]] std::optional<ServerSpan> reading(ServerId server, const Now& now,
                                                  Trust trust = Trust::every_clock) const;

  /// The same from the answers of the last hour, or the newest one: an old answer becomes less
  /// precise every hour, and so would a union with it.
  [[nodiscard]] std::optional<ServerSpan> recent_reading(ServerId server, const Now& now) const;
  /// How long ago the request for the newest answer of `server` was sent.
  [[nodiscard]] std::optional<Duration> silence(ServerId server, const Now& now) const;

  [[nodiscard]] const SkewEstimator& estimator(ServerId server) const;

 private:
  /// An answer that contradicted everything known.
  struct Jump {
    OffsetBound size;       ///< how far: smallest and largest
    OffsetBound left;       ///< the hull before
    OffsetBound landed;     ///< the offset that it showed
    UnslewedTime after;     ///< it happened between the last answer before (its sending) ...
    UnslewedTime before;    ///< ... and the receipt of this one
    UnslewedTime new_from;  ///< the sending of this one
  };
  struct Server {
    std::string origin;
    SkewEstimator estimator;
    std::optional<Jump> jump{};
    /// The size of the last jump back (as a positive number): a clock that returns to where it was
    /// is a second clock, and its jumps say nothing about this machine.
    std::optional<OffsetBound> returned{};
    std::optional<time::DateSample> last{};  ///< that its next one is compared with
    bool stalls = false;
  };
  [[nodiscard]] std::optional<OffsetBound> bound(ServerId server, const Now& now,
                                                 Trust trust) const;
  /// `known`, adjusted to `now`.
  [[nodiscard]] OffsetBound as_read(const SkewEstimator& of, const OffsetBound& known,
                                    const Now& now) const;
  [[nodiscard]] static ServerSpan span_of(ServerId server, const OffsetBound& to_boot,
                                          const Now& now);
  [[nodiscard]] static std::optional<Jump> jump_of(const Server& server,
                                                   const time::DateSample& sample,
                                                   OffsetBound shown);
  static void note_jump(Server& server, const std::optional<Jump>& jump, const OffsetBound& shown,
                        UnslewedTime received);
  void compare_with_last(Server& server, const time::DateSample& sample) const;
  std::optional<Duration> take_standstill(ServerId server);

  EstimatorOptions options_;
  DriftRate rate_;
  std::vector<Server> servers_;
  std::optional<UnslewedTime> disrupted_;  ///< reported, but no server has shown by how much
};

}  // namespace skewguard::clocks
