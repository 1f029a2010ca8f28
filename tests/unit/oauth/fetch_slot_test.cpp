#include "oauth/fetch_slot.hpp"

#include <gtest/gtest.h>

namespace skewguard::oauth {
namespace {

using namespace std::chrono_literals;

constexpr Instant kNow{1000s};

TEST(FetchSlot, HoldsOneRequestAtATimeAndKnowsLateAnswers) {
  FetchSlot slot;
  EXPECT_FALSE(slot.busy());
  EXPECT_EQ(slot.latest(), 0U);
  const FetchId first = slot.start(false, kNow);
  EXPECT_TRUE(slot.busy());
  EXPECT_FALSE(slot.end(first + 1));
  EXPECT_TRUE(slot.busy());
  EXPECT_TRUE(slot.end(first));
  EXPECT_FALSE(slot.busy());
  EXPECT_FALSE(slot.end(first)) << "it was answered already";
  EXPECT_EQ(slot.start(false, kNow), first + 1);
  EXPECT_EQ(slot.latest(), first + 1);
  EXPECT_FALSE(slot.end_unsent(first));
  EXPECT_TRUE(slot.busy());
}

TEST(FetchSlot, OnlyWhatRefusalsCauseIsPaidFor) {
  FetchSlot slot;
  for (int n = 0; n < 20; ++n) slot.end(slot.start(false, kNow));
  EXPECT_LE(slot.next_paid(), kNow);
  for (int n = 0; n < RefusalBudget::kMax; ++n) {
    ASSERT_LE(slot.next_paid(), kNow) << n;
    slot.end(slot.start(true, kNow));
  }
  EXPECT_EQ(slot.next_paid(), kNow + RefusalBudget::kEvery);
}

TEST(FetchSlot, WhatWasNotSentCostsNothing) {
  FetchSlot slot;
  for (int n = 0; n < RefusalBudget::kMax; ++n) slot.end(slot.start(true, kNow));
  const Instant empty = slot.next_paid();
  EXPECT_TRUE(slot.end_unsent(slot.start(false, kNow)));
  EXPECT_EQ(slot.next_paid(), empty) << "it had not been paid for";
  const FetchId paid = slot.start(true, empty);
  EXPECT_GT(slot.next_paid(), empty);
  EXPECT_TRUE(slot.end_unsent(paid));
  EXPECT_EQ(slot.next_paid(), empty);
  EXPECT_FALSE(slot.end_unsent(paid));
  EXPECT_EQ(slot.next_paid(), empty) << "it is given back once";
}

TEST(FetchSlot, WaitsForWhatOtherProcessesHaveSpent) {
  FetchSlot slot;
  slot.wait_until(kNow + 7s);
  EXPECT_EQ(slot.next_paid(), kNow + 7s);
}

}  // namespace
}  // namespace skewguard::oauth
