#include "clocks/probe_plan.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <utility>

namespace skewguard::clocks {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kOneSecond = seconds{1};
/// Samples of the rounds before count for so long. A clock that has moved by less than what is left
/// open is not noticed: after this it is right all the same.
constexpr Duration kRemembered = seconds{8};
/// As many passed flank probes a side leave a second clock no more than half of the answers.
constexpr std::size_t kMaxFlanks = 7;
/// Few enough that a burst of them, a millisecond apart, is over well within the second.
constexpr std::size_t kFlanksOfOneSecond = 4;
/// From the bracket to the nearest flank probe. One on the wrong side of the turn contradicts the
/// others by this much: more than what counts as prompt, and than drift may explain a while later.
constexpr Duration kFlankAway = 2 * ProbePlan::kPrompt;
/// A wider bracket is not worth a check.
constexpr Duration kChecked = milliseconds{200};
/// For so long a check that contradicts goes on to do so, however the clocks drift.
constexpr Duration kCheckHolds = seconds{30};
/// A bracket of so many round trips has room for probes that wait for each other's answers.
constexpr std::int64_t kRoomToWait = 6;
/// Such a probe cuts off one part of the bracket in 1 + this times the probes that there are for
/// each edge. By trial: it gives the smallest errors.
constexpr double kStepsPerProbe = 0.6;
/// A round trip stands alone that takes so much longer than any other, and four times as long.
constexpr Duration kStandsAlone = milliseconds{20};
/// As long as nothing is known, this is between two requests, and so many may be answered without a
/// Date that can be used. One may be a HEAD, which some servers answer otherwise than a GET.
constexpr Duration kUnknownPause = milliseconds{100};
constexpr std::size_t kMaxDateless = 5;
/// What is left of the time for an answer to come.
constexpr Duration kLastAnswer = milliseconds{50};
/// Where a date string is late, by a different amount each second: what is searched for the second
/// in which it was least late.
constexpr Duration kLateSearch = milliseconds{3};
/// A date string is never early, and often a little late: the best estimate lies above the middle
/// by this, or less where little is left open.
constexpr Duration kOftenLate = std::chrono::microseconds{500};
/// What the best estimate takes for granted, unlike the bounds.
constexpr double kLikelyDrift = 50e-6;

Duration of(UnslewedTime at) {
  return at.time_since_epoch();
}

/// How many of `probes` go to each flank: none of a few, since a narrow interval comes first.
std::size_t flanks_for(std::size_t probes) {
  constexpr std::size_t kAimed = 16;
  return probes <= kAimed ? 0 : std::min((probes - kAimed) / 3, kMaxFlanks);
}

/// The flanks' share of the time.
Duration flank_time(std::size_t flanks) {
  const auto rounds = (flanks + kFlanksOfOneSecond - 1) / kFlanksOfOneSecond;
  return milliseconds{1200} * static_cast<std::int64_t>(rounds);
}

EstimatorOptions estimator_options(double drift) {
  return {.drift = drift,
          .staleness = Duration{0},
          .prompt = ProbePlan::kPrompt,
          .close_together = true};
}

/// As if its date string were prompt.
DriftingBound bound_of(const time::DateSample& sample, DriftRate rate) {
  return DriftingBound::anchored(*SkewEstimator::interval_of(sample), sample.received.unslewed(),
                                 sample.sent.unslewed(), rate);
}

/// A Date was renewed between two answers of one clock: after the first was asked for, before the
/// second came. It was right then.
std::optional<DriftingBound> bound_by_renewals(std::span<const Answered> samples, DriftRate rate) {
  std::optional<DriftingBound> known;
  for (std::size_t i = 1; i < samples.size(); ++i) {
    if (samples[i].date <= samples[i - 1].date) continue;
    time::DateSample renewal = samples[i];
    renewal.sent = samples[i - 1].sent;
    const auto bound = bound_of(renewal, rate);
    if (known) {
      known->narrow(bound);
    } else {
      known = bound;
    }
  }
  return known;
}

}  // namespace

ProbePlan::ProbePlan(ProbeBudget budget, UnslewedTime start)
    : rate_(budget.drift), estimator_(estimator_options(budget.drift)) {
  spend(budget, start);
}

