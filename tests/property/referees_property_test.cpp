/// Random referees against a known truth. A failure prints its seed.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "../unit/clocks/sntp_packet.hpp"
#include "clock_history.hpp"
#include "clocks/agreement.hpp"
#include "clocks/sntp.hpp"
#include "clocks/who_is_wrong.hpp"

namespace skewguard::testing {
namespace {

using clocks::Source;

#ifndef SKEWGUARD_HISTORY_SHARE
#define SKEWGUARD_HISTORY_SHARE 1
#endif

/// Sources of which the first `honest` contain the truth; the others are arbitrary.
std::vector<Source> draw_sources(Random& random, Duration truth, std::size_t honest,
                                 std::size_t liars) {
  std::vector<Source> sources;
  for (std::size_t i = 0; i < honest + liars; ++i) {
    const Duration about = i < honest ? truth : random.between(-seconds{9}, seconds{9});
    const Duration below = random.between(seconds{0}, seconds{3});
    const Duration above = random.between(seconds{0}, seconds{3});
    sources.push_back({"", {about - below, about + above}, std::to_string(random.between(0, 3))});
  }
  return sources;
}

TEST(AgreementProperty, HoldsTheTruthWheneverAMajorityOfSourcesDoes) {
  for (std::uint64_t seed = 0; seed < 200'000 / SKEWGUARD_HISTORY_SHARE; ++seed) {
    Random random(seed);
    const Duration truth = random.between(-seconds{5}, seconds{5});
    const auto honest = static_cast<std::size_t>(random.between(1, 6));
    const auto liars = static_cast<std::size_t>(random.between(0, std::int64_t(honest) - 1));
    const auto result = clocks::agree(draw_sources(random, truth, honest, liars), Duration{0});
    ASSERT_TRUE(result.agreed) << "seed " << seed;
    ASSERT_TRUE(result.agreed->holds(truth)) << "seed " << seed;
    ASSERT_GE(result.largest.size(), honest) << "seed " << seed;
    for (const std::size_t liar : result.falsetickers) ASSERT_GE(liar, honest) << "seed " << seed;
  }
}

TEST(WhoIsWrongProperty, AnInnocentClockIsNeverBlamedWhileAMajorityIsHonest) {
  std::size_t blamed = 0;
  for (std::uint64_t seed = 0; seed < 200'000 / SKEWGUARD_HISTORY_SHARE; ++seed) {
    Random random(seed);
    const Duration truth = random.between(-seconds{5}, seconds{5});
    const auto honest = static_cast<std::size_t>(random.between(1, 6));
    const auto liars = static_cast<std::size_t>(random.between(0, std::int64_t(honest) - 1));
    const auto result = clocks::who_is_wrong(draw_sources(random, truth, honest, liars), {});
    for (const std::size_t liar : result.wrong) ASSERT_GE(liar, honest) << "seed " << seed;
    if (!result.local_off) continue;
    ASSERT_TRUE(result.local_off->holds(truth)) << "seed " << seed;
    ASSERT_NE(truth, Duration{0}) << "seed " << seed;
    ++blamed;
  }
  EXPECT_GT(blamed, 0U);
}

/// One server's history: its clock drifts, ours step and drift, it claims a true distance.
void ask_one_server(std::uint64_t seed) {
  Random random(seed);
  ClockHistory history(random);
  const Network network(random);
  const Duration base = seconds{1'750'000'000} + random.between(-hours{2}, hours{2});
  const auto rate = [&] { return random.between(-600'000, 600'000); };
  history.courses = {{base, rate()},
                     {base + random.between(-milliseconds{200}, milliseconds{200}), rate()}};
  clocks::SntpServer server(600e-6);
  for (std::int64_t i = random.between(1, 8); i > 0; --i) {
    history.pass(random.between(seconds{0}, seconds{64}));
    if (random.chance(0.2)) history.wall_ahead = random.between(-hours{1}, hours{1});
    const auto clock = [&] {
      return history.time().time_since_epoch() + history.courses[0].offset;
    };
    const Network::Delay delay = network.draw(random);
    const Now sent = history.read(random);
    history.pass(delay.there);
    clocks::testing::SntpAnswerOf answer{.nonce = 7, .came = clock()};
    history.pass(random.between(Duration{0}, milliseconds{1}));
    answer.went = clock();
    answer.root_dispersion =
        std::chrono::abs(history.courses[1].offset - history.courses[0].offset) + milliseconds{1};
    history.pass(delay.back);
    const Now received = history.read(random);
    const auto read = clocks::read_sntp(clocks::testing::SntpPacket(answer), 7, sent, received);
    const auto* sample = std::get_if<clocks::SntpSample>(&read);
    ASSERT_NE(sample, nullptr) << "seed " << seed;
    ASSERT_NE(server.observe(*sample), clocks::Observed::dropped) << "seed " << seed;
    history.pass(random.between(seconds{0}, seconds{100}));
    const Now now = history.read(random);
    const Duration wall_minus_crystal = history.wall() - history.time().time_since_epoch();
    ASSERT_TRUE(server.server(now)->holds(history.courses[0].offset - wall_minus_crystal))
        << "seed " << seed;
    ASSERT_TRUE(server.truth(now)->holds(history.courses[1].offset - wall_minus_crystal))
        << "seed " << seed;
  }
}

TEST(SntpServerProperty, BoundsHoldTheServersClockAndTheTruthThatItClaims) {
  for (std::uint64_t seed = 0; seed < 50'000 / SKEWGUARD_HISTORY_SHARE; ++seed) {
    ask_one_server(seed);
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace skewguard::testing
