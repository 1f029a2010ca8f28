#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/fork_mutex.hpp"
#include "engine/engine.hpp"
#include "skewguard/client.hpp"
#include "skewguard/http.hpp"

namespace skewguard::runtime {

/// What users' own HTTP stacks see of the API's answers, on its way to the control loop: written on
/// any thread, taken by the loop, many at a time. For most answers nothing is written at all.
class Observations {
 public:
  /// How often a Date of a 2xx is told. Those of other answers are always told: they are rare, and
  /// say what the next call needs to know.
  static constexpr Duration kDatesApart = std::chrono::milliseconds{250};
  /// More than a loop that runs leaves untaken.
  static constexpr std::size_t kMaxPending = 64;

  /// `api_url`: answers of other origins say nothing. `wake` has the loop call take(); it may be
  /// called on any thread, without a lock.
  Observations(const std::string& api_url, std::function<void()> wake);

  /// Client::observe(). Thread-safe.
  Observed observe(std::uint64_t generation, const AnswerHead& head) noexcept;
  /// All that was noted since the last time. Thread-safe.
  [[nodiscard]] std::vector<engine::Observation> take();
  /// In a forked process, whose tokens are counted anew, and whose loop was never woken.
  void start_afresh();

 private:
  Observed look_closer(std::uint64_t generation, const AnswerHead& head) noexcept;
  void note(std::uint64_t accepted, const AnswerHead& head, bool dated);
  bool date_due(Instant received) noexcept;
  bool first_accepted(std::uint64_t generation) noexcept;

  const std::string origin_;
  const std::function<void()> wake_;
  ForkMutex mutex_;  // over pending_ and woken_
  std::vector<engine::Observation> pending_;
  bool woken_ = false;
  alignas(64) std::atomic<std::uint64_t> accepted_{0};  // the latest generation that was told
  std::atomic<Instant> next_date_{Instant::min()};      // when one of a 2xx is told again
};

}  // namespace skewguard::runtime
