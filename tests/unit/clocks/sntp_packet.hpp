#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "skewguard/time.hpp"

/// A server's side of SNTP, written from RFC 5905 section 7.3.
namespace skewguard::clocks::testing {

using SntpPacket = std::vector<std::uint8_t>;

inline void put(SntpPacket& packet, std::size_t at, std::size_t size, std::uint64_t value) {
  for (std::size_t i = 0; i < size; ++i) {
    packet.at(at + size - 1 - i) = static_cast<std::uint8_t>(value >> (8 * i));
  }
}

/// In 2^-32 s since 1900 (of its era), rounded down.
inline std::uint64_t ntp_stamp(Duration since_1970) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(since_1970);
  const auto rest = static_cast<std::uint64_t>((since_1970 - whole).count());
  const auto ntp_seconds = static_cast<std::uint64_t>(whole.count() + 2'208'988'800);
  return (ntp_seconds << 32U) | ((rest << 32U) / 1'000'000'000U);
}
/// In 2^-16 s, rounded up.
inline std::uint64_t ntp_short(Duration span) {
  return ((static_cast<std::uint64_t>(span.count()) << 16U) + 999'999'999U) / 1'000'000'000U;
}

/// A good answer; its fields are put in at their places, and a test then spoils one.
struct SntpAnswerOf {
  std::uint64_t nonce = 0;
  Duration came{};  ///< the server's clock since 1970, when the request came
  Duration went{};  ///< and when the answer went
  Duration root_delay{};
  Duration root_dispersion{};
  std::int8_t precision = -24;  ///< 60 ns
  std::uint8_t stratum = 2;

  operator SntpPacket() const {  // NOLINT(google-explicit-constructor)
    SntpPacket packet(48);
    packet[0] = 0x24;  // no leap second, version 4, server
    packet[1] = stratum;
    packet[2] = 6;
    packet[3] = static_cast<std::uint8_t>(precision);
    put(packet, 4, 4, ntp_short(root_delay));
    put(packet, 8, 4, ntp_short(root_dispersion));
    put(packet, 12, 4, 0xc0000201);  // 192.0.2.1
    put(packet, 24, 8, nonce);
    put(packet, 32, 8, ntp_stamp(came));
    put(packet, 40, 8, ntp_stamp(went));
    return packet;
  }
};

}  // namespace skewguard::clocks::testing