void ProbePlan::spend(ProbeBudget budget, UnslewedTime start) {
  flanks_left_ = budget.flanks.value_or(flanks_for(budget.probes));
  fresh_ = true;
  budget_ = budget;
  budget_.probes = sent_ + std::max<std::size_t>(budget.probes, 1);
  start_ = start;
}

void ProbePlan::go_on(ProbeBudget budget, UnslewedTime start) {
  rate_ = DriftRate(budget.drift);
  spend(budget, start);
  edge_.reset();
  checking_.reset();
  flanks_.reset();
  aiming_ = true;
  last_sent_.reset();
  in_flight_ = dateless_ = 0;
  asked_.clear();
  looked_ahead_.reset();
  std::erase_if(samples_, [start](const time::DateSample& sample) {
    return sample.sent.unslewed() < start - kRemembered;
  });
  estimator_ = SkewEstimator(estimator_options(budget.drift));
  for (const time::DateSample& sample : samples_)
    static_cast<void>(estimator_.observe(sample, *SkewEstimator::interval_of(sample)));
  steps_before_ = estimator_.steps();
  sent_before_ = sent_;
  use_again(std::exchange(samples_, {}));
}

void ProbePlan::use_again(const std::vector<Answered>& all) {
  rtt_min_ = Duration::max();
  rtt_max_ = rtt_sum_ = Duration{0};
  for (const Answered& heard : all) use(heard);
}

void ProbePlan::use(const Answered& heard) {
  const Duration rtt = std::max(heard.received.unslewed() - heard.sent.unslewed(), Duration{0});
  rtt_min_ = std::min(rtt_min_, rtt);
  rtt_max_ = std::max(rtt_max_, rtt);
  rtt_sum_ += rtt;
  const auto bound = bound_of(heard, rate_);
  if (samples_.empty()) {
    sharp_ = bound;
  } else {
    sharp_.narrow(bound);
  }
  samples_.push_back(heard);
}

std::size_t ProbePlan::left_to_aim() const {
  return left() - std::min(left(), 2 * flanks_left_);
}

Duration ProbePlan::rtt_mean() const {
  return rtt_sum_ / static_cast<std::int64_t>(samples_.size());
}

void ProbePlan::sent(UnslewedTime at, std::uint64_t connection) {
  Turn& turn = asked_[connection];
  turn = {.of_all = sent_, .on_connection = turn.on_connection + 1, .losses = losses_};
  ++sent_;
  ++in_flight_;
  last_sent_ = at;
  if (aiming_) {
    if (!edge_) return;
    edge_->since = at;
    if (edge_->look_ahead > 0) {
      turn.check = true;
      --edge_->look_ahead;
      looked_ahead_ = sent_ - 1;
    } else if (edge_->shots > 0) {
      --edge_->shots;
      if (edge_->share > 0) --edge_->share;
    } else {
      turn.check = true;
      edge_->look_behind = false;
    }
  } else if (flanks_) {
    turn.check = true;
    std::size_t& side = flanks_->before > 0 ? flanks_->before : flanks_->after;
    if (side > 0) --side;
  }
}

/// Those that were sent after it know now that there was a loss before them.
void ProbePlan::lost(std::uint64_t connection) {
  came_back();
  ++losses_;
  const std::size_t gone = asked_[connection].of_all;
  const auto note = [gone](Turn& turn) { turn.losses += turn.of_all > gone ? 1 : 0; };
  for (auto& [other, turn] : asked_) note(turn);
  for (Answered& heard : samples_) note(heard.turn);
}

void ProbePlan::came_back() {
  if (in_flight_ > 0) --in_flight_;
}

void ProbePlan::answered_without_date() {
  came_back();
  ++dateless_;
}

void ProbePlan::no_fresh() {
  flanks_.reset();
  flanks_left_ = 0;
  fresh_ = false;
}

void ProbePlan::answered(const time::DateSample& sample) {
  came_back();
  const auto shown = SkewEstimator::interval_of(sample);
  const Observed outcome = shown ? estimator_.observe(sample, *shown) : Observed::dropped;
  if (outcome == Observed::dropped) return;
  use({sample, asked_[sample.connection]});
  compare(sample);
  // A Date that had stood still goes on: that is no step of a clock.
  if (outcome == Observed::stepped && !kept_dates()) forget_before_step();
  if (!edge_) return;
  edge_->since = std::max(edge_->since, sample.received.unslewed());
  edge_->turned = edge_->turned || sample.date >= edge_->second;
}

