#include "net/resend_rule.hpp"

#include <gtest/gtest.h>

namespace skewguard::net {
namespace {

TEST(ResendRule, IdempotentMethodsAreThoseOfRfc9110) {
  for (const char* method : {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"}) {
    EXPECT_TRUE(idempotent(method)) << method;
  }
  for (const char* method : {"POST", "PATCH", "CONNECT", "get", "", "PROPFIND"}) {
    EXPECT_FALSE(idempotent(method)) << method;
  }
}

TEST(ResendRule, AnIdempotentRequestGoesAgainOverAStalePooledConnection) {
  EXPECT_TRUE(may_resend("GET", {.pooled = true, .request_written = true}));
}

TEST(ResendRule, OnlyOnce) {
  EXPECT_FALSE(may_resend("GET", {.pooled = true, .request_written = true, .resent = true}));
  EXPECT_FALSE(may_resend("GET", {.pooled = true, .request_written = false, .resent = true}));
}

TEST(ResendRule, AFreshConnectionsLossIsNotStaleness) {
  EXPECT_FALSE(may_resend("GET", {.pooled = false, .request_written = true}));
  EXPECT_FALSE(may_resend("GET", {.pooled = false, .request_written = false}));
}

TEST(ResendRule, APostGoesAgainOnlyIfNoByteOfItWasWritten) {
  EXPECT_FALSE(may_resend("POST", {.pooled = true, .request_written = true}));
  EXPECT_TRUE(may_resend("POST", {.pooled = true, .request_written = false}));
}

}  // namespace
}  // namespace skewguard::net
