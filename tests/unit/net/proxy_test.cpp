#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/proxy.hpp"

namespace skewguard::net {
namespace {

using testing::HasSubstr;
using testing::Not;

http::Url url_of(const std::string& text) {
  const auto url = http::parse_url(text);
  EXPECT_TRUE(url.ok()) << text;
  return url ? *url : http::Url{};
}

struct Case {
  const char* no_proxy;
  const char* url;
  bool covered;
};

// Like curl (its manual, NO_PROXY; lib/noproxy.c), with ports as in other programs.
TEST(NoProxy, CoversWhatItNames) {
  for (const auto& [no_proxy, url, covered] :
       std::vector<Case>{{"", "https://a.example/", false},
                         {",, ,", "https://a.example/", false},
                         {"*", "https://a.example/", true},
                         {"*", "https://192.0.2.1/", true},
                         {"b.example, *", "https://a.example/", true},
                         {"*.example", "https://a.example/", false},
                         {"a.example", "https://a.example/", true},
                         {"A.Example", "https://a.eXample/", true},
                         {"a.example.", "https://a.example/", true},
                         {"a.example", "https://a.example./", true},
                         {".a.example", "https://a.example/", true},
                         {"example", "https://a.example/", true},
                         {".example", "https://a.example/", true},
                         {"a.example", "https://ba.example/", false},
                         {"a.example", "https://b.a.example/", true},
                         {"b.a.example", "https://a.example/", false},
                         {"x,a.example,y", "https://a.example/", true},
                         {"x a.example y", "https://a.example/", true},
                         {"\ta.example ,y", "https://a.example/", true},
                         {"localhost", "https://localhost/", true},
                         {"localhost", "https://127.0.0.1/", false},
                         {"127.0.0.1", "https://127.0.0.1/", true},
                         {"0.0.1", "https://127.0.0.1/", false},
                         {".0.0.1", "https://127.0.0.1/", false},
                         {"127.0.0.1", "https://27.0.0.1/", false},
                         {"10.0.0.0/8", "https://10.255.0.1/", true},
                         {"10.0.0.0/8", "https://11.0.0.1/", false},
                         {"10.0.0.0/8", "https://10.example/", false},
                         {"192.0.2.128/25", "https://192.0.2.128/", true},
                         {"192.0.2.128/25", "https://192.0.2.127/", false},
                         {"192.0.2.7/32", "https://192.0.2.7/", true},
                         {"192.0.2.7/32", "https://192.0.2.6/", false},
                         {"0.0.0.0/0", "https://192.0.2.7/", true},
                         {"0.0.0.0/0", "https://[2001:db8::1]/", false},
                         {"192.0.2.7/33", "https://192.0.2.7/", false},
                         {"192.0.2.7/", "https://192.0.2.7/", false},
                         {"192.0.2.7/x", "https://192.0.2.7/", false},
                         {"192.0.2.7/-1", "https://192.0.2.7/", false},
                         {"192.0.2.7/4294967297", "https://192.0.2.7/", false},
                         {"::1", "https://[::1]/", true},
                         {"[::1]", "https://[::1]/", true},
                         {"0:0:0:0:0:0:0:1", "https://[::1]/", true},
                         {"2001:db8::/32", "https://[2001:db8:1::1]/", true},
                         {"2001:db8::/32", "https://[2001:db9::1]/", false},
                         {"a.example:443", "https://a.example/", true},
                         {"a.example:443", "https://a.example:8443/", false},
                         {"a.example:8443", "https://b.a.example:8443/", true},
                         {"a.example:", "https://a.example/", false},
                         {"a.example:https", "https://a.example/", false},
                         {"a.example:99999", "https://a.example/", false},
                         {"127.0.0.1:8443", "https://127.0.0.1:8443/", true},
                         {"127.0.0.1:8443", "https://127.0.0.1/", false},
                         {"[::1]:8443", "https://[::1]:8443/", true},
                         {"[::1]:8443", "https://[::1]/", false},
                         {"*:8443", "https://a.example:8443/", true},
                         {"*:8443", "https://a.example/", false},
                         {"a.example:99999,a.example", "https://a.example/", true},
                         {".", "https://a.example/", false},
                         {"https://a.example", "https://a.example/", false}}) {
    EXPECT_EQ(NoProxy(no_proxy).covers(url_of(url)), covered) << no_proxy << " and " << url;
  }
}

TEST(ProxyRule, WithoutAUrlEveryHostIsReachedDirectly) {
  const auto rule = ProxyRule::make({.credentials = Secret("a:b"), .no_proxy = "x"});
  ASSERT_TRUE(rule.ok());
  EXPECT_EQ(rule->proxy_for(url_of("https://a.example/")), nullptr);
}

TEST(ProxyRule, NamesTheProxyUnlessTheHostIsAnException) {
  const auto rule = ProxyRule::make({.url = "http://Proxy.Example:3128", .no_proxy = "b.example"});
  ASSERT_TRUE(rule.ok());
  const auto* proxy = rule->proxy_for(url_of("https://a.example/"));
  ASSERT_NE(proxy, nullptr);
  EXPECT_EQ(proxy->host, "proxy.example");
  EXPECT_EQ(proxy->port, 3128);
  EXPECT_TRUE(proxy->authorization.empty());
  EXPECT_EQ(rule->proxy_for(url_of("http://a.example/")), proxy);
  EXPECT_EQ(rule->proxy_for(url_of("https://b.example/")), nullptr);
}

TEST(ProxyRule, TheEnvironmentsProxyIsForHttpsAlone) {
  const auto rule = ProxyRule::make({.url = "http://proxy:1", .https_only = true});
  ASSERT_TRUE(rule.ok());
  EXPECT_NE(rule->proxy_for(url_of("https://a.example/")), nullptr);
  EXPECT_EQ(rule->proxy_for(url_of("http://a.example/")), nullptr);
}

TEST(ProxyRule, CredentialsAreBasic) {
  const auto value = [](const char* credentials) {
    const auto rule = ProxyRule::make({.url = "http://p:1", .credentials = Secret(credentials)});
    return rule ? std::string(rule->proxy_for(url_of("https://a/"))->authorization.reveal())
                : describe(rule.error());
  };
  EXPECT_EQ(value("Aladdin:open sesame"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");  // RFC 7617, 2
  EXPECT_EQ(value("test:123\xC2\xA3"), "Basic dGVzdDoxMjPCow==");                 // RFC 7617, 2.1
  EXPECT_EQ(value(":"), "Basic Og==");
}

TEST(ProxyRule, RefusesWhatItCannotUseWithoutRepeatingIt) {
  const std::string secret = "hunter2";
  for (const auto& options : std::vector<ProxyOptions>{
           {.url = "https://proxy.example:443"},
           {.url = "socks5://proxy.example:1080"},
           {.url = "proxy.example:3128"},
           {.url = "http://proxy.example:3128/path"},
           {.url = "http://user:hunter2@proxy.example:3128"},
           {.url = "http://p:1", .credentials = Secret("hunter2")},
           {.url = "http://p:1", .credentials = Secret("user:hunter2\r\nX: y")},
           {.url = "http://p:1", .credentials = Secret(std::string("u:hunter2\0", 10))},
           {.url = "http://p:1", .credentials = Secret("u:" + std::string(8191, 'x'))}}) {
    const auto rule = ProxyRule::make(options);
    ASSERT_FALSE(rule.ok()) << options.url;
    EXPECT_EQ(rule.error().kind, ErrorKind::config);
    EXPECT_THAT(describe(rule.error()), HasSubstr("the proxy is unusable"));
    EXPECT_THAT(describe(rule.error()), Not(HasSubstr(secret)));
  }
  EXPECT_TRUE(
      ProxyRule::make({.url = "http://p:1", .credentials = Secret("u:" + std::string(8190, 'x'))})
          .ok());
}

}  // namespace
}  // namespace skewguard::net
