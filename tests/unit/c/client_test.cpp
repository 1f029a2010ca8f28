// Clients from settings through the C functions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "c_testing.hpp"

namespace skewguard::c {
namespace {

using ::testing::HasSubstr;

using Pairs = std::vector<std::pair<const char*, const char*>>;

CClient client_from(const Pairs& settings, skewguard_error** error) {
  std::vector<const char*> keys, values;
  for (const auto& [key, value] : settings) {
    keys.push_back(key);
    values.push_back(value);
  }
  return CClient(skewguard_client_new(keys.data(), values.data(), keys.size(), error));
}

const Pairs kComplete{{"config", "/dev/null"},           {"login_url", "http://127.0.0.1:1"},
                      {"api_url", "http://127.0.0.1:1"}, {"client_id", "id"},
                      {"client_secret", "a-secret"},     {"timeout", "7s"}};

Pairs with(Pairs settings, std::pair<const char*, const char*> more) {
  settings.push_back(more);
  return settings;
}

TEST(CClientOfSettings, TakesThemByTheirNames) {
  ErrorPlace error;
  const auto client = client_from(with(kComplete, {"token_params", "resource=urn:api"}), &error);
  ASSERT_TRUE(client) << error.text();
  EXPECT_EQ(error.get(), nullptr);
  EXPECT_STREQ(skewguard_client_api_url(client.get()), "http://127.0.0.1:1");
  EXPECT_STREQ(skewguard_client_api_url(nullptr), "");
  EXPECT_EQ(client->client.options().timeout, 7s);
  EXPECT_EQ(client->client.options().token_params.at(0).second, "urn:api");
}

TEST(CClientOfSettings, SaysWhatIsWrongWithThem) {
  ErrorPlace unknown;
  EXPECT_FALSE(client_from(with(kComplete, {"time_out", "7s"}), &unknown));
  EXPECT_EQ(unknown.kind(), SKEWGUARD_CONFIG);
  EXPECT_EQ(unknown.text(SKEWGUARD_ERROR_MESSAGE), "unknown setting \"time_out\"");
  EXPECT_EQ(unknown.text(SKEWGUARD_ERROR_REMEDY), "did you mean timeout?");
  EXPECT_EQ(unknown.text(SKEWGUARD_ERROR_REPORT), "");
  EXPECT_EQ(unknown.text(99), "");
  ErrorPlace wrong;
  EXPECT_FALSE(client_from(with(kComplete, {"timeout", "soon"}), &wrong));
  EXPECT_THAT(wrong.text(), HasSubstr("the timeout (given as timeout) is not a duration"));
  ErrorPlace null;
  EXPECT_FALSE(client_from(with(kComplete, {"timeout", nullptr}), &null));
  EXPECT_THAT(null.text(), HasSubstr("setting 6 is NULL"));
  EXPECT_FALSE(client_from(with(kComplete, {"timeout", "soon"}), nullptr));
  EXPECT_EQ(skewguard_client_new(nullptr, nullptr, 1, nullptr), nullptr);
}

TEST(CClientOfSettings, NeverRepeatsASecret) {
  ErrorPlace error;
  EXPECT_FALSE(client_from(with(kComplete, {"client_secret", "very\tsecret"}), &error));
  EXPECT_THAT(error.text(), HasSubstr("client secret (given as client_secret)"));
  EXPECT_THAT(error.text(), ::testing::Not(HasSubstr("very")));
}

TEST(CClientOfSettings, ReadsItsSecretsAgain) {
  const std::string file = ::testing::TempDir() + "c_client_secret." + std::to_string(::getpid());
  std::ofstream(file) << "first\n";
  Pairs settings = kComplete;
  settings[4] = {"client_secret_file", file.c_str()};
  const auto client = client_from(settings, nullptr);
  ASSERT_TRUE(client);
  std::ofstream(file) << "second\n";
  EXPECT_EQ(skewguard_client_reload(client.get(), nullptr), 0);
  std::filesystem::remove(file);
  ErrorPlace error;
  EXPECT_EQ(skewguard_client_reload(client.get(), &error), SKEWGUARD_CONFIG);
  EXPECT_EQ(error.kind(), SKEWGUARD_CONFIG);
  EXPECT_THAT(error.text(), HasSubstr("cannot read"));
  EXPECT_EQ(skewguard_client_reload(nullptr, nullptr), SKEWGUARD_CONFIG);
}

TEST(CErrors, AreFreedAndReadWithoutOne) {
  skewguard_error_free(nullptr);
  EXPECT_EQ(skewguard_error_kind_of(nullptr), SKEWGUARD_OK);
  EXPECT_STREQ(skewguard_error_text_of(nullptr, SKEWGUARD_ERROR_MESSAGE), "");
  skewguard_client_free(nullptr);
}

TEST(CVersion, IsTheProjects) {
  EXPECT_STREQ(skewguard_version(), "0.1.0");
  EXPECT_EQ(skewguard_abi(), 1);
}

}  // namespace
}  // namespace skewguard::c
