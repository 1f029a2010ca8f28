#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <string>

#include "proxy/worker_metrics.hpp"
#include "skewguard/client.hpp"
#include "skewguard/report.hpp"
#include "skewguard/verdict.hpp"

namespace skewguard::proxy {

/// What is counted, of all workers. Thread-safe.
class Metrics {
 public:
  /// For one more worker; lives as long as this. Before the first connection is accepted.
  WorkerMetrics& add_worker() { return workers_.emplace_back(); }
  [[nodiscard]] const std::list<WorkerMetrics>& workers() const noexcept { return workers_; }

  /// A call in which something was rejected has ended: Hooks::on_resolved. Its token requests are
  /// left out, since many calls may have waited for one.
  void resolved(const CallReport& report, WallTime now);
  /// Hooks::on_rejection. Those of the API are left out: their verdicts are provisional.
  void rejected(const Rejection& rejection, WallTime now);
  /// How many requests wait for a token.
  [[nodiscard]] std::int64_t waiting() const noexcept;

  /// The latest rejection of either host.
  struct LastRejection {
    WallTime time{};
    ReportedAttempt attempt;
  };
  [[nodiscard]] std::optional<LastRejection> last_rejection() const;

  /// In the text format of Prometheus. `client`: null = it could not be asked.
  [[nodiscard]] std::string text(const ClientStatus* client) const;

 private:
  using Count = std::atomic<std::uint64_t>;
  static constexpr int kVerdicts = static_cast<int>(Verdict::unknown) + 1;
  static constexpr int kActions = static_cast<int>(Action::give_up) + 1;

  void note(const ReportedAttempt& attempt, WallTime now);
  void write_rejections(std::string& out) const;

  std::list<WorkerMetrics> workers_;
  std::array<Count, kVerdicts> rejections_{};
  std::array<Count, kActions> mitigations_{};
  mutable std::mutex mutex_;  // over last_
  std::optional<LastRejection> last_;
};

}  // namespace skewguard::proxy
