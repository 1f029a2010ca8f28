#include "runtime/secret_file.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace skewguard::runtime {
namespace {

/// A file whose one line is the secret.
class ASecretFile : public ::testing::Test {
 protected:
  void SetUp() override { write("the first"); }
  void TearDown() override { std::filesystem::remove(path_); }

  void write(const std::string& secret) { std::ofstream(path_) << secret; }
  void replace(const std::string& secret) {
    const std::string other = path_ + ".new";
    std::ofstream(other) << secret;
    std::filesystem::rename(other, path_);
  }

  std::string path_ = ::testing::TempDir() + "skewguard_secret_file_test." +
                      ::testing::UnitTest::GetInstance()->current_test_info()->name();
  int reads_ = 0;
  SecretFile file_{
      path_, [this]() -> Result<std::vector<Secret>> {
        ++reads_;
        std::ifstream in(path_);
        if (!in) return Error{ErrorKind::config, "it is gone", ""};
        return std::vector<Secret>{Secret(std::string(std::istreambuf_iterator<char>(in), {}))};
      }};
};

TEST_F(ASecretFile, IsReadAtTheFirstLookAndThenOnlyWhereItHasChanged) {
  ASSERT_TRUE(file_.look());
  EXPECT_FALSE(file_.look());
  EXPECT_FALSE(file_.look());
  EXPECT_EQ(reads_, 1);
}

TEST_F(ASecretFile, ThatWasWrittenOrReplacedIsReadAgain) {
  file_.look();
  write("a longer one");
  const auto written = file_.look();
  ASSERT_TRUE(written && *written);
  EXPECT_EQ((**written).front(), Secret("a longer one"));
  replace("as long.....");
  const auto replaced = file_.look();
  ASSERT_TRUE(replaced && *replaced);
  EXPECT_EQ((**replaced).front(), Secret("as long....."));
  EXPECT_FALSE(file_.look());
}

TEST_F(ASecretFile, ThatIsMissingIsReportedOnceAndReadWhenItIsBack) {
  file_.look();
  std::filesystem::remove(path_);
  const auto gone = file_.look();
  ASSERT_TRUE(gone);
  EXPECT_FALSE(*gone);
  EXPECT_FALSE(file_.look());
  write("back");
  const auto back = file_.look();
  ASSERT_TRUE(back && *back);
}

}  // namespace
}  // namespace skewguard::runtime
