// What a request with a leased token costs beyond the request itself: counted, not timed.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>

#include "allocations.hpp"
#include "client_testing.hpp"
#include "locks.hpp"

namespace skewguard::runtime {
namespace {

/// Counts what is handed over to the loop.
class CountedLoop final : public Executor {
 public:
  CountedLoop(FakeMachine& machine, std::atomic<int>& posts) : machine_(machine), posts_(posts) {}
  void post(std::function<void()> function) override {
    ++posts_;
    machine_.post(std::move(function));
  }
  Timer call_at(Instant at, std::function<void()> function) override {
    return machine_.call_at(at, std::move(function));
  }
  void cancel(Timer timer) override { machine_.cancel(timer); }
  bool run_here(const std::function<bool()>& done, Duration at_most) override {
    return machine_.run_here(done, at_most);
  }

 private:
  FakeMachine& machine_;
  std::atomic<int>& posts_;
};

class SeamCost : public ::testing::Test {
 protected:
  SeamCost() {
    Dependencies dependencies = environment.dependencies();
    dependencies.executor = std::make_shared<CountedLoop>(environment.machine(), posts);
    auto made = Client::make(environment.options(), {}, std::move(dependencies));
    if (!made || !made->await_lease()) std::abort();
    client = std::make_unique<Client>(*std::move(made));
    reader = client->reader();
    head = static_cast<AnswerHead&&>(answer(200, "", machine));
    head.origin = "https://api.test";
  }
  /// All of a guarded request but the request.
  bool request() {
    const Lease* lease = reader.lease(head.sent.boot);
    return lease != nullptr && client->observe(lease->generation, head) == Observed::noted;
  }

  MemoryEnvironment environment;
  FakeMachine& machine = environment.machine();
  std::atomic<int> posts{0};
  std::unique_ptr<Client> client;
  LeaseReader reader;
  AnswerHead head;
};

TEST_F(SeamCost, IsNoLockNoAllocationAndNoHandOverForAGoodRequest) {
  ASSERT_TRUE(request()) << "the first tells that the token was accepted";
  machine.run();
  const std::size_t allocated = allocations();
  const std::size_t locked = locks();
  const int posted = posts;
  int good = 0;
  for (int i = 0; i < 100'000; ++i) good += request() ? 1 : 0;
  EXPECT_EQ(allocations(), allocated);
  EXPECT_EQ(locks(), locked);
  EXPECT_EQ(posts, posted);
  EXPECT_EQ(good, 100'000);
}

TEST_F(SeamCost, IsFourHandOversASecond) {
  ASSERT_TRUE(request());
  machine.run();
  const int posted = posts;
  for (int i = 0; i < 10'000; ++i) {
    machine.advance(1ms);
    head.sent = head.received = machine.now();
    ASSERT_TRUE(request());
  }
  EXPECT_LE(posts - posted, 41) << "in ten seconds";
  EXPECT_GE(posts - posted, 30) << "or nothing would be learned of the API's clock";
}

/// Without this the first test could pass by counting nothing.
TEST_F(SeamCost, IsCounted) {
  const std::size_t allocated = allocations();
  const std::size_t locked = locks();
  const int posted = posts;
  head.status = 500;
  ASSERT_TRUE(request());
  EXPECT_GT(allocations(), allocated);
  EXPECT_GT(locks(), locked);
  EXPECT_GT(posts, posted);
}

}  // namespace
}  // namespace skewguard::runtime
