#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "settings/settings.hpp"

namespace skewguard::settings {
namespace {

TEST(ProcessSurroundings, ReadAFileWholeAndSayWhyNot) {
  const auto surroundings = process_surroundings();
  const auto directory = std::filesystem::path(testing::TempDir());
  const std::string path = directory / "skewguard_surroundings_test";
  const std::string content = "a\0b\n" + std::string(200'000, 'x');
  std::ofstream(path, std::ios::binary) << content;

  const auto read = surroundings.read_file(path);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(*read, content);
  EXPECT_TRUE(surroundings.file_exists(path));
  std::filesystem::remove(path);
  EXPECT_FALSE(surroundings.file_exists(path));

  const auto gone = surroundings.read_file(path);
  ASSERT_FALSE(gone.ok());
  EXPECT_THAT(gone.error().message, testing::HasSubstr(path));
  EXPECT_THAT(gone.error().message, testing::HasSubstr("No such file"));
  EXPECT_THAT(surroundings.read_file(directory).error().message,
              testing::HasSubstr("Is a directory"));
}

TEST(ProcessSurroundings, TellWhatEverybodyMayRead) {
  const auto surroundings = process_surroundings();
  const std::filesystem::path path =
      std::filesystem::path(testing::TempDir()) / "skewguard_readable_test";
  std::ofstream(path) << "x";
  using std::filesystem::perms;
  std::filesystem::permissions(path, perms{0640});
  EXPECT_FALSE(surroundings.all_may_read(path));
  std::filesystem::permissions(path, perms{0644});
  EXPECT_TRUE(surroundings.all_may_read(path));
  std::filesystem::remove(path);
  EXPECT_FALSE(surroundings.all_may_read(path));
  EXPECT_FALSE(surroundings.all_may_read(testing::TempDir()));
}

TEST(ProcessSurroundings, TellUnsetFromEmpty) {
  const auto surroundings = process_surroundings();
  EXPECT_FALSE(surroundings.environment("SKEWGUARD_TEST_SURELY_UNSET").has_value());
  EXPECT_TRUE(surroundings.environment("PATH").has_value());
}

}  // namespace
}  // namespace skewguard::settings
