// The fast path through the C functions, on virtual time.
#include <gtest/gtest.h>

#include <array>
#include <string>

#include "c_testing.hpp"

namespace skewguard::c {
namespace {

constexpr std::string_view kBearer = "Bearer token-1";

class CLease : public ::testing::Test {
 protected:
  CLease() { client.accept_token(); }
  VirtualClient client;
};

TEST_F(CLease, WritesTheHeaderAsSnprintfWould) {
  std::uint64_t generation = 7;
  EXPECT_EQ(client.lease(&generation), kBearer);
  EXPECT_EQ(generation, 1U);
  EXPECT_EQ(skewguard_lease(client.client.get(), nullptr, 0, nullptr), kBearer.size());
  std::array<char, kBearer.size() + 1> fitting{};
  EXPECT_EQ(skewguard_lease(client.client.get(), fitting.data(), fitting.size(), nullptr),
            kBearer.size());
  EXPECT_EQ(fitting.data(), kBearer);
  std::array<char, kBearer.size()> tight{'x', 'y'};
  EXPECT_EQ(skewguard_lease(client.client.get(), tight.data(), tight.size(), nullptr),
            kBearer.size());
  EXPECT_EQ(tight[0], '\0');
  EXPECT_EQ(tight[1], 'y');
}

TEST(CLeaseBefore, ThereIsNoneBeforeTheFirstToken) {
  const VirtualClient client;
  std::uint64_t generation = 7;
  std::array<char, 8> buffer{'x'};
  EXPECT_EQ(skewguard_lease(client.client.get(), buffer.data(), buffer.size(), &generation), 0U);
  EXPECT_EQ(generation, 0U);
  EXPECT_EQ(buffer[0], '\0');
  EXPECT_EQ(skewguard_lease(nullptr, buffer.data(), buffer.size(), &generation), 0U);
}

TEST_F(CLease, AnswersThatMayBeAboutTheTokenAreToBeJudged) {
  OwnAnswer good(200, client.date());
  EXPECT_EQ(skewguard_observe(client.client.get(), 1, good.get()), SKEWGUARD_NOTED);
  OwnAnswer refused(401, client.date());
  EXPECT_EQ(skewguard_observe(client.client.get(), 1, refused.get()), SKEWGUARD_JUDGE);
  (*refused).origin = "https://elsewhere.test";
  EXPECT_EQ(skewguard_observe(client.client.get(), 1, refused.get()), SKEWGUARD_NOTED);
  (*refused).size = 0;
  (*refused).origin = nullptr;
  EXPECT_EQ(skewguard_observe(client.client.get(), 1, refused.get()), SKEWGUARD_NOTED);
}

TEST_F(CLease, ACallBeginsWithTheRefusalInHand) {
  client.environment.revoke_all();
  client.machine().advance(2s);
  OwnAnswer refused(401, client.date());
  write_moment(client.machine().now(), (*refused).sent);
  const CCall call(skewguard_guard_begin_with(client.client.get(), "GET", "/x", 0, -1, 1,
                                              refused.get(), nullptr, 0, nullptr));
  ASSERT_EQ(client.next(call), SKEWGUARD_SEND);
  EXPECT_STREQ(skewguard_call_authorization(call.get()), "Bearer token-2");
  EXPECT_EQ(skewguard_call_send_number(call.get()), 1);
  EXPECT_EQ(client.answer(call, 200), 0);
  ASSERT_EQ(client.next(call), SKEWGUARD_DONE);
  EXPECT_EQ(skewguard_call_status(call.get()), 200);
}

TEST_F(CLease, ACallDoesNotBeginWithAnAnswerThatCannotBeUsed) {
  ErrorPlace error;
  OwnAnswer odd(42, client.date());
  EXPECT_EQ(skewguard_guard_begin_with(client.client.get(), "GET", "/x", 0, -1, 1, odd.get(),
                                       nullptr, 0, &error),
            nullptr);
  EXPECT_EQ(error.kind(), SKEWGUARD_CONFIG);
}

TEST_F(CLease, ObservedDatesShowTheClock) {
  skewguard_moment sent{};
  write_moment(client.machine().now(), sent);
  client.machine().advance(10ms);
  OwnAnswer dated(404, client.date());
  (*dated).sent = sent;
  EXPECT_EQ(skewguard_observe(client.client.get(), 1, dated.get()), SKEWGUARD_NOTED);
  client.machine().run();
  const auto status = client.client->client.status();
  ASSERT_TRUE(status);
  EXPECT_EQ(status->clocks.back().samples, 2U);
}

TEST(CClocks, AreReadAtOnce) {
  skewguard_moment now{};
  skewguard_read_clocks(&now);
  EXPECT_GT(now.boot, 0);
  EXPECT_GE(now.gap, 0);
  EXPECT_GE(now.boot + now.gap, now.monotonic);  // read one after the other
  EXPECT_GT(now.raw, 0);
  EXPECT_GT(now.wall, 0);
}

}  // namespace
}  // namespace skewguard::c
