#include "proxy/options.hpp"

#include <gtest/gtest.h>

#include <string>

namespace skewguard::proxy {
namespace {

TEST(ListenAddress, IsAnAddressWithAPortOrAUnixSocket) {
  EXPECT_EQ(parse_listen_address("127.0.0.1:8484")->text(), "http://127.0.0.1:8484");
  EXPECT_EQ(parse_listen_address("[::1]:0")->text(), "http://[::1]:0");
  EXPECT_EQ(parse_listen_address("unix:/run/x.sock")->text(), "unix:/run/x.sock");
  EXPECT_TRUE(parse_listen_address("unix:x")->unix_socket());
}

TEST(ListenAddress, NamesWhatIsWrong) {
  const auto why = [](std::string_view text) { return parse_listen_address(text).error().message; };
  EXPECT_NE(why("127.0.0.1").find("the port is missing"), std::string::npos);
  EXPECT_NE(why("127.0.0.1:65536").find("port is not a number"), std::string::npos);
  EXPECT_NE(why("127.0.0.1:").find("port is not a number"), std::string::npos);
  EXPECT_NE(why("::1:80").find("not an IP address"), std::string::npos);
  EXPECT_NE(why("[127.0.0.1]:80").find("not an IP address"), std::string::npos);
  EXPECT_NE(why("localhost:80").find("not an IP address"), std::string::npos);
  EXPECT_NE(why("unix:").find("path is missing"), std::string::npos);
}

TEST(ListenAddress, OfAUnixSocketHasALimit) {
  EXPECT_TRUE(parse_listen_address("unix:" + std::string(107, 'x')).ok());
  EXPECT_FALSE(parse_listen_address("unix:" + std::string(108, 'x')).ok());
}

TEST(ListenAddress, KnowsWhetherOtherMachinesCanConnect) {
  for (const char* text : {"0.0.0.0:80", "192.0.2.1:80", "[::]:80"}) {
    EXPECT_TRUE(parse_listen_address(text)->remote()) << text;
  }
  for (const char* text : {"127.9.9.9:80", "[::1]:80", "unix:x"}) {
    EXPECT_FALSE(parse_listen_address(text)->remote()) << text;
  }
}

}  // namespace
}  // namespace skewguard::proxy
