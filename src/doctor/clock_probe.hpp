#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "clocks/probe_plan.hpp"
#include "doctor/clock_reading.hpp"
#include "net/lookup.hpp"
#include "net/probe_line.hpp"

namespace skewguard::doctor {

/// Measures the clock of one server: opens connections to its addresses and sends probes when a
/// ProbePlan says so, until the plan is finished or the server cannot be reached. Runs on one loop,
/// which calls `done` once.
class ClockProbe : public std::enable_shared_from_this<ClockProbe> {
 public:
  struct Options {
    clocks::ProbeBudget budget{};
    Duration staleness = std::chrono::seconds{1};  ///< for ClockReading::hull
    Duration answer_within = std::chrono::seconds{3};
    net::Lookup lookup = &net::system_lookup;
  };

  /// `route`: for HEAD requests; what it refers to must outlive this object. `known`: the plan of
  /// the previous round, to continue with.
  ClockProbe(net::ProbeRoute route, Options options,
             std::optional<clocks::ProbePlan> known = std::nullopt);
  ~ClockProbe();
  ClockProbe(const ClockProbe&) = delete;
  ClockProbe& operator=(const ClockProbe&) = delete;

  void start(std::function<void()> done);
  /// What is known now; may be called at any time.
  [[nodiscard]] ClockReading reading() const;
  /// Empty before the first connection is open.
  [[nodiscard]] const std::optional<clocks::ProbePlan>& plan() const noexcept { return plan_; }

 private:
  using Line = std::shared_ptr<net::ProbeLine>;

  [[nodiscard]] Now read_clock() const { return route_.dialer.clock().now(); }
  void found(const net::LookupAnswer& answer);
  void open_line();
  [[nodiscard]] bool may_open() const;
  void opened(const std::optional<TransportFailure>& failure);
  void begin();
  void pump();
  void shoot(const Line& line);
  void answered(SendResult result, std::uint64_t connection, bool first_answer);
  void use(const Exchange& exchange);
  void failed(TransportFailure failure);
  void drop_closed();
  void note_fruitless(const net::ProbeLine& line);
  [[nodiscard]] Line line_for(clocks::ProbePlan::Over over, UnslewedTime now) const;
  void keep_open(std::size_t fresh);
  [[nodiscard]] std::size_t opening() const;
  [[nodiscard]] bool heard() const;
  void finish();

  net::ProbeRoute route_;
  Options options_;
  std::optional<clocks::ProbePlan> plan_;
  bool begun_ = false;             // the plan knows about this round
  std::size_t known_samples_ = 0;  // of the rounds before
  std::unique_ptr<net::Timer> timer_;
  std::unique_ptr<net::Timer> limit_;
  std::unique_ptr<net::PendingLookup> lookup_;
  std::vector<std::string> addresses_;
  std::vector<std::string> to_try_;  // of these, for new connections
  std::vector<Line> lines_;
  std::size_t next_address_ = 0;
  std::size_t fruitless_ = 0;  // connections in a row that ended without an answer
  std::optional<TransportFailure> failure_;
  std::string no_sample_;
  bool over_ = false;
  std::function<void()> done_;
};

}  // namespace skewguard::doctor
