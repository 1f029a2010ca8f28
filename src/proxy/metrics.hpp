#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>

#include "proxy/access_log.hpp"
#include "skewguard/report.hpp"
#include "skewguard/verdict.hpp"

namespace skewguard::proxy {

/// What is counted. Thread-safe; a count takes no lock.
class Metrics {
 public:
  /// A request was answered, or its client left (status 0).
  void answered(const AccessRecord& record) noexcept;
  /// Something was rejected on the way.
  void judged(const CallReport& report) noexcept;
  /// How many requests wait for a token; `change`: 1 or -1.
  void waiting(int change) noexcept { waiting_.fetch_add(change, std::memory_order_relaxed); }

  /// In the text format of Prometheus; `token_life`: seconds left of the token, negative = none.
  [[nodiscard]] std::string text(double token_life) const;

 private:
  using Count = std::atomic<std::uint64_t>;
  static constexpr int kMaxStatus = 600;
  static constexpr int kVerdicts = static_cast<int>(Verdict::unknown) + 1;
  static constexpr int kActions = static_cast<int>(Action::give_up) + 1;
  /// Upper ends of the buckets, in seconds.
  static constexpr std::array<double, 14> kEnds{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
                                                0.025,  0.05,    0.1,    0.25,  1,      5,     15};

  class Histogram {
   public:
    void add(Duration duration) noexcept;
    void write(std::string& out, std::string_view name, std::string_view help) const;

   private:
    std::array<Count, kEnds.size() + 1> buckets_{};
    std::atomic<std::int64_t> sum_{0};  // nanoseconds
  };

  std::array<Count, kMaxStatus> requests_{};
  std::array<Count, kVerdicts> rejections_{};
  std::array<Count, kActions> mitigations_{};
  std::atomic<int> waiting_{0};
  Histogram added_;
  Histogram upstream_;
};

}  // namespace skewguard::proxy
