#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "clocks/skew_estimator.hpp"
#include "skewguard/http.hpp"
#include "skewguard/time.hpp"
#include "time/date_sample.hpp"

namespace skewguard::clocks {

/// Makes a sample of an answer's Date, or says why it is none: no Date, two of them, Age,
/// malformed, second 60, 1xx, 407, 408, an answer that was early, one with received before sent.
struct SampleRefused {
  std::string why;
};
std::optional<time::DateSample> sample_of(const Exchange& exchange, std::string* why = nullptr);

/// What happened to the picture of all the clocks when an answer came in.
struct Observation {
  ServerId server;
  Observed outcome = Observed::dropped;
  /// Set where this server's clock jumped: about how far (positive = forward).
  std::optional<Duration> step{};
  /// Set where two or more servers jumped together: this machine stood still for about that long
  /// (a VM that was stopped or restored), so local boot time is that much short.
  std::optional<Duration> machine_stood_still{};
};

/// Every clock that we hear of. Pure: no clock is read. Not thread-safe: it belongs to the loop.
class ClockBook {
 public:
  explicit ClockBook(EstimatorOptions options = {});

  /// The id of an origin ("https://api.mypurecloud.ie"); the same one each time.
  ServerId id(std::string_view origin);
  [[nodiscard]] const std::string& origin(ServerId server) const;
  [[nodiscard]] std::vector<ServerId> servers() const;

  Observation observe(ServerId server, const time::DateSample& sample);

  /// server minus local boot time / local wall time, at `now`. The wall clock enters here, at the
  /// last moment, so that a step of it changes nothing that was learned. Includes now.gap.
  [[nodiscard]] std::optional<OffsetBound> to_boot(ServerId server, const Now& now) const;
  [[nodiscard]] std::optional<OffsetBound> to_wall(ServerId server, const Now& now) const;
  /// a minus b, at `now`: the only place where two servers' times meet. Includes staleness.
  [[nodiscard]] std::optional<OffsetBound> between(ServerId a, ServerId b, const Now& now) const;

  /// The span of boot time in which `server`'s clock reads `time`: [earliest, latest].
  struct BootSpan {
    Instant earliest;
    Instant latest;
  };
  [[nodiscard]] std::optional<BootSpan> when(ServerTime time, const Now& now) const;
  /// What `server`'s clock reads at `now`: [earliest, latest] as ServerTime.
  struct ServerSpan {
    ServerTime earliest;
    ServerTime latest;
  };
  [[nodiscard]] std::optional<ServerSpan> reading(ServerId server, const Now& now) const;

  [[nodiscard]] const SkewEstimator& estimator(ServerId server) const;
  /// Widen with what another book knows of the same origins (issue: shared stores, workers).
  void merge(const ClockBook& other);
};

}  // namespace skewguard::clocks
