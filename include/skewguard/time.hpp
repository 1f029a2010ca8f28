#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>

#include "skewguard/export.hpp"

/// Times of different clocks are different types: subtracting one from another does not compile
/// (docs/adr/0001-time-model.md).
namespace SKEWGUARD_API skewguard {

using Duration = std::chrono::nanoseconds;  ///< signed; covers 292 years either way

/// These clocks are tags without now(): a Now is read at the edge and passed in.
struct BootClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<BootClock>;
  static constexpr bool is_steady = true;
};
struct MonotonicClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<MonotonicClock>;
  static constexpr bool is_steady = true;
};
struct RawClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<RawClock>;
  static constexpr bool is_steady = true;
};
struct UnslewedClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<UnslewedClock>;
  static constexpr bool is_steady = true;
};

/// CLOCK_BOOTTIME: runs during suspend, never steps. The only clock that decides anything.
using Instant = BootClock::time_point;
/// CLOCK_MONOTONIC: stops during suspend, slewed by NTP.
using MonotonicTime = MonotonicClock::time_point;
/// CLOCK_MONOTONIC_RAW: stops during suspend, never slewed: the bare crystal.
using RawTime = RawClock::time_point;
/// RAW + (BOOT - MONO): the bare crystal, running during suspend. The estimator uses it, since the
/// rate of a slewed clock is not bounded.
using UnslewedTime = UnslewedClock::time_point;
/// CLOCK_REALTIME: what the local kernel believes the time to be. Reported, never trusted.
using WallTime = std::chrono::sys_time<Duration>;

/// One reading of every local clock. Read once at the edge and passed in; nothing else reads
/// clocks.
struct Now {
  Instant boot{};
  WallTime wall{};
  MonotonicTime mono{};
  RawTime raw{};
  /// How far apart the readings may be (>= 0): add it to the width when relating two of them.
  Duration gap{0};

  /// Within `gap` of what a simultaneous reading would have given.
  [[nodiscard]] UnslewedTime unslewed() const noexcept {
    return UnslewedTime{raw.time_since_epoch() +
                        (boot.time_since_epoch() - mono.time_since_epoch())};
  }
};

/// Identifies a server whose clock is observed. Issued by ClockBook::id.
struct ServerId {
  std::uint32_t index = 0;
  friend constexpr auto operator<=>(ServerId, ServerId) = default;
};

/// A time by one server's clock, since 1970-01-01T00:00:00Z. It can be compared only with times of
/// the same server; other clocks are related through an OffsetBound (ClockBook).
class ServerTime {
 public:
  constexpr ServerTime(ServerId server, Duration since_epoch) noexcept
      : server_(server), since_epoch_(since_epoch) {}
  [[nodiscard]] constexpr ServerId server() const noexcept { return server_; }
  [[nodiscard]] constexpr Duration since_epoch() const noexcept { return since_epoch_; }

  /// This time minus an earlier one of the same server; empty if the servers differ.
  [[nodiscard]] constexpr std::optional<Duration> since(ServerTime earlier) const noexcept {
    if (server_ != earlier.server_) return std::nullopt;
    return since_epoch_ - earlier.since_epoch_;
  }
  /// The same number, read by another server's clock, as an API does with the `nbf`, `iat` and
  /// `exp` that an issuer wrote (RFC 7519 section 4.1.4).
  [[nodiscard]] constexpr ServerTime as_read_by(ServerId reader) const noexcept {
    return {reader, since_epoch_};
  }
  friend constexpr ServerTime operator+(ServerTime time, Duration d) noexcept {
    return {time.server_, time.since_epoch_ + d};
  }
  friend constexpr ServerTime operator-(ServerTime time, Duration d) noexcept {
    return {time.server_, time.since_epoch_ - d};
  }
  friend constexpr bool operator==(ServerTime, ServerTime) = default;

 private:
  ServerId server_;
  Duration since_epoch_;
};

/// An interval that contains (server clock - local clock), or (server - other server). Positive =
/// the server is ahead. Closed; low <= high. There is no estimate without bounds.
struct OffsetBound {
  Duration low{0};
  Duration high{0};

  /// The width of the interval; >= 0.
  [[nodiscard]] constexpr Duration width() const noexcept { return high - low; }
  [[nodiscard]] constexpr Duration middle() const noexcept { return low + (high - low) / 2; }
  [[nodiscard]] constexpr bool holds(Duration offset) const noexcept {
    return low <= offset && offset <= high;
  }
  /// Whether the intervals overlap.
  [[nodiscard]] constexpr bool meets(const OffsetBound& other) const noexcept {
    return low <= other.high && other.low <= high;
  }
  friend constexpr bool operator==(const OffsetBound&, const OffsetBound&) = default;
};

}  // namespace skewguard
