#include "doctor/clock_probe.hpp"

#include <algorithm>
#include <utility>

#include "clocks/sample_of.hpp"

namespace skewguard::doctor {
namespace {

/// Enough for overlapping requests, and for a name with a different clock on each connection.
constexpr std::size_t kFewestLines = 4;
constexpr std::size_t kMaxLines = 16;
constexpr std::size_t kMaxAddresses = 16;
/// In addition to the plan's time: for look-up, connections and the last answers.
constexpr Duration kGrace = std::chrono::seconds{4};
/// The limit of consecutive connections without an answer, if the name has no more addresses.
constexpr std::size_t kMaxFruitless = 4;

}  // namespace

ClockProbe::ClockProbe(net::ProbeRoute route, Options options,
                       std::optional<clocks::ProbePlan> known)
    : route_(std::move(route)),
      options_(std::move(options)),
      plan_(std::move(known)),
      timer_(route_.dialer.timers().make()),
      limit_(route_.dialer.timers().make()) {}

ClockProbe::~ClockProbe() {
  for (const Line& line : lines_) line->close();
}

void ClockProbe::start(std::function<void()> done) {
  done_ = std::move(done);
  limit_->arm(options_.budget.time + kGrace, [this] {
    if (!failure_ && !heard()) {
      failure_ = TransportFailure{TransportFailure::Kind::timeout, "nothing came in time", false};
    }
    finish();
  });
  const std::string& host = route_.route.first_host();
  auto known = net::known_addresses(host);
  lookup_ = std::make_unique<net::PendingLookup>(
      route_.dialer.io(),
      known.empty() ? options_.lookup
                    : [known](const std::string&) { return net::LookupAnswer{known, {}}; },
      host,
      [weak = weak_from_this()](const net::LookupAnswer& answer) {
        if (const auto self = weak.lock()) self->found(answer);
      });
}

void ClockProbe::found(const net::LookupAnswer& answer) {
  if (answer.addresses.empty()) {
    const net::Proxy* proxy = route_.route.proxy;
    const std::string name =
        proxy == nullptr ? route_.route.url.host : "of the proxy " + proxy->place();
    failure_ = TransportFailure{TransportFailure::Kind::dns,
                                "the name " + name + " does not resolve: " + answer.why, false};
    return finish();
  }
  addresses_ = to_try_ = net::by_turns(answer.addresses, kMaxAddresses);
  const std::size_t lines = std::min(std::max(kFewestLines, addresses_.size()), kMaxLines);
  for (std::size_t i = 0; i < std::min(lines, options_.budget.probes); ++i) open_line();
}

// Connections -------------------------------------------------------------------------------------

/// Connects to each address in turn.
void ClockProbe::open_line() {
  if (!may_open()) return;
  const auto line =
      std::make_shared<net::ProbeLine>(route_, to_try_[next_address_++ % to_try_.size()]);
  lines_.push_back(line);
  line->open(read_clock().boot + options_.answer_within,
             [weak = weak_from_this()](const std::optional<TransportFailure>& failure) {
               if (const auto self = weak.lock()) self->opened(failure);
             });
}

/// If new connections fail, existing ones may stay open indefinitely.
bool ClockProbe::may_open() const {
  return fruitless_ < std::max(kMaxFruitless, addresses_.size());
}

void ClockProbe::opened(const std::optional<TransportFailure>& failure) {
  if (over_) return;
  if (failure) return failed(*failure);
  if (!std::exchange(begun_, true)) begin();
  pump();
}

void ClockProbe::begin() {
  const UnslewedTime now = read_clock().unslewed();
  if (plan_) {
    plan_->go_on(options_.budget, now);
    known_samples_ = plan_->estimator().samples();
  } else {
    plan_.emplace(options_.budget, now);
  }
}

void ClockProbe::failed(TransportFailure failure) {
  failure_ = std::move(failure);
  drop_closed();
  if (lines_.empty()) open_line();
  if (lines_.empty()) return finish();
  pump();
}

void ClockProbe::drop_closed() {
  for (const Line& line : lines_)
    if (line->closed() && !line->heard()) note_fruitless(*line);
  std::erase_if(lines_, [](const Line& line) { return line->closed(); });
  if (plan_ && !may_open()) plan_->no_fresh();
}

/// An unreachable address is skipped while another one can be reached.
void ClockProbe::note_fruitless(const net::ProbeLine& line) {
  ++fruitless_;
  if (line.used()) return;
  std::erase(to_try_, line.address());
  if (to_try_.empty()) to_try_ = addresses_;
}

std::size_t ClockProbe::opening() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      lines_, [](const Line& line) { return !line->used() && !line->closed(); }));
}

