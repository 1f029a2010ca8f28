#include "proxy/listener.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <system_error>
#include <utility>

namespace skewguard::proxy {
namespace {

/// A listener on any free port.
class OneListener : public ::testing::Test {
 protected:
  OneListener() {
    EXPECT_TRUE(listener.open(*parse_listen_address("127.0.0.1:0")));
    accept();
  }
  void accept() {
    listener.accept(loop, [this](Descriptor client) { accepted = std::move(client); });
  }
  void connect() {
    peer = Descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(listener.address().port);
    ASSERT_EQ(::connect(peer.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }

  EventLoop loop;
  Listener listener;
  Descriptor peer;
  Descriptor accepted;
};

TEST_F(OneListener, HandsOverConnections) {
  connect();
  loop.poll();
  EXPECT_TRUE(accepted.open());
}

TEST_F(OneListener, PausesWithoutDescriptorsAndGoesOnOnceThereAreSome) {
  connect();
  loop.poll();  // UBSan needs descriptors to look at a type for the first time
  accepted = {};
  connect();
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{0, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  loop.poll();  // would never end if it asked again at once
  EXPECT_FALSE(accepted.open());
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  while (!accepted.open()) loop.run_once();
}

TEST_F(OneListener, ThrowsWhereItCannotBeWatched) {
  EXPECT_THROW(accept(), std::system_error) << "the loop watches it already";
}

}  // namespace
}  // namespace skewguard::proxy
