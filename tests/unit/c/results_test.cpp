// Calls that the library sends itself, tokens and clocks through the C functions.
#include <gtest/gtest.h>

#include <string>

#include "c_testing.hpp"

namespace skewguard::c {
namespace {

using skewguard::testing::Answer;
using skewguard::testing::Asked;

TEST(CRequest, IsSentByTheLibrary) {
  VirtualClient client;
  client.environment.api().set_script([](const Asked& asked) {
    Answer answer;
    answer.body = asked.request.method + " " + std::string(asked.request.body.reveal()) + " " +
                  std::string(asked.request.headers.find("X-Own").value_or("none"));
    return answer;
  });
  const skewguard_field own{"X-Own", 5, "mine", 4};
  const CCall call(skewguard_request_begin(client.client.get(), "POST", "/x", &own, 1, "text", 4,
                                           -1, nullptr, 0, nullptr));
  ASSERT_EQ(client.next(call), SKEWGUARD_DONE);
  EXPECT_EQ(skewguard_call_status(call.get()), 200);
  EXPECT_EQ(skewguard_call_error(call.get()), nullptr);
  EXPECT_EQ(bytes(call, SKEWGUARD_RESULT_BODY), "POST text mine");
  EXPECT_EQ(skewguard_call_send_number(call.get()), 0);
  EXPECT_EQ(skewguard_call_token_life(call.get()), 0);
}

TEST(CRequest, EndsWithTheAnswerAndTheReason) {
  VirtualClient client;
  client.environment.api().next({.status = 404, .body = "nothing"});
  const CCall call(skewguard_request_begin(client.client.get(), nullptr, "/x", nullptr, 0, nullptr,
                                           0, -1, nullptr, 0, nullptr));
  ASSERT_EQ(client.next(call), SKEWGUARD_DONE);
  EXPECT_EQ(skewguard_call_status(call.get()), 404);
  EXPECT_EQ(bytes(call, SKEWGUARD_RESULT_BODY), "nothing");
}

TEST(CRequest, RejectsArgumentsThatCannotBeUsed) {
  VirtualClient client;
  const auto begun = [&](std::size_t fields, std::size_t body, std::int64_t timeout) {
    ErrorPlace error;
    const CCall call(skewguard_request_begin(client.client.get(), "GET", "/", nullptr, fields,
                                             nullptr, body, timeout, nullptr, 0, &error));
    EXPECT_EQ(call == nullptr, error.kind() == SKEWGUARD_CONFIG);
    return call != nullptr;
  };
  EXPECT_TRUE(begun(0, 0, -1));
  EXPECT_FALSE(begun(1, 0, -1));
  EXPECT_FALSE(begun(0, 1, -1));
  EXPECT_FALSE(begun(0, 0, -2));
}

TEST(CRequest, ABodyMayHave64MiB) {
  VirtualClient client;
  constexpr std::size_t kMost = std::size_t{64} * 1024 * 1024;
  const std::string body(kMost + 1, 'x');
  const auto begin = [&](std::size_t size) {
    return CCall(skewguard_request_begin(client.client.get(), "POST", "/", nullptr, 0, body.data(),
                                         size, -1, nullptr, 0, nullptr));
  };
  EXPECT_TRUE(begin(kMost));
  EXPECT_FALSE(begin(kMost + 1));
}

TEST(CToken, IsOneThatTheApiAccepts) {
  VirtualClient client;
  client.environment.login().set_offset(3s);  // not valid yet by the API's clock
  const CCall call(skewguard_token_begin(client.client.get(), 0, 0, nullptr, 0, nullptr));
  ASSERT_EQ(client.next(call), SKEWGUARD_DONE);
  EXPECT_EQ(skewguard_call_error(call.get()), nullptr);
  EXPECT_EQ(bytes(call, SKEWGUARD_RESULT_TOKEN), "token-1");
  EXPECT_EQ(bytes(call, SKEWGUARD_RESULT_TOKEN_TYPE), "Bearer");
  EXPECT_EQ(bytes(call, SKEWGUARD_RESULT_REPORT), "");
  EXPECT_GT(skewguard_call_token_life(call.get()), 3'500'000'000'000);
  EXPECT_EQ(skewguard_call_status(call.get()), 0);
  EXPECT_GT(client.environment.refused_requests(), 0U);
}

TEST(CToken, IsGivenUnverifiedOrForcedAsAsked) {
  VirtualClient client;
  const CCall first(
      skewguard_token_begin(client.client.get(), 0, SKEWGUARD_UNVERIFIED, nullptr, 0, nullptr));
  ASSERT_EQ(client.next(first), SKEWGUARD_DONE);
  EXPECT_EQ(client.environment.requests(), 0U);
  const CCall second(skewguard_token_begin(
      client.client.get(), 0, SKEWGUARD_UNVERIFIED | SKEWGUARD_FORCE_REFRESH, nullptr, 0, nullptr));
  ASSERT_EQ(client.next(second), SKEWGUARD_DONE);
  EXPECT_EQ(bytes(second, SKEWGUARD_RESULT_TOKEN), "token-2");
  const CCall too_long(skewguard_token_begin(client.client.get(), 7'200'000'000'000,
                                             SKEWGUARD_UNVERIFIED, nullptr, 0, nullptr));
  ASSERT_EQ(client.next(too_long), SKEWGUARD_DONE);
  EXPECT_EQ(skewguard_error_kind_of(skewguard_call_error(too_long.get())), SKEWGUARD_PROTOCOL);
  EXPECT_EQ(skewguard_token_begin(client.client.get(), -1, 0, nullptr, 0, nullptr), nullptr);
  EXPECT_EQ(skewguard_token_begin(client.client.get(), 0, 4, nullptr, 0, nullptr), nullptr);
}

TEST(CStatus, ShowsTheClocks) {
  VirtualClient client;
  client.environment.login().set_offset(3s);
  const CCall token(skewguard_token_begin(client.client.get(), 0, 0, nullptr, 0, nullptr));
  ASSERT_EQ(client.next(token), SKEWGUARD_DONE);
  const CCall call(skewguard_status_begin(client.client.get(), nullptr, 0, nullptr));
  ASSERT_EQ(client.next(call), SKEWGUARD_DONE);
  skewguard_clock clock{};
  ASSERT_EQ(skewguard_call_clock(call.get(), 0, &clock), 1);
  EXPECT_STREQ(clock.server, "https://login.test");
  EXPECT_EQ(clock.known, 1);
  EXPECT_LE(clock.low, 3'000'000'000);
  EXPECT_GE(clock.high, 3'000'000'000);
  EXPECT_EQ(clock.samples, 1U);
  ASSERT_EQ(skewguard_call_clock(call.get(), 1, &clock), 1);
  EXPECT_STREQ(clock.server, "https://api.test");
  EXPECT_EQ(skewguard_call_clock(call.get(), 2, &clock), 0);
  EXPECT_EQ(bytes(call, SKEWGUARD_RESULT_BODY), "");
}

TEST(CResults, AreThereOnlyOnceTheCallHasEnded) {
  VirtualClient client;
  const auto call = client.guard();
  EXPECT_EQ(skewguard_call_error(call.get()), nullptr);
  EXPECT_EQ(skewguard_call_status(call.get()), 0);
  ASSERT_EQ(client.next(call), SKEWGUARD_SEND);
  client.answer(call, 200, "body");
  ASSERT_EQ(client.next(call), SKEWGUARD_DONE);
  EXPECT_EQ(bytes(call, SKEWGUARD_RESULT_BODY), "body");
  EXPECT_EQ(bytes(call, 0), "");
  EXPECT_EQ(bytes(call, 99), "");
}

}  // namespace
}  // namespace skewguard::c
