#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fake_surroundings.hpp"
#include "settings/settings.hpp"

namespace skewguard::settings {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class ProxySetting : public testing::Test {
 protected:
  ProxySetting() {
    surroundings.environment = {{"GENESYS_CLOUD_REGION", "mypurecloud.ie"},
                                {"GENESYS_CLOUD_CLIENT_ID", "id"},
                                {"GENESYS_CLOUD_CLIENT_SECRET", "secret"}};
  }
  ClientOptions loaded() const {
    auto result = load(flags, surroundings.make(), Need::identity);
    EXPECT_TRUE(result.ok()) << describe(result.error());
    return result.ok() ? std::move(result->client) : ClientOptions{};
  }
  ProxyOptions proxy(const std::string& url) {
    flags.proxy = url;
    return loaded().proxy;
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

TEST_F(ProxySetting, IsNoneByDefault) {
  const auto proxy = loaded().proxy;
  EXPECT_EQ(proxy.url, "");
  EXPECT_TRUE(proxy.credentials.empty());
  EXPECT_EQ(proxy.no_proxy, "");
}

TEST_F(ProxySetting, IsTakenApart) {
  struct Case {
    const char* text;
    const char* url;
    const char* credentials;
  };
  for (const auto& [text, url, credentials] :
       std::vector<Case>{{"http://proxy.example:3128", "http://proxy.example:3128", ""},
                         {"HTTP://Proxy.Example:3128/", "http://proxy.example:3128", ""},
                         {"proxy.example:3128", "http://proxy.example:3128", ""},
                         {" proxy.example ", "http://proxy.example", ""},
                         {"http://[::1]:3128", "http://[::1]:3128", ""},
                         {"http://user:word@p:1", "http://p:1", "user:word"},
                         {"user:word@p:1", "http://p:1", "user:word"},
                         {"http://user@p:1", "http://p:1", "user:"},
                         {"http://:word@p:1", "http://p:1", ":word"},
                         {"http://@p:1", "http://p:1", ""},
                         {"http://user:a:b@p:1", "http://p:1", "user:a:b"},
                         {"http://user:a@b/c#d?e@p:1", "http://p:1", "user:a@b/c#d?e"},
                         {"http://us%40er:%25%3a%2F@p:1", "http://p:1", "us@er:%:/"},
                         {"http://user:p+w@p:1", "http://p:1", "user:p+w"},
                         {"http://\xC3\xA9:%C2%A3@p:1", "http://p:1", "\xC3\xA9:\xC2\xA3"}}) {
    const auto proxy = this->proxy(text);
    EXPECT_EQ(proxy.url, url) << text;
    EXPECT_EQ(proxy.credentials.reveal(), credentials) << text;
    EXPECT_FALSE(proxy.https_only) << "a flag is for both";
  }
}

TEST_F(ProxySetting, WhatCannotBeUsedIsNamedByItsOriginAndNotRepeated) {
  struct Case {
    const char* text;
    const char* words;
  };
  for (const auto& [text, words] :
       std::vector<Case>{{"https://user:hunter2@p:443", "uses https://"},
                         {"socks5h://user:hunter2@p:1080", "uses socks5h://"},
                         {"ftp://user:hunter2@p:21", "is not an http:// URL"},
                         {"http://user:hunter2@", "names no host"},
                         {"http://", "names no host"},
                         {"http://user:hunter2@p:99999", "port outside"},
                         {"http://user:hunter2@p:port", "a port that is not a number"},
                         {"http://user:hunter2@p:1/path", "has a path"},
                         {"http://user:hunter2@p:1?query", "has a path"},
                         {"http://user:hunter2%@p:1", "without two hexadecimal digits"},
                         {"http://user:hunter2%2@p:1", "without two hexadecimal digits"},
                         {"http://user%zz:hunter2@p:1", "without two hexadecimal digits"},
                         {"http://us%3Aer:hunter2@p:1", "colon in its user name"},
                         {"http://user:hunter2%0D%0AX@p:1", "control character"},
                         {"http://user:hunter2%00@p:1", "control character"}}) {
    flags.proxy = text;
    EXPECT_THAT(refused(), AllOf(HasSubstr("the proxy (--proxy)"), HasSubstr(words),
                                 Not(HasSubstr("hunter2"))))
        << text;
    surroundings.environment["HTTPS_PROXY"] = text;
    flags.proxy.reset();
    EXPECT_THAT(refused(), AllOf(HasSubstr("the proxy (HTTPS_PROXY)"), HasSubstr(words),
                                 Not(HasSubstr("hunter2"))))
        << text;
  }
}

TEST_F(ProxySetting, OfTheEnvironmentIsForHttpsAloneAndLowerCaseWins) {
  surroundings.environment["HTTPS_PROXY"] = "http://upper:1";
  EXPECT_EQ(loaded().proxy.url, "http://upper:1");
  EXPECT_TRUE(loaded().proxy.https_only);
  surroundings.environment["https_proxy"] = "http://lower:1";
  EXPECT_EQ(loaded().proxy.url, "http://lower:1");
  surroundings.environment["https_proxy"] = "";
  EXPECT_EQ(loaded().proxy.url, "http://upper:1") << "an empty variable counts as unset";
  surroundings.environment = {{"HTTP_PROXY", "http://x:1"},
                              {"http_proxy", "http://x:1"},
                              {"GENESYS_CLOUD_REGION", "mypurecloud.ie"},
                              {"GENESYS_CLOUD_ACCESS_TOKEN", "t"}};
  EXPECT_EQ(loaded().proxy.url, "");
}

TEST_F(ProxySetting, OfTheEnvironmentHasNoPartInPlainHttp) {
  surroundings.environment["HTTPS_PROXY"] = "socks5://p:1";
  flags.login_url = "http://127.0.0.1:1";
  flags.api_url = "http://127.0.0.1:2";
  EXPECT_EQ(loaded().proxy.url, "");
  flags.api_url = "https://api.example";
  EXPECT_THAT(refused(), HasSubstr("HTTPS_PROXY"));
}

TEST_F(ProxySetting, FlagBeatsEnvironmentBeatsProfileAndAnEmptyFlagMeansNone) {
  surroundings.files["/profiles"] =
      "[profile.default]\nproxy = \"http://u:p@profile:1\"\nno_proxy = \"a.example\"\n";
  flags.config = "/profiles";
  EXPECT_EQ(loaded().proxy.url, "http://profile:1");
  EXPECT_EQ(loaded().proxy.credentials.reveal(), "u:p");
  EXPECT_EQ(loaded().proxy.no_proxy, "a.example");
  EXPECT_FALSE(loaded().proxy.https_only);
  surroundings.environment["https_proxy"] = "http://environment:1";
  surroundings.environment["NO_PROXY"] = "b.example";
  EXPECT_EQ(loaded().proxy.url, "http://environment:1");
  EXPECT_EQ(loaded().proxy.no_proxy, "b.example");
  surroundings.environment["no_proxy"] = "c.example";
  EXPECT_EQ(loaded().proxy.no_proxy, "c.example");
  flags.proxy = "http://flag:1";
  EXPECT_EQ(loaded().proxy.no_proxy, "c.example") << "exceptions are for a flag's proxy, too";
  flags.no_proxy = "d.example";
  EXPECT_EQ(loaded().proxy.url, "http://flag:1");
  EXPECT_EQ(loaded().proxy.no_proxy, "d.example");
  flags.proxy = "";
  EXPECT_EQ(loaded().proxy.url, "");
}

TEST_F(ProxySetting, TheClientCertificateIsNamedByFlagOrProfile) {
  surroundings.files["/profiles"] =
      "[profile.default]\nclient_cert = \"/p/cert.pem\"\nclient_key = \"/p/key.pem\"\n";
  flags.config = "/profiles";
  EXPECT_EQ(loaded().client_cert_file, "/p/cert.pem");
  EXPECT_EQ(loaded().client_key_file, "/p/key.pem");
  flags.client_cert = "/f/cert.pem";
  flags.client_key = "/f/key.pem";
  EXPECT_EQ(loaded().client_cert_file, "/f/cert.pem");
  EXPECT_EQ(loaded().client_key_file, "/f/key.pem");
}

}  // namespace
}  // namespace skewguard::settings
