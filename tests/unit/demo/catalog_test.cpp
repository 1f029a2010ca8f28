#include "demo/catalog.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace skewguard::demo {
namespace {

TEST(Catalog, HoldsTheRowsThatTheDemonstrationShows) {
  const auto scenarios = catalog();
  ASSERT_TRUE(scenarios) << describe(scenarios.error());
  std::vector<std::string> ids;
  Duration longest{0};
  for (const auto& scenario : *scenarios) {
    ids.push_back(scenario.id);
    EXPECT_FALSE(scenario.title.empty()) << scenario.id;
    EXPECT_FALSE(scenario.about.empty()) << scenario.id;
    longest = std::max(longest,
                       scenario.client.every * static_cast<Duration::rep>(scenario.client.calls));
  }
  EXPECT_THAT(ids, testing::ElementsAre("C1", "C2", "C3", "C4", "C5", "C6", "C7", "C15", "C18",
                                        "T1", "T10"));
  EXPECT_LE(longest, std::chrono::seconds{45}) << "all are played at once, in 75 s at most";
}

}  // namespace
}  // namespace skewguard::demo
