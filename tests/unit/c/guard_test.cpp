// Guarded calls through the C functions, on virtual time.
#include <gtest/gtest.h>

#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "c_testing.hpp"

namespace skewguard::c {
namespace {

TEST(CGuard, AsksForASendAndEndsWithTheAnswer) {
  VirtualClient client;
  const auto call = client.guard();
  ASSERT_TRUE(call);
  EXPECT_EQ(skewguard_call_next(call.get(), 0), SKEWGUARD_WAITING);
  EXPECT_EQ(skewguard_call_send_number(call.get()), 0);
  EXPECT_STREQ(skewguard_call_authorization(call.get()), "");
  ASSERT_EQ(client.next(call), SKEWGUARD_SEND);
  EXPECT_EQ(skewguard_call_send_number(call.get()), 1);
  EXPECT_STREQ(skewguard_call_authorization(call.get()), "Bearer token-1");
  EXPECT_EQ(client.answer(call, 200, "hello"), 0);
  EXPECT_STREQ(skewguard_call_authorization(call.get()), "");
  ASSERT_EQ(client.next(call), SKEWGUARD_DONE);
  EXPECT_EQ(skewguard_call_error(call.get()), nullptr);
  EXPECT_EQ(skewguard_call_status(call.get()), 200);
  EXPECT_EQ(bytes(call, SKEWGUARD_RESULT_BODY), "hello");
  EXPECT_EQ(bytes(call, SKEWGUARD_RESULT_VERDICT), "ok");
  EXPECT_NE(bytes(call, SKEWGUARD_RESULT_REPORT).find("skewguard.report/1"), std::string::npos);
  EXPECT_EQ(bytes(call, SKEWGUARD_RESULT_TOKEN), "");
}

TEST(CGuard, RefreshesARefusedTokenAndSendsAgain) {
  VirtualClient client;
  client.accept_token();
  const auto call = client.guard("POST");
  ASSERT_EQ(client.next(call), SKEWGUARD_SEND);
  client.environment.revoke_all();
  client.machine().advance(2s);
  EXPECT_EQ(client.answer(call, 401), 0);
  ASSERT_EQ(client.next(call), SKEWGUARD_SEND);
  EXPECT_EQ(skewguard_call_send_number(call.get()), 2);
  EXPECT_STREQ(skewguard_call_authorization(call.get()), "Bearer token-2");
  EXPECT_EQ(client.answer(call, 201), 0);
  ASSERT_EQ(client.next(call), SKEWGUARD_DONE);
  EXPECT_EQ(skewguard_call_status(call.get()), 201);
  EXPECT_EQ(skewguard_call_error(call.get()), nullptr);
  EXPECT_NE(bytes(call, SKEWGUARD_RESULT_VERDICT), "ok");
}

TEST(CGuard, GivesTheAnswerAndTheReasonIfARefusalIsNotCured) {
  VirtualClient client;
  const auto call = client.guard("POST", SKEWGUARD_NOT_REPLAYABLE);
  ASSERT_EQ(client.next(call), SKEWGUARD_SEND);
  client.machine().advance(2s);
  EXPECT_EQ(client.answer(call, 401, "refused"), 0);
  ASSERT_EQ(client.next(call), SKEWGUARD_DONE);
  EXPECT_EQ(skewguard_call_status(call.get()), 401);
  EXPECT_EQ(bytes(call, SKEWGUARD_RESULT_BODY), "refused");
  const auto* error = skewguard_call_error(call.get());
  ASSERT_NE(error, nullptr);
  EXPECT_NE(skewguard_error_kind_of(error), SKEWGUARD_OK);
  EXPECT_NE(std::string(skewguard_error_text_of(error, SKEWGUARD_ERROR_REPORT)).find("attempts"),
            std::string::npos);
  skewguard_field field{};
  ASSERT_EQ(skewguard_call_field(call.get(), 1, &field), 1);
  EXPECT_EQ(std::string(field.name, field.name_size), "WWW-Authenticate");
  EXPECT_EQ(std::strlen(field.value), field.value_size);
  EXPECT_EQ(skewguard_call_field(call.get(), 2, &field), 0);
}

TEST(CGuard, LetsTheProgramSayWhyThereIsNoAnswer) {
  VirtualClient client;
  const auto call = client.guard();
  ASSERT_EQ(client.next(call), SKEWGUARD_SEND);
  EXPECT_EQ(skewguard_call_fail(call.get(), SKEWGUARD_FAILED_RESET, "it broke", nullptr), 0);
  ASSERT_EQ(client.next(call), SKEWGUARD_SEND);  // GET: once more
  EXPECT_EQ(skewguard_call_fail(call.get(), SKEWGUARD_FAILED_OTHER, nullptr, nullptr), 0);
  ASSERT_EQ(client.next(call), SKEWGUARD_DONE);
  EXPECT_EQ(skewguard_error_kind_of(skewguard_call_error(call.get())), SKEWGUARD_CANCELLED);
  EXPECT_EQ(skewguard_call_status(call.get()), 0);
}

TEST(CGuard, RejectsAnswersThatCannotBeUsed) {
  VirtualClient client;
  const auto call = client.guard();
  OwnAnswer good(200, client.date());
  ErrorPlace early;
  EXPECT_EQ(skewguard_call_answer(call.get(), good.get(), &early), SKEWGUARD_CONFIG);
  EXPECT_EQ(early.text(), "there is no send to answer: answer each SKEWGUARD_SEND once");
  ASSERT_EQ(client.next(call), SKEWGUARD_SEND);
  for (const int status : {0, 100, 199, 1000}) {
    OwnAnswer odd(status, client.date());
    EXPECT_EQ(skewguard_call_answer(call.get(), odd.get(), nullptr), SKEWGUARD_CONFIG) << status;
  }
  OwnAnswer small(200, client.date());
  (*small).size = sizeof(skewguard_answer) - 1;
  EXPECT_EQ(skewguard_call_answer(call.get(), small.get(), nullptr), SKEWGUARD_CONFIG);
  EXPECT_EQ(skewguard_call_answer(call.get(), nullptr, nullptr), SKEWGUARD_CONFIG);
  EXPECT_EQ(skewguard_call_fail(call.get(), 0, nullptr, nullptr), SKEWGUARD_CONFIG);
  EXPECT_EQ(skewguard_call_fail(call.get(), 8, nullptr, nullptr), SKEWGUARD_CONFIG);
  EXPECT_EQ(skewguard_call_answer(call.get(), good.get(), nullptr), 0);
  EXPECT_EQ(skewguard_call_answer(call.get(), good.get(), nullptr), SKEWGUARD_CONFIG);
  EXPECT_EQ(client.next(call), SKEWGUARD_DONE);
}

TEST(CGuard, RejectsArgumentsThatCannotBeUsed) {
  const VirtualClient client;
  ErrorPlace flags;
  EXPECT_EQ(skewguard_guard_begin(client.client.get(), "GET", "/", 16, -1, nullptr, 0, &flags),
            nullptr);
  EXPECT_EQ(flags.kind(), SKEWGUARD_CONFIG);
  ErrorPlace timeout;
  EXPECT_EQ(skewguard_guard_begin(client.client.get(), "GET", "/", 0, -2, nullptr, 0, &timeout),
            nullptr);
  EXPECT_EQ(timeout.text(), "the timeout is negative: -1 stands for the client's");
  EXPECT_EQ(skewguard_guard_begin(nullptr, "GET", "/", 0, -1, nullptr, 0, nullptr), nullptr);
}

TEST(CGuard, IgnoresAnAnswerThatComesAfterTheEnd) {
  VirtualClient client;
  const auto call = client.guard();
  ASSERT_EQ(client.next(call), SKEWGUARD_SEND);
  const char* authorization = skewguard_call_authorization(call.get());
  skewguard_call_cancel(call.get());
  client.machine().run();
  EXPECT_STREQ(authorization, "Bearer token-1");  // until it is answered
  ASSERT_EQ(skewguard_call_next(call.get(), 0), SKEWGUARD_DONE);
  EXPECT_EQ(skewguard_error_kind_of(skewguard_call_error(call.get())), SKEWGUARD_CANCELLED);
  EXPECT_EQ(client.answer(call, 200), 0);
  EXPECT_EQ(client.answer(call, 200), SKEWGUARD_CONFIG);
  EXPECT_EQ(skewguard_call_status(call.get()), 0);
}

TEST(CGuard, SaysHowLongASendMayTake) {
  VirtualClient client;
  const CCall call(skewguard_guard_begin(client.client.get(), "GET", "/", 0,
                                         std::int64_t{5'000'000'000}, nullptr, 0, nullptr));
  EXPECT_EQ(skewguard_call_time_left(call.get()), 0);
  ASSERT_EQ(client.next(call), SKEWGUARD_SEND);
  const auto left = skewguard_call_time_left(call.get());
  EXPECT_GT(left, 0);
  EXPECT_LE(left, 5'000'000'000);
  client.machine().advance(1s);
  EXPECT_EQ(skewguard_call_time_left(call.get()), left - 1'000'000'000);
  client.machine().advance(5s);
  EXPECT_EQ(skewguard_call_next(call.get(), 0), SKEWGUARD_DONE);
  EXPECT_EQ(skewguard_error_kind_of(skewguard_call_error(call.get())), SKEWGUARD_TIMEOUT);
  const auto unlimited = client.guard("GET", SKEWGUARD_UNLIMITED_SENDS);
  ASSERT_EQ(client.next(unlimited), SKEWGUARD_SEND);
  EXPECT_EQ(skewguard_call_time_left(unlimited.get()), INT64_MAX);
}

TEST(CGuard, DoesNotActOnAnotherOrigin) {
  VirtualClient client;
  const auto call = client.guard();
  ASSERT_EQ(client.next(call), SKEWGUARD_SEND);
  OwnAnswer other(401, "Thu, 01 Jan 2026 01:00:00 GMT");
  (*other).origin = "https://elsewhere.test";
  EXPECT_EQ(skewguard_call_answer(call.get(), other.get(), nullptr), 0);
  ASSERT_EQ(client.next(call), SKEWGUARD_DONE);
  EXPECT_EQ(skewguard_call_send_number(call.get()), 1);
  EXPECT_EQ(skewguard_call_status(call.get()), 401);
  EXPECT_EQ(client.environment.token_requests(), 1U);
  std::optional<Result<ClientStatus>> status;
  client.client->client.async_status([&](auto seen) { status = std::move(seen); });
  client.machine().run();
  EXPECT_EQ((*status)->clocks.back().samples, 0U) << "its Date is no sample of the API's clock";
}

TEST(CGuard, LooksAtTheFirst64KiBOfABody) {
  VirtualClient client;
  const auto call = client.guard();
  ASSERT_EQ(client.next(call), SKEWGUARD_SEND);
  EXPECT_EQ(client.answer(call, 200, std::string(65'536, 'a') + "b"), 0);
  ASSERT_EQ(client.next(call), SKEWGUARD_DONE);
  EXPECT_EQ(bytes(call, SKEWGUARD_RESULT_BODY), std::string(65'536, 'a'));
}

TEST(CGuard, CallsStayValidWhenTheClientIsFreed) {
  VirtualClient client;
  const auto waiting = client.guard();
  const auto sending = client.guard();
  const auto done = client.guard();
  ASSERT_EQ(client.next(sending), SKEWGUARD_SEND);
  ASSERT_EQ(client.next(done), SKEWGUARD_SEND);
  EXPECT_EQ(client.answer(done, 200), 0);
  ASSERT_EQ(client.next(done), SKEWGUARD_DONE);
  const auto begun = client.guard();
  client.client.reset();
  client.machine().run();
  for (const auto* call : {&waiting, &sending, &begun}) {
    ASSERT_EQ(skewguard_call_next(call->get(), -1), SKEWGUARD_DONE);
    EXPECT_EQ(skewguard_error_kind_of(skewguard_call_error(call->get())), SKEWGUARD_CANCELLED);
    skewguard_call_cancel(call->get());
  }
  EXPECT_EQ(client.answer(sending, 200), 0);
  EXPECT_EQ(skewguard_call_status(done.get()), 200);
}

TEST(CGuard, ACallThatIsFreedIsCancelled) {
  VirtualClient client;
  auto call = client.guard();
  ASSERT_EQ(client.next(call), SKEWGUARD_SEND);
  call.reset();
  client.machine().run();
  const auto other = client.guard();
  ASSERT_EQ(client.next(other), SKEWGUARD_SEND);
}

TEST(CGuard, NothingHappensWithoutACall) {
  skewguard_call_free(nullptr);
  skewguard_call_cancel(nullptr);
  EXPECT_EQ(skewguard_call_next(nullptr, -1), SKEWGUARD_DONE);
  EXPECT_EQ(skewguard_call_error(nullptr), nullptr);
  EXPECT_EQ(skewguard_call_status(nullptr), 0);
  EXPECT_EQ(skewguard_call_bytes(nullptr, SKEWGUARD_RESULT_BODY, nullptr), nullptr);
  EXPECT_STREQ(skewguard_call_authorization(nullptr), "");
}

}  // namespace
}  // namespace skewguard::c
