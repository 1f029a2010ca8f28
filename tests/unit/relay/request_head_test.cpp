#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "heads.hpp"
#include "hostile_heads.hpp"

namespace skewguard::relay::testing {
namespace {

using ::testing::HasSubstr;

HeadFault fault(std::string_view bytes) {
  return fault_of<RequestReader>(bytes);
}

HeadFault fault_with(std::string_view fields, std::string_view start = "POST /x HTTP/1.1") {
  return fault(request_with(fields, start));
}

HeadFault fault_of_target(const std::string& target) {
  return fault_with("", "GET " + target + " HTTP/1.1");
}

HeadFault fault_of_host(const std::string& host) {
  return fault("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
}

TEST(RequestHead, GivesEveryPartInItsSpelling) {
  EXPECT_EQ(outcome<RequestReader>("pAtch /api/v2/a%2Fb?q=%7b{|} HTTP/1.1\r\n"
                                   "hOsT: 127.0.0.1:8484\r\n"
                                   "X-A:  two  words \t\r\n"
                                   "x-a:\r\n"
                                   "X-Utf: \xc3\xa4\r\n"
                                   "Content-Length: 007\r\n\r\nbody..."),
            "pAtch /api/v2/a%2Fb?q=%7b{|} 127.0.0.1:8484 v11 length=7\n"
            "hOsT=127.0.0.1:8484\nX-A=two  words\nx-a=\nX-Utf=\xc3\xa4\nContent-Length=007\n121");
}

TEST(RequestHead, OneEmptyLineMayComeBefore) {
  EXPECT_EQ(outcome<RequestReader>("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
            "GET / a v11\nHost=a\n29");
}

TEST(RequestHead, RefusesWhatIsAmbiguous) {
  for (const auto& head : kHostileHeads)
    EXPECT_EQ(words(fault(head.bytes)), words(head.fault)) << head.name;
}

TEST(RequestHead, IsReadTheSameHoweverItArrives) {
  std::vector<std::string> heads{request_with("A: 1\r\nB:\t2 \r\nContent-Length: 3\r\n"),
                                 "\r\n" + request_with("Transfer-Encoding: chunked\r\n")};
  for (const auto& head : kHostileHeads) heads.push_back(head.bytes);
  for (const auto& bytes : heads) {
    const std::string whole = outcome<RequestReader>(bytes);
    for (std::size_t first = 0; first < bytes.size(); ++first)
      EXPECT_EQ(outcome<RequestReader>(bytes, first), whole) << bytes << " after " << first;
  }
}

TEST(RequestHead, IsReadTheSameByteByByte) {
  const std::string bytes = request_with("A: 1\r\nContent-Length: 3\r\n");
  RequestReader reader;
  for (std::size_t size = 0; size < bytes.size(); ++size)
    ASSERT_EQ(reader.read(std::string_view(bytes).substr(0, size)), ReadHead::more) << size;
  ASSERT_EQ(reader.read(bytes), ReadHead::whole);
  EXPECT_EQ(text_of(reader.head()), outcome<RequestReader>(bytes));
}

TEST(RequestHead, IsRefusedAtTheFirstByteThatCannotBeginOne) {
  EXPECT_EQ(fault("\x16"), HeadFault::not_http);
  EXPECT_EQ(fault("\r\n\r"), HeadFault::not_http);
  EXPECT_EQ(fault("\n"), HeadFault::bare_line_feed);
}

TEST(RequestHead, TakesAnyTargetOfVisibleAscii) {
  for (char c = '!'; c <= '~'; ++c) {
    const auto expected = c == '#' ? HeadFault::bad_target : HeadFault::none;
    EXPECT_EQ(fault_of_target(std::string("/") + c), expected) << c;
  }
}

TEST(RequestHead, TakesAnyTokenAsMethodAndFieldName) {
  const std::string marks = "!#$%&'*+-.^_`|~09azAZ";
  EXPECT_EQ(fault_with("", marks + " / HTTP/1.1"), HeadFault::none);
  EXPECT_EQ(fault_with(marks + ": 1\r\n"), HeadFault::none);
  for (const char c : std::string_view("\"(),/:;<=>?@[\\]{}")) {
    EXPECT_EQ(fault_with("", std::string("G") + c + " / HTTP/1.1"), HeadFault::bad_request_line);
    const auto expected = c == ':' ? HeadFault::none : HeadFault::bad_field_name;
    EXPECT_EQ(fault_with(std::string("X") + c + ": 1\r\n"), expected) << c;
  }
}

TEST(RequestHead, TakesAnyHostWithOrWithoutPort) {
  for (const auto* host :
       {"a", "A-b_c.d.", "127.0.0.1", "a:1", "a:65535", "a:", "[::1]", "[::ffff:127.0.0.1]:8484"})
    EXPECT_EQ(fault_of_host(host), HeadFault::none) << host;
  for (const auto* host :
       {"", ":80", "a b", "a/b", "a?b", "u@a", "a%41", "a:b", "a:123456", "a:1:2", "a,b", "[]",
        "[:]", "[::1", "[::g]", "[::1]x", "[::1]:x", "\xc3\xa4"})
    EXPECT_EQ(fault_of_host(host), HeadFault::bad_host) << host;
}

TEST(RequestHead, LimitsTheLength) {
  EXPECT_EQ(fault_with("Content-Length: 999999999999999999\r\n"), HeadFault::none);
  EXPECT_EQ(fault_with("Content-Length: 1000000000000000000\r\n"), HeadFault::bad_content_length);
}

TEST(RequestHead, LimitsItsBytes) {
  const std::string rest = request_with("X: \r\n");
  const auto of_size = [&](std::size_t size) {
    return request_with("X: " + std::string(size - rest.size(), 'x') + "\r\n");
  };
  EXPECT_EQ(fault(of_size(kMaxHead)), HeadFault::none);
  EXPECT_EQ(fault(of_size(kMaxHead + 1)), HeadFault::head_too_large);
  RequestReader reader;
  const std::string bytes = of_size(kMaxHead + 1);
  EXPECT_EQ(reader.read(std::string_view(bytes).substr(0, kMaxHead - 1)), ReadHead::more);
  EXPECT_EQ(reader.read(std::string_view(bytes).substr(0, kMaxHead)), ReadHead::refused);
}

TEST(RequestHead, LimitsItsFields) {
  std::string fields;
  for (std::size_t n = 1; n < kMaxFields; ++n) fields += "X: 1\r\n";
  EXPECT_EQ(fault_with(fields), HeadFault::none);
  EXPECT_EQ(fault_with(fields + "X: 1\r\n"), HeadFault::too_many_fields);
}

TEST(RequestHead, LimitsTheOptionsOfTheConnection) {
  std::string options;
  for (std::size_t n = 0; n < kMaxConnectionOptions - 1; ++n) options += "x, ,";
  EXPECT_EQ(fault_with("Connection: " + options + "\r\nConnection: y\r\n"), HeadFault::none);
  EXPECT_EQ(fault_with("Connection: " + options + "\r\nConnection: y, z\r\n"),
            HeadFault::too_many_connection_options);
}

TEST(RequestHead, SaysWhetherTheConnectionEnds) {
  EXPECT_THAT(outcome<RequestReader>(request_with("Connection: keep-alive\r\n")),
              Not(HasSubstr("close\n")));
  EXPECT_THAT(outcome<RequestReader>(request_with("Connection: x , CLOSE\r\n")),
              HasSubstr("v11 close\n"));
  EXPECT_THAT(outcome<RequestReader>(request_with("", "GET / HTTP/1.0")), HasSubstr("v10 close\n"));
}

TEST(RequestHead, SaysWhetherTheClientWaitsToContinue) {
  EXPECT_THAT(outcome<RequestReader>(request_with("Expect: 100-Continue\r\n")),
              HasSubstr("api continue"));
  EXPECT_THAT(outcome<RequestReader>(request_with("Expect: 200-ok\r\n")), HasSubstr("api v11"));
  EXPECT_THAT(outcome<RequestReader>(request_with("Expect: 100-continue\r\n", "GET / HTTP/1.0")),
              HasSubstr("api v10"));
}

TEST(RequestHead, EachFaultHasItsOwnWordsAndAStatus) {
  std::set<std::string_view> seen;
  for (int n = 0; n <= static_cast<int>(HeadFault::coding_in_http_1_0); ++n)
    EXPECT_TRUE(seen.insert(words(static_cast<HeadFault>(n))).second) << n;
  EXPECT_EQ(status_for(HeadFault::bare_line_feed), 400);
  EXPECT_EQ(status_for(HeadFault::head_too_large), 431);
  EXPECT_EQ(status_for(HeadFault::too_many_fields), 431);
  EXPECT_EQ(status_for(HeadFault::too_many_connection_options), 431);
  EXPECT_EQ(status_for(HeadFault::connect_method), 501);
  EXPECT_EQ(status_for(HeadFault::unsupported_version), 505);
}

TEST(RequestHead, KnowsFieldsByNameInAnyCase) {
  RequestReader reader;
  const std::string bytes = request_with("oRiGiN: http://a\r\nX-Own: 1\r\nx-own: 2\r\n");
  ASSERT_EQ(reader.read(bytes), ReadHead::whole);
  const Fields& fields = reader.head().fields;
  EXPECT_EQ(fields.find(FieldName::origin), "http://a");
  EXPECT_EQ(fields.find(FieldName::cookie), std::nullopt);
  EXPECT_EQ(fields.find("X-OWN"), "1");
  EXPECT_EQ(fields.find("X-Ow"), std::nullopt);
}

TEST(FieldNames, AreKnownInAnyCaseAndNothingElseIs) {
  const std::vector<std::pair<std::string, FieldName>> names = {
      {"Authorization", FieldName::authorization},
      {"Connection", FieldName::connection},
      {"Content-Encoding", FieldName::content_encoding},
      {"Content-Length", FieldName::content_length},
      {"Content-Type", FieldName::content_type},
      {"Cookie", FieldName::cookie},
      {"Date", FieldName::date},
      {"Expect", FieldName::expect},
      {"Host", FieldName::host},
      {"HTTP2-Settings", FieldName::http2_settings},
      {"Keep-Alive", FieldName::keep_alive},
      {"Location", FieldName::location},
      {"Origin", FieldName::origin},
      {"Proxy-Authenticate", FieldName::proxy_authenticate},
      {"Proxy-Authorization", FieldName::proxy_authorization},
      {"Proxy-Connection", FieldName::proxy_connection},
      {"Sec-Fetch-Site", FieldName::sec_fetch_site},
      {"Skewguard-Attempts", FieldName::skewguard_attempts},
      {"Skewguard-Verdict", FieldName::skewguard_verdict},
      {"TE", FieldName::te},
      {"Trailer", FieldName::trailer},
      {"Transfer-Encoding", FieldName::transfer_encoding},
      {"Upgrade", FieldName::upgrade},
  };
  for (const auto& [name, known] : names) {
    EXPECT_EQ(field_name(name), known) << name;
    EXPECT_EQ(field_name(to_lower(name)), known) << name;
    for (std::size_t at = 0; at < name.size(); ++at) {
      std::string other = name;
      other[at] = '!';
      EXPECT_EQ(field_name(other), FieldName::other) << other;
    }
    EXPECT_EQ(field_name(name + "s"), FieldName::other) << name;
  }
}

}  // namespace
}  // namespace skewguard::relay::testing
