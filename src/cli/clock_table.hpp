#pragma once

#include <map>
#include <string>
#include <vector>

#include "cli/layout.hpp"
#include "doctor/survey.hpp"

/// What clocks say, to be read by people.
namespace skewguard::cli {

/// A line for each clock, which of them are falsetickers, and what is known of this machine's.
std::string clock_table(const doctor::Survey& survey, Duration max_skew, const Screen& screen);

/// What the rounds of `skew --watch` have told so far.
class ClockHistory {
 public:
  /// A line for each server, after one more round; one more where the wall clock was stepped.
  std::string lines(const doctor::Survey& survey, Duration max_skew);

 private:
  struct Point {
    Duration best;
    OffsetBound bound;
  };
  using Points = std::vector<Point>;
  static std::string bars(const Points& points);

  std::map<std::string, Points> servers_;
  std::size_t wall_steps_ = 0;  ///< told of
};

}  // namespace skewguard::cli
