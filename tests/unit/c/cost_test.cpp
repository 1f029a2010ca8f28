// What a request with a leased token costs a C program beyond the request: counted, not timed.
#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <optional>
#include <utility>

#include "allocations.hpp"
#include "c_testing.hpp"
#include "locks.hpp"

namespace skewguard::c {
namespace {

/// The machine's, which takes a lock, until it is stopped.
class StoppableClock final : public ClockSource {
 public:
  explicit StoppableClock(FakeMachine& machine) : machine_(machine) {}
  Now now() override { return stopped_ ? *stopped_ : machine_.now(); }
  void stop() { stopped_ = machine_.now(); }

 private:
  FakeMachine& machine_;
  std::optional<Now> stopped_;
};

class CCost : public ::testing::Test {
 protected:
  CCost() {
    const auto clock = std::make_shared<StoppableClock>(client.machine());
    auto dependencies = client.environment.dependencies();
    dependencies.clock = clock;
    client.client = client_of(client.environment, std::move(dependencies));
    client.accept_token();
    clock->stop();
  }
  VirtualClient client;
};

TEST_F(CCost, IsNoLockAndNoAllocationForALease) {
  ASSERT_EQ(client.lease(), "Bearer token-1");
  std::array<char, 64> buffer{};
  const std::size_t allocated = allocations();
  const std::size_t locked = locks();
  std::size_t leased = 0;
  for (int i = 0; i < 10'000; ++i)
    leased += skewguard_lease(client.client.get(), buffer.data(), buffer.size(), nullptr);
  EXPECT_EQ(allocations(), allocated);
  EXPECT_EQ(locks(), locked);
  EXPECT_EQ(leased, 140'000U);
}

TEST_F(CCost, IsNoLockForAGoodAnswer) {
  OwnAnswer good(200, client.date());
  write_moment(client.machine().now(), (*good).sent);
  (*good).received = (*good).sent;
  skewguard_observe(client.client.get(), 1, good.get());  // a Date is told four times a second
  const std::size_t locked = locks();
  for (int i = 0; i < 10'000; ++i)
    ASSERT_EQ(skewguard_observe(client.client.get(), 1, good.get()), SKEWGUARD_NOTED);
  EXPECT_EQ(locks(), locked);
}

/// Without this the others could pass by counting nothing.
TEST_F(CCost, IsCounted) {
  const std::size_t allocated = allocations();
  const std::size_t locked = locks();
  const auto call = client.guard();
  EXPECT_GT(allocations(), allocated);
  EXPECT_GT(locks(), locked);
}

}  // namespace
}  // namespace skewguard::c
