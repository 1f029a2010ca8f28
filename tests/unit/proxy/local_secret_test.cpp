#include "proxy/local_secret.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace skewguard::proxy {
namespace {

TEST(LocalSecret, WithoutOneEveryProgramIsServed) {
  const LocalSecret local{Secret()};
  EXPECT_TRUE(local.bearers().empty());
  EXPECT_TRUE(local.admits_login("anything"));
  EXPECT_FALSE(local.handle().empty());
}

TEST(LocalSecret, ServesThoseWhoShowItOrTheHandle) {
  const LocalSecret local{Secret("0123456789abcdef")};
  const std::vector<Secret> expected{local.handle(), Secret("0123456789abcdef")};
  EXPECT_EQ(local.bearers(), expected);
  EXPECT_TRUE(local.admits_login("0123456789abcdef"));
  EXPECT_FALSE(local.admits_login(""));
  EXPECT_FALSE(local.admits_login("0123456789abcdeF"));
  EXPECT_FALSE(local.admits_login("0123456789abcde"));
  EXPECT_FALSE(local.admits_login(local.handle().reveal()));
}

TEST(LocalSecret, ItsHandleIsTheSameAfterARestartAndDoesNotShowIt) {
  const LocalSecret before{Secret("0123456789abcdef")};
  const LocalSecret after{Secret("0123456789abcdef")};
  EXPECT_EQ(before.handle(), after.handle());
  EXPECT_EQ(before.handle().reveal().find("0123456789abcdef"), std::string_view::npos);
  EXPECT_FALSE(LocalSecret{Secret("another-secret!!")}.handle() == before.handle());
}

// HMAC-SHA256 by `printf TEXT | openssl dgst -sha256 -hmac 0123456789abcdef`.
TEST(LocalSecret, ItsHandleIsAnHmacOfItsPurpose) {
  EXPECT_EQ(LocalSecret{Secret("0123456789abcdef")}.handle().reveal(),
            "skewguard-98ac668773a928b9f5da3a79ffaa50feef604ff8cb054b17deeef29ea2ea3f21");
}

}  // namespace
}  // namespace skewguard::proxy