/// With the newest Date that was shown before this was asked for.
void ProbePlan::compare(const time::DateSample& sample) {
  if (!newest_date_ || sample.date > newest_date_->date) {
    newest_date_ = sample;
    return;
  }
  const Duration since = sample.sent.unslewed() - newest_date_->received.unslewed();
  if (since <= Duration{0}) return;
  if (sample.date < newest_date_->date) {
    went_back_ = true;
  } else if (since > kOneSecond + kPrompt) {
    stood_still_ = true;
  }
}

/// What was aimed at is a second of the clock as it was.
void ProbePlan::forget_before_step() {
  edge_.reset();
  flanks_.reset();
  aiming_ = true;
  newest_date_.reset();
  went_back_ = stood_still_ = false;
  std::erase_if(samples_, [over = *estimator_.settled()](const Answered& sample) {
    return sample.sent.unslewed() < over;
  });
  use_again(std::exchange(samples_, {}));
}

ProbePlan::Next ProbePlan::next(UnslewedTime now) {
  if (left() == 0 || now >= end() || (samples_.empty() && dateless_ >= kMaxDateless)) {
    return {.wait = in_flight_ == 0 ? Wait::over : Wait::answer};
  }
  if (samples_.empty()) {
    if (in_flight_ > 0) return {};
    return {.shot = Shot{last_sent_ ? *last_sent_ + kUnknownPause : now}};
  }
  if (estimator_.picture() != Picture::one_clock) return spread();
  return aiming_ ? aim(now) : flank(now);
}

std::size_t ProbePlan::choose(Over over, std::span<const std::uint64_t> connections,
                              UnslewedTime now) const {
  const auto bounds = estimator_.by_connection(now);
  const auto rank = [&](std::uint64_t connection) {
    const auto asked = asked_.find(connection);
    const std::size_t requests = asked == asked_.end() ? 0 : asked->second.on_connection;
    const auto own =
        std::ranges::find(bounds, connection, &SkewEstimator::ConnectionBound::connection);
    const bool narrow = over == Over::best && own != bounds.end();
    return std::pair(narrow ? own->offset.width() : Duration::max(), requests);
  };
  return static_cast<std::size_t>(std::ranges::min_element(connections, {}, rank) -
                                  connections.begin());
}

// At the edges ------------------------------------------------------------------------------------

ProbePlan::Next ProbePlan::aim(UnslewedTime now) {
  if (edge_ && edge_->share == 0 && !edge_->turned) {
    if (in_flight_ > 0) return {};
    const bool over = of(now) > edge_->second - sharp(now).low - rtt_min_;
    if (over) edge_->shots = 0;
  }
  if (!edge_ || (edge_->shots == 0 && !edge_->look_behind) || edge_->turned) {
    if (!choose_edge(now)) {
      aiming_ = false;
      return flank(now);
    }
  }
  const bool check = edge_->look_ahead > 0 || edge_->shots == 0;
  return {.shot = Shot{next_shot(*edge_, now), check ? Over::other : Over::best}};
}

/// The next second whose begin can be caught, and how many probes it may cost. False where time,
/// probes or what can be learned has run out.
bool ProbePlan::choose_edge(UnslewedTime now) {
  edge_.reset();
  const std::size_t most = left_to_aim();
  const OffsetBound known = sharp(now);
  const bool looked = sent_ > sent_before_ + 1;  // a clock may have moved since the last round
  if (looked && as_narrow_as_can_be(now)) {
    if (fresh_ && !budget_.flanks) flanks_left_ = std::min(left() / 2, kMaxFlanks);
    return false;
  }
  if (most == 0) return false;

  const Duration reach = known.low + rtt_min_;  // the edge is surely over once now + reach shows it
  const Duration width = std::max(known.high - reach, Duration{0});
  Duration second = std::chrono::floor<seconds>(of(now) + reach) + kOneSecond;
  const Duration passed = of(now) - (second - reach - width);  // of its bracket
  const bool too_late = width < kOneSecond / 2 ? passed > Duration{0} : passed > width * 3 / 10;
  if (too_late) second += kOneSecond;
  const UnslewedTime last{second - reach};
  const UnslewedTime limit = end() - kLastAnswer - flank_time(flanks_left_);
  if (last > limit) return false;
  const auto edges = static_cast<std::size_t>((limit - last) / kOneSecond) + 1;
  edge_ = Edge{.second = second, .edges = edges, .since = now};
  plan_checks(width, most, now);
  share_out(width, most);
  return true;
}

