#include "guard/call_trials.hpp"

#include <gtest/gtest.h>

#include <memory>

#include "clocks/clock_book.hpp"

namespace skewguard::guard {
namespace {

using namespace std::chrono_literals;

class CallTrialsTest : public ::testing::Test {
 protected:
  [[nodiscard]] Now now() const {
    const Duration d = boot.time_since_epoch();
    return {.boot = boot, .wall = WallTime{d}, .mono = MonotonicTime{d}, .raw = RawTime{d}};
  }
  static TokenInUse token(std::uint64_t generation) {
    oauth::Token token;
    token.generation = generation;
    token.life = 300s;
    return {.token = std::make_shared<oauth::Token>(std::move(token))};
  }
  /// An answer of now to a request with that token, the next attempt of the call.
  void note(std::uint64_t generation, bool refused) {
    Exchange exchange;
    exchange.sent = exchange.received = now();
    const oauth::Refusal refusal{.kind = oauth::Refusal::Kind::token_refused,
                                 .error_code = "bad.credentials"};
    trials.note(clocks::Answer(exchange), token(generation), refused ? &refusal : nullptr,
                attempts++, {book, now()});
  }
  [[nodiscard]] diagnosis::Evidence evidence(const TokenInUse& with = {}) const {
    return trials.evidence(with, options, {book, now()});
  }

  clocks::ClockBook book;
  Hosts hosts{.api = book.id("https://api.example.com"),
              .login = book.id("https://login.example.com")};
  Instant boot{1000s};
  CallOptions options;
  std::size_t attempts = 0;
  CallTrials trials{hosts};
};

TEST_F(CallTrialsTest, KnowWhetherTheLastTokenWasRefused) {
  EXPECT_FALSE(trials.refused());
  EXPECT_EQ(trials.newest_refused(), 0U);
  note(3, true);
  EXPECT_TRUE(trials.refused());
  EXPECT_FALSE(trials.refused_other_than(3));
  EXPECT_TRUE(trials.refused_other_than(4));
  EXPECT_EQ(trials.last().said.words, "bad.credentials");
  note(2, true);
  EXPECT_EQ(trials.newest_refused(), 3U);
  note(5, false);
  EXPECT_FALSE(trials.refused());
  EXPECT_FALSE(trials.refused_other_than(4));
  EXPECT_EQ(trials.newest_refused(), 3U) << "this one was accepted";
  EXPECT_EQ(trials.last_attempt(), 2U);
  EXPECT_EQ(trials.attempt_of(0), 0U);
}

TEST_F(CallTrialsTest, CountTheWaitThatFollowedTheLastRefusalAlone) {
  note(1, true);
  trials.add_wait(0, 2s);
  trials.add_wait(0, 1s);
  EXPECT_EQ(trials.last().waited, 3s);
  note(1, true);
  trials.add_wait(0, 5s);
  EXPECT_EQ(trials.last().waited, 0s);
  EXPECT_EQ(trials.all().front().waited, 3s);
  note(1, false);
  trials.add_wait(2, 5s);
  EXPECT_EQ(trials.last().waited, 0s) << "it was accepted";
}

TEST_F(CallTrialsTest, TellWhatFollowsTheLastOne) {
  note(1, true);
  trials.follow_with(Action::wait_and_retry);
  trials.hinder(diagnosis::Hindrance::deadline);
  EXPECT_EQ(trials.last().followed, Action::wait_and_retry);
  EXPECT_EQ(trials.last().hindrance, diagnosis::Hindrance::deadline);
}

TEST_F(CallTrialsTest, GatherTheEvidence) {
  options.deadline = boot + 30s;
  trials.begin(boot);
  boot += 1s;
  note(1, true);
  trials.note_look(nullptr, boot);
  TokenInUse with = token(1);
  with.begins_ignored = true;
  with.older_until = boot + 100s;
  const auto known = evidence(with);
  EXPECT_EQ(known.trials.size(), 1U);
  ASSERT_EQ(known.looks.size(), 1U);
  EXPECT_EQ(known.looks.front().sent, boot);
  EXPECT_FALSE(known.looks.front().date);
  EXPECT_EQ(known.started, boot - 1s);
  EXPECT_EQ(known.now, boot);
  EXPECT_EQ(known.limits.deadline, boot + 29s);
  EXPECT_TRUE(known.begins_ignored);
  EXPECT_EQ(known.older_until, boot + 100s);
  EXPECT_FALSE(known.token_failure);
}

TEST_F(CallTrialsTest, TellWhyThereIsNoNewTokenAndWhenTheNextMayBeRequested) {
  trials.note_no_token(Verdict::network, std::nullopt);
  EXPECT_EQ(evidence().token_failure, Verdict::network);
  EXPECT_FALSE(evidence().next_request_in);
  trials.note_no_token(Verdict::unknown, boot + 5s);
  boot += 2s;
  EXPECT_EQ(evidence().token_failure, Verdict::unknown);
  EXPECT_EQ(evidence().next_request_in, 3s);
}

}  // namespace
}  // namespace skewguard::guard
