#include "http/url.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>

namespace skewguard::http {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Url url(std::string_view text) {
  auto parsed = parse_url(text);
  if (!parsed) {
    ADD_FAILURE() << text << ": " << parsed.error().message;
    return {};
  }
  return *std::move(parsed);
}

std::string refusal(std::string_view text) {
  const auto parsed = parse_url(text);
  if (parsed) return "taken: " + parsed->text();
  EXPECT_EQ(parsed.error().kind, ErrorKind::config);
  return parsed.error().message;
}

TEST(Url, IsTakenApart) {
  const Url full = url("https://api.mypurecloud.ie:8443/api/v2/users?pageSize=1&x=%20");
  EXPECT_EQ(full.scheme, "https");
  EXPECT_EQ(full.host, "api.mypurecloud.ie");
  EXPECT_EQ(full.port, 8443);
  EXPECT_EQ(full.target, "/api/v2/users?pageSize=1&x=%20");
  EXPECT_TRUE(full.tls());
  EXPECT_FALSE(url("http://127.0.0.1/").tls());
}

TEST(Url, KnowsTheUsualPorts) {
  EXPECT_EQ(url("http://a.example").port, 80);
  EXPECT_EQ(url("https://a.example").port, 443);
  EXPECT_EQ(url("https://a.example:/x").port, 443);
  EXPECT_EQ(url("http://a.example:1/").port, 1);
  EXPECT_EQ(url("http://a.example:65535/").port, 65535);
  EXPECT_EQ(url("http://a.example:0080/").port, 80);
}

TEST(Url, HasATargetThatBeginsWithASlash) {
  EXPECT_EQ(url("https://a.example").target, "/");
  EXPECT_EQ(url("https://a.example/").target, "/");
  EXPECT_EQ(url("https://a.example?q=1").target, "/?q=1");
  EXPECT_EQ(url("https://a.example/?").target, "/?");
  EXPECT_EQ(url("https://a.example//x/../y").target, "//x/../y");
  EXPECT_EQ(url("https://a.example/%2f%C3%A9").target, "/%2f%C3%A9");
}

TEST(Url, HasOneOriginHoweverItIsSpelt) {
  for (const auto* text : {"https://api.example", "HTTPS://API.Example/",
                           "https://api.example:443/x", "https://api.example:0443/x?y"}) {
    EXPECT_EQ(url(text).origin(), "https://api.example") << text;
  }
  EXPECT_EQ(url("http://api.example:443/").origin(), "http://api.example:443");
  EXPECT_EQ(url("https://api.example:80/").origin(), "https://api.example:80");
  for (const auto* text : {"http://[::1]:8080/", "http://[0:0:0:0:0:0:0:1]:8080/"}) {
    EXPECT_EQ(url(text).origin(), "http://[::1]:8080") << text;
  }
  EXPECT_EQ(url("https://[2001:DB8::1]/").origin(), "https://[2001:db8::1]");
}

TEST(Url, IsShownWithoutWhatMayBeSecret) {
  for (const auto& [whole, shown] :
       {std::pair{"https://u:p@a.example/b@c?d#e", "https://a.example/b@c"},
        {"https://p@w@a.example", "https://a.example"},
        {"ftp://u:p@a.example/b", "ftp://a.example/b"},
        {"//u:p@a.example/b", "//a.example/b"},
        {"u:p@a.example/b", "a.example/b"},
        {"https:u:p@a.example", "a.example"},
        {"https://u:p@a.example\\b@c", "https://a.example\\b@c"},
        {"/users/@me?x", "/users/@me"},
        {"", ""}}) {
    EXPECT_EQ(without_secrets(whole), shown);
  }
}

TEST(Url, NamesTheHostForTheHostField) {
  EXPECT_EQ(url("https://api.example/x").authority(), "api.example");
  EXPECT_EQ(url("http://127.0.0.1:8484/x").authority(), "127.0.0.1:8484");
  EXPECT_EQ(url("http://[::1]/x").authority(), "[::1]");
  EXPECT_EQ(url("http://[::1]/x").host, "::1");
}

// boostorg/url issue 770: Boost 1.81 ends such a host after the fourth number.
TEST(Url, TakesAHostThatBeginsLikeAnAddressForAName) {
  EXPECT_EQ(url("https://127.0.0.1.example/x").host, "127.0.0.1.example");
  EXPECT_EQ(url("https://10.0.0.1-a.example:8443/x").origin(), "https://10.0.0.1-a.example:8443");
  EXPECT_EQ(url("https://1.2.3.4.5/x").target, "/x");
}

TEST(Url, IsReadBackAsItIsWritten) {
  for (const auto* text : {"https://a.example/", "http://[::1]:8080/x?y=z", "http://10.0.0.1:1/",
                           "https://a_b.example/%41?%42"}) {
    EXPECT_EQ(url(text).text(), text);
  }
}

TEST(Url, IsLoopbackForLoopbackAddressesAlone) {
  for (const auto* text : {"http://localhost/", "http://LOCALHOST:1/", "http://127.0.0.1/",
                           "http://127.255.255.254/", "http://[::1]/", "http://[0::1]/"}) {
    EXPECT_TRUE(url(text).loopback()) << text;
  }
  for (const auto* text :
       {"http://127.0.0.1.example/", "http://127.example/", "http://127.1/", "http://128.0.0.1/",
        "http://2130706433/", "http://0x7f.0.0.1/", "http://0177.0.0.1/", "http://0.0.0.0/",
        "http://localhost.example/", "http://notlocalhost/", "http://localhost./", "http://[::]/",
        "http://[::2]/", "http://[::ffff:127.0.0.1]/", "http://10.0.0.1/"}) {
    EXPECT_FALSE(url(text).loopback()) << text;
  }
}

TEST(Url, RefusesWhatItCannotUseAndNamesIt) {
  const std::array<std::pair<const char*, const char*>, 38> kCases{{
      {"", "is empty"},
      {"api.example", "has no scheme"},
      {"/api/v2", "has no scheme"},
      {"//api.example/", "has no scheme"},
      {"https:", "names no host"},
      {"https:/x", "names no host"},
      {"https://", "names no host"},
      {"https:///x", "names no host"},
      {"https://:443/", "names no host"},
      {"ftp://api.example/", "neither http nor https"},
      {"file:///etc/passwd", "neither http nor https"},
      {"httpss://api.example/", "neither http nor https"},
      {"javascript:alert(1)", "neither http nor https"},
      {"https://user@api.example/", "user name or password"},
      {"https://user:pw@api.example/", "user name or password"},
      {"https://@api.example/", "user name or password"},
      {"https://api.example/#", "fragment"},
      {"https://api.example/x#y", "fragment"},
      {"https://api.example/ x", "contains a space"},
      {" https://api.example/", "contains a space"},
      {"https://api.example/\r\nHost:x", "control character"},
      {"https://api.example/\x7f", "control character"},
      {"https://b\xC3\xBC"
       "cher.example/",
       "non-ASCII"},
      {"https://api.example:0/", "port outside"},
      {"https://api.example:65536/", "port outside"},
      {"https://api.example:99999999999999999999/", "a port"},
      {"https://api.example:x/", "a port that is not a number"},
      {"https://api.example:80x/", "a port that is not a number"},
      {"https://api.example:80:90/", "a port that is not a number"},
      {"https://api.example:-1/", "a port that is not a number"},
      {"https://[::1]x/", "unfinished IPv6"},
      {"https://[::1/", "unfinished IPv6"},
      {"https://[::g]/", "no IPv6 address"},
      {"https://[::1%25eth0]/", "no IPv6 address"},
      {"https://api.example/%zz", "malformed path or query"},
      {"https://a%2eexample/", "host with characters other"},
      {"https://a!example/", "host with characters other"},
      {"https://[v1.x]/", "no IPv6 address"},
  }};
  for (const auto& [text, why] : kCases) EXPECT_THAT(refusal(text), HasSubstr(why)) << text;
  for (const auto* text : {"https://a.example/%", "https://a.example/%zz", "https://a.example/\"",
                           "https://a.example/<>", "https://a.example/\\x", "https://a.example/{x}",
                           "https://[::1/", "https://::1/", "https://a b/", "https://[::g]/"}) {
    EXPECT_THAT(refusal(text), Not(HasSubstr("taken"))) << text;
  }
  EXPECT_THAT(refusal(std::string_view("https://a.example/\0x", 20)),
              HasSubstr("control character"));
}

TEST(Url, NeverRepeatsWhatItRefuses) {
  for (const auto* text : {"https://user:hunter2@api.example/", "https://api.example/?t=hunter2 ",
                           "ftp://api.example/hunter2", "https://api.example/#hunter2"}) {
    const auto parsed = parse_url(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_THAT(describe(parsed.error()), Not(HasSubstr("hunter2")));
  }
}

TEST(Url, EndsAtSixteenKibibytes) {
  const std::string head = "https://a.example/";
  const std::string longest = head + std::string(16 * 1024 - head.size(), 'x');
  EXPECT_EQ(url(longest).text(), longest);
  EXPECT_THAT(refusal(longest + "x"), HasSubstr("16 KiB"));
}

TEST(Url, OfEveryPrefixOfAValidOneIsTakenOrRefusedWithoutHarm) {
  const std::string_view text = "https://[2001:db8::1]:8443/a/b?c=%20";
  for (std::size_t n = 0; n < text.size(); ++n) {
    const auto parsed = parse_url(text.substr(0, n));
    const bool whole_host = n >= std::string_view("https://[2001:db8::1]").size();
    const bool whole_escape =
        !text.substr(0, n).ends_with('%') && !text.substr(0, n).ends_with("%2");
    EXPECT_EQ(parsed.ok(), whole_host && whole_escape) << text.substr(0, n);
  }
}

TEST(JoinUrl, PutsOneSlashBetween) {
  for (const auto* base :
       {"https://a.example/x", "https://a.example/x/", "https://a.example/x//"}) {
    for (const auto* path : {"y?z=/", "/y?z=/"}) {
      EXPECT_EQ(join_url(base, path), "https://a.example/x/y?z=/") << base << ' ' << path;
    }
  }
  EXPECT_EQ(join_url("https://a.example", "/oauth/token"), "https://a.example/oauth/token");
  EXPECT_EQ(join_url("https://a.example", ""), "https://a.example/");
}

TEST(JoinUrl, LeavesAPathAsItIsGiven) {
  EXPECT_EQ(join_url("https://a.example", "//x"), "https://a.example//x");
  EXPECT_EQ(join_url("https://a.example/y/", "//x//"), "https://a.example/y//x//");
  const auto url = parse_url("https://a.example//x");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->target, "//x");
}

// https://url.spec.whatwg.org/#urlencoded-serializing
TEST(FormEncode, FollowsTheUrlStandard) {
  EXPECT_EQ(form_encode("azAZ09*-._"), "azAZ09*-._");
  EXPECT_EQ(form_encode("a b"), "a+b");
  EXPECT_EQ(form_encode("a+b&c=d%"), "a%2Bb%26c%3Dd%25");
  EXPECT_EQ(form_encode("~!'()/:"), "%7E%21%27%28%29%2F%3A");
  EXPECT_EQ(form_encode("\xC3\xA9\r\n"), "%C3%A9%0D%0A");
  EXPECT_EQ(form_encode(std::string_view("\0\xff", 2)), "%00%FF");
  EXPECT_EQ(form_encode(""), "");
  EXPECT_EQ(form_encode("urn:ietf:params:oauth"), "urn%3Aietf%3Aparams%3Aoauth");
}

TEST(FormDecode, UndoesFormEncode) {
  for (const auto* text : {"", "azAZ09*-._", "a+b&c=d%", "\xC3\xA9\r\n", "~ !'()/:"})
    EXPECT_EQ(form_decode(form_encode(text).view()), text);
  EXPECT_EQ(form_decode("%c3%A9"), "\xC3\xA9");
  for (const auto* text : {"%", "%4", "%4g", "%zz", "a%+1"})
    EXPECT_EQ(form_decode(text), std::nullopt) << text;
}

TEST(FieldValue, HoldsVisibleAsciiSpaceAndTabAlone) {
  for (int c = 0; c < 256; ++c) {
    const std::string value{'a', static_cast<char>(c), 'b'};
    EXPECT_EQ(valid_field_value(value), c == '\t' || (c >= 0x20 && c <= 0x7e)) << c;
  }
  EXPECT_TRUE(valid_field_value(""));
}

TEST(ConfidentialField, IsKnownByItsName) {
  for (const char* name : {"Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie",
                           "X-API-Key", "x-auth-token", "Client-Secret"}) {
    EXPECT_TRUE(confidential_field(name)) << name;
  }
  for (const char* name : {"Date", "WWW-Authenticate", "ININ-Correlation-Id", "Retry-After", ""}) {
    EXPECT_FALSE(confidential_field(name)) << name;
  }
}

TEST(Token, HoldsTheCharactersOfTheRfcAlone) {
  const std::string_view marks = "!#$%&'*+-.^_`|~";  // RFC 9110 section 5.6.2
  for (int c = 0; c < 256; ++c) {
    const std::string name(1, static_cast<char>(c));
    const bool letter_or_digit =
        (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    EXPECT_EQ(valid_token(name), letter_or_digit || marks.find(name) != std::string_view::npos)
        << c;
  }
  EXPECT_TRUE(valid_token("X-Trace"));
  EXPECT_FALSE(valid_token(""));
  EXPECT_FALSE(valid_token("X Trace"));
}

TEST(EndpointText, PutsAnIpv6AddressInBrackets) {
  EXPECT_EQ(endpoint_text("::1", 80), "[::1]:80");
  EXPECT_EQ(endpoint_text("127.0.0.1", 80), "127.0.0.1:80");
}

}  // namespace
}  // namespace skewguard::http
