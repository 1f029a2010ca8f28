#include "oauth/token_request.hpp"

#include <gtest/gtest.h>

#include "oauth/base64.hpp"
#include "oauth/rfc6749_dialect.hpp"

namespace skewguard::oauth {
namespace {

constexpr const char* kUrl = "https://login.example.com/oauth/token";

std::string basic_of(std::string_view pair) {
  return "Basic " + std::string(base64_encode(pair).view());
}

TEST(Base64, EncodesTheVectorsOfRfc4648) {
  // Section 10
  EXPECT_EQ(base64_encode(""), "");
  EXPECT_EQ(base64_encode("f"), "Zg==");
  EXPECT_EQ(base64_encode("fo"), "Zm8=");
  EXPECT_EQ(base64_encode("foo"), "Zm9v");
  EXPECT_EQ(base64_encode("foob"), "Zm9vYg==");
  EXPECT_EQ(base64_encode("fooba"), "Zm9vYmE=");
  EXPECT_EQ(base64_encode("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64_encode("\xfb\xff"), "+/8=");
}

TEST(Base64, DecodesTheUrlAlphabetAlone) {
  EXPECT_EQ(base64url_decode("Zm9vYg"), "foob");
  EXPECT_EQ(base64url_decode("-_8"), "\xfb\xff");
  EXPECT_EQ(base64url_decode(""), "");
  for (const char* text : {"+/8", "Zg==", "Z", "Zm9vY", "Zm 9", "Zm9.", "\xc3\xa4"}) {
    EXPECT_EQ(base64url_decode(text), std::nullopt) << text;
  }
}

TEST(TokenRequest, IsTheClientCredentialsRequestOfRfc6749) {
  // Section 4.4.2, with the client of section 2.3.1
  const ClientCredentials grant{"s6BhdRkqt3", Secret{"7Fjfp0ZBr1KtDRbnfVdmIw"}};
  const HttpRequest request = Rfc6749Dialect{}.request(grant, kUrl);
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.url, kUrl);
  EXPECT_EQ(request.headers.find("Content-Type"), "application/x-www-form-urlencoded");
  EXPECT_EQ(request.headers.find("Accept"), "application/json");
  EXPECT_EQ(request.authorization.reveal(), "Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3");
  EXPECT_EQ(request.body.reveal(), "grant_type=client_credentials");
}

TEST(TokenRequest, FormEncodesIdAndSecretBeforeBasic) {
  const ClientCredentials grant{"a:b", Secret{"c d+%"}};
  const HttpRequest request = token_request(grant, kUrl, BasicForm::form_encoded);
  EXPECT_EQ(request.authorization.reveal(), basic_of("a%3Ab:c+d%2B%25"));
}

TEST(TokenRequest, KeepsIdAndSecretRawWhereAsked) {
  const ClientCredentials grant{"a", Secret{"c d+%:"}};
  const HttpRequest request = token_request(grant, kUrl, BasicForm::raw);
  EXPECT_EQ(request.authorization.reveal(), basic_of("a:c d+%:"));
}

TEST(TokenRequest, CarriesTheExtraFieldsInOrder) {
  const ClientCredentials grant{
      "a", Secret{"b"}, {{"resource", "urn:api x"}, {"scope", "read&write"}}};
  EXPECT_EQ(token_request(grant, kUrl, BasicForm::raw).body.reveal(),
            "grant_type=client_credentials&resource=urn%3Aapi+x&scope=read%26write");
}

TEST(TokenRequest, PutsIdAndSecretIntoTheFormWhereAsked) {
  const ClientCredentials grant{"urn:a", Secret{"c d+%"}, {}, ClientAuth::post};
  const HttpRequest request = token_request(grant, kUrl, BasicForm::raw);
  EXPECT_TRUE(request.authorization.empty());
  EXPECT_EQ(request.body.reveal(),
            "grant_type=client_credentials&client_id=urn%3Aa&client_secret=c+d%2B%25");
}

TEST(TokenRequest, SendsNoSecretWhereAsked) {
  const ClientCredentials grant{"me", Secret{"s3cr3t"}, {}, ClientAuth::none};
  const HttpRequest request = token_request(grant, kUrl, BasicForm::raw);
  EXPECT_TRUE(request.authorization.empty());
  EXPECT_EQ(request.body.reveal(), "grant_type=client_credentials&client_id=me");
}

TEST(TokenRequest, AnExtraFieldMayReplaceTheGrantType) {
  const ClientCredentials grant{"a", Secret{"b"}, {{"grant_type", "password"}, {"username", "u"}}};
  EXPECT_EQ(token_request(grant, kUrl, BasicForm::raw).body.reveal(),
            "grant_type=password&username=u");
}

TEST(TokenRequest, APublicClientNamesItselfInTheForm) {
  const ClientCredentials grant{"me", Secret{}};
  const HttpRequest request = token_request(grant, kUrl, BasicForm::raw);
  EXPECT_TRUE(request.authorization.empty());
  EXPECT_EQ(request.body.reveal(), "grant_type=client_credentials&client_id=me");
}

}  // namespace
}  // namespace skewguard::oauth
