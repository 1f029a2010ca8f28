#include "guard/learned.hpp"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace skewguard::guard
