#include "store/memory.hpp"

#include <atomic>
#include <thread>
#include <vector>

#include "store/none.hpp"
#include "store_testing.hpp"

namespace skewguard::store {
namespace {

TEST(MemoryStore, GivesBackWhatWasSavedLastUntilItIsErased) {
  Memory store;
  EXPECT_TRUE(holds_nothing(store.load("k")));
  ASSERT_TRUE(store.save("k", token_named("old")));
  ASSERT_TRUE(store.save("k", token_named("new")));
  EXPECT_TRUE(holds(store.load("k"), token_named("new")));
  EXPECT_TRUE(holds_nothing(store.load("other")));
  ASSERT_TRUE(store.erase("k"));
  EXPECT_TRUE(holds_nothing(store.load("k")));
}

TEST(MemoryStore, GrantsAClaimToOneUntilItIsReleased) {
  Memory store;
  EXPECT_TRUE(*store.claim("k"));
  EXPECT_FALSE(*store.claim("k"));
  EXPECT_TRUE(*store.claim("other"));
  store.release("k");
  EXPECT_TRUE(*store.claim("k"));
}

TEST(MemoryStore, ServesManyThreadsAndOneClaimAtATime) {
  Memory store;
  std::atomic<int> inside = 0;
  std::atomic<int> broken = 0;
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, name = "token " + std::to_string(i)] {
      for (int n = 0; n < 500; ++n) {
        if (!store.load("k").ok()) ++broken;
        if (!*store.claim("k")) continue;
        if (++inside != 1) ++broken;
        if (!store.save("k", token_named(name))) ++broken;
        --inside;
        store.release("k");
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(broken, 0);
  EXPECT_TRUE(*store.claim("k"));
}

TEST(NoStore, KeepsNothingAndGrantsEachClaim) {
  None store;
  ASSERT_TRUE(store.save("k", token_named("new")));
  EXPECT_TRUE(holds_nothing(store.load("k")));
  EXPECT_TRUE(store.erase("k"));
  EXPECT_TRUE(*store.claim("k"));
  EXPECT_TRUE(*store.claim("k"));
}

}  // namespace
}  // namespace skewguard::store
