#include <gtest/gtest.h>

#include "clocks/sample_of.hpp"
#include "machine.hpp"

namespace skewguard::clocks {
namespace {

using testing::at;
using namespace std::chrono_literals;

Exchange answer(Headers headers) {
  Exchange exchange;
  exchange.status = 200;
  exchange.headers = std::move(headers);
  exchange.sent = at(10s);
  exchange.received = at(10s + 40ms);
  exchange.connection = 7;
  return exchange;
}
/// RFC 9110 section 5.6.7: all three are 784111777 s after 1970.
constexpr const char* kDate = "Sun, 06 Nov 1994 08:49:37 GMT";

std::string why_not(const Exchange& exchange) {
  std::string why;
  EXPECT_FALSE(sample_of(exchange, &why));
  EXPECT_FALSE(why.empty());
  return why;
}

TEST(SampleOf, TakesTheDateBetweenSentAndReceived) {
  const auto sample = sample_of(answer({{"date", kDate}}));
  ASSERT_TRUE(sample);
  EXPECT_EQ(sample->date, 784'111'777s);
  EXPECT_EQ(sample->sent.boot, Instant{10s});
  EXPECT_EQ(sample->received.boot, Instant{10s + 40ms});
  EXPECT_EQ(sample->connection, 7U);
}

TEST(SampleOf, ReadsAllThreeForms) {
  for (const char* text : {kDate, "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"}) {
    const auto sample = sample_of(answer({{"Date", text}}));
    ASSERT_TRUE(sample) << text;
    EXPECT_EQ(sample->date, 784'111'777s) << text;
  }
}

TEST(SampleOf, ATwoDigitYearDoesNotFollowAWrongWallClock) {
  Exchange exchange = answer({{"Date", "Thursday, 01-Jan-26 00:00:00 GMT"}});
  for (const Duration wall : {Duration{0}, Duration{1'767'225'600s}, Duration{4'102'444'800s}}) {
    exchange.received.wall = WallTime{wall};  // 1970, 2026, 2100
    const auto sample = sample_of(exchange);
    ASSERT_TRUE(sample);
    EXPECT_EQ(sample->date, 1'767'225'600s);
  }
}

TEST(SampleOf, ErrorsAndRejectionsAreSamplesToo) {
  for (const int status : {200, 304, 401, 403, 429, 500, 504}) {
    Exchange exchange = answer({{"Date", kDate}});
    exchange.status = status;
    EXPECT_TRUE(sample_of(exchange)) << status;
  }
}

TEST(SampleOf, InterimAnswersProxysAndRequestTimeoutsAreNone) {
  for (const int status : {100, 103, 407, 408}) {
    Exchange exchange = answer({{"Date", kDate}});
    exchange.status = status;
    why_not(exchange);
  }
}

TEST(SampleOf, NoDateOrTwoAreNone) {
  EXPECT_EQ(why_not(answer({{"Server", "x"}})), "no Date");
  EXPECT_EQ(why_not(answer({{"Date", kDate}, {"date", kDate}})), "more than one Date");
}

TEST(SampleOf, ACachedAnswerIsNone) {
  why_not(answer({{"Date", kDate}, {"age", "0"}}));
}

TEST(SampleOf, MalformedDatesAndLeapSecondsAreNone) {
  for (const char* text : {"", "yesterday", "Sun, 06 Nov 1994 08:49:37", "784111777",
                           "Sun, 06 Nov 1994 08:49:37 CET", "Sat, 31 Dec 2016 23:59:60 GMT"})
    why_not(answer({{"Date", text}}));
}

TEST(SampleOf, C25_DatesWithOneMeaningAreTakenWhateverTheirForm) {
  for (const char* text : {"Sun, 06 Nov 1994 08:49:37 UTC", "06 Nov 1994 08:49:37 GMT",
                           "Mon, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 10:49:37 GMT+2"}) {
    const auto sample = sample_of(answer({{"Date", text}}));
    ASSERT_TRUE(sample) << text;
    EXPECT_EQ(sample->date, 784'111'777s) << text;
  }
}

TEST(SampleOf, C25_WhatIsNotTakenIsQuoted) {
  EXPECT_EQ(why_not(answer({{"Date", "06.11.1994 08:49"}})),
            "its Date is ambiguous or malformed: \"06.11.1994 08:49\"");
  const std::string long_one = "\x1b[31m" + std::string(100, 'x');
  EXPECT_EQ(why_not(answer({{"Date", long_one}})),
            "its Date is ambiguous or malformed: \"?[31m" + std::string(43, 'x') + "...\"");
  std::string why;
  EXPECT_FALSE(sample_of(answer({{"Date", long_one}}), &why, false));
  EXPECT_EQ(why, "its Date is ambiguous or malformed");
}

TEST(SampleOf, DatesNoClockOfTodayShowsAreNone) {
  why_not(answer({{"Date", "Fri, 31 Dec 9999 23:59:59 GMT"}}));
  EXPECT_TRUE(sample_of(answer({{"Date", "Sun, 28 Feb 2100 00:00:00 GMT"}})));
  EXPECT_TRUE(sample_of(answer({{"Date", "Thu, 01 Jan 1970 00:00:00 GMT"}})));
}

TEST(SampleOf, AnswersFromBeforeTheirRequestAreNone) {
  Exchange early = answer({{"Date", kDate}});
  early.early = true;
  why_not(early);
  Exchange backwards = answer({{"Date", kDate}});
  backwards.received = at(9s);
  why_not(backwards);
}

}  // namespace
}  // namespace skewguard::clocks
