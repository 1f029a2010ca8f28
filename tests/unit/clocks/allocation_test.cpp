#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "clocks/skew_estimator.hpp"
#include "machine.hpp"

namespace {
std::size_t allocations = 0;
}

void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace skewguard::clocks {
namespace {

using testing::Heard;
using testing::unslewed;
using namespace std::chrono_literals;

TEST(SkewEstimatorAllocation, ObservingAndAskingAllocateNothing) {
  SkewEstimator estimator;
  const std::size_t before = allocations;
  for (int i = 0; i < 200; ++i) {
    // Contradictions and steps too: everything has a fixed size.
    estimator.observe(Heard{.sent = i * 1s, .ahead = i < 150 ? i % 2 * 10s : 500s});
    (void)estimator.hull(unslewed(i * 1s + 1s));
    (void)estimator.plain(unslewed(i * 1s + 1s));
  }
  EXPECT_EQ(allocations, before);
  EXPECT_EQ(estimator.samples(), 200U);
}

TEST(SkewEstimatorAllocation, TheCountSeesAllocations) {
  const std::size_t before = allocations;
  SkewEstimator estimator;
  estimator.observe(Heard{.sent = 1s});
  EXPECT_EQ(estimator.groups(unslewed(2s)).size(), 1U);
  EXPECT_GT(allocations, before);
}

}  // namespace
}  // namespace skewguard::clocks
