#include "proxy/access_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

namespace skewguard::proxy {
namespace {

using ::testing::HasSubstr;
using Format = AccessLog::Format;

AccessRecord forwarded() {
  return {.time = WallTime{std::chrono::milliseconds{1764514800250}},
          .method = "GET",
          .path = "/api/v2/users",
          .status = 200,
          .verdict = Verdict::token_expired,
          .attempts = 2,
          .held = std::chrono::microseconds{1500},
          .upstream = std::chrono::milliseconds{30},
          .total = std::chrono::milliseconds{40}};
}

TEST(AccessLine, TellsWhatBecameOfARequest) {
  EXPECT_EQ(access_line(forwarded(), Format::text),
            "2025-11-30T15:00:00.250Z GET /api/v2/users 200 verdict=token_expired attempts=2 "
            "held=1.5ms upstream=30.0ms total=40.0ms\n");
}

TEST(AccessLine, OfOurOwnPagesHasNoVerdict) {
  auto record = forwarded();
  record.verdict.reset();
  record.held = {};
  EXPECT_EQ(access_line(record, Format::text),
            "2025-11-30T15:00:00.250Z GET /api/v2/users 200 total=40.0ms\n");
}

TEST(AccessLine, TellsHowLongARequestWaitedThatWasNotSent) {
  auto record = forwarded();
  record.status = 503;
  record.verdict.reset();
  EXPECT_EQ(access_line(record, Format::text),
            "2025-11-30T15:00:00.250Z GET /api/v2/users 503 held=1.5ms total=40.0ms\n");
  const auto json = nlohmann::json::parse(access_line(record, Format::json));
  EXPECT_EQ(json["held_ms"], 1.5);
  EXPECT_FALSE(json.contains("upstream_ms"));
}

TEST(AccessLine, OfWhatCouldNotBeReadOrAnsweredHasDashes) {
  const AccessRecord record{.time = WallTime{std::chrono::seconds{0}}};
  EXPECT_EQ(access_line(record, Format::text), "1970-01-01T00:00:00.000Z - - - total=0.0ms\n");
}

TEST(AccessLine, TellsWhyAnAnswerIsNotComplete) {
  auto record = forwarded();
  record.cut = relay::Cut::stopping;
  EXPECT_THAT(access_line(record, Format::text), HasSubstr("/users 200 cut=stopping verdict="));
  EXPECT_EQ(nlohmann::json::parse(access_line(record, Format::json))["cut"], "stopping");
  EXPECT_FALSE(nlohmann::json::parse(access_line(forwarded(), Format::json)).contains("cut"));
}

TEST(AccessLine, AsJsonHasEachFigureByItsName) {
  const auto line = access_line(forwarded(), Format::json);
  EXPECT_TRUE(line.ends_with("}\n"));
  const auto json = nlohmann::json::parse(line);
  EXPECT_EQ(json["time"], "2025-11-30T15:00:00.250Z");
  EXPECT_EQ(json["method"], "GET");
  EXPECT_EQ(json["path"], "/api/v2/users");
  EXPECT_EQ(json["status"], 200);
  EXPECT_EQ(json["verdict"], "token_expired");
  EXPECT_EQ(json["attempts"], 2);
  EXPECT_EQ(json["held_ms"], 1.5);
  EXPECT_EQ(json["upstream_ms"], 30.0);
  EXPECT_EQ(json["total_ms"], 40.0);
  const auto left = nlohmann::json::parse(access_line({}, Format::json));
  EXPECT_TRUE(left["status"].is_null());
}

TEST(AccessLog, WritesAllLinesBeforeItEnds) {
  std::string said;
  {
    AccessLog log([&said](std::string_view lines) { said += lines; }, Format::text);
    log.write(forwarded());
    log.write(forwarded());
  }
  const auto line = access_line(forwarded(), Format::text);
  EXPECT_EQ(said, line + line);
  AccessLog nowhere;
  nowhere.write(forwarded());
}

TEST(AccessLog, AReaderThatHangsHoldsNobodyUpAndIsToldWhatWasLeftOut) {
  std::promise<void> begun;
  std::promise<void> go_on;
  std::string said;
  {
    bool first = true;
    AccessLog log(
        [&, wait = go_on.get_future().share()](std::string_view lines) {
          if (std::exchange(first, false)) {
            begun.set_value();
            wait.get();
          }
          said += lines;
        },
        Format::text);
    log.write(forwarded());
    begun.get_future().get();
    auto large = forwarded();
    const std::string path(512 * 1024, 'x');
    large.path = path;
    for (int i = 0; i < 5; ++i) log.write(large);
    go_on.set_value();
  }
  EXPECT_NE(said.find("# 4 lines were left out"), std::string::npos);
}

}  // namespace
}  // namespace skewguard::proxy
