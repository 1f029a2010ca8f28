#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "clocks/drifting_bound.hpp"
#include "clocks/skew_estimator.hpp"
#include "clocks/turns.hpp"
#include "skewguard/time.hpp"
#include "time/date_sample.hpp"

namespace skewguard::clocks {

/// How much may be spent on one server's clock.
struct ProbeBudget {
  std::size_t probes = 16;                  ///< requests, at least 1
  Duration time = std::chrono::seconds{6};  ///< from the first request to the last one's sending
  /// Flank probes for each side; nothing: as many as the probes allow, none of 16, 7 of 37.
  std::optional<std::size_t> flanks{};
  double drift = EstimatorOptions{}.drift;  ///< as EstimatorOptions has it
};

/// Measures one server's clock by its Date, with requests aimed at the moment when the Date turns
/// to the next second. Pure: it is told the time and what came back, and says when to send next.
///
/// What is known, [low, high] of (server - local), says when a request must leave to be stamped
/// just as second N begins: between N - high and N - low - (shortest round trip). The probes for
/// one second are spread over that bracket, and each answer moves the rest: one that still shows N
/// - 1 lowers `high`, the first that shows N raises `low` and ends the second. Neither the delay of
/// one direction nor its asymmetry need be known. The width that can be reached is the shortest
/// round trip; `probe_property_test` holds what is reached with how many probes.
///
/// The last ones are *flank* probes, on connections of their own: one that must still show the old
/// second, one that must show the new. They would meet a second clock behind the name, however
/// close, in proportion to its share of the answers.
///
/// Aimed probes stay within the bracket, and so can never contradict it. A date string that is late
/// by another amount each second shows in *check* probes: one ahead of the bracket, that must still
/// show the old second; one behind it, that must show the new, where no aimed one has.
///
/// Where no one clock can have given the answers there is no edge to aim at: the rest of the
/// probes is spread over time, for groups and shares.
///
/// Times are UnslewedTime; not thread-safe.
class ProbePlan {
 public:
  /// A date string that is no later than this counts as prompt: an idle Node server's is up to 3 ms
  /// late. So much is added to the high end of what is shown.
  static constexpr Duration kPrompt = std::chrono::milliseconds{5};

  ProbePlan(ProbeBudget budget, UnslewedTime start);

  /// Which connection a request is for.
  enum class Over {
    best,   ///< the one whose own answers tell most
    other,  ///< the one whose own answers tell least
    fresh,  ///< one that has carried nothing yet: to be opened ahead
  };
  struct Shot {
    UnslewedTime at;  ///< when to send; as soon as possible if it has passed
    Over over = Over::best;
  };
  enum class Wait {
    answer,  ///< ask again when an answer has come, or a request has failed
    over,    ///< nothing more to send or to hear
  };
  struct Next {
    std::optional<Shot> shot{};  ///< else see `wait`
    Wait wait = Wait::answer;
    std::size_t fresh_soon = 0;  ///< new connections that will be wanted within the next second
  };
  /// What to do next. To be asked again after each sending and each answer: what it said before no
  /// longer counts then.
  [[nodiscard]] Next next(UnslewedTime now);
  /// Which of these connections, open and with nothing under way, is the one for it: its index.
  /// Precondition: there is one.
  [[nodiscard]] std::size_t choose(Over over, std::span<const std::uint64_t> connections,
                                   UnslewedTime now) const;
  /// A request goes out now, on this connection.
  void sent(UnslewedTime at, std::uint64_t connection);
  /// Its answer, in any order.
  void answered(const time::DateSample& sample);
  /// The request under way on this connection gets no answer.
  void lost(std::uint64_t connection);
  /// It got one without a Date that can be used. A few of them, and nothing else, end the plan.
  void answered_without_date();
  /// There will be no connections in this round that have carried nothing: no flank probes.
  void no_fresh();
  /// Another round, where the last one is over: as much may be spent anew, and begins with what is
  /// known. Only the newest samples count further, so that what was once late is forgotten.
  void go_on(ProbeBudget budget, UnslewedTime start);

  /// All that was learned, with kPrompt as what is prompt.
  [[nodiscard]] const SkewEstimator& estimator() const noexcept { return estimator_; }
  /// The best single estimate of (server - local) at `now`: where a prompt clock's is likeliest.
  /// Nothing before the first sample.
  [[nodiscard]] std::optional<Duration> best(UnslewedTime now) const;
  /// The narrow interval: where one clock fits all answers, what those tell that one clock must
  /// have given (bound_of_some_clock), if they bound it from both sides. Date strings that are late
  /// by kPrompt are allowed for. Nothing before a check or flank probe has passed: without one
  /// neither a late date string nor a second clock would have been noticed.
  [[nodiscard]] std::optional<OffsetBound> borne_out(UnslewedTime now) const;
  /// How late a date string may have been, going by what was seen: kPrompt, by how much some were
  /// late for certain, and by how much the round trips differ. A busy server answers late, and
  /// renews its date string as late.
  [[nodiscard]] Duration lateness(UnslewedTime now) const;
  /// A second clock behind this name that differs by more than `beyond` would have been noticed
  /// with 99 % certainty if its share of the answers were above `share`; 1.0: no such claim.
  struct Exclusion {
    double share = 1.0;
    Duration beyond{0};
  };
  [[nodiscard]] Exclusion excluded(UnslewedTime now) const;
  /// Where a Date is renewed only now and then, and late between: what its clock shows, from the
  /// answers just before and just after each renewal that one clock must have given
  /// (bound_of_some_clock). Nothing where none shows one.
  [[nodiscard]] std::optional<OffsetBound> by_renewals(UnslewedTime now) const;
  [[nodiscard]] std::size_t probes_sent() const noexcept { return sent_; }
  /// Of the server's clock, in this round.
  [[nodiscard]] std::size_t steps() const noexcept { return estimator_.steps() - steps_before_; }
  /// Dates that never went back, and that stood still for over a second or are those that one clock
  /// shows whose Date is renewed only now and then: those of answers that were kept somewhere, not
  /// of several clocks that take turns.
  [[nodiscard]] bool kept_dates() const {
    return !went_back_ && (stood_still_ || estimator_.may_be_renewed_late());
  }

