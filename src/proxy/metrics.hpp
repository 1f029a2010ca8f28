#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/access_log.hpp"
#include "skewguard/client.hpp"
#include "skewguard/report.hpp"
#include "skewguard/verdict.hpp"

namespace skewguard::proxy {

/// What is counted. Thread-safe; a count takes no lock.
class Metrics {
 public:
  /// A request was answered, or its client left (status 0).
  void answered(const AccessRecord& record) noexcept;
  /// A call in which something was rejected has ended: Hooks::on_resolved. Its token requests are
  /// left out, since many calls may have waited for one.
  void resolved(const CallReport& report, WallTime now);
  /// Hooks::on_rejection. Those of the API are left out: their verdicts are provisional.
  void rejected(const Rejection& rejection, WallTime now);
  /// How many requests wait for a token; `change`: 1 or -1.
  void waiting(int change) noexcept { waiting_.fetch_add(change, std::memory_order_relaxed); }
  [[nodiscard]] int waiting() const noexcept { return waiting_.load(std::memory_order_relaxed); }

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
  static constexpr int kMaxStatus = 600;
  static constexpr int kVerdicts = static_cast<int>(Verdict::unknown) + 1;
  static constexpr int kActions = static_cast<int>(Action::give_up) + 1;
  /// Upper ends of the buckets, in seconds.
  static constexpr std::array<double, 18> kEnds{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005,
                                                0.01,   0.025,   0.05,   0.1,   0.25,   0.5,
                                                1,      2.5,     5,      10,    20,     60};

  class Histogram {
   public:
    void add(Duration duration) noexcept;
    void write(std::string& out, std::string_view name, std::string_view help) const;

   private:
    std::array<Count, kEnds.size() + 1> buckets_{};
    std::atomic<std::int64_t> sum_{0};  // nanoseconds
  };

  void note(const ReportedAttempt& attempt, WallTime now);
  void write_requests(std::string& out) const;
  void write_rejections(std::string& out) const;

  std::array<Count, kMaxStatus> requests_{};
  std::array<Count, kVerdicts> rejections_{};
  std::array<Count, kActions> mitigations_{};
  std::atomic<int> waiting_{0};
  Histogram added_;
  Histogram upstream_;
  mutable std::mutex mutex_;  // over last_
  std::optional<LastRejection> last_;
};

}  // namespace skewguard::proxy
