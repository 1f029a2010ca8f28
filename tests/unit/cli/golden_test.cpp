#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "fake_process_io.hpp"

/// Compares what the program prints about itself with the files in tests/golden. To accept a
/// change, run with SKEWGUARD_GOLDEN_UPDATE=1 and review the diff.
namespace skewguard::cli {
namespace {

struct Golden : FakeProcessIo, testing::Test {
  static std::string path_of(const std::string& name) {
    return std::string(SKEWGUARD_GOLDEN) + "/" + name + ".txt";
  }

  static void expect(const std::string& name, const std::string& said) {
    if (std::getenv("SKEWGUARD_GOLDEN_UPDATE") != nullptr) {  // NOLINT(concurrency-mt-unsafe)
      std::ofstream(path_of(name), std::ios::binary) << said;
    }
    std::ifstream file(path_of(name), std::ios::binary);
    ASSERT_TRUE(file.is_open()) << path_of(name) << " is not there";
    std::stringstream text;
    text << file.rdbuf();
    EXPECT_EQ(said, text.str());
  }

  /// The command line, the exit code, and the output on both streams.
  std::string transcript(const std::vector<std::string>& words) {
    const int code = run(words);
    std::string text = "$ skewguard";
    for (const std::string& word : words) text.append(" ").append(word);
    return text + "\n" + out + err + "exit " + std::to_string(code) + "\n\n";
  }
};

TEST_F(Golden, Help) {
  EXPECT_EQ(run({"help"}), 0);
  expect("help", out);
  for (const char* command :
       {"call", "whoami", "token", "doctor", "skew", "serve", "version", "help"}) {
    EXPECT_EQ(run({"help", command}), 0);
    expect(std::string("help_") + command, out);
  }
  EXPECT_EQ(run({"emulate", "--help"}), 0);
  expect("help_emulate", out);
  for (const char* topic : {"settings", "exit-codes"}) {
    EXPECT_EQ(run({"help", topic}), 0);
    expect(std::string("help_") + topic, out);
  }
}

TEST_F(Golden, UsageErrors) {
  std::string text;
  for (const auto& words : std::vector<std::vector<std::string>>{
           {},
           {"whomai"},
           {"frobnicate"},
           {"whoami", "--jsn"},
           {"call"},
           {"call", "GET"},
           {"call", "GET", "/x", "/y"},
           {"call", "GET", "https://evil.example/x"},
           {"call", "GET", "api/v2/x"},
           {"call", "GET", "/x", "-H", "Authorization: Bearer x"},
           {"call", "GET", "/x", "--timeout", "soon"},
           {"call", "GET", "/x", "--attempts", "0"},
           {"call", "GET", "/x", "--api-url", "http://api.example.com"},
           {"call", "GET", "/x", "--token-store", "redis://localhost"},
           {"call", "GET", "/x", "--proxy", "https://proxy.example:443"},
           {"call", "GET", "/x", "--proxy", "http://proxy.example:port"},
           {"emulate", "--proxy", "http://proxy.example:3128"},
           {"token", "--format", "xml"},
           {"emulate", "--region", "x"},
           {"emulate", "--login-offset", "soon"},
           {"help", "tokn"},
           {"whoami", "--client-secret", "hunter2"},
           {"call", "-X", "POST", "/x"}}) {
    text.append(transcript(words));
  }
  environment.clear();
  text.append(transcript({"whoami"}));
  expect("usage_errors", text);
}

TEST_F(Golden, Version) {
  EXPECT_EQ(run({"version"}), 0);
  EXPECT_EQ(out, "skewguard " SKEWGUARD_VERSION "\n");
  EXPECT_EQ(run({"--version"}), 0);
  EXPECT_EQ(out, "skewguard " SKEWGUARD_VERSION "\n");
}

}  // namespace
}  // namespace skewguard::cli
