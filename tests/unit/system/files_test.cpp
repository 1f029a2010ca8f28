#include "system/files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "captured_machine.hpp"

namespace skewguard::system {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using FilesTest = CapturedMachine;

TEST_F(FilesTest, AreReadUpToALimit) {
  put("/at", std::string(Files::kMaxBytes, 'x'));
  put("/past", std::string(Files::kMaxBytes + 1, 'x'));
  EXPECT_EQ(files().read("/at")->size(), Files::kMaxBytes);
  EXPECT_EQ(files().read("/past")->size(), Files::kMaxBytes);
  EXPECT_EQ(files().read("/nowhere"), std::nullopt);
}

TEST_F(FilesTest, ThatArePipesOrDirectoriesAreNotWaitedFor) {
  ASSERT_EQ(::mkfifo((root + "/pipe").c_str(), 0600), 0);
  EXPECT_EQ(files().read("/pipe"), std::nullopt);
  EXPECT_EQ(files().read("/"), std::nullopt);
}

TEST_F(FilesTest, OfOneLineLoseWhatStandsAroundIt) {
  put("/line", " kvm \n");
  EXPECT_EQ(files().line("/line"), "kvm");
  EXPECT_EQ(files().line("/nowhere"), "");
}

TEST_F(FilesTest, AreListedByName) {
  put("/d/b");
  put("/d/a");
  EXPECT_THAT(files().names("/d"), ElementsAre("a", "b"));
  EXPECT_THAT(files().names("/nowhere"), IsEmpty());
}

TEST_F(FilesTest, ThatAreProgramsAreFoundInTheSystemsPlacesFirst) {
  install("/opt/bin/chronyc");
  put("/usr/bin/chronyc", "not to be run");
  EXPECT_EQ(files().program("chronyc", ""), std::nullopt);
  EXPECT_EQ(files().program("chronyc", "bin::/opt/bin"), "/opt/bin/chronyc");
  install("/sbin/chronyc");
  EXPECT_EQ(files().program("chronyc", "bin::/opt/bin"), "/sbin/chronyc");
}

}  // namespace
}  // namespace skewguard::system
