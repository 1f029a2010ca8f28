#include "proxy/upstream.hpp"

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "../net/certificates.hpp"
#include "net/tls_engine.hpp"
#include "system/system_clocks.hpp"

namespace skewguard::proxy {
namespace {

using Moved = Socket::Moved;
namespace certificates = net::testing_certificates;

/// A connection to the API, whose other side is in the test's hands.
class OneUpstream : public ::testing::Test, protected Socket::User {
 protected:
  OneUpstream() {
    std::array<int, 2> pair{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair.data()), 0);
    near = Descriptor(pair[0]);
    api = Descriptor(pair[1]);
  }
  void socket_ready() override { ++told; }

  void make(std::unique_ptr<net::TlsEngine> tls = nullptr) {
    upstream = std::make_unique<Upstream>(loop, Dialed{std::move(near), std::move(tls), 7}, clocks);
    upstream->begin(*this);
  }
  void raw(std::string_view bytes) const {
    ASSERT_EQ(::send(api.get(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  }
  [[nodiscard]] std::string arrived() const {
    std::array<char, 50'000> bytes;
    const auto size = ::recv(api.get(), bytes.data(), bytes.size(), 0);
    return {bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
  }
  Moved write(std::string_view request) {
    std::string copy(request);
    relay::Buffer out(copy);
    out.added(request.size());
    const Moved moved = upstream->write(out);
    EXPECT_EQ(out.empty(), moved == Moved::some);
    return moved;
  }
  Moved read() {
    loop.poll();
    relay::Buffer in(memory);
    const Moved moved = upstream->read(in);
    got = in.bytes();
    return moved;
  }
  bool at_rest() {
    loop.poll();
    return upstream->at_rest();
  }

  EventLoop loop;
  system::SystemClocks clocks;
  Descriptor near;
  Descriptor api;
  std::unique_ptr<Upstream> upstream;
  int told = 0;
  std::string memory = std::string(100, ' ');
  std::string got;
};

TEST_F(OneUpstream, CarriesARequestAndTellsWhenItLeftAndWasAnswered) {
  make();
  EXPECT_EQ(upstream->id(), 7U);
  EXPECT_FALSE(upstream->reused());
  EXPECT_TRUE(upstream->nothing_sent());
  EXPECT_EQ(write("a request"), Moved::some);
  EXPECT_EQ(arrived(), "a request");
  EXPECT_FALSE(upstream->nothing_sent());
  EXPECT_EQ(read(), Moved::nothing);
  EXPECT_EQ(upstream->received(), Instant{});
  raw("its answer");
  EXPECT_EQ(read(), Moved::some);
  EXPECT_EQ(got, "its answer");
  EXPECT_GT(told, 0);
  EXPECT_FALSE(upstream->early());
  EXPECT_NE(upstream->sent().boot, Instant{});
  EXPECT_GE(upstream->received(), upstream->sent().boot);
  upstream->begin(*this);
  EXPECT_TRUE(upstream->reused());
  EXPECT_TRUE(upstream->nothing_sent());
}

TEST_F(OneUpstream, SaysIfBytesCameBeforeTheRequest) {
  make();
  raw("unasked");
  EXPECT_EQ(read(), Moved::some);
  EXPECT_TRUE(upstream->early());
}

TEST_F(OneUpstream, TellsAnEndFromAFailure) {
  make();
  api.close();
  EXPECT_EQ(read(), Moved::end);
  EXPECT_EQ(write("a request"), Moved::failed);
  EXPECT_TRUE(upstream->nothing_sent());
}

TEST_F(OneUpstream, TellsNobodyWhileItRests) {
  make();
  upstream->rest();
  raw("unasked");
  loop.poll();
  EXPECT_EQ(told, 0);
  EXPECT_FALSE(at_rest());
}

/// The same with TLS 1.3; the handshake is over.
class OneTlsUpstream : public OneUpstream {
 protected:
  /// `number_of_tickets`: that the server sends behind its handshake.
  explicit OneTlsUpstream(std::size_t number_of_tickets = 2)
      : authority(certificates::make(certificates::authority_spec())),
        ca_file(certificates::pem_file({authority.certificate})),
        context(net::TlsOptions{.ca_file = ca_file}) {
    const auto identity =
        certificates::make({.dns = {"localhost"},
                            .not_before = certificates::kNow - std::chrono::days{1},
                            .not_after = certificates::kNow + std::chrono::days{1}},
                           &authority);
    const std::string chain = certificates::pem_file({identity.certificate});
    const std::string key = certificates::key_file(identity.key);
    server_context = std::make_unique<net::TlsContext>(
        net::ServerIdentity{text_of(chain), Secret(text_of(key))});
    for (const auto& file : {chain, key, ca_file}) std::remove(file.c_str());
    SSL_CTX_set_num_tickets(server_context->get(), number_of_tickets);
    server = std::make_unique<net::TlsEngine>(*server_context);
    auto client = std::make_unique<net::TlsEngine>(
        context, net::CertificateDemand{"localhost", 443, certificates::kNow});
    while (client->handshake() != net::TlsEngine::Step::done) {
      feed(*server, client->output());
      (void)server->handshake();
      feed(*client, server->output());
    }
    feed(*server, client->output());
    EXPECT_EQ(server->handshake(), net::TlsEngine::Step::done);
    tickets = server->output();
    make(std::move(client));
  }
  static std::string text_of(const std::string& path) {
    std::string text(10'000, ' ');
    std::FILE* const file = std::fopen(path.c_str(), "r");
    text.resize(std::fread(text.data(), 1, text.size(), file));
    std::fclose(file);
    return text;
  }
  static void feed(net::TlsEngine& engine, std::string_view bytes) {
    engine.feed({bytes.data(), bytes.size()});
  }
  std::string encrypted(std::string_view plain) {
    EXPECT_TRUE(server->write(plain));
    return std::exchange(tickets, {}) + server->output();  // in the order in which they were made
  }
  void say(std::string_view plain) { raw(encrypted(plain)); }
  std::string heard() {
    feed(*server, arrived());
    std::string plain(50'000, ' ');
    std::size_t size = 0;
    (void)server->read(plain, size);
    plain.resize(size);
    return plain;
  }

  /// Writes until there is no room. Returns how much of the request was taken.
  std::size_t fill() {
    std::string request(std::size_t{16} * 1024, 'x');
    std::size_t taken = 0;
    while (true) {
      relay::Buffer out(request);
      out.added(request.size());
      if (upstream->write(out) == Moved::nothing) return taken;
      taken += request.size() - out.size();
    }
  }

  certificates::Identity authority;
  std::string ca_file;
  net::TlsContext context;
  std::unique_ptr<net::TlsContext> server_context;
  std::unique_ptr<net::TlsEngine> server;
  std::string tickets;
};

TEST_F(OneTlsUpstream, CarriesARequest) {
  EXPECT_EQ(write("a request"), Moved::some);
  EXPECT_EQ(heard(), "a request");
  EXPECT_FALSE(upstream->nothing_sent());
  say("its answer");
  EXPECT_EQ(read(), Moved::some);
  EXPECT_EQ(got, "its answer");
  EXPECT_EQ(read(), Moved::nothing);
}

TEST_F(OneTlsUpstream, GivesWhatHasRoomAndTheRestLater) {
  say(std::string(150, 'x'));
  EXPECT_EQ(read(), Moved::some);
  EXPECT_EQ(got.size(), 100U);
  EXPECT_FALSE(at_rest()) << "it still has some of the record";
  EXPECT_EQ(read(), Moved::some);
  EXPECT_EQ(got.size(), 50U);
  EXPECT_TRUE(at_rest());
}

TEST_F(OneTlsUpstream, TakesNoSessionTicketForAnAnswer) {
  ASSERT_FALSE(tickets.empty());
  raw(std::exchange(tickets, {}));
  EXPECT_TRUE(at_rest());
  raw(encrypted("unasked"));
  EXPECT_FALSE(at_rest());
}

class OneTlsUpstreamFullOfTickets : public OneTlsUpstream {
 protected:
  OneTlsUpstreamFullOfTickets() : OneTlsUpstream(300) {}
};

TEST_F(OneTlsUpstreamFullOfTickets, IsGivenUpBeforeItsFirstContent) {
  ASSERT_GT(tickets.size(), std::size_t{48} * 1024);  // a read more than it may send
  say("an answer");
  EXPECT_EQ(read(), Moved::failed);
}

TEST_F(OneTlsUpstream, FindsWhatCameUnaskedInOnePieceWithTheAnswer) {
  const std::string answer = encrypted("answer");
  raw(answer + encrypted("unasked"));
  EXPECT_EQ(read(), Moved::some);
  EXPECT_EQ(got, "answer");
  EXPECT_FALSE(at_rest());
}

TEST_F(OneTlsUpstream, TellsAGoodByeFromACut) {
  server->close();
  raw(tickets + server->output());
  EXPECT_EQ(read(), Moved::end);
}

TEST_F(OneTlsUpstream, TakesAnEndWithoutGoodByeForAFailure) {
  api.close();
  EXPECT_EQ(read(), Moved::failed);
}

TEST_F(OneTlsUpstream, FailsWhereTheBytesAreNotFromTheServer) {
  raw(std::string(100, 'x'));
  EXPECT_EQ(read(), Moved::failed);
}

TEST_F(OneTlsUpstream, SaysGoodBye) {
  upstream.reset();
  feed(*server, arrived());
  std::string plain(100, ' ');
  std::size_t size = 0;
  EXPECT_EQ(server->read(plain, size), net::TlsEngine::Step::closed);
}

TEST_F(OneTlsUpstream, ReadsAnEarlyAnswerToItsEndAlthoughNothingCanBeWritten) {
  fill();
  const std::string answer(40'000, 'y');  // its first read ends within a record
  say(answer);
  api.close();
  std::string all;
  while (read() == Moved::some) all += got;
  EXPECT_EQ(all, answer);
}

TEST_F(OneTlsUpstream, SendsNothingMoreOfARequestThatWasGivenUp) {
  fill();
  while (!arrived().empty()) {
  }
  loop.poll();
  upstream.reset();
  EXPECT_EQ(arrived(), "");
}

TEST_F(OneTlsUpstream, WritesTheRestOfARequestOnceThereIsRoom) {
  const std::size_t taken = fill();
  relay::Buffer out(memory);
  std::size_t received = 0;
  while (received < taken) {
    std::size_t now = 0;
    for (std::string plain = heard(); !plain.empty(); plain = heard()) now += plain.size();
    received += now;
    loop.poll();
    EXPECT_NE(upstream->write(out), Moved::failed);
  }
  EXPECT_EQ(received, taken);
  EXPECT_GT(told, 0);
}

}  // namespace
}  // namespace skewguard::proxy
