#include "net/idle_pool.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>

namespace skewguard::net {
namespace {

using std::chrono::seconds;

Instant at(int second) {
  return Instant{seconds{second}};
}

TEST(IdlePool, UsesTheNewestFirst) {
  IdlePool<int> pool({.most_idle = 4});
  pool.put("http://a", 1, at(0));
  pool.put("http://a", 2, at(1));
  EXPECT_EQ(pool.take("http://a", at(2)), 2);
  EXPECT_EQ(pool.take("http://a", at(2)), 1);
  EXPECT_EQ(pool.take("http://a", at(2)), std::nullopt);
}

TEST(IdlePool, NeverLendsOneOriginsConnectionToAnother) {
  IdlePool<int> pool({});
  pool.put("https://a", 1, at(0));
  EXPECT_EQ(pool.take("http://a", at(0)), std::nullopt);
  EXPECT_EQ(pool.take("https://a:8443", at(0)), std::nullopt);
  EXPECT_EQ(pool.take("https://a", at(0)), 1);
}

TEST(IdlePool, KeepsTheBoundAndEndsTheOldest) {
  IdlePool<int> pool({.most_idle = 2});
  for (int i = 1; i <= 3; ++i) pool.put("http://a", i, at(i));
  EXPECT_EQ(pool.size(), 2U);
  EXPECT_EQ(pool.take("http://a", at(4)), 3);
  EXPECT_EQ(pool.take("http://a", at(4)), 2);
  EXPECT_EQ(pool.take("http://a", at(4)), std::nullopt);
}

TEST(IdlePool, TheBoundIsForEachOrigin) {
  IdlePool<int> pool({.most_idle = 1});
  pool.put("http://a", 1, at(0));
  pool.put("http://b", 2, at(0));
  EXPECT_EQ(pool.take("http://a", at(0)), 1);
  EXPECT_EQ(pool.take("http://b", at(0)), 2);
}

TEST(IdlePool, KeepsNothingWhereNoneMayBeIdle) {
  IdlePool<int> pool({.most_idle = 0});
  pool.put("http://a", 1, at(0));
  EXPECT_EQ(pool.size(), 0U);
}

TEST(IdlePool, EndsOneThatLayIdleForTheWholeTimeout) {
  IdlePool<int> pool({.idle_timeout = seconds{50}});
  pool.put("http://a", 1, at(0));
  EXPECT_EQ(pool.take("http://a", at(0) + seconds{50} - Duration{1}), 1);
  pool.put("http://a", 2, at(100));
  EXPECT_EQ(pool.take("http://a", at(150)), std::nullopt);
}

TEST(IdlePool, AnyUseEndsWhatHasGrownOldElsewhere) {
  IdlePool<std::shared_ptr<int>> pool({.idle_timeout = seconds{50}});
  auto connection = std::make_shared<int>(1);
  const std::weak_ptr<int> watched = connection;
  pool.put("http://a", std::move(connection), at(0));
  pool.take("http://b", at(49));
  EXPECT_FALSE(watched.expired());
  pool.take("http://b", at(50));
  EXPECT_TRUE(watched.expired());
}

}  // namespace
}  // namespace skewguard::net
