#include "oauth/waiters.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace skewguard::oauth {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

constexpr Instant kStart{1000s};

Waiter waiter(WaiterId id, Instant deadline = kStart + 30s) {
  return {.want = {.waiter = id, .deadline = deadline}, .came = kStart};
}

std::vector<WaiterId> ids(Waiters& waiters) {
  std::vector<WaiterId> out;
  for (const Waiter& one : waiters) out.push_back(one.want.waiter);
  return out;
}

TEST(Waiter, GivesUpAfterAsManyFailuresAsTheirKindAllows) {
  Waiter one;
  EXPECT_TRUE(one.gives_up(Retry::never));
  EXPECT_FALSE(one.gives_up(Retry::once));
  EXPECT_TRUE(one.gives_up(Retry::once));
  EXPECT_FALSE(one.gives_up(Retry::twice));
  EXPECT_FALSE(one.gives_up(Retry::twice));
  EXPECT_TRUE(one.gives_up(Retry::twice));
  for (int n = 0; n < 100; ++n) EXPECT_FALSE(one.gives_up(Retry::while_waiting));
}

TEST(Waiters, KeepOrderAndKnowWhoIsThere) {
  Waiters waiters;
  EXPECT_TRUE(waiters.empty());
  EXPECT_FALSE(waiters.contains(0));
  for (const WaiterId id : {3U, 1U, 2U}) waiters.add(waiter(id));
  EXPECT_TRUE(waiters.contains(1));
  EXPECT_TRUE(waiters.contains(3));
  EXPECT_FALSE(waiters.contains(4));
  EXPECT_THAT(ids(waiters), ElementsAre(3, 1, 2));
  waiters.remove(1);
  EXPECT_FALSE(waiters.contains(1));
  EXPECT_THAT(ids(waiters), ElementsAre(3, 2));
}

TEST(Waiters, LookAtEachOnceUntilSomethingHappens) {
  Waiters waiters;
  std::vector<WaiterId> looked_at;
  const auto look = [&](const Waiter& one) {
    looked_at.push_back(one.want.waiter);
    return one.want.waiter == 2;
  };
  waiters.add(waiter(1, kStart + 5s));
  EXPECT_FALSE(waiters.any_seen());
  waiters.remove_unseen_if(look);
  waiters.mark_seen();
  EXPECT_TRUE(waiters.any_seen());
  waiters.add(waiter(2, kStart + 7s));
  waiters.add(waiter(3, kStart + 6s));
  EXPECT_EQ(waiters.unseen_deadline(), kStart + 6s);
  waiters.remove_unseen_if(look);
  EXPECT_THAT(looked_at, ElementsAre(1, 2, 3));
  EXPECT_THAT(ids(waiters), ElementsAre(1, 3));
  waiters.mark_seen();
  EXPECT_FALSE(waiters.unseen_deadline());
  waiters.look_at_all();
  EXPECT_EQ(waiters.unseen_deadline(), kStart + 5s);
}

TEST(Waiters, WhoLeavesTakesNobodysPlace) {
  Waiters waiters;
  waiters.add(waiter(1));
  waiters.add(waiter(2));
  waiters.mark_seen();
  waiters.remove(1);
  waiters.add(waiter(3, kStart + 1s));
  EXPECT_EQ(waiters.unseen_deadline(), kStart + 1s) << "the newcomer has not been looked at";
}

TEST(Waiters, TellWhatTheyNeedTogether) {
  Waiters waiters;
  EXPECT_TRUE(waiters.all_were_refused());
  EXPECT_EQ(waiters.min_life(), 0s);
  Waiter refused = waiter(1);
  refused.want.refused = Refused{};
  refused.want.min_life = 20s;
  waiters.add(refused);
  EXPECT_TRUE(waiters.all_were_refused());
  EXPECT_FALSE(waiters.any_forces());
  Waiter forces = waiter(2);
  forces.want.force = true;
  forces.want.min_life = 10s;
  waiters.add(forces);
  EXPECT_TRUE(waiters.any_forces());
  EXPECT_FALSE(waiters.all_were_refused());
  EXPECT_EQ(waiters.min_life(), 20s);
  waiters.count_request();
  for (const Waiter& one : waiters) EXPECT_EQ(one.token_requests, 1);
}

TEST(Waiters, AreCreditedWithTheTimeTheyWereHeldUp) {
  Waiters waiters;
  waiters.add(waiter(1));
  EXPECT_TRUE(waiters.hold_up(kStart + 1s));
  EXPECT_FALSE(waiters.hold_up(kStart + 2s)) << "they are held up already";
  Waiter late = waiter(2);
  late.came = kStart + 4s;
  waiters.add(late);
  waiters.count_hold_up(kStart + 6s);
  EXPECT_EQ(waiters.begin()->held_up, 5s);
  EXPECT_EQ((waiters.begin() + 1)->held_up, 2s) << "it came later";
  waiters.count_hold_up(kStart + 9s);
  EXPECT_EQ(waiters.begin()->held_up, 5s) << "nothing held them up since";
  EXPECT_TRUE(waiters.hold_up(kStart + 9s));
  waiters.end_hold_up();
  waiters.count_hold_up(kStart + 20s);
  EXPECT_EQ(waiters.begin()->held_up, 5s) << "that was for nothing";
}

}  // namespace
}  // namespace skewguard::oauth
