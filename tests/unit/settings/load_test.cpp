#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "fake_surroundings.hpp"
#include "settings/limits.hpp"
#include "settings/settings.hpp"
#include "time/duration_text.hpp"

namespace skewguard::settings {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class Load : public testing::Test {
 protected:
  Load() {
    surroundings.environment = {{"GENESYS_CLOUD_REGION", "mypurecloud.ie"},
                                {"GENESYS_CLOUD_CLIENT_ID", "env-id"},
                                {"GENESYS_CLOUD_CLIENT_SECRET", "env-secret"}};
  }
  Result<Settings> load() const {
    return settings::load(flags, surroundings.make(), Need::identity);
  }
  Settings loaded() const {
    auto result = load();
    EXPECT_TRUE(result.ok()) << describe(result.error());
    return result.ok() ? *std::move(result) : Settings{};
  }
  std::string refused() const {
    const auto result = load();
    if (result.ok()) return "it was taken";
    EXPECT_EQ(result.error().kind, ErrorKind::config);
    return describe(result.error());
  }

  FakeSurroundings surroundings;
  Flags flags;
};

TEST_F(Load, DefaultsAreThoseOfTheContract) {
  const Settings settings = loaded();
  EXPECT_EQ(settings.client.login_url, "https://login.mypurecloud.ie");
  EXPECT_EQ(settings.client.api_url, "https://api.mypurecloud.ie");
  EXPECT_EQ(settings.client.token_path, "/oauth/token");
  EXPECT_EQ(settings.client.timeout, seconds{30});
  EXPECT_EQ(settings.client.max_wait, seconds{15});
  EXPECT_EQ(settings.client.attempts, 3);
  EXPECT_EQ(settings.client.staleness, seconds{1});
  EXPECT_EQ(settings.client.dialect, DialectName::genesys);
  EXPECT_EQ(settings.client.region, "mypurecloud.ie");
  EXPECT_TRUE(settings.client.ca_file.empty());
  EXPECT_FALSE(settings.client.insecure_http);
  EXPECT_EQ(settings.log_level, LogLevel::warn);
  EXPECT_FALSE(settings.log_json);
  EXPECT_TRUE(settings.warnings.empty());
}

TEST_F(Load, FlagBeatsEnvironmentBeatsProfileBeatsDefault) {
  surroundings.files["/profiles"] = "[profile.default]\ntimeout = \"10s\"\n";
  flags.config = "/profiles";
  EXPECT_EQ(loaded().client.timeout, seconds{10});
  surroundings.environment["SKEWGUARD_TIMEOUT"] = "20s";
  EXPECT_EQ(loaded().client.timeout, seconds{20});
  flags.timeout = "40s";
  EXPECT_EQ(loaded().client.timeout, seconds{40});
}

TEST_F(Load, EveryFlagSaysWhatItSets) {
  flags.region = "eu_central_1";
  flags.client_id = "flag-id";
  flags.client_secret_file = "/secret";
  surroundings.files["/secret"] = "file-secret\n";
  flags.token_path = "/token";
  flags.token_params = {"resource=urn:api", "audience=a=b"};
  flags.ca_file = "/ca.pem";
  surroundings.files["/ca.pem"] = "";
  flags.timeout = "500ms";
  flags.max_wait = "0";
  flags.attempts = "1";
  flags.staleness = "2.5s";
  flags.dialect = "rfc6749";
  flags.client_auth = "post";
  flags.token_store = "none";
  flags.alert_command = "mail -s skew ops";
  flags.insecure_http = true;
  flags.log_format = "json";
  const Settings settings = loaded();
  EXPECT_EQ(settings.client.login_url, "https://login.mypurecloud.de");
  EXPECT_EQ(settings.client.client_id, "flag-id");
  EXPECT_EQ(settings.client.client_secrets.at(0).reveal(), "file-secret");
  EXPECT_EQ(settings.client.token_path, "/token");
  const std::vector<std::pair<std::string, std::string>> params{{"resource", "urn:api"},
                                                                {"audience", "a=b"}};
  EXPECT_EQ(settings.client.token_params, params);
  EXPECT_EQ(settings.client.ca_file, "/ca.pem");
  EXPECT_EQ(settings.client.timeout, milliseconds{500});
  EXPECT_EQ(settings.client.max_wait, seconds{0});
  EXPECT_EQ(settings.client.attempts, 1);
  EXPECT_EQ(settings.client.staleness, milliseconds{2500});
  EXPECT_EQ(settings.client.dialect, DialectName::rfc6749);
  EXPECT_EQ(settings.client.client_auth, ClientAuth::post);
  EXPECT_EQ(settings.alert_command, "mail -s skew ops");
  EXPECT_TRUE(settings.client.insecure_http);
  EXPECT_TRUE(settings.log_json);
}

TEST_F(Load, EveryEnvironmentVariableSaysWhatItSets) {
  surroundings.environment = {{"GENESYSCLOUD_REGION", "us_west_2"},
                              {"GENESYSCLOUD_OAUTHCLIENT_ID", "second-id"},
                              {"GENESYSCLOUD_OAUTHCLIENT_SECRET", "second-secret"},
                              {"SKEWGUARD_TOKEN_PATH", "/t"},
                              {"SKEWGUARD_DIALECT", "rfc6749"},
                              {"SKEWGUARD_CLIENT_AUTH", "none"},
                              {"SSL_CERT_FILE", "/env.pem"},
                              {"SKEWGUARD_TIMEOUT", "10m"},
                              {"SKEWGUARD_MAX_WAIT", "2h"},
                              {"SKEWGUARD_ATTEMPTS", "5"},
                              {"SKEWGUARD_STALENESS", "3"},
                              {"SKEWGUARD_TOKEN_STORE", "none"},
                              {"SKEWGUARD_ALERT_COMMAND", "logger -t skew"},
                              {"SKEWGUARD_LOG", "trace"}};
  surroundings.files["/env.pem"] = "";
  const Settings settings = loaded();
  EXPECT_EQ(settings.client.api_url, "https://api.usw2.pure.cloud");
  EXPECT_EQ(settings.client.client_id, "second-id");
  EXPECT_EQ(settings.client.client_secrets.at(0).reveal(), "second-secret");
  EXPECT_EQ(settings.client.dialect, DialectName::rfc6749);
  EXPECT_EQ(settings.client.client_auth, ClientAuth::none);
  EXPECT_EQ(settings.client.token_path, "/t");
  EXPECT_EQ(settings.client.ca_file, "/env.pem");
  EXPECT_EQ(settings.client.timeout, minutes{10});
  EXPECT_EQ(settings.client.max_wait, std::chrono::hours{2});
  EXPECT_EQ(settings.client.attempts, 5);
  EXPECT_EQ(settings.client.staleness, seconds{3});
  EXPECT_EQ(settings.alert_command, "logger -t skew");
  EXPECT_EQ(settings.log_level, LogLevel::trace);
}

TEST_F(Load, NtpServersAreThoseNamedElseTheMachinesElseNobodys) {
  EXPECT_EQ(loaded().client.ntp, std::nullopt);
  const auto variable = [this](const char* value) {
    surroundings.environment["SKEWGUARD_NTP"] = value;
    return loaded().client.ntp;
  };
  using Names = std::vector<std::string>;
  EXPECT_EQ(variable("a.example, b.example:1123"), (Names{"a.example", "b.example:1123"}));
  EXPECT_EQ(variable("none"), Names{});
  flags.ntp = {"c.example"};
  EXPECT_EQ(variable("none"), Names{"c.example"});
}

TEST(SecretVariables, AreThoseOfSecretAndTokenInBothFamilies) {
  EXPECT_EQ(secret_variables(),
            (std::vector<std::string_view>{
                "GENESYS_CLOUD_CLIENT_SECRET", "GENESYSCLOUD_OAUTHCLIENT_SECRET",
                "GENESYS_CLOUD_ACCESS_TOKEN", "GENESYSCLOUD_ACCESS_TOKEN"}));
}

TEST_F(Load, TheFirstFamilyOfNamesBeatsTheSecond) {
  surroundings.environment["GENESYSCLOUD_REGION"] = "mypurecloud.de";
  surroundings.environment["GENESYSCLOUD_OAUTHCLIENT_ID"] = "second-id";
  surroundings.environment["GENESYSCLOUD_OAUTHCLIENT_SECRET"] = "second-secret";
  const Settings settings = loaded();
  EXPECT_EQ(settings.client.login_url, "https://login.mypurecloud.ie");
  EXPECT_EQ(settings.client.client_id, "env-id");
  EXPECT_EQ(settings.client.client_secrets.at(0).reveal(), "env-secret");
}

TEST_F(Load, EmptyEnvironmentVariablesCountAsUnset) {
  surroundings.environment["GENESYS_CLOUD_CLIENT_ID"] = "";
  surroundings.environment["GENESYSCLOUD_OAUTHCLIENT_ID"] = "second-id";
  surroundings.environment["SKEWGUARD_TIMEOUT"] = "";
  surroundings.environment["SKEWGUARD_CONFIG"] = "";
  surroundings.environment["SKEWGUARD_PROFILE"] = "";
  surroundings.environment["CREDENTIALS_DIRECTORY"] = "";
  const Settings settings = loaded();
  EXPECT_EQ(settings.client.client_id, "second-id");
  EXPECT_EQ(settings.client.timeout, seconds{30});
}

TEST_F(Load, NamesEveryMissingSettingAndItsVariable) {
  surroundings.environment.clear();
  const std::string error = refused();
  EXPECT_THAT(error, HasSubstr("missing settings: "));
  EXPECT_THAT(error, HasSubstr("region (GENESYS_CLOUD_REGION or --region)"));
  EXPECT_THAT(error, HasSubstr("client id (GENESYS_CLOUD_CLIENT_ID or --client-id)"));
  EXPECT_THAT(error, HasSubstr("client secret (GENESYS_CLOUD_CLIENT_SECRET or "
                               "--client-secret-file)"));
}

TEST_F(Load, NamesTheOneMissingSettingAlone) {
  surroundings.environment.erase("GENESYS_CLOUD_CLIENT_SECRET");
  const std::string error = refused();
  EXPECT_THAT(error, AllOf(HasSubstr("missing setting: client secret (GENESYS_CLOUD_CLIENT_SECRET"),
                           HasSubstr(": set it, or put it in a profile file")));
  EXPECT_THAT(error, Not(HasSubstr("GENESYS_CLOUD_CLIENT_ID")));
  EXPECT_THAT(error, Not(HasSubstr("GENESYS_CLOUD_REGION")));
}

TEST_F(Load, NoRegionIsNeededWhereBothUrlsAreGiven) {
  surroundings.environment.erase("GENESYS_CLOUD_REGION");
  flags.login_url = "https://sso.example.com/tenant/";
  EXPECT_THAT(refused(), HasSubstr("API base URL (SKEWGUARD_API_URL or --api-url) or region"));
  surroundings.environment["SKEWGUARD_API_URL"] = "https://gw.example.com:8443";
  const Settings settings = loaded();
  EXPECT_EQ(settings.client.login_url, "https://sso.example.com/tenant");
  EXPECT_EQ(settings.client.api_url, "https://gw.example.com:8443");
}

TEST_F(Load, APrivateRegionIsButANameWhereBothUrlsAreGiven) {
  surroundings.environment["GENESYS_CLOUD_REGION"] = "our-lab";
  flags.login_url = "https://sso.example.com";
  EXPECT_THAT(refused(), HasSubstr("our-lab"));
  flags.api_url = "https://gw.example.com";
  const Settings settings = loaded();
  EXPECT_EQ(settings.client.region, "our-lab");
  EXPECT_EQ(settings.client.login_url, "https://sso.example.com");
  EXPECT_EQ(settings.client.api_url, "https://gw.example.com");
}

TEST_F(Load, AUrlBeatsWhatTheRegionSaysOfIt) {
  flags.api_url = "http://127.0.0.1:8080";
  const Settings settings = loaded();
  EXPECT_EQ(settings.client.login_url, "https://login.mypurecloud.ie");
  EXPECT_EQ(settings.client.api_url, "http://127.0.0.1:8080");
}

TEST_F(Load, PlainHttpIsForLoopbackAlone) {
  for (const char* url : {"http://127.0.0.1:1", "http://localhost", "http://[::1]:9/base"}) {
    flags.api_url = url;
    EXPECT_EQ(loaded().client.api_url, url);
  }
  flags.api_url = "http://api.example.com";
  EXPECT_THAT(
      refused(),
      HasSubstr("the API base URL (--api-url) uses http:// for an address that is not loopback"));
  flags.insecure_http = true;
  EXPECT_EQ(loaded().client.api_url, "http://api.example.com");
}

TEST_F(Load, AWrongRegionNamesTheNearestOne) {
  surroundings.environment["GENESYS_CLOUD_REGION"] = "eu-wset-1";
  const std::string error = refused();
  EXPECT_THAT(error, HasSubstr("eu-wset-1"));
  EXPECT_THAT(error, HasSubstr("(GENESYS_CLOUD_REGION)"));
  EXPECT_THAT(error, HasSubstr("did you mean eu-west-1 (mypurecloud.ie)?"));
}

TEST_F(Load, RefusesInvalidDurations) {
  for (const char* text : {"soon", "10 minutes", "1h30", "", "-1s", "0", "25h"}) {
    flags.timeout = text;
    EXPECT_THAT(refused(), HasSubstr("the timeout (--timeout)")) << text;
  }
}

TEST_F(Load, RefusesAttemptsThatAreNoSmallWholeNumber) {
  for (const char* text : {"0", "-1", "1.5", "three", "101", "99999999999999999999", ""}) {
    flags.attempts = text;
    EXPECT_THAT(refused(), HasSubstr("the attempts (--attempts)")) << text;
  }
}

TEST_F(Load, RefusesTokenParametersThatAreNotPairsOrAreOurs) {
  for (const char* text : {"resource", "=x", "client_secret=x", "client_id=x", "Client_Secret=x"}) {
    flags.token_params = {text};
    EXPECT_THAT(refused(), HasSubstr("--token-param")) << text;
  }
}

TEST_F(Load, ASecretSmuggledAsATokenParameterIsNotRepeated) {
  flags.token_params = {"client_secret=hunter2"};
  EXPECT_THAT(refused(), Not(HasSubstr("hunter2")));
}

TEST_F(Load, RefusesAStoreThatThisBuildDoesNotHave) {
  for (const char* text : {"redis://localhost", "files", ""}) {
    flags.token_store = text;
    EXPECT_THAT(refused(), HasSubstr("this build has none, file and file:DIR")) << text;
  }
}

TEST_F(Load, TakesAFolderForTokensWhereItIsAbsolute) {
  EXPECT_EQ(loaded().token_store.kind, TokenStoreChoice::Kind::unsaid);
  flags.token_store = "file";
  EXPECT_EQ(loaded().token_store.kind, TokenStoreChoice::Kind::file);
  EXPECT_EQ(loaded().token_store.folder, "");
  flags.token_store = "file:/var/lib/x";
  EXPECT_EQ(loaded().token_store.folder, "/var/lib/x");
  for (const char* text : {"file:", "file:x/y"}) {
    flags.token_store = text;
    EXPECT_THAT(refused(), HasSubstr("is not an absolute folder")) << text;
  }
}

TEST_F(Load, RefusesInvalidTokenPaths) {
  for (const char* text : {"oauth/token", "", "/a b"}) {
    flags.token_path = text;
    EXPECT_THAT(refused(), HasSubstr("the token path (--token-path)")) << text;
  }
}

TEST_F(Load, RefusesBaseUrlsWithMoreThanABase) {
  for (const char* text : {"ftp://x", "api.example.com", "https://u:p@x", "https://x/?q=1"}) {
    flags.api_url = text;
    EXPECT_THAT(refused(), HasSubstr("the API base URL (--api-url)")) << text;
  }
}

TEST_F(Load, ACaFileThatIsMissingIsNamedWhereItIsNeeded) {
  surroundings.environment["SSL_CERT_FILE"] = "/gone.pem";
  EXPECT_THAT(refused(), HasSubstr("the CA file (SSL_CERT_FILE) does not exist: /gone.pem"));
  flags.login_url = "http://127.0.0.1:1";
  flags.api_url = "http://127.0.0.1:2";
  EXPECT_EQ(loaded().client.ca_file, "/gone.pem") << "nothing of it is needed for http://";
}

TEST_F(Load, VerbosityFlagsBeatTheEnvironment) {
  surroundings.environment["SKEWGUARD_LOG"] = "critical";
  EXPECT_EQ(loaded().log_level, LogLevel::critical);
  const std::array<LogLevel, 4> levels{LogLevel::info, LogLevel::debug, LogLevel::trace,
                                       LogLevel::trace};
  for (std::size_t i = 0; i < levels.size(); ++i) {
    flags.verbose = static_cast<int>(i) + 1;
    EXPECT_EQ(loaded().log_level, levels.at(i));
  }
  flags.verbose = 0;
  flags.quiet = true;
  EXPECT_EQ(loaded().log_level, LogLevel::error);
  flags.verbose = 1;
  EXPECT_THAT(refused(), HasSubstr("-q and -v"));
}

TEST_F(Load, RefusesAnUnknownLogLevel) {
  surroundings.environment["SKEWGUARD_LOG"] = "loud";
  EXPECT_THAT(refused(), HasSubstr("the log level (SKEWGUARD_LOG)"));
}

TEST_F(Load, NoColorIsHeeded) {
  EXPECT_TRUE(loaded().color);
  surroundings.environment["NO_COLOR"] = "1";
  EXPECT_FALSE(loaded().color);
  surroundings.environment["NO_COLOR"] = "";  // no-color.org: when present and not an empty string
  EXPECT_TRUE(loaded().color);
}

TEST_F(Load, WithoutANeedForAnIdentityOnlyLoggingIsRead) {
  surroundings.environment = {{"SKEWGUARD_LOG", "info"}, {"GENESYS_CLOUD_REGION", "nowhere"}};
  const auto settings = settings::load(flags, surroundings.make(), Need::nothing);
  ASSERT_TRUE(settings.ok());
  EXPECT_EQ(settings->log_level, LogLevel::info);
}

TEST(SettingsGuide, GivesTheBoundsOfDurations) {
  const std::ifstream file(SETTINGS_GUIDE_FILE);
  std::stringstream guide;
  guide << file.rdbuf();
  const auto row = [text = guide.str()](const std::string& flag) {
    const auto place = text.find("| `" + flag + ' ');
    if (place == std::string::npos) return std::string("no row");
    return text.substr(text.rfind('\n', place) + 1, place - text.rfind('\n', place));
  };
  const auto range = [](const Bounds& bounds) {
    return "; " + time::setting_text(bounds.min) + " to " + time::setting_text(bounds.max) + ")";
  };
  EXPECT_THAT(row("--timeout"), HasSubstr(range(kTimeoutBounds)));
  EXPECT_THAT(row("--max-wait"), HasSubstr(range(kMaxWaitBounds)));
  EXPECT_THAT(row("--staleness"), HasSubstr(range(kStalenessBounds)));
  EXPECT_THAT(row("--attempts"), HasSubstr("; 1 to " + std::to_string(kMaxAttempts) + ";"));
}

TEST_F(Load, TakesWhatIsGivenByNameBeforeTheEnvironment) {
  surroundings.environment["SKEWGUARD_TIMEOUT"] = "3s";
  surroundings.environment["GENESYS_CLOUD_CLIENT_SECRET"] = "of the environment";
  surroundings.files["/p"] = "[profile.other]\nmax_wait = \"4s\"\n";
  const auto given = [&](const char* name, const char* value) {
    flags.given.emplace_back(name, Secret(value));
  };
  given("timeout", "5s");
  given("timeout", "6s");
  given("client_secret", "handed in");
  given("token_params", "a=1");
  given("token_params", "b=2");
  given("config", "/p");
  given("profile", "other");
  const auto options = load();
  ASSERT_TRUE(options.ok()) << describe(options.error());
  EXPECT_EQ(options->client.timeout, std::chrono::seconds{6});
  EXPECT_EQ(options->client.max_wait, std::chrono::seconds{4});
  EXPECT_EQ(options->client.client_secrets.at(0).reveal(), "handed in");
  EXPECT_EQ(options->client.client_secrets.size(), 1U);
  EXPECT_EQ(options->client.token_params.size(), 2U);
}

TEST_F(Load, KnowsTheNamesOfWhatIsGiven) {
  for (const auto& [name, remedy] : {std::pair{"time_out", "did you mean timeout?"},
                                     {"token_param", "did you mean token_params?"},
                                     {"xyzzy", "docs/guide/settings.md has the names"}}) {
    flags.given = {{name, Secret("a-secret")}};
    const auto refused = load();
    ASSERT_FALSE(refused.ok()) << name;
    EXPECT_EQ(describe(refused.error()),
              std::string("unknown setting \"") + name + "\": " + remedy);
  }
}

}  // namespace
}  // namespace skewguard::settings
