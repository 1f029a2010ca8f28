#pragma once

#include <algorithm>
#include <optional>

#include "skewguard/time.hpp"

namespace skewguard::runtime {

/// That one clock is ahead of another by `least` to `most`, until answers contradict it: the first
/// one does. Where it has come true again after that, several clocks answer in turn, and it takes
/// more of them in a row.
class Belief {
 public:
  void learn(Duration most, Duration least) {
    if (!most_ && ended_) patience_ = std::min(patience_ * kMorePatient, kMostPatient);
    most_ = most;
    least_ = least;
    against_ = 0;
  }
  /// One answer shows how far ahead that clock is. True: the belief ends by it.
  bool ends_by(const OffsetBound& shown) {
    if (!most_) return false;
    against_ = shown.high < least_ ? against_ + 1 : 0;
    if (against_ < patience_) return false;
    most_.reset();
    return ended_ = true;
  }
  /// All that was heard of the two allows for less.
  void lower(Duration most) {
    if (most_) most_ = most;
  }
  [[nodiscard]] const std::optional<Duration>& most() const noexcept { return most_; }

 private:
  static constexpr int kMorePatient = 8;
  static constexpr int kMostPatient = 64;

  std::optional<Duration> most_;
  Duration least_{0};
  int against_ = 0;  ///< answers in a row that contradict it
  int patience_ = 1;
  bool ended_ = false;
};

}  // namespace skewguard::runtime
