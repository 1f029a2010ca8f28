#include "store/default_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace skewguard::store {
namespace {

using testing::Eq;
using testing::Optional;

std::optional<std::string> folder_with(const std::map<std::string, std::string, std::less<>>& set) {
  return default_folder([&](std::string_view name) -> std::optional<std::string> {
    const auto found = set.find(name);
    return found == set.end() ? std::nullopt : std::optional(found->second);
  });
}

TEST(DefaultFolder, PrefersRuntimeThenStateThenHome) {
  EXPECT_THAT(
      folder_with(
          {{"XDG_RUNTIME_DIR", "/run/user/7"}, {"XDG_STATE_HOME", "/state"}, {"HOME", "/home/me"}}),
      Optional(Eq("/run/user/7/skewguard")));
  EXPECT_THAT(folder_with({{"XDG_STATE_HOME", "/state"}, {"HOME", "/home/me"}}),
              Optional(Eq("/state/skewguard")));
  EXPECT_THAT(folder_with({{"HOME", "/home/me"}}), Optional(Eq("/home/me/.local/state/skewguard")));
}

TEST(DefaultFolder, IgnoresWhatIsNoAbsolutePath) {
  EXPECT_THAT(folder_with({{"XDG_RUNTIME_DIR", ""}, {"XDG_STATE_HOME", "state"}, {"HOME", "/h"}}),
              Optional(Eq("/h/.local/state/skewguard")));
  EXPECT_EQ(folder_with({{"HOME", "me"}}), std::nullopt);
}

TEST(DefaultFolder, IsNoneWhereNothingIsSet) {
  EXPECT_EQ(folder_with({}), std::nullopt);
}

TEST(DefaultFolder, TakesNoSlashTwice) {
  EXPECT_THAT(folder_with({{"XDG_STATE_HOME", "/state//"}}), Optional(Eq("/state/skewguard")));
}

}  // namespace
}  // namespace skewguard::store