/// For one clock it cannot be narrower; where it is, the rest of the probes may find another one.
bool ProbePlan::as_narrow_as_can_be(UnslewedTime now) const {
  const OffsetBound known = sharp(now);
  if (known.low > known.high) return false;
  const auto best = estimator_.by_best_connection(now);
  return best && best->offset.width() - kPrompt <= rtt_min_;
}

/// Only where probes are plenty or the rounds before have left little open, since a narrow interval
/// comes first; that is also what the last edge is for.
void ProbePlan::plan_checks(Duration width, std::size_t most, UnslewedTime now) {
  if (!checking_) {
    checking_ = !budget_.flanks && (most > 2 * edge_->edges || width <= kChecked);
  }
  if (!*checking_ || width > kChecked || most <= edge_->edges) return;
  edge_->look_behind = true;
  if (edge_->edges != 2 && edge_->edges != 3) return;
  const bool same_turn = looked_ahead_ && (sent_ - *looked_ahead_) % 2 == 0;
  edge_->look_ahead = same_turn && may_take_turns() ? 2 : 1;
  if (next_shot(*edge_, now) < now) edge_->look_ahead = 0;
}

/// Each edge gets as many; half as many again where one can wait for the answer to the one before.
void ProbePlan::share_out(Duration width, std::size_t most) {
  const std::size_t checks = edge_->look_ahead > 0 ? edge_->edges + edge_->look_ahead - 1 : 0;
  const std::size_t aimed = most - std::min(most, checks);
  edge_->share = std::max<std::size_t>((aimed + edge_->edges - 1) / edge_->edges, 1);
  edge_->shots = edge_->share;
  if (width > kRoomToWait * rtt_mean() && most > edge_->edges) {
    edge_->shots = std::max(edge_->share, std::min(most - edge_->edges, edge_->share * 3 / 2));
  }
}

