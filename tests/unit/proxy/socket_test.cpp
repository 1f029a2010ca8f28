#include "proxy/socket.hpp"

#include <gtest/gtest.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

namespace skewguard::proxy {
namespace {

using Moved = Socket::Moved;

/// A TCP connection: one side on a loop, the other in the test's hands.
class OneSocket : public ::testing::Test, protected Socket::User {
 protected:
  OneSocket() {
    const Descriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(listener.get(), generic, size), 0);
    EXPECT_EQ(::listen(listener.get(), 1), 0);
    EXPECT_EQ(::getsockname(listener.get(), generic, &size), 0);
    peer = Descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::connect(peer.get(), generic, size), 0);
    socket = std::make_unique<Socket>(
        loop, Descriptor(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)),
        static_cast<Socket::User&>(*this));
  }
  void socket_ready() override { ++told; }

  void send(std::string_view bytes, int flags = 0) const {
    ASSERT_EQ(::send(peer.get(), bytes.data(), bytes.size(), flags),
              static_cast<ssize_t>(bytes.size()));
    await_arrival();
  }
  void await_arrival() const {
    int on_its_way = 1;
    while (on_its_way > 0) ASSERT_EQ(::ioctl(peer.get(), SIOCOUTQ, &on_its_way), 0);
  }
  std::string read(std::size_t most = 100) {
    std::string bytes(most, ' ');
    const auto got = socket->read(std::span(bytes));
    bytes.resize(got.size);
    switch (got.moved) {
      case Moved::nothing:
        return "-";
      case Moved::end:
        return "end";
      case Moved::failed:
        return "failed";
      default:
        return bytes;
    }
  }

  EventLoop loop;
  Descriptor peer;
  std::unique_ptr<Socket> socket;
  int told = 0;
};

TEST_F(OneSocket, AsksTheKernelOnlyForWhatItWasToldOf) {
  EXPECT_EQ(read(), "-");
  send("one");
  EXPECT_EQ(read(), "-") << "the loop has not noted it yet";
  loop.poll();
  EXPECT_EQ(told, 1);
  EXPECT_EQ(read(), "one");
  send("two");
  EXPECT_EQ(read(), "-") << "a read that left room was the last";
  loop.poll();
  EXPECT_EQ(told, 2);
  EXPECT_EQ(read(), "two");
}

TEST_F(OneSocket, ReadsOnAfterAFullRead) {
  send("onetwo");
  loop.poll();
  EXPECT_EQ(read(3), "one");
  EXPECT_EQ(read(3), "two");
  EXPECT_EQ(read(3), "-");
  send("more");
  loop.poll();
  EXPECT_EQ(read(), "more");
}

TEST_F(OneSocket, MeetsTheEndBehindAShortRead) {
  send("last");
  ::shutdown(peer.get(), SHUT_WR);
  await_arrival();
  loop.poll();
  EXPECT_EQ(read(), "last");
  EXPECT_EQ(read(), "end");
  EXPECT_FALSE(socket->gone()) << "it still waits for its answer";
}

TEST_F(OneSocket, ReadsOnBehindAnUrgentByte) {
  send("before");
  send("!", MSG_OOB);
  send("behind");
  loop.poll();
  EXPECT_EQ(read(), "before");
  EXPECT_EQ(read(), "behind");
}

/// Sends `bytes` and a descriptor along with them.
void send_descriptor(const Descriptor& from, std::string_view bytes) {
  iovec content{const_cast<char*>(bytes.data()), bytes.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &content;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* const rights = CMSG_FIRSTHDR(&message);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(sizeof(int));
  const int sent = from.get();
  std::memcpy(CMSG_DATA(rights), &sent, sizeof sent);
  ASSERT_EQ(::sendmsg(from.get(), &message, 0), static_cast<ssize_t>(bytes.size()));
}

TEST_F(OneSocket, ReadsOnBehindAShortReadOfAUnixSocket) {
  std::array<int, 2> pair{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair.data()), 0);
  peer = Descriptor(pair[1]);
  socket = std::make_unique<Socket>(loop, Descriptor(pair[0]), static_cast<Socket::User&>(*this));
  send_descriptor(peer, "before");
  ASSERT_EQ(::send(peer.get(), "behind", 6, 0), 6);
  loop.poll();
  EXPECT_EQ(read(), "before");
  EXPECT_EQ(read(), "behind");
  EXPECT_EQ(read(), "-");
}

TEST_F(OneSocket, KnowsThatThereIsSomethingUnread) {
  EXPECT_FALSE(socket->unread());
  send("one");
  loop.poll();
  EXPECT_TRUE(socket->unread());
  EXPECT_EQ(read(3), "one");
  EXPECT_FALSE(socket->unread()) << "the read left no room, and the kernel says so";
  ::shutdown(peer.get(), SHUT_WR);
  await_arrival();
  loop.poll();
  EXPECT_TRUE(socket->unread());
}

TEST_F(OneSocket, SaysThatThePeerHasReset) {
  EXPECT_FALSE(socket->gone());
  send("never read");
  const linger at_once{1, 0};
  ::setsockopt(peer.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  peer.close();
  while (!socket->gone()) loop.run_once();  // though nothing of it has been read
  EXPECT_EQ(read(), "never read");
  EXPECT_EQ(read(), "failed");
}

TEST_F(OneSocket, WritesWhenThereIsRoomAgain) {
  std::string memory(std::size_t{64} * 1024, 'x');
  relay::Buffer out(memory);
  std::size_t written = 0;
  Moved moved = Moved::some;
  while (moved == Moved::some) {
    if (out.empty()) out.added(memory.size());
    const std::size_t before = out.size();
    moved = socket->write(out);
    written += before - out.size();
  }
  EXPECT_EQ(moved, Moved::nothing);
  loop.poll();
  told = 0;
  std::array<char, std::size_t{64} * 1024> taken;
  while (written > 0) {
    const auto size = ::recv(peer.get(), taken.data(), taken.size(), 0);
    ASSERT_GT(size, 0);
    written -= static_cast<std::size_t>(size);
    loop.poll();
  }
  EXPECT_GT(told, 0);
  EXPECT_EQ(socket->write(std::string_view("y")).moved, Moved::some);
}

TEST_F(OneSocket, GivesItsUserAnotherTurn) {
  socket->again();
  loop.poll();
  EXPECT_EQ(told, 1);
  socket->again();
  socket->close();
  socket->again();
  loop.poll();
  EXPECT_EQ(told, 1) << "it is closed";
}

TEST_F(OneSocket, FailsWhereItCannotBeWatched) {
  const Socket broken(loop, Descriptor(-1), *this);
  EXPECT_TRUE(broken.gone());
}

}  // namespace
}  // namespace skewguard::proxy
