#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fake_surroundings.hpp"
#include "settings/settings.hpp"

namespace skewguard::settings {
namespace {

using testing::HasSubstr;
using testing::Not;

class ProfileFile : public testing::Test {
 protected:
  ProfileFile() {
    surroundings.environment = {{"GENESYS_CLOUD_CLIENT_SECRET", "s"}, {"HOME", "/home/ann"}};
  }
  void write(const std::string& path, const std::string& toml) { surroundings.files[path] = toml; }
  ClientOptions loaded() const {
    auto result = load(flags, surroundings.make(), Need::identity);
    EXPECT_TRUE(result.ok()) << describe(result.error());
    return result.ok() ? result->client : ClientOptions{};
  }
  std::string refused() const {
    const auto result = load(flags, surroundings.make(), Need::identity);
    if (result.ok()) return "it was taken";
    EXPECT_EQ(result.error().kind, ErrorKind::config);
    return describe(result.error());
  }

  FakeSurroundings surroundings;
  Flags flags;
};

constexpr const char* kTwo = R"(
[profile.default]
region = "mypurecloud.ie"
client_id = "default-id"

[profile.prod]
region = "us-east-1"
client_id = "prod-id"
)";

TEST_F(ProfileFile, IsFoundBelowXdgConfigHomeElseBelowHome) {
  write("/home/ann/.config/skewguard/config.toml", kTwo);
  EXPECT_EQ(loaded().client_id, "default-id");
  write("/xdg/skewguard/config.toml",
        "[profile.default]\nregion = \"mypurecloud.ie\"\nclient_id = \"xdg-id\"\n");
  surroundings.environment["XDG_CONFIG_HOME"] = "/xdg";
  EXPECT_EQ(loaded().client_id, "xdg-id");
}

TEST_F(ProfileFile, IsNotSearchedBelowARelativeHome) {
  for (const char* home : {"home/ann", ".", "~"}) {
    surroundings.environment["HOME"] = home;
    write(std::string(home) + "/.config/skewguard/config.toml", kTwo);
    const auto settings = load({}, surroundings.make(), Need::servers);
    ASSERT_TRUE(settings.ok());
    EXPECT_EQ(settings->client.api_url, "") << home;
  }
  surroundings.environment["HOME"] = "";
  surroundings.environment["XDG_CONFIG_HOME"] = "xdg";
  write("xdg/skewguard/config.toml", kTwo);
  EXPECT_EQ(load({}, surroundings.make(), Need::servers)->client.api_url, "");
}

TEST_F(ProfileFile, IsNamedByFlagElseEnvironment) {
  write("/env.toml", kTwo);
  surroundings.environment["SKEWGUARD_CONFIG"] = "/env.toml";
  surroundings.environment["SKEWGUARD_PROFILE"] = "prod";
  EXPECT_EQ(loaded().client_id, "prod-id");
  EXPECT_EQ(loaded().api_url, "https://api.mypurecloud.com");
  flags.profile = "default";
  EXPECT_EQ(loaded().client_id, "default-id");
  flags.config = "/flag.toml";
  EXPECT_THAT(refused(), HasSubstr("profile file: cannot read /flag.toml"));
}

TEST_F(ProfileFile, AMissingOneIsFineUnlessItWasNamed) {
  flags.region = "mypurecloud.ie";
  flags.client_id = "id";
  EXPECT_EQ(loaded().client_id, "id");
  flags.profile = "prod";
  EXPECT_THAT(refused(), HasSubstr("there is no profile file for the profile \"prod\""));
  EXPECT_THAT(refused(), HasSubstr("/home/ann/.config/skewguard/config.toml"));
}

TEST_F(ProfileFile, AnUnknownProfileNamesTheNearestOne) {
  write("/p", kTwo);
  flags.config = "/p";
  flags.profile = "prdo";
  EXPECT_THAT(refused(), HasSubstr("there is no [profile.prdo] in /p: did you mean prod?"));
}

TEST_F(ProfileFile, AnUnknownKeyIsNamedWithTheNearestOne) {
  write("/p", "[profile.default]\ntimeuot = \"10s\"\n");
  flags.config = "/p";
  EXPECT_THAT(refused(), HasSubstr("unknown key \"timeuot\" in [profile.default] of /p"));
  EXPECT_THAT(refused(), HasSubstr("did you mean timeout?"));
}

TEST_F(ProfileFile, AKeyOutsideOfAProfileIsRefused) {
  write("/p", "region = \"mypurecloud.ie\"\n");
  flags.config = "/p";
  EXPECT_THAT(refused(), HasSubstr("unknown key \"region\" at the top of /p"));
}

TEST_F(ProfileFile, EveryKeyIsTaken) {
  write("/p", R"(
[profile.default]
login_url = "http://127.0.0.1:1"
api_url = "http://127.0.0.1:2"
client_id = "id"
client_secret_file = "/s"
token_path = "/t"
token_params = ["resource=urn:api"]
dialect = "rfc6749"
ca_file = "/ca"
timeout = 5
max_wait = 1.5
attempts = 2
staleness = "2s"
token_store = "none"
alert_command = "logger"
insecure_http = true
log_level = "debug"
log_format = "json"
)");
  write("/s", "from-file\n");
  flags.config = "/p";
  surroundings.environment.erase("GENESYS_CLOUD_CLIENT_SECRET");
  const auto settings = load(flags, surroundings.make(), Need::identity);
  ASSERT_TRUE(settings.ok()) << describe(settings.error());
  const ClientOptions& client = settings->client;
  EXPECT_EQ(client.login_url, "http://127.0.0.1:1");
  EXPECT_EQ(client.api_url, "http://127.0.0.1:2");
  EXPECT_EQ(client.client_secrets.at(0).reveal(), "from-file");
  EXPECT_EQ(client.token_path, "/t");
  ASSERT_EQ(client.token_params.size(), 1U);
  EXPECT_EQ(client.token_params[0].second, "urn:api");
  EXPECT_EQ(client.dialect, DialectName::rfc6749);
  EXPECT_EQ(client.ca_file, "/ca");
  EXPECT_EQ(client.timeout, std::chrono::seconds{5});
  EXPECT_EQ(client.max_wait, std::chrono::milliseconds{1500});
  EXPECT_EQ(client.attempts, 2);
  EXPECT_EQ(client.staleness, std::chrono::seconds{2});
  EXPECT_EQ(settings->alert_command, "logger");
  EXPECT_TRUE(client.insecure_http);
  EXPECT_EQ(settings->log_level, LogLevel::debug);
  EXPECT_TRUE(settings->log_json);
}

TEST_F(ProfileFile, WhatIsNotTomlIsReportedByItsPlaceAlone) {
  write("/p", "[profile.default]\nclient_secret = hunter2\n");
  flags.config = "/p";
  EXPECT_THAT(refused(), HasSubstr("line 2"));
  EXPECT_THAT(refused(), HasSubstr("of /p is not TOML"));
  EXPECT_THAT(refused(), Not(HasSubstr("hunter2")));
}

TEST_F(ProfileFile, AValueOfTheWrongShapeNamesItsKey) {
  write("/p", "[profile.default]\nregion = [\"a\"]\n");
  flags.config = "/p";
  EXPECT_THAT(refused(), HasSubstr("region in [profile.default] of /p is not a string"));
  write("/p", "[profile.default]\ntoken_params = \"a=b\"\n");
  EXPECT_THAT(refused(), HasSubstr("token_params in [profile.default] of /p is not an array"));
}

TEST_F(ProfileFile, AWrongValueNamesItsPlace) {
  write("/p", "[profile.default]\nattempts = \"many\"\n");
  flags.config = "/p";
  EXPECT_THAT(refused(), HasSubstr("the attempts (attempts in [profile.default] of /p)"));
}

}  // namespace
}  // namespace skewguard::settings
