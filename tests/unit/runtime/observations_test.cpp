#include "runtime/observations.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "client_testing.hpp"

namespace skewguard::runtime {
namespace {

class ObservedAnswers : public ::testing::Test {
 protected:
  /// An answer of the API now; its clock is the machine's.
  AnswerHead head(int status) {
    Exchange out = answer(status, "", machine);
    out.origin = "https://api.test";
    return static_cast<AnswerHead&&>(out);
  }
  Observed observe(std::uint64_t generation, const AnswerHead& seen) {
    return observations.observe(generation, seen);
  }

  MemoryEnvironment environment;
  FakeMachine& machine = environment.machine();
  int woken = 0;
  Observations observations{"https://api.test/base", [this] { ++woken; }};
};

TEST_F(ObservedAnswers, TellTheAcceptanceOfATokenOnceAndWakeTheLoopOnce) {
  for (int i = 0; i < 100; ++i) EXPECT_EQ(observe(3, head(200)), Observed::noted);
  EXPECT_EQ(woken, 1);
  const auto taken = observations.take();
  ASSERT_EQ(taken.size(), 1U);
  EXPECT_EQ(taken[0].accepted, 3U);
  EXPECT_TRUE(taken[0].date);
  EXPECT_TRUE(observations.take().empty());
}

TEST_F(ObservedAnswers, TellTheAcceptanceOfTheNextTokenButNotOfAnEarlierOne) {
  observe(3, head(200));
  observe(4, head(200));
  observe(3, head(200));
  const auto taken = observations.take();
  ASSERT_EQ(taken.size(), 2U);
  EXPECT_EQ(taken[1].accepted, 4U);
}

TEST_F(ObservedAnswers, TellFourDatesASecond) {
  for (int i = 0; i < 1000; ++i) {
    observe(1, head(200));
    machine.advance(10ms);
  }
  const auto taken = observations.take();
  EXPECT_EQ(taken.size(), 40U) << "in ten seconds";
  EXPECT_EQ(woken, 1) << "all of them at once";
}

TEST_F(ObservedAnswers, TellTheDateOfEachOtherAnswer) {
  for (int i = 0; i < 5; ++i) observe(1, head(500));
  EXPECT_EQ(observations.take().size(), 5U);
  observe(1, head(500));
  EXPECT_EQ(woken, 2);
}

TEST_F(ObservedAnswers, AreBounded) {
  for (int i = 0; i < 1000; ++i) observe(1, head(500));
  observe(1, head(200));
  const auto taken = observations.take();
  ASSERT_EQ(taken.size(), Observations::kMaxPending + 1);
  EXPECT_EQ(taken.back().accepted, 1U) << "which is told once, so it is never left out";
}

TEST_F(ObservedAnswers, AreToBeJudgedIfTheyMayBeAboutTheToken) {
  for (const int status : {400, 401, 403, 429, 504})
    EXPECT_EQ(observe(1, head(status)), Observed::judge) << status;
  for (const int status : {200, 204, 302, 404, 409, 422, 500, 502, 503})
    EXPECT_EQ(observe(1, head(status)), Observed::noted) << status;
}

TEST_F(ObservedAnswers, ShowThatATokenWasAcceptedIfTheyDependOnIt) {
  std::uint64_t generation = 0;
  for (const int status : {201, 404, 409, 422}) {
    observe(++generation, head(status));
    const auto taken = observations.take();
    ASSERT_EQ(taken.size(), 1U) << status;
    EXPECT_EQ(taken[0].accepted, generation) << status;
  }
  AnswerHead challenged = head(404);
  challenged.headers.add("WWW-Authenticate", "Bearer error=\"invalid_token\"");
  observe(++generation, challenged);
  observe(generation, head(500));
  for (const auto& seen : observations.take()) EXPECT_EQ(seen.accepted, 0U);
}

TEST_F(ObservedAnswers, OfOtherHostsSayNothing) {
  AnswerHead foreign = head(200);
  foreign.origin = "https://elsewhere.test";
  EXPECT_EQ(observe(1, foreign), Observed::noted);
  foreign.status = 401;
  EXPECT_EQ(observe(1, foreign), Observed::noted) << "it has not got a token of ours";
  EXPECT_EQ(woken, 0);
  AnswerHead same = head(200);
  same.origin = "https://API.test:443/";
  observe(1, same);
  EXPECT_EQ(observations.take().size(), 1U);
}

TEST_F(ObservedAnswers, WithoutTimesSayNothingOfAClock) {
  AnswerHead untimed = head(200);
  untimed.sent = {};
  observe(1, untimed);
  const auto taken = observations.take();
  ASSERT_EQ(taken.size(), 1U);
  EXPECT_FALSE(taken[0].date);
}

TEST_F(ObservedAnswers, AreForgottenInAForkedProcess) {
  observe(7, head(200));
  observations.start_afresh();
  EXPECT_TRUE(observations.take().empty());
  observe(1, head(200));
  EXPECT_EQ(woken, 2) << "nobody has woken this loop yet";
  EXPECT_EQ(observations.take().size(), 1U) << "tokens are counted anew";
}

TEST_F(ObservedAnswers, ComeFromManyThreads) {
  std::atomic<int> wakes{0};
  Observations many("https://api.test", [&] { ++wakes; });
  const AnswerHead good = head(200);
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (std::uint64_t generation = 1; generation <= 50; ++generation)
        many.observe(generation, good);
    });
  }
  std::size_t taken = 0;
  for (auto& thread : threads) thread.join();
  std::uint64_t last = 0;
  for (const auto& seen : many.take()) {
    if (seen.accepted != 0) ++taken;
    last = std::max(last, seen.accepted);
  }
  EXPECT_LE(taken, 50U) << "each once";
  EXPECT_EQ(last, 50U);
  EXPECT_EQ(wakes, 1);
}

}  // namespace
}  // namespace skewguard::runtime
