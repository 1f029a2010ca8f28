#include "system/seed.hpp"

#include <gtest/gtest.h>

#include <set>

namespace skewguard::system {
namespace {

TEST(HardwareSeed, IsAnotherEachTime) {
  std::set<std::uint64_t> seeds;
  for (int i = 0; i < 100; ++i) seeds.insert(hardware_seed());
  EXPECT_EQ(seeds.size(), 100U);  // one doubled by chance: 1 in 10^15
}

}  // namespace
}  // namespace skewguard::system
