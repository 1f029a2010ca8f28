#pragma once

#include <algorithm>
#include <optional>
#include <utility>

#include "skewguard/time.hpp"

namespace skewguard::engine {

/// The belief that one clock is ahead of another by `least` to `most`, until an answer contradicts
/// it. If it comes true again after that, several clocks answer in turn, and it takes more
/// contradictions in a row.
class Belief {
 public:
  /// Adds a fact. Of two similar ones the larger `most` is kept, since the clocks behind one name
  /// may differ; one below half of it replaces it, since then a clock has been corrected. `shown`:
  /// how far ahead the clock is by the newest answers; a fact that they contradict is ignored, and
  /// the previous belief stays. Empty: another process has seen that it is over.
  void learn(Duration most, Duration least, const std::optional<OffsetBound>& shown) {
    if (most <= Duration{0}) return end();
    if (std::exchange(ended_, false))
      patience_ = against_ < kMostPatient ? std::min(patience_ * kMorePatient, kMostPatient) : 1;
    if (shown && shown->high < least && patience_ == 1) {
      ended_ = true;
      return;
    }
    const bool alike = most_ && most >= *most_ / 2;
    most_ = alike ? std::max(*most_, most) : most;
    least_ = least;
    against_ = 0;
  }
  /// An answer shows how far ahead that clock is. Returns true if that ends the belief.
  bool ends_by(const OffsetBound& shown) {
    against_ = shown.high < least_ ? std::min(against_ + 1, kMostPatient) : 0;
    if (!most_ || against_ < patience_) return false;
    end();
    return true;
  }
  /// Everything known about the two clocks allows only for less.
  void lower(Duration most) {
    if (most_) most_ = most;
  }
  [[nodiscard]] const std::optional<Duration>& most() const noexcept { return most_; }

 private:
  void end() {
    if (most_) ended_ = true;
    most_.reset();
  }

  static constexpr int kMorePatient = 8;
  static constexpr int kMostPatient = 64;

  std::optional<Duration> most_;
  Duration least_{0};
  /// Consecutive answers that contradict the last belief; as many as the most patient belief needs
  /// are not one of several clocks taking its turn.
  int against_ = 0;
  int patience_ = 1;
  bool ended_ = false;  ///< since the last fact
};

}  // namespace skewguard::engine
