#include "oauth/token_words.hpp"

#include <gtest/gtest.h>

namespace skewguard::oauth {
namespace {

TEST(TokenWords, NameAnExpiredAccessToken) {
  for (const char* text : {"The access token expired",
                           "token.expired",
                           "token_expired",
                           "TOKEN_EXPIRED",
                           "tokenexpired",
                           "TokenExpiredError",
                           "ExpiredTokenException",
                           "JWTExpired",
                           "jwt expired",
                           "ExpiredJwtException",
                           "OAuthTokenExpired",
                           "Expired or invalid access token",
                           "The security token included in the request is expired",
                           "The access token you provided has expired.",
                           "INVALID_SESSION_ID Session expired or invalid",
                           "Error validating access token: Session has expired on Monday",
                           "credentials.expired",
                           "Access failed. Token expired",
                           "Your session has expired",
                           "Expired bearer token"}) {
    for (const int status : {400, 401, 403}) EXPECT_TRUE(names_bad_token(text, status)) << text;
  }
}

TEST(TokenWords, NameAnInvalidOrRevokedAccessToken) {
  for (const char* text :
       {"InvalidAccessToken", "The access token is invalid", "Invalid authentication token",
        "Invalid bearer token", "InvalidAuthenticationToken", "invalid or revoked access token",
        "The access token has been revoked", "invalidaccesstoken",
        "The access token is invalid or expired", "access token invalid"}) {
    for (const int status : {400, 401, 403}) EXPECT_TRUE(names_bad_token(text, status)) << text;
  }
}

TEST(TokenWords, OfA400MustNameTheAccessTokenAndNoParameter) {
  for (const char* text : {"invalid token", "The token is invalid", "Zoom token expired"}) {
    EXPECT_TRUE(names_bad_token(text, 403)) << text;
    EXPECT_FALSE(names_bad_token(text, 400)) << text;
  }
  EXPECT_FALSE(names_bad_token("invalid token '<' at line 1", 400));
}

TEST(TokenWords, AreOfNoOthersToken) {
  for (const char* text :
       {"pageToken has expired", "page_token_expired", "The next page token has expired",
        "CSRF token expired", "CSRF token is invalid", "XSRFTokenExpired", "expired csrf token",
        "Invalid CSRF token", "refresh token expired", "The upload session has expired",
        "Anti-forgery token expired", "Your password reset token has expired"}) {
    for (const int status : {400, 401, 403}) EXPECT_FALSE(names_bad_token(text, status)) << text;
  }
}

TEST(TokenWords, AreOfNothingElseThatExpires) {
  for (const char* text :
       {"", "expired", "Your license has expired", "The evaluation period has expired",
        "The user token cannot delete what is under an unexpired legal hold", "the coupon expired",
        "Your license expired. Please request a new access token.", "tokenExpiry is too short",
        "license expired; use this token", "Missing Authentication Token", "Invalid credentials",
        "Session is invalid", "The certificate expired", "The user token has invalid scope",
        "Token carries an invalid audience"}) {
    for (const int status : {400, 401, 403}) EXPECT_FALSE(names_bad_token(text, status)) << text;
  }
}

}  // namespace
}  // namespace skewguard::oauth
