#include "genesys/regions.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "base/nearest.hpp"

namespace skewguard::genesys {
namespace {

using testing::HasSubstr;
using testing::Not;

// docs/platform.md section 1.1, typed in again.
constexpr std::pair<const char*, const char*> kTable[] = {
    {"us-east-1", "mypurecloud.com"},
    {"us-west-2", "usw2.pure.cloud"},
    {"us-east-2", "use2.us-gov-pure.cloud"},
    {"ca-central-1", "cac1.pure.cloud"},
    {"mx-central-1", "mxc1.pure.cloud"},
    {"sa-east-1", "sae1.pure.cloud"},
    {"eu-west-1", "mypurecloud.ie"},
    {"eu-west-2", "euw2.pure.cloud"},
    {"eu-central-1", "mypurecloud.de"},
    {"ap-south-1", "aps1.pure.cloud"},
    {"ap-southeast-1", "apse1.pure.cloud"},
    {"ap-southeast-2", "mypurecloud.com.au"},
    {"ap-northeast-1", "mypurecloud.jp"},
    {"ap-northeast-2", "apne2.pure.cloud"},
    {"ap-northeast-3", "apne3.pure.cloud"},
    {"me-central-1", "mec1.pure.cloud"},
    {"eusc-de-east-1", "edee1.eusc-pure.cloud"},
    {"eu-central-2", "euc2.pure.cloud"},
};

TEST(Regions, AreTheEighteenOfThePlatform) {
  ASSERT_EQ(regions().size(), 18U);
  for (const auto& [aws, domain] : kTable) {
    const auto urls = urls_of(aws);
    ASSERT_TRUE(urls.ok()) << aws;
    EXPECT_EQ(urls->domain, domain);
    EXPECT_EQ(urls->login_url, std::string("https://login.") + domain);
    EXPECT_EQ(urls->api_url, std::string("https://api.") + domain);
  }
}

TEST(Regions, AwsNamesAreTakenWithUnderscoresAndInAnyCase) {
  for (const auto& [aws, domain] : kTable) {
    std::string name(aws);
    std::ranges::replace(name, '-', '_');
    EXPECT_EQ(urls_of(name)->domain, domain);
    std::ranges::transform(name, name.begin(),
                           [](char c) { return c >= 'a' && c <= 'z' ? char(c - 32) : c; });
    EXPECT_EQ(urls_of(name)->domain, domain) << name;
  }
}

TEST(Regions, AnyDomainIsTakenSinceTheListGrows) {
  for (const char* text : {"mypurecloud.ie", "MyPureCloud.IE", "login.mypurecloud.ie",
                           "api.mypurecloud.ie", "apps.mypurecloud.ie", "https://mypurecloud.ie",
                           "https://apps.mypurecloud.ie/", " mypurecloud.ie "}) {
    ASSERT_TRUE(urls_of(text).ok()) << text;
    EXPECT_EQ(urls_of(text)->domain, "mypurecloud.ie") << text;
  }
  EXPECT_EQ(urls_of("xyz9.pure.cloud")->api_url, "https://api.xyz9.pure.cloud");
}

TEST(Regions, TextThatIsNoDomainIsRefused) {
  for (const char* text :
       {"a..b", ".", "mypurecloud.ie/path", "http://mypurecloud.ie", "user@evil.com", "a b.c",
        "-x.com", "x-.com", "mypurecloud.ie:443", "m\xc3\xbcller.de", "a.b\r\nHost: evil"}) {
    const auto urls = urls_of(text);
    ASSERT_FALSE(urls.ok()) << text;
    EXPECT_EQ(urls.error().kind, ErrorKind::config);
  }
  const std::string label(63, 'a');
  EXPECT_TRUE(urls_of(label + ".com").ok());
  EXPECT_FALSE(urls_of(label + "a.com").ok());
}

TEST(Regions, AMistypedNameLeadsToTheNearestOne) {
  const std::pair<const char*, const char*> slips[] = {{"eu-wset-1", "eu-west-1"},
                                                       {"us_east1", "us-east-1"},
                                                       {"ap-norteast-2", "ap-northeast-2"},
                                                       {"eucs-de-east-1", "eusc-de-east-1"}};
  for (const auto& [typed, meant] : slips) {
    const auto urls = urls_of(typed);
    ASSERT_FALSE(urls.ok());
    EXPECT_THAT(urls.error().message, HasSubstr(typed));
    EXPECT_THAT(urls.error().remedy, HasSubstr(std::string("did you mean ") + meant));
  }
  EXPECT_THAT(urls_of("somewhere").error().remedy, Not(HasSubstr("did you mean")));
}

TEST(Regions, WhatCouldGarbleATerminalIsNotRepeated) {
  EXPECT_THAT(urls_of("\x1b[2J").error().message, Not(HasSubstr("\x1b")));
}

TEST(Nearest, CountsEditsAndSwaps) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("abc", ""), 3U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);  // the textbook's example
  EXPECT_EQ(edit_distance("ab", "ba"), 1U);
  EXPECT_EQ(edit_distance("Timeout", "timeout"), 0U);
}

TEST(Nearest, DoesNotGuessWildly) {
  const std::vector<std::string_view> names{"timeout", "region"};
  EXPECT_EQ(nearest("timeuot", names), "timeout");
  EXPECT_EQ(nearest("xyzzy", names), std::nullopt);
  EXPECT_EQ(nearest("", names), std::nullopt);
}

}  // namespace
}  // namespace skewguard::genesys
