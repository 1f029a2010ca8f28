#include "proxy/routes.hpp"

#include <gtest/gtest.h>

namespace skewguard::proxy {
namespace {

TEST(Routes, KnowsOurPagesAndTheApi) {
  EXPECT_EQ(route_of("GET", "/healthz"), Route::health);
  EXPECT_EQ(route_of("GET", "/readyz?x"), Route::ready);
  EXPECT_EQ(route_of("POST", "/oauth/token"), Route::login);
  EXPECT_EQ(route_of("POST", "/login/oauth/token"), Route::login);
  EXPECT_EQ(route_of("GET", "/api/v2/users?pageSize=1"), Route::api);
  EXPECT_EQ(route_of("GET", "/api/api/v2/users"), Route::api);
  EXPECT_EQ(route_of("GET", "/"), Route::unknown);
  EXPECT_EQ(route_of("GET", "/api/v1/users"), Route::unknown);
  EXPECT_EQ(route_of("GET", "/api/v2"), Route::unknown);
  EXPECT_EQ(route_of("GET", "/Healthz"), Route::unknown);
}

TEST(Routes, TheTokenOfAllIsNotEnded) {
  EXPECT_EQ(route_of("DELETE", "/api/v2/tokens/me"), Route::logout);
  EXPECT_EQ(route_of("DELETE", "/api/api/v2/tokens/me?x"), Route::logout);
  EXPECT_EQ(route_of("GET", "/api/v2/tokens/me"), Route::api);
}

TEST(Routes, RefusesWhatAServerMightTakeForAnotherPath) {
  for (const char* target :
       {"/api/v2/../x", "/api/v2/.", "/api/v2/./users", "/api/v2/%2e%2E/x", "/api/v2/.%2e",
        "/api/v2/a%2f..%2fx", "/api/v2/a\\..\\x", "/api/v2/a%5c%2e%2e", "/api/v2/#x", "*",
        "http://api.example/api/v2/users", "api/v2/users", "/api/v2/\x80", "/api/v2/a b", ""}) {
    EXPECT_EQ(route_of("GET", target), Route::unusable) << target;
  }
}

TEST(Routes, TakesDotsThatAreNoSegment) {
  for (const char* target : {"/api/v2/...", "/api/v2/.a", "/api/v2/a..", "/api/v2/users?x=../y",
                             "/api/v2/a%2Fb%20c%252Fd", "/api/v2/%2e%2ea"}) {
    EXPECT_EQ(route_of("GET", target), Route::api) << target;
  }
}

TEST(Routes, ThePrefixOfAGatewayIsNotTheApis) {
  EXPECT_EQ(api_target("/api/api/v2/users?x"), "/api/v2/users?x");
  EXPECT_EQ(api_target("/api/v2/api/v2/users"), "/api/v2/api/v2/users");
}

TEST(Routes, APathEndsAtItsQuery) {
  EXPECT_EQ(path_of("/a?b?c"), "/a");
  EXPECT_EQ(path_of("/a"), "/a");
}

}  // namespace
}  // namespace skewguard::proxy
