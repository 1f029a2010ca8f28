#include "time/http_date.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace skewguard::time {
namespace {

using std::chrono::seconds;
using namespace std::chrono_literals;

constexpr seconds at(int year, unsigned month, unsigned day, seconds of_day = 0s) {
  return std::chrono::sys_days{std::chrono::year{year} / static_cast<int>(month) /
                               static_cast<int>(day)}
             .time_since_epoch() +
         of_day;
}

constexpr seconds kToday = at(2026, 1, 1);
// RFC 9110 section 5.6.7 spells this instant in all three forms.
constexpr seconds kRfcExample{784111777};

TEST(HttpDate, ReadsTheThreeFormsOfTheRfc) {
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT", kToday), kRfcExample);
  EXPECT_EQ(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT", kToday), kRfcExample);
  EXPECT_EQ(parse_http_date("Sun Nov  6 08:49:37 1994", kToday), kRfcExample);
}

TEST(HttpDate, ReadsBothWaysToWriteADayInAsctime) {
  EXPECT_EQ(parse_http_date("Sun Nov 06 08:49:37 1994", kToday), kRfcExample);
  EXPECT_EQ(parse_http_date("Wed Nov 16 08:49:37 1994", kToday), kRfcExample + 240h);
}

struct Known {
  const char* text;
  std::int64_t since_epoch;
};
// As `date -u -d @SECONDS` has them.
constexpr std::array kKnown{
    Known{"Thu, 01 Jan 1970 00:00:00 GMT", 0},
    Known{"Wed, 31 Dec 1969 23:59:59 GMT", -1},
    Known{"Tue, 19 Jan 2038 03:14:07 GMT", 2147483647},
    Known{"Tue, 19 Jan 2038 03:14:08 GMT", 2147483648},
    Known{"Sun, 07 Feb 2106 06:28:16 GMT", 4294967296},
    Known{"Tue, 29 Feb 2000 12:00:00 GMT", 951825600},
    Known{"Thu, 29 Feb 2024 23:59:59 GMT", 1709251199},
    Known{"Sun, 28 Feb 2100 23:59:59 GMT", 4107542399},
    Known{"Mon, 01 Mar 2100 00:00:00 GMT", 4107542400},
    Known{"Sat, 01 Jan 0000 00:00:00 GMT", -62167219200},
    Known{"Tue, 29 Feb 0000 00:00:00 GMT", -62162121600},
    Known{"Mon, 01 Jan 0001 00:00:00 GMT", -62135596800},
    Known{"Fri, 31 Dec 9999 23:59:59 GMT", 253402300799},
};

TEST(HttpDate, ReadsAndWritesKnownInstants) {
  for (const auto& [text, since_epoch] : kKnown) {
    EXPECT_EQ(parse_http_date(text, kToday), seconds{since_epoch}) << text;
    EXPECT_EQ(format_http_date(seconds{since_epoch}), text);
  }
}

TEST(HttpDate, WritesAndReadsEveryDayOfFourCenturiesAlike) {
  const std::array<const char*, 7> kWeekdays{"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
  std::size_t n = 0;
  for (seconds day = at(1970, 1, 1); day < at(2370, 1, 1); day += 24h, ++n) {
    const std::string text = format_http_date(day + 86399s);
    ASSERT_EQ(text.substr(0, 3), kWeekdays.at(n % 7));  // 1970-01-01 was a Thursday
    ASSERT_EQ(parse_http_date(text, kToday), day + 86399s) << text;
  }
  EXPECT_EQ(n, 146097U);  // days in 400 Gregorian years
}

TEST(HttpDate, RefusesAnyOtherWeekday) {
  for (const std::string weekday : {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat"}) {
    EXPECT_EQ(parse_http_date(weekday + ", 06 Nov 1994 08:49:37 GMT", kToday), std::nullopt);
    EXPECT_EQ(parse_http_date(weekday + " Nov  6 08:49:37 1994", kToday), std::nullopt);
  }
  EXPECT_EQ(parse_http_date("Monday, 06-Nov-94 08:49:37 GMT", kToday), std::nullopt);
}

TEST(HttpDate, RefusesDaysThatDoNotExistWhateverTheWeekday) {
  for (const std::string weekday : {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"}) {
    for (const std::string day : {"29 Feb 2100", "29 Feb 2023", "30 Feb 2024", "31 Apr 2024",
                                  "31 Jun 2024", "32 Jan 2024", "00 Jan 2024", "29 Feb 1900"}) {
      EXPECT_EQ(parse_http_date(weekday + ", " + day + " 00:00:00 GMT", kToday), std::nullopt)
          << weekday << ' ' << day;
    }
  }
}

TEST(HttpDate, RefusesTimesThatDoNotExistAndTheLeapSecond) {
  for (const std::string time : {"24:00:00", "08:60:00", "08:49:60", "08:49:61", "23:59:60"}) {
    EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 " + time + " GMT", kToday), std::nullopt) << time;
    EXPECT_EQ(parse_http_date("Sunday, 06-Nov-94 " + time + " GMT", kToday), std::nullopt) << time;
    EXPECT_EQ(parse_http_date("Sun Nov  6 " + time + " 1994", kToday), std::nullopt) << time;
  }
  // The leap second of 2016-12-31, a Saturday, names no instant.
  EXPECT_EQ(parse_http_date("Sat, 31 Dec 2016 23:59:60 GMT", kToday), std::nullopt);
  EXPECT_EQ(parse_http_date("Sat, 31 Dec 2016 23:59:59 GMT", kToday), seconds{1483228799});
}

constexpr std::array kMalformed{
    "",
    " ",
    "GMT",
    "0",
    "784111777",
    "1994-11-06T08:49:37Z",
    " Sun, 06 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 08:49:37 GMT ",
    "Sun, 06 Nov 1994 08:49:37 GMT\r\n",
    "Sun, 06 Nov 1994 08:49:37",
    "Sun, 06 Nov 1994 08:49:37 UTC",
    "Sun, 06 Nov 1994 08:49:37 gmt",
    "Sun, 06 Nov 1994 08:49:37 +0000",
    "Sun, 06 Nov 1994 08:49:37 GMT+1",
    "Sun,06 Nov 1994 08:49:37 GMT",
    "Sun 06 Nov 1994 08:49:37 GMT",
    "Sun,  06 Nov 1994 08:49:37 GMT",
    "Sun, 6 Nov 1994 08:49:37 GMT",
    "Sun,  6 Nov 1994 08:49:37 GMT",
    "Sun, 006 Nov 1994 08:49:37 GMT",
    "Sun, 06 nov 1994 08:49:37 GMT",
    "SUN, 06 NOV 1994 08:49:37 GMT",
    "Sun, 06 Noviembre 1994 08:49:37 GMT",
    "Sun, 06 11 1994 08:49:37 GMT",
    "Sun, 06 Nov 94 08:49:37 GMT",
    "Sun, 06 Nov 01994 08:49:37 GMT",
    "Sun, 06 Nov -994 08:49:37 GMT",
    "Sun, 06 Nov 1994 8:49:37 GMT",
    "Sun, 06 Nov 1994 08:49 GMT",
    "Sun, 06 Nov 1994 08.49.37 GMT",
    "Sun, 06 Nov 1994 08:49:37.5 GMT",
    "Sun, 06 Nov 1994 -8:49:37 GMT",
    "Sun, 06 Nov 1994 +8:49:37 GMT",
    "Sun, 06-Nov-1994 08:49:37 GMT",
    "Sun, 06-Nov-94 08:49:37 GMT",
    "Sunday, 06 Nov 1994 08:49:37 GMT",
    "Sunday, 06-Nov-1994 08:49:37 GMT",
    "Sunday, 6-Nov-94 08:49:37 GMT",
    "Sunday, 06-Nov-9 08:49:37 GMT",
    "Sunday 06-Nov-94 08:49:37 GMT",
    "Sun Nov 6 08:49:37 1994",
    "Sun Nov   6 08:49:37 1994",
    "Sun Nov  6 08:49:37 94",
    "Sun Nov  6 08:49:37 1994 GMT",
    "Sun Nov  6 08:49:37 GMT 1994",
    "Sun, Nov  6 08:49:37 1994",
    "Sun Nov  6 08:49:37 19945",
    "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
};

TEST(HttpDate, RefusesWhatIsMalformed) {
  for (const auto* text : kMalformed) {
    EXPECT_EQ(parse_http_date(text, kToday), std::nullopt) << text;
  }
}

constexpr std::array kThreeForms{std::string_view{"Sun, 06 Nov 1994 08:49:37 GMT"},
                                 std::string_view{"Sunday, 06-Nov-94 08:49:37 GMT"},
                                 std::string_view{"Sun Nov  6 08:49:37 1994"}};

TEST(HttpDate, RefusesEveryProperPrefixAndSuffix) {
  for (const auto form : kThreeForms) {
    for (std::size_t n = 1; n <= form.size(); ++n) {
      EXPECT_EQ(parse_http_date(form.substr(0, form.size() - n), kToday), std::nullopt) << n;
      EXPECT_EQ(parse_http_date(form.substr(n), kToday), std::nullopt) << n;
    }
  }
}

TEST(HttpDate, NeverTakesATextWithOneByteOfAnotherClass) {
  for (const auto form : kThreeForms) {
    for (std::size_t i = 0; i < form.size(); ++i) {
      for (const char other : {'\0', '\t', '!', '/', ';', 'x', '\x7f', '\xff'}) {
        std::string text(form);
        text[i] = other;
        EXPECT_EQ(parse_http_date(text, kToday), std::nullopt) << i << ' ' << form;
      }
    }
  }
}

TEST(HttpDate, TakesATwoDigitYearUpToFiftyYearsAhead) {
  // 2076-01-01 is a Wednesday, 1976-01-02 a Friday, 2076-01-02 a Thursday.
  EXPECT_EQ(parse_http_date("Wednesday, 01-Jan-76 00:00:00 GMT", kToday), at(2076, 1, 1));
  EXPECT_EQ(parse_http_date("Wednesday, 01-Jan-76 00:00:01 GMT", kToday), std::nullopt);
  EXPECT_EQ(parse_http_date("Thursday, 01-Jan-76 00:00:01 GMT", kToday), at(1976, 1, 1, 1s));
  EXPECT_EQ(parse_http_date("Friday, 02-Jan-76 00:00:00 GMT", kToday), at(1976, 1, 2));
  EXPECT_EQ(parse_http_date("Thursday, 02-Jan-76 00:00:00 GMT", kToday), std::nullopt);
}

TEST(HttpDate, TakesATwoDigitYearAcrossTheTurnOfACentury) {
  EXPECT_EQ(parse_http_date("Saturday, 01-Jan-00 00:00:00 GMT", at(1999, 12, 31)), at(2000, 1, 1));
  EXPECT_EQ(parse_http_date("Friday, 31-Dec-99 23:59:59 GMT", at(2000, 1, 1)),
            at(1999, 12, 31, 86399s));
  EXPECT_EQ(parse_http_date("Friday, 01-Jan-00 00:00:00 GMT", at(2099, 12, 31)), at(2100, 1, 1));
}

TEST(HttpDate, JudgesTheLeapDayByTheYearThatTwoDigitsMean) {
  // '00 means 2000 (leap) until 2049, then 2100 (not leap).
  EXPECT_EQ(parse_http_date("Tuesday, 29-Feb-00 00:00:00 GMT", at(2026, 1, 1)), at(2000, 2, 29));
  for (const std::string weekday : {"Sunday", "Monday", "Tuesday"}) {
    EXPECT_EQ(parse_http_date(weekday + ", 29-Feb-00 00:00:00 GMT", at(2060, 1, 1)), std::nullopt);
  }
  EXPECT_EQ(parse_http_date("Sunday, 28-Feb-00 00:00:00 GMT", at(2060, 1, 1)), at(2100, 2, 28));
}

TEST(HttpDate, HandlesAnyToday) {
  for (const seconds today : {seconds::min(), seconds::max(), seconds{0}, at(9999, 12, 31)}) {
    EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT", today), kRfcExample);
  }
  constexpr auto kTwoDigits = "Sunday, 06-Nov-94 08:49:37 GMT";
  EXPECT_EQ(parse_http_date(kTwoDigits, seconds{0}), kRfcExample);
  // The calendar repeats after 400 years, and 8000 is a multiple of that.
  constexpr seconds kEightThousandYearsOn = at(9994, 11, 6, 8h + 49min + 37s);
  EXPECT_EQ(parse_http_date(kTwoDigits, at(9999, 12, 31)), kEightThousandYearsOn);
  EXPECT_EQ(parse_http_date(kTwoDigits, seconds::max()), kEightThousandYearsOn);
  // Within 50 years of the year 0 there is no '94 but before it.
  EXPECT_EQ(parse_http_date(kTwoDigits, seconds::min()), std::nullopt);
}

TEST(HttpDate, C25_ReadsDatesWithOneMeaningThatAreNotOfTheRfcsForm) {
  for (const char* text : {"Sun, 06 Nov 1994 08:49:37 UTC",
                           "Sun, 06 Nov 1994 08:49:37 UT",
                           "Sun, 06 Nov 1994 08:49:37 Z",
                           "Sun, 06 Nov 1994 08:49:37 +0000",
                           "Sun, 06 Nov 1994 08:49:37 -0000",
                           "06 Nov 1994 08:49:37 GMT",
                           "Mon, 06 Nov 1994 08:49:37 GMT",
                           "Sun, 6 Nov 1994 08:49:37 GMT",
                           "Sunday, 06 Nov 1994 08:49:37 GMT",
                           "Sun 06 Nov 1994 08:49:37 GMT",
                           "Sun, 06 Nov 1994 10:49:37 GMT+2",
                           "Sun, 06 Nov 1994 10:49:37 +0200",
                           "Sun, 06 Nov 1994 10:49:37 UTC+02:00",
                           "Sun, 06 Nov 1994 03:49:37 -05",
                           "Sun, 06 Nov 1994 14:19:37 +0530",
                           "Mon Nov  6 08:49:37 1994",
                           "Sun, 06 Nov 1994 08:49:37 gmt",
                           "Sun, 06 Nov 1994 08:49:37 +0000 (UTC)",
                           "Sunday, 06-Nov-94 08:49:37 UTC",
                           "Sunday, 06-Nov-94 10:49:37 +0200",
                           "1994-11-06T08:49:37Z",
                           "1994-11-06t08:49:37.999z",
                           "1994-11-06T10:49:37+02:00"}) {
    EXPECT_EQ(parse_loose_date(text, kToday), kRfcExample) << text;
    EXPECT_EQ(parse_http_date(text, kToday), std::nullopt) << text;
  }
}

TEST(HttpDate, ReadsWhatTheRfcSaysLooselyToo) {
  for (const char* text : {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
                           "Sun Nov  6 08:49:37 1994"})
    EXPECT_EQ(parse_loose_date(text, kToday), kRfcExample) << text;
}

TEST(HttpDate, C25_RefusesDatesThatMayMeanSeveralInstants) {
  for (const char* text : {"Sun, 06 Nov 1994 08:49:37",
                           "Sun, 06 Nov 1994 08:49:37 CET",
                           "Sun, 06 Nov 1994 08:49:37 GMT+15",
                           "Sun, 06 Nov 1994 08:49:37 +0260",
                           "Sun, 06 Nov 1994 08:49:37 +02000",
                           "Sun, 06 Nov 1994 08:49:37 GMTT",
                           "Sun, 31 Feb 1994 08:49:37 UTC",
                           "Sun, 06 Nov 1994 08:49:60 UTC",
                           "Monday, 06-Nov-94 08:49:37 GMT",
                           "06 Nov 94 08:49:37 GMT",
                           "06/11/1994 08:49:37 GMT",
                           "",
                           "Sun,06 Nov 1994 08:49:37 GMT",
                           "Sun, 06 Nov 1994 08:49:37 +",
                           "Sun, 06 Nov 1994 08:49:37 +0200 (UTC)",
                           "Sun, 06 Nov 1994 08:49:37 +0000 (CET)",
                           "Monday, 06-Nov-94 08:49:37 UTC",
                           "1994-11-06T08:49:37",
                           "1994-11-06 08:49:37Z",
                           "1994-11-06T08:49:37.Z",
                           "1994-11-31T08:49:37Z",
                           "1994-11-06T08:49:37 CET",
                           "1994-11-06T08:49:60Z"})
    EXPECT_EQ(parse_loose_date(text, kToday), std::nullopt) << text;
}

TEST(HttpDate, WritesTheNearestDateThatHasFourDigits) {
  EXPECT_EQ(format_http_date(seconds::max()), "Fri, 31 Dec 9999 23:59:59 GMT");
  EXPECT_EQ(format_http_date(seconds::min()), "Sat, 01 Jan 0000 00:00:00 GMT");
}

TEST(Rfc3339, RoundsDown) {
  EXPECT_EQ(format_rfc3339(0s), "1970-01-01T00:00:00Z");
  EXPECT_EQ(format_rfc3339(at(2026, 1, 1) + 999ms), "2026-01-01T00:00:00Z");
  EXPECT_EQ(format_rfc3339(-1ns), "1969-12-31T23:59:59Z");
  EXPECT_EQ(format_rfc3339(at(2100, 2, 28, 86399s)), "2100-02-28T23:59:59Z");
}

TEST(Rfc3339, WritesMilliseconds) {
  EXPECT_EQ(format_rfc3339_ms(at(2026, 1, 1) + 250ms), "2026-01-01T00:00:00.250Z");
  EXPECT_EQ(format_rfc3339_ms(at(2026, 1, 1) + 250'999'999ns), "2026-01-01T00:00:00.250Z");
  EXPECT_EQ(format_rfc3339_ms(at(2026, 1, 1) + 7ms), "2026-01-01T00:00:00.007Z");
  EXPECT_EQ(format_rfc3339_ms(-1ns), "1969-12-31T23:59:59.999Z");
}

TEST(Rfc3339, CoversWhatADurationCovers) {
  EXPECT_EQ(format_rfc3339_ms(Duration::max()), "2262-04-11T23:47:16.854Z");
  EXPECT_EQ(format_rfc3339_ms(Duration::min()), "1677-09-21T00:12:43.145Z");
}

}  // namespace
}  // namespace skewguard::time
