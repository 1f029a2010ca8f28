#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <ranges>
#include <regex>
#include <sstream>

#include "../readings.hpp"
#include "fake_process_io.hpp"

namespace skewguard::cli {
namespace {

using doctor::clock_at;
using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

struct SkewCommand : FakeProcessIo, testing::Test {
  doctor::Survey& round(Duration first, Duration second, Duration third) {
    auto& survey = surveys.emplace_back();
    survey.servers = {clock_at("https://a.example.com/", first),
                      clock_at("https://b.example.com/", second),
                      clock_at("https://c.example.com/", third)};
    return survey;
  }
  [[nodiscard]] std::vector<std::string> lines() const {
    std::vector<std::string> all;
    for (const auto line : std::views::split(out, '\n')) all.emplace_back(line.begin(), line.end());
    return all;
  }
};

TEST_F(SkewCommand, BreaksNoWordAndNoWidthOfTheTerminal) {
  for (const std::size_t width : {std::size_t{40}, std::size_t{80}, std::size_t{140}}) {
    columns = width;
    round(milliseconds{1}, seconds{-3}, milliseconds{2});
    EXPECT_EQ(run({"skew", "https://a.example.com"}), 0) << err;
    for (const std::string& line : lines()) EXPECT_LE(columns_of(line), width) << line;
    EXPECT_THAT(out, HasSubstr("behind, a falseticker"));
    EXPECT_EQ(out.find("server  ") == 0, width == 140) << "a table where there is room for it";
  }
}

TEST_F(SkewCommand, NamesTheFalsetickerAndWhatTheOthersSay) {
  round(milliseconds{1}, seconds{-3}, milliseconds{2});
  EXPECT_EQ(run({"skew", "https://a.example.com"}), 0) << err;
  EXPECT_THAT(lines().at(1), Not(HasSubstr("falseticker")));
  EXPECT_THAT(lines().at(2), HasSubstr("behind, a falseticker"));
  EXPECT_THAT(out, HasSubstr("together: 2 of 3 clocks agree on -4.0 to +12.0 ms"));
}

TEST_F(SkewCommand, SaysThatThisMachinesClockIsWrong) {
  round(seconds{400}, seconds{400}, seconds{400});
  EXPECT_EQ(run({"skew", "https://a.example.com"}), 4);
  EXPECT_THAT(out, HasSubstr("3 of 3 clocks agree on"));
  EXPECT_THAT(out, HasSubstr("; this machine's clock is behind\n"));
}

TEST_F(SkewCommand, NtpServersCountAsServersDo) {
  round(Duration{0}, Duration{0}, Duration{0}).ntp = {doctor::ntp_at("ntp.example", seconds{600})};
  surveys.back().servers.resize(1);
  EXPECT_EQ(run({"skew", "https://a.example.com"}), 4) << "nobody tells who is wrong";
  EXPECT_THAT(out, HasSubstr("stratum 2, harmful"));
  surveys.emplace_back().ntp = {doctor::ntp_at("ntp.example", Duration{0})};
  EXPECT_EQ(run({"skew", "https://a.example.com"}), 6) << "no server answered";
}

TEST_F(SkewCommand, NamesTheHarmOfHostsThatDifferFromEachOther) {
  round(seconds{3}, -seconds{3}, Duration{0}).servers.pop_back();
  const auto again = surveys.back();
  EXPECT_EQ(run({"skew"}), 4);
  EXPECT_THAT(out, HasSubstr("\nlogin and API host: their clocks differ by more than --max-skew"));
  surveys.push_back(again);
  EXPECT_EQ(run({"skew", "https://a.example.com", "https://b.example.com"}), 0);
}

TEST_F(SkewCommand, AStepDoesNotHideThatAClockIsOff) {
  auto& reading = round(seconds{30}, Duration{0}, Duration{0}).servers[0];
  reading.steps = 1;
  reading.last_step = seconds{29};
  EXPECT_EQ(run({"skew", "https://a.example.com"}), 4);
  EXPECT_THAT(lines().at(1), HasSubstr("ahead, harmful; it stepped by 29.0 s while"));
}

TEST_F(SkewCommand, ReportsTheMinimumOffsetOfAClockWhoseDatesMayBeLate) {
  auto& servers = round(seconds{600}, -seconds{20}, Duration{0}).servers;
  for (auto& reading : servers) reading.picture = clocks::Picture::late_or_second_clock;
  EXPECT_EQ(run({"skew", "https://a.example.com"}), 4);
  EXPECT_THAT(lines().at(1),
              HasSubstr("late Dates, or a second clock; ahead by at least 600.0 s, harmful"));
  EXPECT_THAT(lines().at(2), HasSubstr("second clock; behind by at least 20.0 s, harmful"));
  EXPECT_THAT(lines().at(3), EndsWith("late Dates, or a second clock"));
}

TEST_F(SkewCommand, WhatIsNotAClockIsHarmless) {
  auto& reading = round(Duration{0}, Duration{0}, Duration{0}).servers[1];
  reading = clock_at("https://b.example.com/", -seconds{1'700'000'000});
  reading.picture = clocks::Picture::incoherent;
  EXPECT_EQ(run({"skew", "https://a.example.com"}), 0);
  EXPECT_THAT(lines().at(2), HasSubstr("its Date is not a clock"));
}

TEST_F(SkewCommand, ItsJsonNamesTheFalsetickerToo) {
  round(milliseconds{1}, seconds{-3}, milliseconds{2});
  EXPECT_EQ(run({"skew", "--json", "https://a.example.com"}), 0) << err;
  const json told = json::parse(out);
  EXPECT_EQ(told["servers"][0]["falseticker"], false);
  EXPECT_EQ(told["servers"][1]["falseticker"], true);
  EXPECT_EQ(told["together"]["clocks"], 3);
  EXPECT_EQ(told["together"]["falsetickers"], 1);
  EXPECT_EQ(told["together"]["offset_low_s"], -0.004);
  EXPECT_EQ(told["together"]["offset_high_s"], 0.012);
}

constexpr const char* kStamp = "2026-01-01T00:00:00Z  ";

TEST_F(SkewCommand, AWatchDrawsTheRoundsBetweenTheEndsOfTheirBounds) {
  for (const int ms : {0, 100, 50}) round(milliseconds{ms}, milliseconds{ms}, milliseconds{1});
  EXPECT_EQ(run({"skew", "--watch", "https://a.example.com"}), 1) << "the script is over";
  ASSERT_EQ(lines().size(), 11U) << out;
  EXPECT_THAT(lines().at(0), StartsWith("time                  server "));
  EXPECT_THAT(lines().at(1), StartsWith(std::string(kStamp) + "https://a.example.com/ "));
  EXPECT_THAT(lines().at(1), EndsWith("  agrees  \u2583"));
  EXPECT_THAT(lines().at(7), EndsWith("  ahead  \u2581\u2587\u2584"));
  EXPECT_THAT(lines().at(9), EndsWith("  agrees  \u2583\u2583\u2583"));
}

TEST_F(SkewCommand, AWatchReportsARoundWithoutAnAnswer) {
  round(Duration{0}, Duration{0}, Duration{0});
  auto& silent = round(Duration{0}, Duration{0}, Duration{0}).servers[0];
  silent.failure = TransportFailure{TransportFailure::Kind::refused, "it refuses", false};
  EXPECT_EQ(run({"skew", "--watch", "https://a.example.com"}), 1);
  EXPECT_THAT(lines().at(4), HasSubstr("https://a.example.com/  no answer: it refuses"));
}

TEST_F(SkewCommand, AWatchFitsTheTerminal) {
  terminal = true;
  for (const std::size_t width :
       {std::size_t{40}, std::size_t{60}, std::size_t{80}, std::size_t{120}}) {
    columns = width;
    for (int i = 0; i < 30; ++i) round(milliseconds{i}, seconds{-3}, milliseconds{2});
    surveys.back().servers[2].failure =
        TransportFailure{TransportFailure::Kind::refused, "its port refuses connections", false};
    run({"skew", "--watch", "https://a.example.com"});
    EXPECT_EQ(out.find("verdict, and the last rounds") != std::string::npos, width == 120);
    EXPECT_THAT(out, HasSubstr("falseticker"));
    EXPECT_THAT(out, HasSubstr("\u2583"));
    // Without the terminal's codes (ECMA-48 section 5.4).
    const std::string shown = std::regex_replace(out, std::regex("\x1b\\[[?0-9]*[A-Za-z]"), "");
    std::istringstream all(shown);
    for (std::string line; std::getline(all, line);) EXPECT_LE(columns_of(line), width) << line;
  }
}

TEST_F(SkewCommand, AWatchSaysWhatItDoesBeforeTheFirstRoundIsOver) {
  interrupts = true;
  run({"skew", "--watch", "https://a.example.com"});
  EXPECT_THAT(out, StartsWith("time                  server "));
  EXPECT_EQ(interrupted_code, 6);
  EXPECT_THAT(err, HasSubstr("interrupted before the end of the first round"));
  terminal = true;
  run({"skew", "--watch", "https://a.example.com"});
  EXPECT_THAT(out, HasSubstr("measuring, until Ctrl-C"));
}

TEST_F(SkewCommand, ShowsNoSingleOffsetIfThereIsNoSingleClock) {
  auto& servers = round(Duration{0}, Duration{0}, Duration{0}).servers;
  servers[0].picture = clocks::Picture::incoherent;
  servers[0].groups = {{.offset = {-seconds{9}, seconds{9}}, .share = 1, .samples = 16}};
  servers[1].picture = clocks::Picture::several_clocks;
  servers[1].groups = {{.offset = {-seconds{3}, -seconds{3}}, .share = 0.5, .samples = 8},
                       {.offset = {seconds{3}, seconds{3}}, .share = 0.5, .samples = 8}};
  run({"skew", "https://a.example.com"});
  EXPECT_THAT(lines().at(1), testing::ContainsRegex("a.example.com/ +- +- +10.0 ms"));
  EXPECT_THAT(lines().at(2), testing::ContainsRegex("b.example.com/ +- +-6.0 to "));
  EXPECT_THAT(out, HasSubstr("\n  one of its clocks"));
  EXPECT_THAT(out, Not(HasSubstr("100%")));
}

TEST_F(SkewCommand, AWatchTellsOnceThatTheWallClockWasStepped) {
  Now now{.wall = WallTime{seconds{1'767'225'600}}};
  clocks::LocalWatch watch;
  for (const Duration step : {seconds{0}, seconds{3600}, seconds{0}}) {
    now.boot += seconds{2};
    now.mono += seconds{2};
    now.raw += seconds{2};
    now.wall += seconds{2} + step;
    watch.see(now);
    round(Duration{0}, Duration{0}, Duration{0}).host.watch = watch;
  }
  EXPECT_EQ(run({"skew", "--watch", "https://a.example.com"}), 1);
  ASSERT_EQ(lines().size(), 12U) << out;
  EXPECT_THAT(lines().at(7), HasSubstr("wall clock was stepped"));
}

TEST_F(SkewCommand, AnInterruptedWatchSumsUpAndExitsWithWhatItFound) {
  interrupts = true;
  round(milliseconds{1}, milliseconds{2}, milliseconds{1});
  round(milliseconds{3}, seconds{400}, milliseconds{1});
  auto& again = round(milliseconds{2}, milliseconds{1}, milliseconds{1}).servers[2];
  again.failure = TransportFailure{TransportFailure::Kind::refused, "it refuses", false};
  run({"skew", "--watch", "https://a.example.com"});
  EXPECT_EQ(interrupted_code, 4) << "one clock did harm in one round";
  EXPECT_THAT(out, HasSubstr("\n3 rounds in "));
  EXPECT_THAT(out, HasSubstr("\nhttps://a.example.com/: +1.0 ms to +3.0 ms; in the end: agrees\n"));
  EXPECT_THAT(out,
              HasSubstr("\nhttps://c.example.com/: +1.0 ms; no answer in 1 of 3 rounds; in the "
                        "end: no answer: it refuses\n"));
}

TEST_F(SkewCommand, AWatchEndsWhereItsReaderIsGone) {
  for (int i = 0; i < 5; ++i) round(Duration{0}, Duration{0}, Duration{0});
  out_fails = true;
  EXPECT_EQ(run({"skew", "--watch", "https://a.example.com"}), 1);
  EXPECT_EQ(surveys.size(), 5U) << "its header could not be written";
  EXPECT_EQ(run({"skew", "--watch", "--json", "https://a.example.com"}), 1);
  EXPECT_EQ(surveys.size(), 4U);
}

}  // namespace
}  // namespace skewguard::cli
