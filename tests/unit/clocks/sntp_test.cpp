#include "clocks/sntp.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "machine.hpp"
#include "sntp_packet.hpp"

namespace skewguard::clocks {
namespace {

using namespace std::chrono_literals;
using testing::at;
using testing::kEpoch;
using testing::put;
using testing::SntpAnswerOf;
using testing::SntpPacket;
using Refused = SntpRefusal::Kind;

constexpr std::uint64_t kNonce = 0x0123456789abcdef;
constexpr Duration kPrecise = 60ns;  // 2^-24 s and the rounding of the stamps

/// Sent at 10 s, come there 5 ms later, answered after 1 ms, back after another 14 ms.
SntpAnswerOf answer_of(Duration ahead = 0s) {
  return {.nonce = kNonce,
          .came = kEpoch + 10s + 5ms + ahead,
          .went = kEpoch + 10s + 6ms + ahead,
          .root_delay = 20ms,
          .root_dispersion = 3ms};
}
std::variant<SntpSample, SntpRefusal> read(const SntpPacket& packet) {
  return read_sntp(packet, kNonce, at(10s), at(10s + 20ms));
}
/// Why a good answer is refused once `spoil` has been at it.
SntpRefusal spoilt(const std::function<void(SntpPacket&)>& spoil) {
  SntpPacket packet = answer_of();
  spoil(packet);
  const auto result = read(packet);
  if (const auto* refusal = std::get_if<SntpRefusal>(&result)) return *refusal;
  ADD_FAILURE() << "it was taken";
  return {};
}
SntpSample sample_at(Duration sent, Duration ahead, Duration there, Duration back,
                     Duration root_dispersion = 0s) {
  const SntpPacket packet = SntpAnswerOf{.nonce = kNonce,
                                         .came = kEpoch + sent + there + ahead,
                                         .went = kEpoch + sent + there + ahead,
                                         .root_dispersion = root_dispersion};
  return std::get<SntpSample>(read_sntp(packet, kNonce, at(sent), at(sent + there + back)));
}

TEST(SntpRequest, IsClientModeOfVersion4WithNothingButTheNonce) {
  SntpRequest expected{};
  expected[0] = 0x23;
  const std::array<std::uint8_t, 8> nonce{0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};
  std::ranges::copy(nonce, expected.begin() + 40);
  EXPECT_EQ(sntp_request(kNonce), expected);
}

TEST(SntpAnswer, BoundsTheServersClockByItsTwoReadings) {
  const auto sample = std::get<SntpSample>(read(answer_of()));
  // Offset: kEpoch. T3 - received and T2 - sent; the server's own millisecond widens nothing.
  EXPECT_NEAR(double((sample.server.low - (kEpoch - 14ms)).count()), -60, 2);
  EXPECT_NEAR(double((sample.server.high - (kEpoch + 5ms)).count()), 60, 2);
  EXPECT_EQ(sample.stratum, 2);
  EXPECT_EQ(sample.transmitted, kEpoch + 10s);
  EXPECT_EQ(sample.sent.boot, Instant{10s});
}

TEST(SntpAnswer, AServerAheadHasAPositiveOffset) {
  const auto ahead = std::get<SntpSample>(read(answer_of(250ms)));
  EXPECT_TRUE(ahead.server.holds(kEpoch + 250ms));
  EXPECT_GT(ahead.server.low, kEpoch + 200ms);
  const auto behind = std::get<SntpSample>(read(answer_of(-3700ms)));
  EXPECT_TRUE(behind.server.holds(kEpoch - 3700ms));
  EXPECT_LT(behind.server.high, kEpoch - 3600ms);
}

TEST(SntpAnswer, TrueTimeLiesWithinRootDelayHalfAndRootDispersion) {
  const auto sample = std::get<SntpSample>(read(answer_of()));
  EXPECT_GE(sample.root_distance, 13ms);
  EXPECT_LT(sample.root_distance, 13ms + 50us);  // both are counted in 15 us
  EXPECT_EQ(sample.truth().low, sample.server.low - sample.root_distance);
  EXPECT_EQ(sample.truth().high, sample.server.high + sample.root_distance);
}

TEST(SntpAnswer, ReadingGapsAndPrecisionWiden) {
  Now sent = at(10s);
  Now received = at(10s + 20ms);
  sent.gap = 100us;
  received.gap = 300us;
  SntpAnswerOf coarse = answer_of();
  coarse.precision = -10;  // 977 us
  const auto sample = std::get<SntpSample>(read_sntp(SntpPacket(coarse), kNonce, sent, received));
  const auto plain = std::get<SntpSample>(read(answer_of()));
  EXPECT_NEAR(double((plain.server.low - sample.server.low).count()), 600'000 + 976'502, 2);
  EXPECT_NEAR(double((sample.server.high - plain.server.high).count()), 200'000 + 976'502, 2);
}

TEST(SntpAnswer, WhatDoesNotAnswerThisRequestIsNotOurs) {
  EXPECT_EQ(spoilt([](SntpPacket& p) { p.resize(47); }).kind, Refused::not_ours);
  EXPECT_EQ(spoilt([](SntpPacket& p) { p.resize(44); }).kind, Refused::not_ours);
  EXPECT_EQ(spoilt([](SntpPacket& p) { p.resize(49); }).kind, Refused::not_ours);
  EXPECT_EQ(spoilt([](SntpPacket& p) { p.clear(); }).kind, Refused::not_ours);
  EXPECT_EQ(spoilt([](SntpPacket& p) { p[31] ^= 1U; }).kind, Refused::not_ours);  // origin
  for (const unsigned mode : {0U, 1U, 2U, 3U, 5U, 6U, 7U}) {
    EXPECT_EQ(spoilt([&](SntpPacket& p) { p[0] = static_cast<std::uint8_t>(0x20 | mode); }).kind,
              Refused::not_ours);
  }
  for (const unsigned version : {0U, 1U, 2U, 5U, 6U, 7U}) {
    EXPECT_EQ(
        spoilt([&](SntpPacket& p) { p[0] = static_cast<std::uint8_t>(version << 3U | 4U); }).kind,
        Refused::not_ours);
  }
}

TEST(SntpAnswer, Version3AndWholeWordsOfExtensionsAreTaken) {
  SntpPacket packet = answer_of();
  packet[0] = 0x1c;
  packet.resize(68);
  EXPECT_TRUE(std::holds_alternative<SntpSample>(read(packet)));
}

TEST(SntpAnswer, AKissIsReadAndObeyed) {
  const auto kiss = [](std::string_view code) {
    return spoilt([&](SntpPacket& p) {
      p[1] = 0;
      std::ranges::copy(code, p.begin() + 12);
    });
  };
  EXPECT_EQ(kiss("RATE").kind, Refused::kiss);
  EXPECT_EQ(kiss("RATE").code, "RATE");
  EXPECT_EQ(kiss("RATE").wish, SntpWish::ask_less);
  EXPECT_EQ(kiss("DENY").wish, SntpWish::stop);
  EXPECT_EQ(kiss("RSTR").wish, SntpWish::stop);
  EXPECT_EQ(kiss("INIT").code, "INIT");
  EXPECT_EQ(kiss("INIT").wish, SntpWish::nothing);  // RFC 5905 section 7.4: no significance
  EXPECT_EQ(kiss("\x1b[2J").kind, Refused::not_synchronized);  // no text, and not shown as one
}

TEST(SntpAnswer, AKissForAnotherRequestIsNotObeyed) {
  const auto refusal = spoilt([](SntpPacket& p) {
    p[1] = 0;
    std::ranges::copy(std::string_view("DENY"), p.begin() + 12);
    p[24] ^= 1U;
  });
  EXPECT_EQ(refusal.kind, Refused::not_ours);
  EXPECT_EQ(refusal.wish, SntpWish::nothing);
}

TEST(SntpAnswer, AServerThatIsNotSynchronizedIsReported) {
  EXPECT_EQ(spoilt([](SntpPacket& p) { p[0] |= 0xc0; }).kind, Refused::not_synchronized);
  EXPECT_EQ(spoilt([](SntpPacket& p) { p[1] = 16; }).kind, Refused::not_synchronized);
  EXPECT_EQ(spoilt([](SntpPacket& p) { p[1] = 255; }).kind, Refused::not_synchronized);
  EXPECT_EQ(spoilt([](SntpPacket& p) {
              p[1] = 0;  // as chronyd says it
              put(p, 12, 4, 0);
            }).kind,
            Refused::not_synchronized);
}

TEST(SntpAnswer, StrataUpTo15AndLeapSecondsAheadAreTaken) {
  SntpPacket packet = answer_of();
  packet[1] = 15;
  packet[0] = 0x64;  // a leap second to come
  EXPECT_TRUE(std::holds_alternative<SntpSample>(read(packet)));
}

TEST(SntpAnswer, ImpossibleValuesAreRefused) {
  EXPECT_EQ(spoilt([](SntpPacket& p) { put(p, 32, 8, 0); }).kind, Refused::unusable);
  EXPECT_EQ(spoilt([](SntpPacket& p) {
              put(p, 32, 8, 0);  // 2036, were it a time
              put(p, 40, 8, 0);
            }).kind,
            Refused::unusable);
  EXPECT_EQ(spoilt([](SntpPacket& p) { p[3] = 1; }).kind, Refused::unusable);
  EXPECT_EQ(spoilt([](SntpPacket& p) { p[32 + 3] ^= 1U; }).kind, Refused::unusable);
  // Received after it was transmitted, by the least there is.
  EXPECT_EQ(spoilt([](SntpPacket& p) {
              put(p, 32, 8, testing::ntp_stamp(kEpoch + 10s));
              put(p, 40, 8, testing::ntp_stamp(kEpoch + 10s) - 1);
            }).kind,
            Refused::unusable);
  // 20 ms of ours hold no 21 ms of the server's.
  EXPECT_EQ(spoilt([](SntpPacket& p) {
              put(p, 40, 8, testing::ntp_stamp(kEpoch + 10s + 5ms + 21ms));
            }).kind,
            Refused::unusable);
}

TEST(SntpAnswer, AnInvalidReadingIsRefused) {
  Now received = at(10s + 20ms);
  received.gap = -1ns;
  const auto result = read_sntp(SntpPacket(answer_of()), kNonce, at(10s), received);
  ASSERT_TRUE(std::holds_alternative<SntpRefusal>(result));
  EXPECT_EQ(std::get<SntpRefusal>(result).kind, Refused::unusable);
}

TEST(SntpAnswer, WhatIsCountedInSixteenBitsIsRoundedUp) {
  SntpPacket packet = answer_of();
  put(packet, 4, 4, 0);
  put(packet, 8, 4, 1);  // 15258.8 ns
  EXPECT_EQ(std::get<SntpSample>(read(packet)).root_distance, 15'259ns);
}

TEST(SntpAnswer, ARootDistanceOf16SecondsIsNoTime) {
  SntpAnswerOf far = answer_of();
  far.root_dispersion = 0s;
  far.root_delay = 31s + 999ms;
  EXPECT_TRUE(std::holds_alternative<SntpSample>(read(far)));
  far.root_delay = 32s;
  EXPECT_TRUE(std::holds_alternative<SntpRefusal>(read(far)));
  far.root_delay = 0s;
  far.root_dispersion = 16s;
  EXPECT_TRUE(std::holds_alternative<SntpRefusal>(read(far)));
  // RFC 4330 counts the delay as signed: a negative one is refused too.
  EXPECT_EQ(spoilt([](SntpPacket& p) { put(p, 4, 4, 0xffff'ffff); }).kind, Refused::unusable);
}

TEST(SntpAnswer, TheEraIsFoundWhateverOurWallClockSays) {
  for (const std::chrono::year year : {std::chrono::year{2014}, std::chrono::year{2026},
                                       std::chrono::year{2037}, std::chrono::year{2081}}) {
    const Duration now = std::chrono::sys_days{year / 6 / 1}.time_since_epoch();
    SntpAnswerOf const answer{.nonce = kNonce, .came = now, .went = now};
    for (const Duration wall : {Duration{0}, now}) {
      Now received = at(10s + 20ms);
      received.wall = WallTime{wall};
      const auto sample =
          std::get<SntpSample>(read_sntp(SntpPacket(answer), kNonce, at(10s), received));
      EXPECT_EQ(sample.transmitted, now) << int(year);
    }
  }
}

TEST(SntpAnswer, TheEraAfterIsFoundByAWallClockThatIsRight) {
  for (const std::chrono::year year : {std::chrono::year{2100}, std::chrono::year{2149}}) {
    const Duration now = std::chrono::sys_days{year / 6 / 1}.time_since_epoch();
    Now received = at(10s + 20ms);
    received.wall = WallTime{now};
    const SntpPacket packet = SntpAnswerOf{.nonce = kNonce, .came = now, .went = now};
    const auto sample = std::get<SntpSample>(read_sntp(packet, kNonce, at(10s), received));
    EXPECT_EQ(sample.transmitted, now) << int(year);
  }
}

TEST(NtpTime, IsTheOneNearestToTheHintAcrossTheEnd) {
  // 2036-02-07T06:28:16Z: era 1 begins (RFC 5905 section 6).
  constexpr std::chrono::seconds kEra1{2'085'978'496};
  EXPECT_EQ(ntp_time(0, 1'900'000'000s), Duration{kEra1});
  EXPECT_EQ(ntp_time(0x8000'0000, kEra1), kEra1 + 500ms);
  EXPECT_EQ(ntp_time(0xffff'ffff'0000'0000, kEra1), kEra1 - 1s);
  EXPECT_EQ(ntp_time(std::uint64_t{2'208'988'800} << 32U, 1'735'689'600s), Duration{0});  // 1970
  // Half an era on either side of 2082-01-01.
  constexpr std::chrono::seconds k2082{3'534'451'200};
  for (const std::chrono::seconds time :
       {k2082 - (1s * (1LL << 31)), k2082 + 1s * ((1LL << 31) - 1)}) {
    EXPECT_EQ(ntp_time(testing::ntp_stamp(time), k2082), Duration{time});
  }
}

TEST(SntpServer, SeveralSamplesIntersect) {
  SntpServer server;
  (void)server.observe(sample_at(10s, 0s, 1ms, 30ms));  // a tight high end
  (void)server.observe(sample_at(12s, 0s, 30ms, 2ms));  // a tight low end
  const Now now = at(12s + 32ms);
  const auto bound = *server.server(now);
  EXPECT_TRUE(bound.holds(0s));
  EXPECT_LE(bound.low, -2ms);
  EXPECT_GT(bound.low, -2ms - 2 * kPrecise);
  EXPECT_GE(bound.high, 1ms + 1200us);  // 600 ppm of 2 s, since it was sent
  EXPECT_LT(bound.high, 1ms + 1300us);
}

TEST(SntpServer, IsNeverLateAsADateMayBe) {
  SntpServer server(0);
  const SntpSample sample = sample_at(10s, 5s, 1ms, 1ms);
  (void)server.observe(sample);
  EXPECT_EQ(server.estimator().hull(sample.received.unslewed()), sample.server);
}

TEST(SntpServer, TheOffsetIsFromTheWallClockAsItIsNow) {
  SntpServer server;
  (void)server.observe(sample_at(10s, 5s, 1ms, 1ms));
  EXPECT_TRUE(server.server(at(10s + 2ms))->holds(5s));
  EXPECT_TRUE(server.server(at(10s + 2ms, 0s, 60s))->holds(-55s));  // ours stepped by a minute
}

TEST(SntpServer, TheNewestClaimSaysHowFarTheTruthMayBe) {
  SntpServer server;
  (void)server.observe(sample_at(10s, 0s, 1ms, 1ms, 1s));
  (void)server.observe(sample_at(12s, 0s, 1ms, 1ms, 10ms));
  const Now now = at(12s + 2ms);
  EXPECT_NEAR(double((server.server(now)->low - server.truth(now)->low).count()), 10e6, 20e3);
  EXPECT_NEAR(double((server.truth(now)->high - server.server(now)->high).count()), 10e6, 20e3);
}

TEST(SntpServer, WhereSeveralClocksAnswerNoneIsLeftOut) {
  SntpServer server;
  (void)server.observe(sample_at(10s, 0s, 1ms, 1ms));
  (void)server.observe(sample_at(12s, 300ms, 1ms, 1ms));
  const auto bound = *server.server(at(12s + 2ms));
  EXPECT_TRUE(bound.holds(0s));
  EXPECT_TRUE(bound.holds(300ms));
}

TEST(SntpServer, KnowsNothingWithoutASample) {
  EXPECT_FALSE(SntpServer().server(at(1s)));
  EXPECT_FALSE(SntpServer().truth(at(1s)));
}

TEST(SntpPace, FourRequestsTwoSecondsApartAndThenOneEach64Seconds) {
  SntpPace pace;
  Instant now{100s};
  EXPECT_LE(*pace.next(), now);
  for (const Duration wait : {2s, 2s, 2s, 64s, 64s}) {
    pace.asked(now);
    EXPECT_EQ(*pace.next(), now + wait);
    now += wait;
  }
}

TEST(SntpPace, RateEndsTheBurstAndEachOneDoublesTheInterval) {
  SntpPace pace;
  pace.asked(Instant{100s});
  pace.told(SntpWish::ask_less);
  EXPECT_EQ(*pace.next(), Instant{228s});
  pace.told(SntpWish::ask_less);
  EXPECT_EQ(*pace.next(), Instant{356s});
  for (int i = 0; i < 30; ++i) pace.told(SntpWish::ask_less);
  EXPECT_EQ(*pace.next(), Instant{100s} + SntpPace::kLongestPoll);
}

TEST(SntpPace, WhoDeniesIsAskedNoMore) {
  SntpPace pace;
  pace.told(SntpWish::nothing);
  EXPECT_TRUE(pace.next());
  pace.told(SntpWish::stop);
  EXPECT_FALSE(pace.next());
}

}  // namespace
}  // namespace skewguard::clocks
