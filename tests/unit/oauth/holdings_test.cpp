#include "oauth/holdings.hpp"

#include <gtest/gtest.h>

#include <string>

#include "clocks/clock_book.hpp"

namespace skewguard::oauth {
namespace {

using namespace std::chrono_literals;

/// Holds tokens with a lifetime of 300 s, with the default options: used until 294 s at most.
class HoldingsTest : public testing::Test {
 protected:
  Now now() const {
    const Duration d = boot.time_since_epoch();
    return {.boot = boot, .wall = WallTime{d}, .mono = MonotonicTime{d}, .raw = RawTime{d}};
  }
  Lives lives() {
    view = clocks::ClockView{book, now()};
    return {margins, learned, *view};
  }
  /// Requested and received now, by an issuer whose clock shows our boot time.
  Token token(const std::string& value) const {
    Token out;
    out.value = Secret{value};
    out.sent = out.received = boot;
    out.life = 300s;
    out.expires_in = 300s;
    out.issuer_date = out.begins = ServerTime{login, boot.time_since_epoch()};
    return out;
  }
  void get(const std::string& value) { held.place(held.made(token(value), lives()), lives()); }
  event::Want want(std::uint64_t after = 0, Duration min_life = 0s) const {
    return {.waiter = 1, .deadline = boot + 30s, .after = after, .min_life = min_life};
  }
  /// By a caller whose token was refused by the API's clock.
  event::Want want_in_place_of(std::uint64_t after, std::optional<Instant> begins) const {
    event::Want out = want(after);
    out.refused = Refused{.sent = boot, .ill_timed = true, .begins = begins};
    return out;
  }

