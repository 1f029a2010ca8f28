#include "guard/learned.hpp"

#include <gtest/gtest.h>

#include <variant>
#include <vector>

namespace skewguard::guard {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kLife = seconds{300};

/// Begun at 1000 s by the issuer's clock; asked for at 10 s of ours, refused at `at` by `date`.
diagnosis::Trial refusal(Duration at, Duration date) {
  diagnosis::Trial t;
  t.token.begins = ServerTime{ServerId{0}, seconds{1000}};
  t.token.asked = Instant{seconds{10}};
  t.token.received = Instant{seconds{10} + milliseconds{20}};
  t.sent = Instant{at};
  t.received = Instant{at + milliseconds{20}};
  t.date = ServerTime{ServerId{0}, date};
  return t;
}

TEST(Learned, LagIsTheHullsHighEndWhereItIsKnown) {
  const auto t = refusal(seconds{11}, seconds{995});
  EXPECT_EQ(learned_lag(t, OffsetBound{seconds{4}, seconds{6}}, seconds{1}), seconds{6});
  EXPECT_FALSE(learned_lag(refusal(seconds{11}, seconds{1000}),
                           OffsetBound{-seconds{2}, Duration{0}}, seconds{1}));
}

TEST(Learned, AWideHullTellsNoMoreThanTheAnswerThatRefusedTheToken) {  // C22
  const auto t = refusal(seconds{11}, seconds{999});
  EXPECT_EQ(learned_lag(t, OffsetBound{-seconds{1}, std::chrono::hours{1}}, seconds{1}),
            seconds{4} + milliseconds{20});
  const auto late = refusal(seconds{21}, seconds{8200});  // 2 h ahead: more than a life
  EXPECT_FALSE(
      learned_lead(late, OffsetBound{-std::chrono::hours{3}, seconds{1}}, kLife, seconds{1}));
}

TEST(Learned, LagFromOneRefusalAloneCoversTruncationStalenessAndTheTimeBetween) {
  // issuer in [1000, 1002) at 10.00..10.02, API in [995, 997) at 11.00..11.02: up to 7 + 1.02 s.
  const auto lag = learned_lag(refusal(seconds{11}, seconds{995}), std::nullopt, seconds{1});
  EXPECT_EQ(lag, seconds{8} + milliseconds{20});
}

TEST(Learned, OffsetIsBoundedByTruncationStalenessAndTheTimeBetween) {
  // Issued by 1000.0 at 10.00 to 10.02, refused by 995.0 at 11.00 to 11.02: 5 s, less or more by 2
  // s (a truncated second on either side), and 0.98 to 1.02 s passed between.
  EXPECT_EQ(issuer_minus_api(refusal(seconds{11}, seconds{995}), seconds{1}),
            (OffsetBound{seconds{3} + milliseconds{980}, seconds{8} + milliseconds{20}}));
}

TEST(Learned, LeadIsTheMostItCanBeWhereThatCostsLittle) {  // C21
  const auto t = refusal(seconds{200}, seconds{1310});
  EXPECT_EQ(learned_lead(t, OffsetBound{-seconds{122}, -seconds{118}}, kLife, seconds{1}),
            seconds{122});
}

TEST(Learned, LeadIsWhatItSurelyIsWhereCautionWouldEatTheLife) {
  const auto t = refusal(seconds{21}, seconds{1310});  // with 289 s of its life left
  EXPECT_EQ(learned_lead(t, OffsetBound{-seconds{299}, -seconds{290}}, kLife, seconds{1}),
            seconds{296} + milliseconds{980});
  const auto far = refusal(seconds{21}, seconds{1906});
  EXPECT_FALSE(learned_lead(far, OffsetBound{-seconds{900}, -seconds{890}}, kLife, seconds{1}));
  const auto lagging = refusal(seconds{21}, seconds{1004});
  EXPECT_FALSE(learned_lead(lagging, OffsetBound{seconds{5}, seconds{9}}, kLife, seconds{1}));
}

TEST(Learned, LeadIsNeverLessThanWhatWasLeftOfTheRefusedTokensLife) {
  const auto t = refusal(seconds{15}, seconds{1302});
  EXPECT_EQ(learned_lead(t, OffsetBound{-seconds{299}, -seconds{290}}, kLife, seconds{1}),
            seconds{295});
}

TEST(Learned, ALeadOfANanosecondIsOne) {
  const Duration all_of_its_life = seconds{10} + kLife;  // since it was asked for at 10 s
  const auto t = refusal(all_of_its_life, seconds{1300});
  const auto lead = [&](Duration apart) {
    return learned_lead(t, OffsetBound{apart, apart}, kLife, seconds{1});
  };
  EXPECT_EQ(lead(-Duration{1}), Duration{1});
  EXPECT_FALSE(lead(Duration{0}));
}

TEST(Learned, WhatTheTruncationOfExpMayTakeTeachesNoLead) {  // T6: lives of a second
  const auto t = refusal(seconds{10} + milliseconds{300}, seconds{1001});
  EXPECT_FALSE(learned_lead(t, OffsetBound{-seconds{1}, seconds{1}}, seconds{1}, seconds{1}));
}

TEST(Learned, NothingWithoutADate) {
  auto t = refusal(seconds{11}, seconds{995});
  t.date.reset();
  EXPECT_FALSE(learned_lag(t, std::nullopt, seconds{1}));
  EXPECT_FALSE(learned_lead(t, std::nullopt, kLife, seconds{1}));
}

/// Issued at 10 s of ours, living 300 s; the API had accepted it, and refused it at `at`.
diagnosis::Trial refused_after_use(std::uint64_t generation, Duration at) {
  auto t = refusal(at, seconds{1000} + at);
  t.token.generation = generation;
  t.token.accepted_before = true;
  t.token.dead_at = Instant{seconds{10} + kLife};
  t.followed = Action::give_up;
  return t;
}

template <typename Fact>
std::vector<Fact> facts_of(const std::vector<oauth::TokenEvent>& facts) {
  std::vector<Fact> out;
  for (const auto& fact : facts)
    if (const auto* one = std::get_if<Fact>(&fact)) out.push_back(*one);
  return out;
}

TEST(Lessons, ATokenThatWasRevokedEarlyHasEndedEarly) {
  using Early = oauth::event::EndedEarly;
  const std::vector early{refused_after_use(7, seconds{20})};
  const std::vector late{refused_after_use(7, seconds{200})};
  for (const Verdict verdict : {Verdict::token_revoked, Verdict::token_contended}) {
    const auto facts = facts_of<Early>(lessons(early, {verdict}, std::nullopt, seconds{1}));
    ASSERT_EQ(facts.size(), 1U);
    EXPECT_EQ(facts.front().generation, 7U);
    EXPECT_TRUE(facts_of<Early>(lessons(late, {verdict}, std::nullopt, seconds{1})).empty());
  }
  EXPECT_TRUE(
      facts_of<Early>(lessons(early, {Verdict::token_expired}, std::nullopt, seconds{1})).empty());
}

TEST(Lessons, TheLargestLagCountsAndWhatItIsAtLeast) {
  const std::vector trials{refusal(seconds{11}, seconds{997}), refusal(seconds{11}, seconds{995}),
                           refusal(seconds{11}, seconds{996})};
  const auto facts = facts_of<oauth::event::ApiLags>(
      lessons(trials, std::vector(3, Verdict::issuer_clock_ahead), std::nullopt, seconds{1}));
  ASSERT_EQ(facts.size(), 1U);
  EXPECT_EQ(facts.front().lag, seconds{8} + milliseconds{20});
  EXPECT_EQ(facts.front().min, seconds{3} + milliseconds{980});
}

TEST(Lessons, ALeadIsLearnedUnlessAnotherClockAcceptsTheTokenAfterwards) {
  auto expired = refusal(seconds{200}, seconds{1310});
  expired.token.generation = 3;
  expired.token.dead_at = Instant{seconds{10} + kLife};
  auto accepted = expired;
  accepted.refused = false;
  using Leads = oauth::event::ApiLeads;
  EXPECT_EQ(facts_of<Leads>(lessons({expired}, {Verdict::token_expired}, std::nullopt, seconds{1}))
                .size(),
            1U);
  EXPECT_TRUE(facts_of<Leads>(lessons({expired, accepted}, {Verdict::token_expired, Verdict::ok},
                                      std::nullopt, seconds{1}))
                  .empty());
  auto late = expired;
  late.received = *late.token.dead_at;
  EXPECT_TRUE(
      facts_of<Leads>(lessons({late}, {Verdict::token_expired}, std::nullopt, seconds{1})).empty())
      << "our own deadline had passed as well";
}

TEST(Lessons, ANewTokenThatIsRefusedToTheEndIsRefusedForGood) {
  using ForGood = oauth::event::RefusedForGood;
  const auto of = [](const diagnosis::Trial& trial, Verdict verdict) {
    return facts_of<ForGood>(lessons({trial}, {verdict}, std::nullopt, seconds{1}));
  };
  const auto last = refused_after_use(4, seconds{20});
  for (const Verdict verdict :
       {Verdict::token_rejected, Verdict::issuer_clock_behind, Verdict::gateway_refused}) {
    ASSERT_EQ(of(last, verdict).size(), 1U) << to_string(verdict);
    EXPECT_EQ(of(last, verdict).front().generation, 4U);
    EXPECT_EQ(of(last, verdict).front().verdict, verdict);
  }
  EXPECT_TRUE(of(last, Verdict::token_revoked).empty());
  EXPECT_TRUE(of(last, Verdict::unknown).empty()) << "no new token was tried";
  auto retried = last;
  retried.followed = Action::wait_and_retry;
  EXPECT_TRUE(of(retried, Verdict::token_rejected).empty());
  auto given = last;
  given.token.given = true;
  EXPECT_TRUE(of(given, Verdict::token_rejected).empty());
}

TEST(Lessons, AnUnclearRefusalIsForGoodOnceANewTokenMeetsItToo) {
  const auto first = refused_after_use(4, seconds{20});
  auto second = refused_after_use(5, seconds{30});
  second.token.asked = Instant{seconds{25}};
  second.token.accepted_before = false;
  const std::vector verdicts{Verdict::unknown, Verdict::unknown};
  using ForGood = oauth::event::RefusedForGood;
  EXPECT_EQ(facts_of<ForGood>(lessons({first, second}, verdicts, std::nullopt, seconds{1})).size(),
            1U);
  second.token.accepted_before = true;
  EXPECT_TRUE(
      facts_of<ForGood>(lessons({first, second}, verdicts, std::nullopt, seconds{1})).empty());
}

}  // namespace
}  // namespace skewguard::guard