/// Null: none is ready.
ClockProbe::Line ClockProbe::line_for(clocks::ProbePlan::Over over, UnslewedTime now) const {
  std::vector<std::uint64_t> ids;
  std::vector<Line> ready;
  for (const Line& line : lines_) {
    if ((over == clocks::ProbePlan::Over::fresh && line->used()) || !line->idle()) continue;
    ids.push_back(line->id());
    ready.push_back(line);
  }
  return ready.empty() ? nullptr : ready[plan_->choose(over, ids, now)];
}

/// Opens `fresh` unused connections in addition to the others.
void ClockProbe::keep_open(std::size_t fresh) {
  drop_closed();
  for (std::size_t i = opening(); i < fresh && lines_.size() < 2 * kMaxLines; ++i) open_line();
}

// Requests ----------------------------------------------------------------------------------------

void ClockProbe::pump() {
  if (over_ || !begun_) return;
  const Now now = read_clock();
  const auto next = plan_->next(now.unslewed());
  if (!next.shot) {
    if (next.wait == clocks::ProbePlan::Wait::over) finish();
    return;
  }
  keep_open(next.fresh_soon);
  const Duration early = next.shot->at - now.unslewed();
  if (early > Duration{0}) return timer_->arm(early, [this] { pump(); });
  if (const Line line = line_for(next.shot->over, now.unslewed())) return shoot(line);
  drop_closed();
  if (opening() == 0 && lines_.size() < kMaxLines) open_line();
  if (lines_.empty()) return finish();
  if (next.shot->over == clocks::ProbePlan::Over::fresh && !may_open())
    pump();  // the plan does without
}

void ClockProbe::shoot(const Line& line) {
  plan_->sent(read_clock().unslewed(), line->id());
  line->ask(read_clock().boot + options_.answer_within,
            [weak = weak_from_this(), id = line->id(), first = !line->heard()](SendResult result) {
              if (const auto self = weak.lock()) self->answered(std::move(result), id, first);
            });
  pump();
}

void ClockProbe::answered(SendResult result, std::uint64_t connection, bool first_answer) {
  if (over_) return;
  if (auto* failure = std::get_if<TransportFailure>(&result)) {
    plan_->lost(connection);
    if (!heard()) route_.method = "GET";  // some servers know no HEAD, and hang up on it
    return failed(std::move(*failure));
  }
  if (first_answer && may_open()) fruitless_ = 0;
  use(std::get<Exchange>(result));
  drop_closed();
  pump();
}

void ClockProbe::use(const Exchange& exchange) {
  if (const auto sample = clocks::sample_of(exchange, &no_sample_)) {
    plan_->answered(*sample);
  } else {
    plan_->answered_without_date();
    if (!heard()) route_.method = "GET";  // what answers to HEAD may be something else
  }
}

void ClockProbe::finish() {
  if (std::exchange(over_, true)) return;
  timer_->disarm();
  limit_->disarm();
  lookup_.reset();
  for (const Line& line : lines_) line->close();
  lines_.clear();
  if (done_) done_();
}

// What is known -----------------------------------------------------------------------------------

/// A sample in this round.
bool ClockProbe::heard() const {
  return begun_ && plan_->estimator().samples() > known_samples_;
}

ClockReading ClockProbe::reading() const {
  ClockReading reading;
  if (plan_) reading = clock_reading(*plan_, read_clock(), options_.staleness);
  reading.url = route_.route.url.text();
  reading.no_sample = no_sample_;
  reading.addresses = addresses_;
  if (route_.route.proxy != nullptr) reading.proxy = route_.route.proxy->place();
  if (!heard()) reading.failure = failure_;
  return reading;
}

}  // namespace skewguard::doctor
