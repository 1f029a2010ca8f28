#include "emulator/encoding.hpp"

#include <gtest/gtest.h>

namespace skewguard::emulator {
namespace {

TEST(EmulatorEncoding, DecodesTheTestVectorsOfRfc4648) {
  EXPECT_EQ(base64_decode("Zg=="), "f");
  EXPECT_EQ(base64_decode("Zm8="), "fo");
  EXPECT_EQ(base64_decode("Zm9v"), "foo");
  EXPECT_EQ(base64_decode("Zm9vYmFy"), "foobar");
}

TEST(EmulatorEncoding, RefusesBase64ThatStrays) {
  for (const auto* text :
       {"", "Zg", "Zg=", "Zg===", "Z===", "Z m9v", "Zm9v\n", "Zm9-", "=Zg=", "Zh==", "Zm9="})
    EXPECT_EQ(base64_decode(text), std::nullopt) << text;
}

TEST(EmulatorEncoding, WritesBase64UrlWithoutPadding) {
  EXPECT_EQ(base64url(""), "");
  EXPECT_EQ(base64url("f"), "Zg");
  EXPECT_EQ(base64url("fo"), "Zm8");
  EXPECT_EQ(base64url("\xfb\xff\xfe"), "-__-");
  EXPECT_EQ(base64url(std::string(64, 'x')).size(), 86U);
}

TEST(EmulatorEncoding, HashesTheVectorsOfFips180AndRfc4231) {
  EXPECT_EQ(hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(EmulatorEncoding, ReadsForms) {
  const auto form = parse_form("a=1&b=x+y%2Bz&&c&a=2&=v");
  ASSERT_TRUE(form);
  EXPECT_EQ(*form, (Parameters{{"a", "1"}, {"b", "x y+z"}, {"c", ""}, {"a", "2"}, {"", "v"}}));
  EXPECT_EQ(count(*form, "a"), 2U);
  EXPECT_EQ(find(*form, "a"), "1");
  EXPECT_EQ(find(*form, "z"), std::nullopt);
}

TEST(EmulatorEncoding, RefusesMalformedPercentEncoding) {
  for (const auto* text : {"a=%", "a=%4", "a=%zz", "%g0=1", "a=1&b=%2"})
    EXPECT_EQ(parse_form(text), std::nullopt) << text;
}

TEST(EmulatorEncoding, WritesTheDateOfRfc9110) {
  EXPECT_EQ(http_date(std::chrono::seconds{784'111'777}), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(http_date(std::chrono::seconds{0}), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(http_date(std::chrono::seconds{-1}), "Wed, 31 Dec 1969 23:59:59 GMT");
  EXPECT_EQ(http_date(std::chrono::seconds{4'107'542'400}), "Mon, 01 Mar 2100 00:00:00 GMT");
}

}  // namespace
}  // namespace skewguard::emulator
