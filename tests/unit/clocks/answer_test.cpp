#include "clocks/answer.hpp"

#include <gtest/gtest.h>

#include "machine.hpp"

namespace skewguard::clocks {
namespace {

using testing::at;
using namespace std::chrono_literals;

Exchange dated(const char* date) {
  Exchange exchange;
  exchange.status = 200;
  exchange.headers = {{"Date", date}};
  exchange.sent = at(10s);
  exchange.received = at(10s + 40ms);
  return exchange;
}

TEST(Answer, HasReadItsDate) {
  const Answer answer = dated("Sun, 06 Nov 1994 08:49:37 GMT");
  ASSERT_TRUE(answer.sample());
  EXPECT_EQ(answer.sample()->date, 784'111'777s);  // RFC 9110 section 5.6.7
  EXPECT_EQ(answer.no_sample(), "");
}

TEST(Answer, SaysWhyItsDateIsNoSampleAndQuotesNothing) {
  const Answer answer = dated("secret-token");
  EXPECT_FALSE(answer.sample());
  EXPECT_EQ(answer.no_sample(), "its Date is ambiguous or malformed");
}

TEST(Answer, KeepsItsSampleWhateverBecomesOfItsFields) {
  Answer answer = dated("Sun, 06 Nov 1994 08:49:37 GMT");
  answer.headers = {};
  EXPECT_TRUE(answer.sample());
}

TEST(Answer, OfAFailureIsTheFailure) {
  const auto read_failure =
      read(TransportFailure{.kind = TransportFailure::Kind::dns, .detail = "x"});
  ASSERT_TRUE(std::holds_alternative<TransportFailure>(read_failure));
  EXPECT_EQ(std::get<TransportFailure>(read_failure).kind, TransportFailure::Kind::dns);
  EXPECT_TRUE(std::holds_alternative<Answer>(read(SendResult{dated("x")})));
}

}  // namespace
}  // namespace skewguard::clocks