  clocks::ClockBook book;
  ServerId login = book.id("https://login.example.com");
  Instant boot{10'000s};
  Margins margins;
  Learned learned;
  std::optional<clocks::ClockView> view;
  Holdings held{1};
};

TEST_F(HoldingsTest, HoldsNothingAtFirst) {
  EXPECT_EQ(held.newest(), nullptr);
  EXPECT_EQ(held.newest_generation(), 0U);
  EXPECT_FALSE(held.given());
  EXPECT_EQ(held.usable(lives()), nullptr);
  EXPECT_EQ(held.serving(want(), lives()), nullptr);
  EXPECT_FALSE(held.next_change(lives()));
  EXPECT_FALSE(held.refresh_due(lives()));
}

TEST_F(HoldingsTest, ATokenServesWhileItLivesLongEnough) {
  get("t1");
  EXPECT_EQ(held.newest_generation(), 1U);
  EXPECT_TRUE(held.holds(Secret{"t1"}));
  ASSERT_NE(held.serving(want(), lives()), nullptr);
  EXPECT_EQ(held.serving(want(1), lives()), nullptr) << "a later one is asked for";
  EXPECT_NE(held.serving(want(0, 300s), lives()), nullptr);
  EXPECT_EQ(held.serving(want(0, 301s), lives()), nullptr);
  const auto change = held.next_change(lives());
  ASSERT_TRUE(change);
  boot = *change - 1ns;
  EXPECT_NE(held.usable(lives()), nullptr);
  boot = *change;
  EXPECT_EQ(held.usable(lives()), nullptr);
  EXPECT_TRUE(held.holds(Secret{"t1"})) << "to be known when it comes again";
}

TEST_F(HoldingsTest, OnlyATokenThatIsWantedIsDueForASuccessor) {
  get("t1");
  EXPECT_FALSE(held.refresh_due(lives()));
  held.mark_used();
  const auto due = held.refresh_due(lives());
  ASSERT_TRUE(due);
  EXPECT_GT(*due, boot + 150s);
  EXPECT_LT(*due, boot + 294s);
}

TEST_F(HoldingsTest, WhileTheApiLagsTheOldTokenServesUntilTheNewOneHasBegun) {
  get("t1");
  learned.lag = 5s;
  boot += 100s;
  get("t2");
  EXPECT_EQ(held.usable(lives())->value, Secret{"t1"});
  EXPECT_EQ(held.newest_generation(), 2U);
  EXPECT_EQ(held.next_change(lives()), boot + 5s);
  boot += 5s - 1ns;
  held.promote(lives());
  EXPECT_EQ(held.usable(lives())->value, Secret{"t1"});
  boot += 1ns;
  held.promote(lives());
  EXPECT_EQ(held.usable(lives())->value, Secret{"t2"});
}

TEST_F(HoldingsTest, FirstUseFollowsWhatIsLearnedUntilTheApiHasAcceptedTheToken) {
  get("t1");
  learned.lag = 5s;
  held.schedule_first_use(learned);
  EXPECT_EQ(held.usable(lives()), nullptr);
  held.mark_accepted(1, boot);
  EXPECT_NE(held.usable(lives()), nullptr);
  learned.lag = 9s;
  held.schedule_first_use(learned);
  EXPECT_NE(held.usable(lives()), nullptr) << "the API has proved that it has begun";
}

TEST_F(HoldingsTest, AnAcceptedTokenServesInPlaceOfASuccessorThatIsNotValidYet) {
  get("t1");
  held.mark_accepted(1, boot);
  boot += 100s;
  get("t2");
  EXPECT_EQ(held.older_until(2, lives()), boot + 200s);
  Holding* older = held.older_for(want_in_place_of(2, boot + 3s), lives());
  ASSERT_NE(older, nullptr);
  EXPECT_EQ(older->token->value, Secret{"t1"});
  EXPECT_EQ(held.next()->first_use, boot + 3s) << "the new one is kept for later";
  EXPECT_FALSE(held.fell_back());
}

TEST_F(HoldingsTest, ASuccessorThatHasEndedForTheApiIsDiscarded) {
  get("t1");
  held.mark_accepted(1, boot);
  boot += 100s;
  get("t2");
  ASSERT_NE(held.older_for(want_in_place_of(2, std::nullopt), lives()), nullptr);
  EXPECT_EQ(held.next(), nullptr);
  EXPECT_TRUE(held.fell_back());
  EXPECT_TRUE(held.lacks_successor());
  get("t3");
  EXPECT_FALSE(held.lacks_successor());
  EXPECT_TRUE(held.fell_back());
  held.mark_accepted(3, boot);
  EXPECT_FALSE(held.fell_back());
}

TEST_F(HoldingsTest, TheTokenBeforeIsForgottenOnceItsSuccessorIsAccepted) {
  get("t1");
  held.mark_accepted(1, boot);
  get("t2");
  EXPECT_NE(held.before(lives()), nullptr);
  held.mark_accepted(2, boot);
  EXPECT_EQ(held.before(lives()), nullptr);
  EXPECT_EQ(held.older_until(2, lives()), Instant::min());
  EXPECT_EQ(held.older_for(want_in_place_of(2, boot + 3s), lives()), nullptr);
}

TEST_F(HoldingsTest, AnotherProgramsTokenIsTakenIfItLivesLonger) {
  get("t1");
  Token older = token("t0");
  older.sent -= 10s;
  EXPECT_FALSE(held.adopt(held.made_elsewhere(older, 2s, lives()), lives()));
  Token longer = token("t2");
  longer.life = 600s;
  EXPECT_TRUE(held.adopt(held.made_elsewhere(longer, 2s, lives()), lives()));
  EXPECT_EQ(held.newest()->token->value, Secret{"t2"});
  EXPECT_EQ(held.newest_generation(), 2U);
}

TEST_F(HoldingsTest, AnotherProgramsTokenServesUnlessItIsHeldAlreadyOrOlder) {
  get("t1");
  EXPECT_FALSE(held.would_serve(token("t1"), 0s, lives()));
  Token other = token("t2");
  EXPECT_TRUE(held.would_serve(other, 300s, lives()));
  EXPECT_FALSE(held.would_serve(other, 301s, lives()));
  other.issuer_date = *other.issuer_date - 1s;
  EXPECT_FALSE(held.would_serve(other, 0s, lives()));
}

TEST_F(HoldingsTest, AStandstillAgesTheTokensFromBeforeIt) {
  get("t1");
  const Instant end = *held.next_change(lives());
  held.age(40s, boot);
  EXPECT_EQ(held.next_change(lives()), end) << "it was issued after the standstill";
  held.age(40s, boot + 1ns);
  EXPECT_EQ(held.next_change(lives()), end - 40s);
}

TEST_F(HoldingsTest, AGivenTokenHasNoKnownEnd) {
  Token given = token("g");
  given.given = true;
  given.expires_in.reset();
  EXPECT_TRUE(held.adopt(held.made_elsewhere(given, 2s, lives()), lives()));
  EXPECT_TRUE(held.given());
  boot += 24h * 365;
  EXPECT_NE(held.usable(lives()), nullptr);
}

}  // namespace
}  // namespace skewguard::oauth
