#include "time/duration_text.hpp"

#include <gtest/gtest.h>

#include <array>
#include <utility>

namespace skewguard::time {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;

constexpr Duration kHundredYears = days{36525};

TEST(SettingText, IsReadBackAsTheSameDuration) {
  using namespace std::chrono_literals;
  for (const auto& [duration, text] :
       std::initializer_list<std::pair<Duration, const char*>>{{24h, "24h"},
                                                               {90s, "90s"},
                                                               {120s, "2m"},
                                                               {1ms, "1ms"},
                                                               {1500ms, "1500ms"},
                                                               {0s, "0s"},
                                                               {-3s, "-3s"},
                                                               {1ns, "1ns"}}) {
    EXPECT_EQ(setting_text(duration), text);
    EXPECT_EQ(parse_duration(text), duration);
  }
}

TEST(ParseDuration, ReadsEveryUnitAndABareNumberAsSeconds) {
  const std::array<std::pair<const char*, Duration>, 20> kCases{{
      {"0", 0s},      {"30", 30s},      {"500ms", 500ms},      {"30s", 30s},
      {"10m", 10min}, {"2h", 2h},       {"7d", days{7}},       {"12us", 12us},
      {"1ns", 1ns},   {"1.5s", 1500ms}, {"1.5", 1500ms},       {"0.25h", 15min},
      {"0.5d", 12h},  {"-3s", -3s},     {"+5s", 5s},           {"-0.001", -1ms},
      {"-0", 0s},     {"007s", 7s},     {"0.000000001s", 1ns}, {"1.123456789s", 1'123'456'789ns},
  }};
  for (const auto& [text, expected] : kCases) EXPECT_EQ(parse_duration(text), expected) << text;
}

TEST(ParseDuration, DropsWhatIsFinerThanANanosecond) {
  EXPECT_EQ(parse_duration("0.0000000019s"), 1ns);
  EXPECT_EQ(parse_duration("1.9ns"), 1ns);
  EXPECT_EQ(parse_duration("-1.9ns"), -1ns);
}

TEST(ParseDuration, RefusesAnythingElse) {
  for (const auto* text :
       {"",       " ",    "s",    "ms",   "-",     "+",   "--1s", "+-1s", "- 1s", "1 s", " 1s",
        "1s ",    "1S",   "1sec", "1M",   "1w",    "1y",  "1.s",  ".5s",  "1.",   ".",   "1..5s",
        "1.5.5s", "1,5s", "1e3",  "0x10", "1h30m", "1s1", "inf",  "nan",  "1\n",  "\t1", "١s"}) {
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
  }
  EXPECT_EQ(parse_duration(std::string_view("1\0s", 3)), std::nullopt);
}

TEST(ParseDuration, EndsAtAHundredYears) {
  EXPECT_EQ(parse_duration("36525d"), kHundredYears);
  EXPECT_EQ(parse_duration("-36525d"), -kHundredYears);
  EXPECT_EQ(parse_duration("3155760000"), kHundredYears);
  EXPECT_EQ(parse_duration("3155760000000000000ns"), kHundredYears);
  for (const auto* text :
       {"36526d", "36525.1d", "3155760001", "3155760000.000000001", "3155760000000000001ns",
        "9223372036854775807ns", "9223372036854775808ns", "18446744073709551617s",
        "99999999999999999999999999999999999999d"}) {
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
  }
}

TEST(ParseDuration, ReadsAPrefixOnlyWhereItIsADurationItself) {
  const std::string_view text = "-12.5ms";
  const std::array<std::optional<Duration>, 8> kExpected{
      std::nullopt, std::nullopt, -1s, -12s, std::nullopt, -12500ms, -750s, -12500us};
  for (std::size_t n = 0; n < kExpected.size(); ++n) {
    EXPECT_EQ(parse_duration(text.substr(0, n)), kExpected.at(n)) << text.substr(0, n);
  }
}

TEST(HumanDuration, SaysWhatAPersonWouldSay) {
  const std::array<std::pair<Duration, const char*>, 23> kCases{{
      {0s, "0 s"},
      {1ns, "1 ns"},
      {999ns, "999 ns"},
      {1us, "1.0 us"},
      {12'100us, "12.1 ms"},
      {500ms, "500.0 ms"},
      {4s, "4.0 s"},
      {-312'400ms, "-312.4 s"},
      {120s, "120.0 s"},
      {600s, "600.0 s"},
      {999'900ms, "999.9 s"},
      {1000s, "16 min 40 s"},
      {30min, "30 min"},
      {2h, "2 h"},
      {2h + 5min, "2 h 5 min"},
      {-(2h + 5min), "-2 h 5 min"},
      {24h, "1 d"},
      {days{3} + 4h, "3 d 4 h"},
      {days{450}, "450 d"},
      {days{999} + 23h, "999 d 23 h"},
      {days{20454}, "56.0 years"},
      {kHundredYears, "100.0 years"},
      {Duration::min(), "-292.3 years"},
  }};
  for (const auto& [duration, expected] : kCases) EXPECT_EQ(human(duration), expected);
}

TEST(HumanDuration, RoundsIntoTheNextUnitRatherThanToFiveDigits) {
  EXPECT_EQ(human(999'940ns), "999.9 us");
  EXPECT_EQ(human(999'950ns), "1.0 ms");
  EXPECT_EQ(human(999'949'999us), "999.9 s");
  EXPECT_EQ(human(999'950ms), "16 min 40 s");
  EXPECT_EQ(human(59min + 59s + 499ms), "59 min 59 s");
  EXPECT_EQ(human(59min + 59s + 500ms), "1 h");
  EXPECT_EQ(human(23h + 59min + 30s), "1 d");
  EXPECT_EQ(human(3'949us), "3.9 ms");
  EXPECT_EQ(human(3'950us), "4.0 ms");
}

}  // namespace
}  // namespace skewguard::time
