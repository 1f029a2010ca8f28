#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/layout.hpp"
#include "doctor/harm.hpp"
#include "doctor/survey.hpp"

/// Readable text about clocks.
namespace skewguard::cli {

/// A line for each clock, with falsetickers marked, and what is known about this machine's clock.
std::string clock_table(const doctor::Survey& survey, const doctor::Harm& harm,
                        const Screen& screen);

/// The results of `skew --watch` so far, in lines of at most `columns`.
class ClockHistory {
 public:
  ClockHistory(const std::vector<std::string>& urls, std::size_t columns);
  /// The table header; empty if the terminal is too narrow for columns.
  [[nodiscard]] std::string header() const;
  /// A line for each server after another round, and remarks about the round.
  std::string lines(const doctor::Survey& survey, const doctor::Harm& harm);
  /// A line for each server, over all rounds.
  [[nodiscard]] std::string summary() const;

 private:
  struct Point {
    Duration best;
    OffsetBound bound;
  };
  using Points = std::vector<Point>;
  struct Server {
    Points points;                // the last ones
    std::optional<Duration> min;  // estimate of all rounds
    std::optional<Duration> max;
    Duration width{0};  // of the bounds of the last answer
    std::size_t answered = 0;
    std::size_t asked = 0;
    std::string last;  // what the last round said of it
  };
  static std::string bars(const Points& points, std::size_t max);
  void note(const doctor::ClockReading& reading, const std::string& state);
  [[nodiscard]] std::string line(const doctor::ClockReading& reading) const;

  std::map<std::string, Server> servers_;
  std::size_t columns_;
  std::size_t name_ = 6;  // columns of the longest URL
  std::size_t wall_steps_ = 0;
};

}  // namespace skewguard::cli
