#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fake_surroundings.hpp"
#include "settings/settings.hpp"

namespace skewguard::settings {
namespace {

using testing::HasSubstr;
using testing::Not;

class Identity : public testing::Test {
 protected:
  Identity() { surroundings.environment["GENESYS_CLOUD_REGION"] = "mypurecloud.ie"; }
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

TEST_F(Identity, SecretFileBeatsEnvironmentBeatsCredentialsDirectoryBeatsProfile) {
  surroundings.environment["GENESYS_CLOUD_CLIENT_ID"] = "id";
  surroundings.files["/p"] = "[profile.default]\nclient_secret = \"profile\"\n";
  flags.config = "/p";
  EXPECT_EQ(loaded().client_secrets.at(0).reveal(), "profile");
  surroundings.environment["CREDENTIALS_DIRECTORY"] = "/run/credentials";
  surroundings.files["/run/credentials/genesys_cloud_client_secret"] = "systemd\n";
  EXPECT_EQ(loaded().client_secrets.at(0).reveal(), "systemd");
  surroundings.environment["GENESYS_CLOUD_CLIENT_SECRET_FILE"] = "/named";
  surroundings.files["/named"] = "named-one\nolder-one\n";
  EXPECT_EQ(loaded().client_secrets.at(0).reveal(), "named-one");
  EXPECT_EQ(loaded().client_secrets.size(), 2U);
  surroundings.environment["GENESYSCLOUD_OAUTHCLIENT_SECRET"] = "second";
  EXPECT_EQ(loaded().client_secrets.at(0).reveal(), "second");
  surroundings.environment["GENESYS_CLOUD_CLIENT_SECRET"] = "first";
  EXPECT_EQ(loaded().client_secrets.at(0).reveal(), "first");
  surroundings.files["-"] = "stdin";
  flags.client_secret_file = "-";
  EXPECT_EQ(loaded().client_secrets.at(0).reveal(), "stdin");
}

TEST_F(Identity, WarnsOfSecretsThatEverybodyMayRead) {
  const auto warnings = [this] {
    const auto result = load(flags, surroundings.make(), Need::identity);
    return result.ok() ? result->warnings : std::vector{describe(result.error())};
  };
  flags.client_id = "id";
  flags.client_secret_file = "/secret";
  surroundings.files["/secret"] = "s";
  EXPECT_TRUE(warnings().empty());
  surroundings.public_files = {"/secret", "/token", "/profile", "-", "/dev/stdin"};
  ASSERT_EQ(warnings().size(), 1U);
  EXPECT_EQ(warnings()[0],
            "every user of this machine can read /secret, which contains the client secret: "
            "chmod 600 /secret");

  surroundings.files["/profile"] = "[profile.default]\ntimeout = \"3s\"\n";
  flags.config = "/profile";
  EXPECT_EQ(warnings().size(), 1U) << "the profile holds no secret";
  surroundings.files["/profile"] = "[profile.default]\nclient_secret = \"s\"\n";
  EXPECT_EQ(warnings().size(), 2U);
  for (const char* in : {"-", "/dev/stdin"}) {
    flags.client_secret_file = in;
    surroundings.files[in] = "s";
    ASSERT_EQ(warnings().size(), 1U);
    EXPECT_THAT(warnings()[0], HasSubstr("/profile"));
  }

  flags = {.access_token_file = "/token"};
  surroundings.files["/token"] = "t";
  ASSERT_EQ(warnings().size(), 1U);
  EXPECT_THAT(warnings()[0], HasSubstr("an access token"));
}

TEST_F(Identity, EachLineOfASecretFileIsASecretInTheOrderOfTrying) {
  surroundings.files["/s"] = "new-one\r\nold-one\n";
  flags.client_id = "id";
  flags.client_secret_file = "/s";
  const auto client = loaded();
  ASSERT_EQ(client.client_secrets.size(), 2U);
  EXPECT_EQ(client.client_secrets[0].reveal(), "new-one");
  EXPECT_EQ(client.client_secrets[1].reveal(), "old-one");
  surroundings.files["/s"] = "new-one\n\nold-one\n";
  EXPECT_THAT(refused(), HasSubstr("is empty"));
}

TEST_F(Identity, TheNewlineAtTheEndOfASecretFileIsNotOfTheSecret) {
  flags.client_id = "id";
  flags.client_secret_file = "/s";
  for (const char* content : {"s3cret", "s3cret\n", "s3cret\r\n", "s3cret\n\n"}) {
    surroundings.files["/s"] = content;
    EXPECT_EQ(loaded().client_secrets.at(0).reveal(), "s3cret");
  }
  surroundings.files["/s"] = " s3cret ";
  EXPECT_EQ(loaded().client_secrets.at(0).reveal(), " s3cret ") << "spaces are of the secret";
}

TEST_F(Identity, AFileThatIsMissingIsNamedWithItsSetting) {
  flags.client_id = "id";
  flags.client_secret_file = "/nowhere";
  EXPECT_THAT(refused(), HasSubstr("client secret (--client-secret-file): cannot read /nowhere"));
}

TEST_F(Identity, ControlCharactersAreRefusedNamingTheSettingNotTheValue) {
  flags.client_id = "id";
  surroundings.environment["GENESYS_CLOUD_CLIENT_SECRET"] = "hunter2\tx";
  EXPECT_THAT(refused(), HasSubstr("the client secret (GENESYS_CLOUD_CLIENT_SECRET) contains a "
                                   "control character"));
  EXPECT_THAT(refused(), Not(HasSubstr("hunter2")));

  surroundings.environment["GENESYS_CLOUD_ACCESS_TOKEN"] = "tok\r\nX-Evil: 1";
  flags.client_id.reset();
  EXPECT_THAT(refused(), HasSubstr("the access token (GENESYS_CLOUD_ACCESS_TOKEN)"));
  EXPECT_THAT(refused(), Not(HasSubstr("Evil")));
}

TEST_F(Identity, AnEmptySecretFileIsNamed) {
  flags.client_id = "id";
  flags.client_secret_file = "/s";
  surroundings.files["/s"] = "\n";
  EXPECT_THAT(refused(), HasSubstr("the client secret (--client-secret-file) is empty"));
}

TEST_F(Identity, AClientIdWithAColonIsRefused) {
  flags.client_id = "id:secret";
  surroundings.environment["GENESYS_CLOUD_CLIENT_SECRET"] = "s";
  EXPECT_THAT(refused(), HasSubstr("the client id (--client-id) contains a colon"));
}

TEST_F(Identity, AClientIdWithAColonIsTakenWhereItIsEncoded) {
  flags.client_id = "urn:app:demo";
  surroundings.environment["GENESYS_CLOUD_CLIENT_SECRET"] = "s";
  flags.dialect = "rfc6749";
  EXPECT_EQ(loaded().client_id, "urn:app:demo");
  flags.dialect = "genesys";
  for (const char* how : {"post", "none"}) {
    flags.client_auth = how;
    EXPECT_EQ(loaded().client_id, "urn:app:demo");
  }
}

TEST_F(Identity, AClientWithoutASecretNeedsNone) {
  flags.client_id = "id";
  flags.client_auth = "none";
  EXPECT_TRUE(loaded().client_secrets.empty());
}

TEST_F(Identity, AGivenTokenNeedsNoClient) {
  surroundings.environment["GENESYSCLOUD_ACCESS_TOKEN"] = "second";
  EXPECT_EQ(loaded().access_token.reveal(), "second");
  surroundings.environment["GENESYS_CLOUD_ACCESS_TOKEN"] = "first";
  EXPECT_EQ(loaded().access_token.reveal(), "first");
  surroundings.files["/t"] = "from-file\n";
  flags.access_token_file = "/t";
  EXPECT_EQ(loaded().access_token.reveal(), "from-file");
  EXPECT_TRUE(loaded().client_id.empty());
}

TEST_F(Identity, AGivenTokenNeedsTheApiUrlAlone) {
  surroundings.environment.clear();
  surroundings.environment["GENESYS_CLOUD_ACCESS_TOKEN"] = "t";
  EXPECT_THAT(refused(), HasSubstr("missing setting: region (GENESYS_CLOUD_REGION"));
  flags.api_url = "http://127.0.0.1:1";
  EXPECT_EQ(loaded().api_url, "http://127.0.0.1:1");
}

TEST_F(Identity, ATokenBeatsAClientOfItsRankAndAClientFlagBeatsATokenInTheEnvironment) {
  surroundings.environment["GENESYS_CLOUD_ACCESS_TOKEN"] = "t";
  surroundings.environment["GENESYS_CLOUD_CLIENT_ID"] = "id";
  surroundings.environment["GENESYS_CLOUD_CLIENT_SECRET"] = "s";
  EXPECT_EQ(loaded().access_token.reveal(), "t");
  EXPECT_TRUE(loaded().client_id.empty());
  flags.client_id = "flag-id";
  EXPECT_TRUE(loaded().access_token.empty());
  EXPECT_EQ(loaded().client_id, "flag-id");
  EXPECT_EQ(loaded().client_secrets.at(0).reveal(), "s");
}

TEST_F(Identity, ATokenWithItsSchemeBeforeItIsRefused) {
  surroundings.environment["GENESYS_CLOUD_ACCESS_TOKEN"] = "Bearer abc";
  EXPECT_THAT(refused(), HasSubstr("without \"Bearer\""));
  EXPECT_THAT(refused(), Not(HasSubstr("abc")));
}

TEST_F(Identity, ATokenOf64KibIsTakenAndOneOver256KibIsNot) {
  surroundings.environment["GENESYS_CLOUD_ACCESS_TOKEN"] = std::string(64 * 1024, 'a');
  EXPECT_EQ(loaded().access_token.size(), 64U * 1024);
  surroundings.environment["GENESYS_CLOUD_ACCESS_TOKEN"] = std::string(256 * 1024, 'a');
  EXPECT_EQ(loaded().access_token.size(), 256U * 1024);
  surroundings.environment["GENESYS_CLOUD_ACCESS_TOKEN"] = std::string(256 * 1024 + 1, 'a');
  EXPECT_THAT(refused(), HasSubstr("over 256 KiB"));
}

TEST_F(Identity, StandardInputServesOneSecretAlone) {
  flags.client_secret_file = "-";
  flags.access_token_file = "-";
  surroundings.files["-"] = "x";
  EXPECT_THAT(refused(), HasSubstr("cannot both come from standard input"));
}

}  // namespace
}  // namespace skewguard::settings
