#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "clocks/clock_book.hpp"
#include "skewguard/time.hpp"

namespace skewguard::clocks {

/// For a request that is made only for its Date: an answer that takes longer says too little.
inline constexpr Duration kLookTimeout = std::chrono::seconds{5};

/// What one turn of the loop knows about time: one reading of the local clocks, and what is then
/// known about every server's clock. State machines get the time only from this. Cheap to copy. It
/// refers to the book: use it within one step and do not keep it.
class ClockView {
 public:
  ClockView(const ClockBook& book, const Now& now) : book_(&book), now_(now) {}

  [[nodiscard]] const Now& now() const noexcept { return now_; }
  /// The same clocks, seen from another moment, such as the receipt of an answer.
  [[nodiscard]] ClockView at(const Now& moment) const { return {*book_, moment}; }

  // As in ClockBook, at now().
  [[nodiscard]] const std::string& origin(ServerId server) const { return book_->origin(server); }
  [[nodiscard]] std::optional<OffsetBound> to_wall(ServerId server,
                                                   Trust trust = Trust::every_clock) const {
    return book_->to_wall(server, now_, trust);
  }
  [[nodiscard]] std::optional<OffsetBound> between(ServerId a, ServerId b) const {
    return book_->between(a, b, now_);
  }
  [[nodiscard]] std::optional<OffsetBound> between_plain(ServerId a, ServerId b) const {
    return book_->between_plain(a, b, now_);
  }
  [[nodiscard]] std::optional<ClockBook::BootSpan> when(ServerTime time,
                                                        Trust trust = Trust::every_clock) const {
    return book_->when(time, now_, trust);
  }
  [[nodiscard]] std::optional<ClockBook::ServerSpan> recent_reading(ServerId server) const {
    return book_->recent_reading(server, now_);
  }
  [[nodiscard]] std::optional<Duration> silence(ServerId server) const {
    return book_->silence(server, now_);
  }
  [[nodiscard]] bool takes_turns(ServerId server) const { return book_->takes_turns(server); }
  [[nodiscard]] bool stalls(ServerId server) const { return book_->stalls(server); }
  [[nodiscard]] const SkewEstimator& estimator(ServerId server) const {
    return book_->estimator(server);
  }

 private:
  const ClockBook* book_;
  Now now_;
};

}  // namespace skewguard::clocks
