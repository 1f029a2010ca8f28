#include "relay/admission.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "heads.hpp"

namespace skewguard::relay::testing {
namespace {

/// The verdict on a request as text: the denial's code, or the route's number and the target.
std::string admitted(const std::string& bytes, const AdmissionRules& rules = {}) {
  RequestReader reader;
  EXPECT_EQ(reader.read(bytes), ReadHead::whole) << bytes << words(reader.fault());
  const Admission admission = admit(reader.head(), rules);
  if (admission.denial != Denial::none) return std::string(text_of(admission.denial).code);
  return std::to_string(static_cast<int>(admission.route)) + " " + std::string(admission.target);
}

std::string request(const std::string& target, const std::string& fields = "",
                    const std::string& host = "localhost", const std::string& method = "GET") {
  return method + " " + target + " HTTP/1.1\r\nHost: " + host + "\r\n" + fields + "\r\n";
}

constexpr const char* kServed = "0 /api/v2/x";

std::string with(const std::string& fields, const AdmissionRules& rules = {}) {
  return admitted(request("/api/v2/x", fields), rules);
}

std::string at(const std::string& path, const AdmissionRules& rules = {},
               const std::string& method = "GET") {
  return admitted(request(path, "", "localhost", method), rules);
}

AdmissionRules with_bearers() {
  AdmissionRules rules;
  rules.bearers = {Secret("handle"), Secret("secret")};
  return rules;
}

TEST(Admission, ServesLoopbackNamesOfAnyPort) {
  for (const auto* host :
       {"localhost", "LocalHost:1", "127.0.0.1:8484", "127.255.0.9", "[::1]", "[::1]:8484"})
    EXPECT_EQ(admitted(request("/api/v2/x", "", host)), kServed) << host;
}

TEST(Admission, DeniesOtherNamesEvenIfTheyLeadHere) {
  for (const auto* host :
       {"evil.test", "localhost.evil.test", "127.0.0.1.evil.test", "127.0.0.evil", "127.0.0",
        "127.0..1", "127.0.0.1.1", "127.0.0.0001", "127.0.0.", "128.0.0.1", "0.0.0.0", "[::2]",
        "localhost.", "x.localhost"})
    EXPECT_EQ(admitted(request("/api/v2/x", "", host)), "host.refused") << host;
}

TEST(Admission, ServesNamesThatItIsGiven) {
  AdmissionRules rules;
  rules.hosts = {"sidecar", "[fe80::1]"};
  EXPECT_EQ(admitted(request("/api/v2/x", "", "SIDECAR:80"), rules), kServed);
  EXPECT_EQ(admitted(request("/api/v2/x", "", "[fe80::1]:80"), rules), kServed);
  EXPECT_EQ(admitted(request("/api/v2/x", "", "sidecar.evil"), rules), "host.refused");
}

TEST(Admission, DeniesWebPages) {
  EXPECT_EQ(with("Origin: http://localhost\r\n"), "origin.refused");
  EXPECT_EQ(with("Origin: null\r\n"), "origin.refused");
  EXPECT_EQ(with("Origin:\r\n"), "origin.refused");
  for (const auto* site : {"cross-site", "same-site", "", "Same-Origin", "none, cross-site"})
    EXPECT_EQ(with("Sec-Fetch-Site: " + std::string(site) + "\r\n"), "cross.site.refused") << site;
  EXPECT_EQ(with("Sec-Fetch-Site: none\r\nSec-Fetch-Site: cross-site\r\n"), "cross.site.refused");
}

TEST(Admission, ServesProgramsThatSetFetchFieldsOfTheirOwn) {
  EXPECT_EQ(with("Sec-Fetch-Mode: cors\r\n"), kServed);
  EXPECT_EQ(with("Sec-Fetch-Site: none\r\n"), kServed);
  EXPECT_EQ(with("Sec-Fetch-Site: same-origin\r\n"), kServed);
}

TEST(Admission, ServesPagesOfAnAllowedOrigin) {
  AdmissionRules rules;
  rules.origins = {"https://app.test"};
  EXPECT_EQ(with("Origin: https://App.test\r\nSec-Fetch-Site: cross-site\r\n", rules), kServed);
  EXPECT_EQ(with("Origin: https://app.test.evil\r\n", rules), "origin.refused");
  EXPECT_EQ(with("Origin: https://app.test\r\nOrigin: https://evil\r\n", rules), "origin.refused");
  EXPECT_EQ(with("Sec-Fetch-Site: cross-site\r\n", rules), "cross.site.refused");
}

AdmissionRules with_page() {
  AdmissionRules rules = with_bearers();
  rules.origins = {"https://app.test"};
  rules.required_fields = {"X-Mine"};
  rules.allow = {{"GET", "/api/v2/x", false}};
  return rules;
}

TEST(Admission, LetsABrowserAskForAPageThatIsServed) {
  const std::string origin = "Origin: https://app.test\r\n";
  const std::string asks = "access-control-request-method: GET\r\n";
  const auto options = [&](const std::string& target, const std::string& fields) {
    return admitted(request(target, fields, "localhost", "OPTIONS"), with_page());
  };
  for (const auto* target : {"/api/v2/x", "/api/v2/y?z", "/oauth/token", "/other"})
    EXPECT_EQ(options(target, origin + asks), "7 " + std::string(target));
  EXPECT_EQ(options("/api/v2/x", asks), "handle.refused") << "no page asks";
  EXPECT_EQ(options("/api/v2/x", origin), "handle.refused") << "a request that only looks like it";
  EXPECT_EQ(admitted(request("/api/v2/x", origin + asks), with_page()), "handle.refused");
  EXPECT_EQ(options("/api/v2/x", "Origin: https://evil.test\r\n" + asks), "origin.refused");
  EXPECT_EQ(options("/api/v2/x", "Origin: null\r\n" + asks), "origin.refused");
  EXPECT_EQ(admitted(request("/api/v2/x", origin + asks, "evil.test", "OPTIONS"), with_page()),
            "host.refused");
}

TEST(Admission, NamesThePageThatMayReadTheAnswer) {
  const auto origin_of = [](const std::string& bytes) {
    RequestReader reader;
    EXPECT_EQ(reader.read(bytes), ReadHead::whole);
    return std::string(admit(reader.head(), with_page()).origin);
  };
  const std::string origin = "Origin: https://App.test\r\n";
  EXPECT_EQ(origin_of(request("/api/v2/x", origin)), "https://App.test") << "a denial too";
  EXPECT_EQ(
      origin_of(request("/api/v2/x", origin + "X-Mine: 1\r\nAuthorization: Bearer handle\r\n")),
      "https://App.test");
  EXPECT_EQ(origin_of(request("/healthz", origin)), "https://App.test");
  EXPECT_EQ(origin_of(request("/healthz")), "");
  EXPECT_EQ(origin_of(request("/healthz", "Origin: https://evil.test\r\n")), "");
  EXPECT_EQ(origin_of(request("/healthz", origin, "evil.test")), "");
}

TEST(Admission, AsksForTheHandleOrTheSecret) {
  const auto rules = with_bearers();
  EXPECT_EQ(with("Authorization: Bearer handle\r\n", rules), kServed);
  EXPECT_EQ(with("authorization: bearer   secret\r\n", rules), kServed);
  for (const auto* value : {"Bearer handl", "Bearer handle2", "Bearer Handle", "Basic handle",
                            "handle", "Bearerhandle", "Bearer", "Bearer ", ""}) {
    const std::string field = "Authorization: " + std::string(value) + "\r\n";
    EXPECT_EQ(with(field, rules), "handle.refused") << value;
  }
  EXPECT_EQ(with("", rules), "handle.refused");
  AdmissionRules empty;
  empty.bearers = {Secret("")};
  EXPECT_EQ(with("Authorization: Bearer  \r\n", empty), "handle.refused");
}

TEST(Admission, AsksForTheFieldsThatItRequires) {
  AdmissionRules rules;
  rules.required_fields = {"X-Mine", "X-Also"};
  EXPECT_EQ(with("x-mine: 1\r\nX-ALSO:\r\n", rules), kServed);
  EXPECT_EQ(with("x-mine: 1\r\n", rules), "header.missing");
}

TEST(Admission, KnowsItsOwnPages) {
  const auto rules = with_bearers();
  const std::string bearer = "Authorization: Bearer handle\r\n";
  EXPECT_EQ(at("/healthz", rules), "3 /healthz");
  EXPECT_EQ(at("/readyz?x", rules, "HEAD"), "4 /readyz?x");
  EXPECT_EQ(at("/oauth/token", rules, "POST"), "1 /oauth/token");
  EXPECT_EQ(at("/login/oauth/token", rules, "POST"), "1 /login/oauth/token");
  EXPECT_EQ(at("/metrics", rules), "handle.refused");
  EXPECT_EQ(at("/status.json", rules), "handle.refused");
  EXPECT_EQ(admitted(request("/metrics", bearer), rules), "5 /metrics");
  EXPECT_EQ(admitted(request("/status.json", bearer), rules), "6 /status.json");
  EXPECT_EQ(at("/healthz", {}, "POST"), "method.refused");
  EXPECT_EQ(at("/oauth/token", {}, "GET"), "method.refused");
  EXPECT_EQ(admitted(request("/healthz", "", "evil.test")), "host.refused");
  EXPECT_EQ(admitted(request("/oauth/token", "Origin: x\r\n", "localhost", "POST")),
            "origin.refused");
}

TEST(Admission, ForwardsTheApiAloneByteForByte) {
  EXPECT_EQ(at("/api/v2/a%2Fb%20c%252Fd?q=../%2e%2e\\%"),
            "0 /api/v2/a%2Fb%20c%252Fd?q=../%2e%2e\\%");
  EXPECT_EQ(at("/api/api/v2/x?y"), "0 /api/v2/x?y");
  EXPECT_EQ(at("/api/v2/"), "0 /api/v2/");
  for (const auto* path :
       {"/", "/api", "/api/v2", "/api/v2?x", "/api/v3/x", "/API/v2/x", "//api/v2/x", "/x/api/v2/y",
        "/api/api/api/v2/x", "/%61pi/v2/x", "/metrics/"})
    EXPECT_EQ(at(path), "not.found") << path;
}

TEST(Admission, DeniesPathsThatAServerMightResolve) {
  for (const auto* path : {"/..",
                           "/./",
                           "/api/v2/../x",
                           "/api/v2/./x",
                           "/api/v2/x/..",
                           "/api/v2/x/.",
                           "/api/v2/%2e%2E/x",
                           "/api/v2/.%2e/x",
                           "/api/v2/%2E",
                           "/api/v2/x%2F..%2fy",
                           "/api/v2/x%2f..",
                           "/api/v2/..;a/x",
                           "/api/v2/..%3B/x",
                           "/api/v2/.;",
                           "/api/v2/x\\y",
                           "/api/v2/x%5C..%5cy",
                           "/api/v2/..%5Cy",
                           "/api/v2/%",
                           "/api/v2/%4",
                           "/api/v2/%4g/x",
                           "/api/v2/%zz?x",
                           "/api/api/v2/../x"})
    EXPECT_EQ(at(path), "path.refused") << path;
  for (const auto* path :
       {"/api/v2/...", "/api/v2/a..", "/api/v2/..a", "/api/v2/.a/b.", "/api/v2//x", "/api/v2/;..",
        "/api/v2/%252e%252e/x", "/api/v2/x%5Cy", "/api/v2/....//x"})
    EXPECT_EQ(at(path), "0 " + std::string(path));
}

TEST(Admission, DeniesWhatNoAllowRuleContains) {
  AdmissionRules rules;
  rules.allow = {*parse_allow_rule("GET /api/v2/users/*"), *parse_allow_rule("POST /api/v2/x")};
  EXPECT_EQ(at("/api/v2/users/a/b?c", rules), "0 /api/v2/users/a/b?c");
  EXPECT_EQ(at("/api/api/v2/users/", rules), "0 /api/v2/users/");
  EXPECT_EQ(at("/api/v2/x?q", rules, "POST"), "0 /api/v2/x?q");
  EXPECT_EQ(at("/api/v2/users", rules), "not.allowed");
  EXPECT_EQ(at("/api/v2/users/", rules, "get"), "not.allowed");
  EXPECT_EQ(at("/api/v2/users/", rules, "HEAD"), "not.allowed");
  EXPECT_EQ(at("/api/v2/%75sers/x", rules), "not.allowed");
  EXPECT_EQ(at("/api/v2/x/", rules, "POST"), "not.allowed");
  EXPECT_EQ(at("/api/v2/users/..%2Fx", rules), "path.refused");
}

TEST(Admission, ReadsAllowRules) {
  const auto rule = parse_allow_rule("GET   /api/v2/x*");
  ASSERT_TRUE(rule);
  EXPECT_EQ(rule->method, "GET");
  EXPECT_EQ(rule->path, "/api/v2/x");
  EXPECT_TRUE(rule->prefix);
  EXPECT_FALSE(parse_allow_rule("GET /x")->prefix);
  for (const auto* text : {"", "GET", "GET ", "/x", "GET x", "G:T /x", "GET /a*b", "GET /a b",
                           "GET /a?b", " GET /x", "GET /**"})
    EXPECT_FALSE(parse_allow_rule(text)) << text;
}

TEST(Admission, DoesNotLetAProgramEndEverybodysToken) {
  for (const auto* path :
       {"/api/v2/tokens/me", "/api/v2/tokens/me?x", "/api/v2/tokens/me/", "/api/v2//tokens/me",
        "/api/v2/tokens/%6De", "/api/v2/Tokens/ME", "/api/v2/tokens%2Fme",
        "/api/v2/tokens;a=b/me;c", "/api/api/v2/tokens/me"})
    EXPECT_EQ(at(path, {}, "DELETE").substr(0, 2), "2 ") << path;
  EXPECT_EQ(at("/api/v2/tokens/me", {}, "delete").substr(0, 2), "2 ");
  EXPECT_EQ(at("/api/v2/tokens/me", {}, "GET"), "0 /api/v2/tokens/me");
  for (const auto* path : {"/api/v2/tokens/men", "/api/v2/tokens/m", "/api/v2/tokens/me/x",
                           "/api/v2/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"})
    EXPECT_EQ(at(path, {}, "DELETE").substr(0, 2), "0 ") << path;
}

TEST(Admission, JudgesInTheOrderOfTheContract) {
  auto rules = with_bearers();
  rules.required_fields = {"X-Mine"};
  rules.allow = {*parse_allow_rule("GET /api/v2/y")};
  std::string fields = "Origin: x\r\nSec-Fetch-Site: cross-site\r\n";
  EXPECT_EQ(admitted(request("/..", fields, "evil"), rules), "host.refused");
  EXPECT_EQ(admitted(request("/..", fields), rules), "origin.refused");
  fields = "Sec-Fetch-Site: cross-site\r\n";
  EXPECT_EQ(admitted(request("/..", fields), rules), "cross.site.refused");
  EXPECT_EQ(admitted(request("/.."), rules), "handle.refused");
  fields = "Authorization: Bearer handle\r\n";
  EXPECT_EQ(admitted(request("/..", fields), rules), "header.missing");
  fields += "X-Mine: 1\r\n";
  EXPECT_EQ(admitted(request("/..", fields), rules), "path.refused");
  EXPECT_EQ(admitted(request("/api/v2/x", fields), rules), "not.allowed");
}

TEST(Admission, EachDenialHasItsOwnCodeAndAStatus) {
  std::set<std::string_view> codes;
  for (int n = 1; n <= static_cast<int>(Denial::not_allowed); ++n) {
    const auto text = text_of(static_cast<Denial>(n));
    EXPECT_TRUE(codes.insert(text.code).second);
    EXPECT_TRUE(text.message.ends_with('.'));
    const int expected = text.code == "handle.refused"   ? 401
                         : text.code == "not.found"      ? 404
                         : text.code == "method.refused" ? 405
                                                         : 403;
    EXPECT_EQ(text.status, expected) << text.code;
  }
}

}  // namespace
}  // namespace skewguard::relay::testing