 private:
  /// The second whose begin is aimed at, by the server's clock, since the epoch.
  struct Edge {
    Duration second{0};
    std::size_t edges = 1;       ///< that can still be caught, with this one
    std::size_t shots = 0;       ///< that may still be sent at it
    std::size_t share = 0;       ///< of these, the ones that need not wait for answers
    UnslewedTime since{};        ///< the last thing that happened to it
    bool turned = false;         ///< an answer has shown it
    std::size_t look_ahead = 0;  ///< checks ahead of the bracket that are still to be sent
    bool look_behind = false;    ///< one behind it is, if no answer has shown the second
  };
  /// The second on whose flanks is sent.
  struct Flanks {
    Duration second{0};
    std::size_t before = 0;  ///< still to be sent ahead of it
    std::size_t after = 0;
  };

  void spend(ProbeBudget budget, UnslewedTime start);
  void use(const Answered& heard);
  void use_again(const std::vector<Answered>& all);
  void compare(const time::DateSample& sample);
  void came_back();
  void forget_before_step();
  [[nodiscard]] OffsetBound sharp(UnslewedTime now) const { return sharp_.at(now, rate_); }
  [[nodiscard]] OffsetBound likely(UnslewedTime now) const;
  [[nodiscard]] std::optional<OffsetBound> unchecked(UnslewedTime now) const;  ///< see borne_out()
  [[nodiscard]] std::optional<OffsetBound> one_clock(DriftingBound bound, UnslewedTime now) const;
  [[nodiscard]] UnslewedTime end() const { return start_ + budget_.time; }
  [[nodiscard]] std::size_t left() const { return budget_.probes - sent_; }
  [[nodiscard]] std::size_t left_to_aim() const;
  [[nodiscard]] Duration rtt_mean() const;   ///< precondition: there is a sample
  [[nodiscard]] Duration usual_rtt() const;  ///< likewise
  [[nodiscard]] Next aim(UnslewedTime now);
  [[nodiscard]] bool choose_edge(UnslewedTime now);
  [[nodiscard]] bool may_take_turns() const;
  [[nodiscard]] OffsetBound flanked(UnslewedTime now) const;
  [[nodiscard]] bool as_narrow_as_can_be(UnslewedTime now) const;
  void plan_checks(Duration width, std::size_t most, UnslewedTime now);
  void share_out(Duration width, std::size_t most);
  [[nodiscard]] Duration beside(UnslewedTime now) const;
  [[nodiscard]] UnslewedTime next_shot(const Edge& edge, UnslewedTime now) const;
  [[nodiscard]] Next flank(UnslewedTime now);
  [[nodiscard]] bool choose_flanks(UnslewedTime now);
  [[nodiscard]] Next spread() const;

  ProbeBudget budget_;  ///< its probes: with those of the rounds before
  UnslewedTime start_{};
  DriftRate rate_;
  SkewEstimator estimator_;
  DriftingBound sharp_;  ///< the intersection as if every date string were prompt
  std::vector<Answered> samples_;
  std::optional<time::DateSample> newest_date_;  ///< the first that showed the newest Date
  bool went_back_ = false;                       ///< since the last step
  bool stood_still_ = false;                     ///< likewise
  Duration rtt_min_ = Duration::max();
  Duration rtt_max_{0};
  Duration rtt_sum_{0};
  std::optional<Edge> edge_;
  std::optional<std::size_t> looked_ahead_;  ///< which request was the last check ahead
  std::optional<bool> checking_;  ///< there are probes for checks; nothing = not yet decided
  std::optional<Flanks> flanks_;
  std::size_t flanks_left_ = 0;  ///< of each side, beyond those of flanks_
  bool fresh_ = true;            ///< there are connections that have carried nothing
  bool aiming_ = true;           ///< not yet at the flanks
  std::optional<UnslewedTime> last_sent_;
  std::map<std::uint64_t, Turn> asked_;  ///< the newest request on each connection, this round
  std::size_t sent_ = 0;
  std::size_t in_flight_ = 0;
  std::size_t losses_ = 0;        ///< requests that got no answer
  std::size_t dateless_ = 0;      ///< answers, this round, before the first sample
  std::size_t sent_before_ = 0;   ///< this round
  std::size_t steps_before_ = 0;  ///< likewise
};

}  // namespace skewguard::clocks
