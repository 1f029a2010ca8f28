#include "clocks/sntp.hpp"

#include <algorithm>
#include <string_view>

#include "clocks/bounds.hpp"

namespace skewguard::clocks {
namespace {

// Where the fields stand (RFC 5905 section 7.3).
constexpr std::size_t kStratumAt = 1;
constexpr std::size_t kPrecisionAt = 3;
constexpr std::size_t kRootDelayAt = 4;
constexpr std::size_t kRootDispersionAt = 8;
constexpr std::size_t kReferenceAt = 12;
constexpr std::size_t kOriginAt = 24;
constexpr std::size_t kReceiveAt = 32;
constexpr std::size_t kTransmitAt = 40;

constexpr std::uint8_t kVersion4Client = (4U << 3U) | 3U;
constexpr unsigned kServerMode = 4;
constexpr unsigned kUnsynchronized = 3;  ///< as a leap indicator
constexpr unsigned kLastStratum = 15;
/// RFC 5905, MAXDISP: what lies further from the truth is not a time.
constexpr Duration kFarthestRoot = std::chrono::seconds{16};
constexpr std::chrono::seconds kFrom1900To1970{2'208'988'800};
constexpr std::uint64_t kNanos = 1'000'000'000;

using SntpBytes = std::span<const std::uint8_t>;

std::uint64_t big_endian(SntpBytes packet, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (const std::uint8_t byte : packet.subspan(at, size)) value = (value << 8U) | byte;
  return value;
}

/// A span in 2^-16 s, rounded up.
Duration short_span(std::uint64_t span) {
  return Duration{static_cast<std::int64_t>((span * kNanos + 0xffff) >> 16U)};
}

/// 2^exponent s and the rounding of a stamp to nanoseconds. Precondition: exponent <= 0.
Duration precision_of(int exponent) {
  const auto shift = static_cast<unsigned>(std::min(-exponent, 63));
  return Duration{static_cast<std::int64_t>((kNanos >> shift) + 1)};
}

/// Our wall clock may stand at 1970 or 2100. From 2082 on the era is the one that reaches to 2150,
/// and all the time before, one in which a clock of 1970 is seen as such.
std::chrono::seconds era_hint(const Now& now) {
  constexpr std::chrono::seconds kFirst{1'735'689'600};  // 2025
  constexpr std::chrono::seconds kLast{3'534'451'200};   // 2082
  return std::clamp(std::chrono::floor<std::chrono::seconds>(now.wall.time_since_epoch()), kFirst,
                    kLast);
}

/// Four characters, fewer where NULs fill them up; empty where they are no text.
std::string kiss_code(SntpBytes packet) {
  std::string code;
  for (const std::uint8_t byte : packet.subspan(kReferenceAt, 4)) {
    if (byte == 0) break;
    if (byte <= ' ' || byte > '~') return {};
    code.push_back(static_cast<char>(byte));
  }
  return code;
}

SntpRefusal unusable_sntp(std::string why) {
  return {SntpRefusal::Kind::unusable, std::move(why)};
}

SntpRefusal kissed(SntpBytes packet) {
  const std::string code = kiss_code(packet);
  if (code.empty()) return {SntpRefusal::Kind::not_synchronized, "it is not synchronized"};
  SntpRefusal refusal{SntpRefusal::Kind::kiss, "it does not want to answer (" + code + ")", code};
  if (code == "RATE") refusal.wish = SntpWish::ask_less;
  if (code == "DENY" || code == "RSTR") refusal.wish = SntpWish::stop;
  return refusal;
}

/// Nothing where the packet answers the request.
std::optional<SntpRefusal> not_ours(SntpBytes packet, std::uint64_t nonce) {
  const auto refusal = [](std::string_view why) {
    return SntpRefusal{SntpRefusal::Kind::not_ours, std::string(why)};
  };
  if (packet.size() < kSntpBytes || packet.size() % 4 != 0) return refusal("not an NTP packet");
  const unsigned mode = packet[0] & 7U;
  const unsigned version = (packet[0] >> 3U) & 7U;
  if (mode != kServerMode) return refusal("not a server's answer");
  if (version != 3 && version != 4) return refusal("another version of NTP");
  if (big_endian(packet, kOriginAt, 8) != nonce) return refusal("an answer to another request");
  return std::nullopt;
}

/// The header of an answer to us, and whether it claims to know the time.
std::optional<SntpRefusal> unfit_header(SntpBytes packet) {
  if (packet[kStratumAt] == 0) return kissed(packet);
  if (packet[0] >> 6U == kUnsynchronized || packet[kStratumAt] > kLastStratum) {
    return SntpRefusal{SntpRefusal::Kind::not_synchronized, "it is not synchronized"};
  }
  if (static_cast<std::int8_t>(packet[kPrecisionAt]) > 0) {
    return unusable_sntp("a clock with a precision of more than a second");
  }
  if (big_endian(packet, kTransmitAt, 8) == 0) return unusable_sntp("an answer without a time");
  return std::nullopt;
}

}  // namespace

SntpRequest sntp_request(std::uint64_t nonce) noexcept {
  SntpRequest request{};
  request[0] = kVersion4Client;
  for (std::size_t i = 0; i < 8; ++i) {
    request[kTransmitAt + i] = static_cast<std::uint8_t>(nonce >> (56U - 8U * i));
  }
  return request;
}

Duration ntp_time(std::uint64_t stamp, std::chrono::seconds hint) noexcept {
  const auto hinted = static_cast<std::uint32_t>((hint + kFrom1900To1970).count());
  const auto ahead = static_cast<std::int32_t>(static_cast<std::uint32_t>(stamp >> 32U) - hinted);
  const std::uint64_t fraction = ((stamp & 0xffff'ffffU) * kNanos) >> 32U;
  return hint + std::chrono::seconds{ahead} + Duration{static_cast<std::int64_t>(fraction)};
}

std::variant<SntpSample, SntpRefusal> read_sntp(SntpBytes packet, std::uint64_t nonce,
                                                const Now& sent, const Now& received) {
  if (auto refusal = not_ours(packet, nonce)) return *std::move(refusal);
  if (auto refusal = unfit_header(packet)) return *std::move(refusal);

  SntpSample sample{.sent = sent, .received = received, .stratum = packet[kStratumAt]};
  sample.root_distance = (short_span(big_endian(packet, kRootDelayAt, 4)) + Duration{1}) / 2 +
                         short_span(big_endian(packet, kRootDispersionAt, 4));
  if (sample.root_distance >= kFarthestRoot) {
    return unusable_sntp("a root distance of 16 s or more");
  }
  const std::uint64_t came = big_endian(packet, kReceiveAt, 8);
  const std::uint64_t went = big_endian(packet, kTransmitAt, 8);
  if (static_cast<std::int64_t>(went - came) < 0) {
    return unusable_sntp("by its own clock, it answered before it was asked");
  }
  const Duration transmitted = ntp_time(went, era_hint(received));
  sample.transmitted = std::chrono::floor<std::chrono::seconds>(transmitted);
  if (!SkewEstimator::interval_of({sent, received, sample.transmitted})) {
    return unusable_sntp("an impossible time");
  }
  // An unslewed time is a sum of three readings that lie up to `gap` apart.
  const Duration precision = precision_of(static_cast<std::int8_t>(packet[kPrecisionAt]));
  sample.server.low =
      transmitted - received.unslewed().time_since_epoch() - 2 * received.gap - precision;
  sample.server.high = ntp_time(came, sample.transmitted) - sent.unslewed().time_since_epoch() +
                       2 * sent.gap + precision;
  if (sample.server.low > sample.server.high) {
    return unusable_sntp("by its clock, it took longer than the whole exchange by ours");
  }
  return sample;
}

Observed SntpServer::observe(const SntpSample& sample) {
  root_distance_ = sample.root_distance;
  return estimator_.observe({sample.sent, sample.received, sample.transmitted}, sample.server);
}

std::optional<OffsetBound> SntpServer::server(const Now& now) const {
  const auto known = estimator_.plain(now.unslewed());
  if (!known) return std::nullopt;
  // Our reading of the time is off by up to two gaps, so the ends' age is.
  const Duration unread = DriftRate(estimator_.options().drift).over(2 * now.gap);
  const auto unslewed = spread(*known, estimator_.suspend_widening_at(now) + unread);
  return boot_to_wall(to_boot(unslewed, now), now);
}

std::optional<OffsetBound> SntpServer::truth(const Now& now) const {
  const auto known = server(now);
  if (!known) return std::nullopt;
  return spread(*known, root_distance_);
}

std::optional<Instant> SntpPace::next() const noexcept {
  if (stopped_) return std::nullopt;
  if (!last_) return Instant::min();
  return *last_ + (burst_left_ > 0 ? kSpacing : poll_);
}

std::optional<Instant> SntpPace::again(Duration patience) const noexcept {
  if (stopped_ || !last_ || burst_left_ == 0) return next();
  return *last_ + patience;
}

void SntpPace::asked(Instant at) noexcept {
  last_ = at;
  if (burst_left_ > 0) --burst_left_;
}

void SntpPace::told(SntpWish wish) noexcept {
  if (wish == SntpWish::stop) stopped_ = true;
  if (wish != SntpWish::ask_less) return;
  burst_left_ = 0;
  poll_ = std::min(2 * poll_, kLongestPoll);
}

}  // namespace skewguard::clocks
