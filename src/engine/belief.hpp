#pragma once

#include <algorithm>
#include <optional>
#include <utility>

#include "skewguard/time.hpp"

namespace skewguard::engine {

/// The belief that one clock is ahead of another by `min` to `max`, until an answer contradicts
/// it. If it comes true again after that, several clocks answer in turn, and it takes more
/// contradictions in a row.
class Belief {
 public:
  /// Adds a fact. Of two similar ones the larger `max` is kept, since the clocks behind one name
  /// may differ; one below half of it replaces it, since then a clock has been corrected. `shown`:
  /// how far ahead the clock is by the newest answers; a fact that they contradict is ignored, and
  /// the previous belief stays. Empty: another process has seen that it is over.
  void learn(Duration max, Duration min, const std::optional<OffsetBound>& shown) {
    if (max <= Duration{0}) return end();
    if (std::exchange(ended_, false))
      patience_ = against_ < kMaxPatience ? std::min(patience_ * kPatienceFactor, kMaxPatience) : 1;
    if (shown && shown->high < min && patience_ == 1) {
      ended_ = true;
      return;
    }
    const bool alike = max_ && max >= *max_ / 2;
    max_ = alike ? std::max(*max_, max) : max;
    min_ = min;
    against_ = 0;
  }
  /// An answer shows how far ahead that clock is. Returns true if that ends the belief.
  bool ends_by(const OffsetBound& shown) {
    against_ = shown.high < min_ ? std::min(against_ + 1, kMaxPatience) : 0;
    if (!max_ || against_ < patience_) return false;
    end();
    return true;
  }
  /// Everything known about the two clocks allows only for less.
  void lower(Duration max) {
    if (max_) max_ = max;
  }
  [[nodiscard]] const std::optional<Duration>& max() const noexcept { return max_; }

 private:
  void end() {
    if (max_) ended_ = true;
    max_.reset();
  }

  static constexpr int kPatienceFactor = 8;
  static constexpr int kMaxPatience = 64;

  std::optional<Duration> max_;
  Duration min_{0};
  /// Consecutive answers that contradict the last belief; as many as the most patient belief needs
  /// are not one of several clocks taking its turn.
  int against_ = 0;
  int patience_ = 1;
  bool ended_ = false;  ///< since the last fact
};

}  // namespace skewguard::engine
