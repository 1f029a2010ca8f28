#include "clocks/turns.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <set>
#include <vector>

namespace skewguard::clocks {
namespace {

using std::chrono::seconds;

/// What each answer shows is its date, so a set of answers spans from the earliest to the latest.
std::optional<OffsetBound> span_of_dates(std::span<const Answered> answers) {
  OffsetBound bound{answers.front().date, answers.front().date};
  for (const Answered& answer : answers) {
    bound.low = std::min<Duration>(bound.low, answer.date);
    bound.high = std::max<Duration>(bound.high, answer.date);
  }
  return bound;
}

Answered answer(seconds date, std::size_t of_all, std::uint64_t connection,
                std::size_t on_connection, std::size_t losses = 0) {
  Answered heard;
  heard.date = date;
  heard.connection = connection;
  heard.turn = {.of_all = of_all, .on_connection = on_connection, .losses = losses};
  return heard;
}

TEST(Turns, OneClockIsBoundedByTheNarrowestIntervalOfEachWayOfTakingTurns) {
  const std::vector<Answered> all{answer(seconds{5}, 0, 1, 1), answer(seconds{5}, 1, 1, 2)};
  const auto bound = bound_of_some_clock(all, span_of_dates);
  ASSERT_TRUE(bound);
  EXPECT_EQ(bound->low, seconds{5});
  EXPECT_EQ(bound->high, seconds{5});
}

/// Every second answer over all connections is 0, the others 10: on each connection there are both.
TEST(Turns, HoldsAClockWhereTurnsAreCountedOverAllRequests) {
  const std::vector<Answered> all{answer(seconds{0}, 0, 1, 1), answer(seconds{10}, 1, 2, 1),
                                  answer(seconds{0}, 2, 2, 2), answer(seconds{10}, 3, 1, 2)};
  std::set<std::size_t> sizes;
  const auto bound = bound_of_some_clock(all, [&](std::span<const Answered> answers) {
    sizes.insert(answers.size());
    return span_of_dates(answers);
  });
  ASSERT_TRUE(bound);
  EXPECT_EQ(bound->low, seconds{0});
  EXPECT_EQ(bound->high, seconds{10});
  EXPECT_TRUE(sizes.contains(2)) << "both answers of one clock at once";
}

/// A request that failed may have taken a turn or not.
TEST(Turns, JoinsNoAnswersAcrossALoss) {
  std::size_t most = 0;
  const auto told_by = [&](std::size_t losses) {
    most = 0;
    const std::vector<Answered> all{answer(seconds{1}, 0, 1, 1),
                                    answer(seconds{1}, 3, 2, 1, losses)};
    EXPECT_TRUE(bound_of_some_clock(all, [&](std::span<const Answered> answers) {
      most = std::max(most, answers.size());
      return span_of_dates(answers);
    }));
    return most;
  };
  EXPECT_EQ(told_by(0), 2U);  // with three in turn they are one clock's
  EXPECT_EQ(told_by(1), 1U);
}

TEST(Turns, ShowsNothingIfOneWayOfTakingTurnsShowsNothing) {
  const std::vector<Answered> all{answer(seconds{1}, 0, 1, 1), answer(seconds{1}, 1, 1, 2)};
  EXPECT_FALSE(bound_of_some_clock(all, [](std::span<const Answered> answers) {
    return answers.size() == 2 ? span_of_dates(answers) : std::nullopt;
  }));
}

TEST(Turns, HandsOverTheAnswersInTheOrderOfTheirRequests) {
  const std::vector<Answered> all{answer(seconds{2}, 2, 1, 2), answer(seconds{1}, 1, 1, 1)};
  EXPECT_TRUE(bound_of_some_clock(all, [](std::span<const Answered> answers) {
    EXPECT_LE(answers.front().date, answers.back().date);
    return span_of_dates(answers);
  }));
}

}  // namespace
}  // namespace skewguard::clocks