/// What bounds the offset from below came with every other answer, and from above with those
/// between: two clocks may answer by turns, and checks are to meet both.
bool ProbePlan::may_take_turns() const {
  constexpr std::size_t kEach = 3;
  if (samples_.size() < 2 * kEach) return false;
  const auto turn_of = [&](auto tightest_first) {
    std::vector<std::size_t> order(samples_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::partial_sort(order, order.begin() + kEach, tightest_first,
                              [&](std::size_t i) { return bound_of(samples_[i], rate_); });
    const bool same = std::all_of(order.begin(), order.begin() + kEach,
                                  [&](std::size_t i) { return i % 2 == order.front() % 2; });
    return same ? std::optional(order.front() % 2) : std::nullopt;
  };
  const auto below = turn_of([](const auto& a, const auto& b) { return a.low > b.low; });
  const auto above = turn_of([](const auto& a, const auto& b) { return a.high < b.high; });
  return below && above && *below != *above;
}

/// From the bracket to a check probe: what a prompt server and drift cannot explain.
Duration ProbePlan::beside(UnslewedTime now) const {
  const Duration rest = std::clamp(end() - now, Duration{0}, kCheckHolds);
  return kPrompt + milliseconds{1} + 2 * rate_.over(rest);
}

/// The rest of its shots, spread evenly over the rest of its bracket; or the first ones further
/// apart, where more may follow than its share: most edges then cost few. The bracket is that of
/// clocks that drift as little as they are likely to, as long as the answers agree with it. Jitter
/// delays a probe by half of its excess over the shortest round trip, so the bracket's late end is
/// left out.
UnslewedTime ProbePlan::next_shot(const Edge& edge, UnslewedTime now) const {
  OffsetBound known = sharp(now);
  if (edge.look_ahead > 0) return UnslewedTime{edge.second - known.high - rtt_max_ - beside(now)};
  if (edge.shots == 0) return UnslewedTime{edge.second - known.low + beside(now)};
  if (const OffsetBound narrower = likely(now); narrower.low <= narrower.high) known = narrower;
  const Duration latest = edge.second - known.low - rtt_min_;
  Duration earliest = std::min(edge.second - known.high, latest);
  Duration until = latest + (known.high < known.low ? kLateSearch : Duration{0});
  earliest = std::max(earliest, of(edge.since));
  const Duration room = std::max(until - earliest, Duration{0});
  until = earliest + room - std::min(room / 2, (rtt_mean() - rtt_min_) * 3 / 4);
  double part = 1.0 / static_cast<double>(edge.shots + 1);
  if (edge.shots > edge.share) {
    const double each = static_cast<double>(left_to_aim()) / static_cast<double>(edge.edges);
    part = std::clamp(1.0 / (1.0 + kStepsPerProbe * each), part, 0.5);
  }
  const auto open = std::max(until - earliest, Duration{0});
  return UnslewedTime{earliest + std::chrono::duration_cast<Duration>(open * part)};
}

// On the flanks -----------------------------------------------------------------------------------

ProbePlan::Next ProbePlan::flank(UnslewedTime now) {
  const bool sending = flanks_ && flanks_->before + flanks_->after > 0;
  if (!sending && !choose_flanks(now)) {
    return {.wait = in_flight_ == 0 ? Wait::over : Wait::answer};
  }
  const OffsetBound known = flanked(now);
  constexpr Duration kApart = milliseconds{1};
  const auto last_before = flanks_->second - known.high - rtt_max_ - kFlankAway;
  const auto first_after = flanks_->second - known.low + kFlankAway;
  const auto place = static_cast<std::int64_t>(
      flanks_->before > 0 ? flanks_->before - 1 : kFlanksOfOneSecond - flanks_->after);
  const Duration at =
      flanks_->before > 0 ? last_before - kApart * place : first_after + kApart * place;
  return {.shot = Shot{UnslewedTime{at}, Over::fresh},
          .fresh_soon = flanks_->before + flanks_->after};
}

/// The interval beside which flank probes lie: that of excluded() once they have passed, as if date
/// strings were prompt.
OffsetBound ProbePlan::flanked(UnslewedTime now) const {
  const auto known = unchecked(now);
  return known ? OffsetBound{known->low, known->high - kPrompt} : sharp(now);
}

bool ProbePlan::choose_flanks(UnslewedTime now) {
  flanks_.reset();
  const std::size_t size = std::min({flanks_left_, kFlanksOfOneSecond, left() / 2});
  if (size == 0) return false;
  const Duration lead = milliseconds{100} + 4 * rtt_max_;  // for a new connection, TLS and all
  const OffsetBound known = flanked(now);
  const Duration second = std::chrono::ceil<seconds>(of(now) + lead + known.high + rtt_max_);
  if (UnslewedTime{second - known.low} > end()) return false;
  flanks_ = Flanks{.second = second, .before = size, .after = size};
  flanks_left_ -= size;
  return true;
}

// Where there is no edge --------------------------------------------------------------------------

/// At uneven distances, so that every part of the second is met.
ProbePlan::Next ProbePlan::spread() const {
  constexpr double kGolden = 0.6180339887498949;
  const double part = std::fmod(static_cast<double>(sent_) * kGolden, 1.0) + 0.5;
  const UnslewedTime last = last_sent_.value_or(start_);
  const Duration gap = std::max(end() - last, Duration{0}) / static_cast<std::int64_t>(left());
  const auto wait = std::chrono::duration_cast<Duration>(gap * part);
  return {.shot = Shot{last + wait, Over::other}};
}

// What is known -----------------------------------------------------------------------------------

/// The intersection, where the clocks drift apart as little as they are likely to.
OffsetBound ProbePlan::likely(UnslewedTime now) const {
  const DriftRate rate(std::min(budget_.drift, kLikelyDrift));
  DriftingBound all = bound_of(samples_.front(), rate);
  for (const time::DateSample& sample : samples_) all.narrow(bound_of(sample, rate));
  return all.at(now, rate);
}

std::optional<Duration> ProbePlan::best(UnslewedTime now) const {
  if (samples_.empty()) return std::nullopt;
  if (estimator_.picture() != Picture::one_clock) return estimator_.prompt_plain(now)->middle();
  const OffsetBound known = likely(now);
  if (known.low <= known.high) return known.middle() + std::min(kOftenLate, known.width() / 4);
  // A date string was late: the low end is the one to be trusted.
  return known.low + rtt_min_ / 2 + 2 * kOftenLate;
}

/// The longest round trip, but for one that stands alone: a packet that was sent again says nothing
/// of the server.
Duration ProbePlan::usual_rtt() const {
  Duration longest{0};
  Duration next{0};
  for (const time::DateSample& sample : samples_) {
    const Duration rtt = sample.received.unslewed() - sample.sent.unslewed();
    next = std::max(next, std::min(rtt, longest));
    longest = std::max(longest, rtt);
  }
  const bool alone = longest - rtt_min_ > kStandsAlone + 4 * (next - rtt_min_);
  return std::max(alone ? next : longest, rtt_min_);
}

Duration ProbePlan::lateness(UnslewedTime now) const {
  if (samples_.empty()) return kPrompt;
  const OffsetBound known = sharp(now);
  return kPrompt + std::max(known.low - known.high, Duration{0}) + (usual_rtt() - rtt_min_);
}

/// A date string may be late by kPrompt. Nothing where this is no single clock's.
std::optional<OffsetBound> ProbePlan::one_clock(DriftingBound bound, UnslewedTime now) const {
  const OffsetBound shown = bound.at(now, rate_);
  if (shown.low > shown.high + kPrompt) return std::nullopt;
  return OffsetBound{shown.low, shown.high + kPrompt};
}

std::optional<OffsetBound> ProbePlan::borne_out(UnslewedTime now) const {
  const auto checked = [](const Answered& heard) { return heard.turn.check; };
  return std::ranges::any_of(samples_, checked) ? unchecked(now) : std::nullopt;
}

std::optional<OffsetBound> ProbePlan::unchecked(UnslewedTime now) const {
  if (samples_.empty() || estimator_.picture() != Picture::one_clock) return std::nullopt;
  const auto bound = bound_of_some_clock(samples_, [&](std::span<const Answered> answers) {
    DriftingBound all = bound_of(answers.front(), rate_);
    for (const Answered& heard : answers) all.narrow(bound_of(heard, rate_));
    return one_clock(all, now);
  });
  return bound && bound->width() < kOneSecond ? bound : std::nullopt;
}

std::optional<OffsetBound> ProbePlan::by_renewals(UnslewedTime now) const {
  if (samples_.empty() || !kept_dates()) return std::nullopt;
  if (const OffsetBound all = sharp(now); all.low <= all.high + kPrompt) return std::nullopt;
  const auto bound_of = [&](std::span<const Answered> answers) {
    const auto known = bound_by_renewals(answers, rate_);
    return known ? one_clock(*known, now) : std::nullopt;
  };
  // Every third answer on one connection: so few show hardly any renewal.
  return bound_of_some_clock(samples_, bound_of, 2);
}

/// What counts is when a request was sent, not how it was answered: the clock that is known must
/// have shown what it did, and the other one something else.
ProbePlan::Exclusion ProbePlan::excluded(UnslewedTime now) const {
  const auto known = borne_out(now);
  if (!known) return {};
  const Duration beyond = known->width() + rtt_max_ + kPrompt + kFlankAway;
  // A connection may always end at the same clock: it counts once for each side, and the one that
  // the bounds rest on does not count.
  std::set<std::uint64_t> ahead;
  std::set<std::uint64_t> behind;
  const std::uint64_t own = estimator_.by_best_connection(now)->connection;
  for (const time::DateSample& sample : samples_) {
    if (sample.connection == own) continue;
    const OffsetBound shown = bound_of(sample, rate_).at(now, rate_);
    const bool none_above = shown.high + kPrompt < known->low + beyond;
    const bool none_below = shown.low > known->high - beyond;
    if (none_above && shown.low + kOneSecond > known->high) ahead.insert(sample.connection);
    if (none_below && shown.high - kOneSecond < known->low) behind.insert(sample.connection);
  }
  const auto passed = static_cast<double>(std::min(ahead.size(), behind.size()));
  return {passed > 0 ? 1.0 - std::pow(0.01, 1.0 / passed) : 1.0, beyond};
}

}  // namespace skewguard::clocks
