#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "fake_process_io.hpp"

namespace skewguard::cli {
namespace {

using testing::HasSubstr;

struct Emulate : FakeProcessIo, testing::Test {
  void expect_usage_error(std::vector<std::string> words, const std::string& holds) {
    words.insert(words.begin(), "emulate");
    EXPECT_EQ(run(words), 2);
    EXPECT_THAT(err, HasSubstr(holds));
    EXPECT_EQ(out, "");
  }
};

TEST_F(Emulate, NamesTheFlagThatIsWrong) {
  expect_usage_error({"--login-offset", "soon"}, "--login-offset");
  expect_usage_error({"--api-offset", "x"}, "--api-offset");
  expect_usage_error({"--api-backend", "x"}, "--api-backend");
  expect_usage_error({"--api-drift", "fast"}, "--api-drift");
  expect_usage_error({"--lifetime", "0"}, "--lifetime");
  expect_usage_error({"--nbf-offset", "x"}, "--nbf-offset");
  expect_usage_error({"--token", "saml"}, "--token");
  expect_usage_error({"--backend-choice", "best"}, "--backend-choice");
  expect_usage_error({"--client", "id-alone"}, "--client");
  expect_usage_error({"--latency", "slow"}, "--latency");
  expect_usage_error({"--login-port", "65536"}, "--login-port");
  expect_usage_error({"--api-port", "-1"}, "--api-port");
  expect_usage_error({"--export", "tcsh"}, "--export");
  expect_usage_error({"--ca-file", "/tmp/ca.pem"}, "--tls");
}

TEST_F(Emulate, NamesWhatIsWrongInAScenario) {
  const std::string path = testing::TempDir() + "scenario-" + std::to_string(::getpid());
  std::ofstream(path) << "id = \"X\"\ntitle = \"t\"\nabout = \"a\"\n[servers]\nskew = 1\n";
  expect_usage_error({"--scenario", path}, path + ":5: field 'skew': not known here");
  std::filesystem::remove(path);
  expect_usage_error({"--scenario", path}, path);
}

TEST_F(Emulate, AFlagIsHeldToItsLimitsBesideAScenario) {
  const std::string path = testing::TempDir() + "scenario-" + std::to_string(::getpid());
  std::ofstream(path) << "id = \"X\"\ntitle = \"t\"\nabout = \"a\"\n";
  expect_usage_error({"--scenario", path, "--lifetime", "0"}, "--lifetime");
  std::filesystem::remove(path);
}

TEST_F(Emulate, NeedsNoCredentials) {
  environment.clear();
  out_fails = true;  // so that it ends once it listens
  EXPECT_EQ(run({"emulate"}), 1);
  EXPECT_THAT(err, HasSubstr("cannot write to standard output"));
}

}  // namespace
}  // namespace skewguard::cli
