#include "system/identity.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace skewguard::system {
namespace {

using ::testing::MatchesRegex;

TEST(BootId, IsTheKernelsUuidAndStaysTheSame) {
  const bool known = std::filesystem::exists("/proc/sys/kernel/random/boot_id");
  const auto id = boot_id();
  ASSERT_EQ(id.has_value(), known);
  if (!known) GTEST_SKIP() << "this kernel has no boot id";
  EXPECT_THAT(*id, MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"));
  EXPECT_EQ(boot_id(), id);
}

TEST(TimeNamespace, IsTheOneOfThisProcess) {
  const bool known = std::filesystem::is_symlink("/proc/self/ns/time");
  const auto name = time_namespace();
  ASSERT_EQ(name.has_value(), known);
  if (!known) GTEST_SKIP() << "this kernel has no time namespaces";
  EXPECT_THAT(*name, MatchesRegex("time:\\[[0-9]+\\](\\+-?[0-9]+\\.[0-9]+)?"));
  EXPECT_EQ(time_namespace(), name);
}

}  // namespace
}  // namespace skewguard::system
