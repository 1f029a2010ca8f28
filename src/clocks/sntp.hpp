#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>

#include "clocks/skew_estimator.hpp"
#include "skewguard/time.hpp"

/// SNTP (RFC 4330) for an NTPv4 client (RFC 5905, mode 3): the bytes, what one answer shows, what
/// several show together, and how often a server may be asked. Pure.
namespace skewguard::clocks {

inline constexpr std::size_t kSntpBytes = 48;
using SntpRequest = std::array<std::uint8_t, kSntpBytes>;

/// A request that reveals nothing about us: it has a random number instead of our clock's time, and
/// only someone who has seen it can answer. Precondition: nonce != 0.
SntpRequest sntp_request(std::uint64_t nonce) noexcept;

/// Since 1970, of a time in 2^-32 s since an era of NTP began (the next one begins in 2036): the
/// one within 68 years of `hint`, which is counted from 1970. Rounded down.
Duration ntp_time(std::uint64_t stamp, std::chrono::seconds hint) noexcept;

/// One answer as a measurement.
struct SntpSample {
  Now sent{};
  Now received{};
  /// The server's clock minus unslewed local time: low as of `received`, high as of `sent`. It read
  /// its clock twice in between. Includes its precision and our reading gaps.
  OffsetBound server{};
  /// The maximum error that the server claims: root delay / 2 + root dispersion.
  Duration root_distance{0};
  std::chrono::seconds transmitted{};  ///< its clock as it answered, since 1970, rounded down
  int stratum = 0;                     ///< 1..15

  /// True time minus unslewed local time, if its claim is right.
  [[nodiscard]] OffsetBound truth() const noexcept {
    return {server.low - root_distance, server.high + root_distance};
  }
};

/// What a server wants from its clients (RFC 5905 section 7.4).
enum class SntpWish { nothing, ask_less, stop };

/// Why an answer is not a sample.
struct SntpRefusal {
  enum class Kind {
    not_ours,  ///< no answer to this request: somebody else's, or forged. The right one may come.
    not_synchronized,  ///< the server does not know the time, and says so
    kiss,              ///< it does not want to answer: see `code` and `wish`
    unusable,          ///< what it says cannot be
  };
  Kind kind = Kind::not_ours;
  std::string why;        ///< one plain phrase
  std::string code = "";  ///< of a kiss: "RATE", "DENY", "RSTR" ...; visible ASCII
  SntpWish wish = SntpWish::nothing;
};

/// Reads the answer to the request with that nonce.
std::variant<SntpSample, SntpRefusal> read_sntp(std::span<const std::uint8_t> packet,
                                                std::uint64_t nonce, const Now& sent,
                                                const Now& received);

/// One server's clock, and the true time that it claims, from several samples. All offsets are
/// relative to the local wall clock, at `now`. Not thread-safe.
class SntpServer {
 public:
  /// `drift`: see EstimatorOptions.
  explicit SntpServer(double drift = EstimatorOptions{}.drift)
      : estimator_({.drift = drift, .staleness = Duration{0}}) {}

  Observed observe(const SntpSample& sample);
  /// The intersection of the samples; the hull of their groups if no single clock can have given
  /// them. Empty without a sample.
  [[nodiscard]] std::optional<OffsetBound> server(const Now& now) const;
  /// The same for true time: the newest claim counts.
  [[nodiscard]] std::optional<OffsetBound> truth(const Now& now) const;
  [[nodiscard]] const SkewEstimator& estimator() const noexcept { return estimator_; }

 private:
  SkewEstimator estimator_;
  Duration root_distance_{0};
};

/// When a server may be asked.
///
/// The first four requests go out 2 s apart, as ntpd's and chronyd's `iburst` do (RFC 5905, BTIME):
/// by default ntpd drops what comes faster, and Debian's had that limit on, so that a quicker burst
/// would lose its answers on many of the pool's servers. After that one in 64 s, the interval with
/// which their clients begin (RFC 4330 section 10 forbids less than 15 s).
class SntpPace {
 public:
  static constexpr Duration kSpacing = std::chrono::seconds{2};
  static constexpr std::size_t kBurst = 4;
  static constexpr Duration kPoll = std::chrono::seconds{64};
  static constexpr Duration kLongestPoll = std::chrono::seconds{1 << 17};  ///< RFC 5905, MAXPOLL

  /// The earliest time of the next request; empty if the server wants no more.
  [[nodiscard]] std::optional<Instant> next() const noexcept;
  /// The same, if the last request got no answer for `patience`: a datagram was lost. It may be
  /// repeated sooner than a new one may be sent, but counts among the first four.
  [[nodiscard]] std::optional<Instant> again(Duration patience) const noexcept;
  void asked(Instant at) noexcept;
  /// RATE ends the burst, and each one doubles the interval.
  void told(SntpWish wish) noexcept;

 private:
  std::optional<Instant> last_;
  Duration poll_ = kPoll;
  std::size_t burst_left_ = kBurst;
  bool stopped_ = false;
};

}  // namespace skewguard::clocks
