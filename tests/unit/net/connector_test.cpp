#include "net/connector.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <tuple>

#include "loop_fixture.hpp"

namespace skewguard::net {
namespace {

using boost::asio::ip::tcp;
using testing::HasSubstr;
using testing_loop::ManualTimers;
using testing_loop::run_ready;
using testing_loop::run_until;

class ConnectorTest : public testing::Test {
 protected:
  void start(const std::vector<std::string>& addresses, std::uint16_t port) {
    connector_->start(addresses, port, [this](Connector::Answer answer) {
      ASSERT_FALSE(answer_);
      answer_ = std::move(answer);
    });
  }
  [[nodiscard]] std::string peer() const {
    return std::get<tcp::socket>(*answer_).remote_endpoint().address().to_string();
  }

  boost::asio::io_context io_;
  ManualTimers timers_;
  tcp::acceptor acceptor_{io_, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0)};
  std::uint16_t port_ = acceptor_.local_endpoint().port();
  std::shared_ptr<Connector> connector_ = std::make_shared<Connector>(io_, timers_);
  std::optional<Connector::Answer> answer_;
};

/// A listener whose queue is full: further attempts to connect get no answer at all.
class Silent {
 public:
  Silent(boost::asio::io_context& io, const char* address, std::uint16_t port) : acceptor_(io) {
    acceptor_.open(tcp::v4());
    acceptor_.bind(tcp::endpoint(boost::asio::ip::make_address(address), port));
    acceptor_.listen(0);
    for (int i = 0; i < 4; ++i) {
      auto& filler = fillers_.emplace_back(io);
      filler.open(tcp::v4());
      filler.native_non_blocking(true);
      const auto endpoint = acceptor_.local_endpoint();
      std::ignore = ::connect(filler.native_handle(), endpoint.data(),
                              static_cast<socklen_t>(endpoint.size()));
    }
  }

 private:
  tcp::acceptor acceptor_;
  std::vector<tcp::socket> fillers_;
};

TEST_F(ConnectorTest, LeavesNoSocketToProgramsThatAreStarted) {
  start({"127.0.0.1"}, port_);
  run_until(io_, [&] { return answer_.has_value(); });
  auto& socket = std::get<tcp::socket>(*answer_);
  EXPECT_NE(::fcntl(socket.native_handle(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST_F(ConnectorTest, TakesTheFirstAddressThatAnswers) {
  start({"127.0.0.2", "127.0.0.1"}, port_);
  EXPECT_FALSE(answer_);
  run_until(io_, [&] { return answer_.has_value(); });
  EXPECT_EQ(peer(), "127.0.0.1");
  EXPECT_EQ(timers_.armed(), 0U);
}

TEST_F(ConnectorTest, TriesTheNextBesideOneThatSaysNothing) {
  const Silent silent(io_, "127.0.0.3", port_);
  start({"127.0.0.3", "127.0.0.1"}, port_);
  run_ready(io_);
  EXPECT_FALSE(answer_);
  EXPECT_EQ(timers_.longest_delay(), std::chrono::milliseconds{250});
  timers_.fire();
  run_until(io_, [&] { return answer_.has_value(); });
  EXPECT_EQ(peer(), "127.0.0.1");
}

TEST_F(ConnectorTest, SaysOfEachAddressWhatBecameOfIt) {
  acceptor_.close();
  start({"127.0.0.2", "127.0.0.3"}, port_);
  run_until(io_, [&] { return answer_.has_value(); });
  const auto& failure = std::get<Connector::Failure>(*answer_);
  EXPECT_EQ(failure.kind, TransportFailure::Kind::refused);
  EXPECT_THAT(failure.detail, HasSubstr("127.0.0.2:" + std::to_string(port_)));
  EXPECT_THAT(failure.detail, HasSubstr("127.0.0.3:" + std::to_string(port_)));
}

TEST_F(ConnectorTest, WhatIsNoAddressFailsFromTheLoop) {
  start({"nonsense"}, port_);
  EXPECT_FALSE(answer_);
  run_until(io_, [&] { return answer_.has_value(); });
  EXPECT_TRUE(std::holds_alternative<Connector::Failure>(*answer_));
}

TEST_F(ConnectorTest, CancelledItSaysNothingMore) {
  start({"127.0.0.1"}, port_);
  connector_->cancel();
  run_ready(io_);
  EXPECT_FALSE(answer_);
}

TEST_F(ConnectorTest, CancelledItHoldsTheLoopNoLonger) {
  const Silent silent(io_, "127.0.0.3", port_);
  start({"127.0.0.3"}, port_);
  run_ready(io_);
  EXPECT_FALSE(io_.stopped());
  connector_->cancel();
  run_ready(io_);
  EXPECT_TRUE(io_.stopped()) << "an attempt is still under way";
}

TEST_F(ConnectorTest, OnceOneAddressHasAnsweredTheOthersHoldTheLoopNoLonger) {
  const Silent silent(io_, "127.0.0.3", port_);
  start({"127.0.0.3", "127.0.0.1"}, port_);
  timers_.fire();
  run_until(io_, [&] { return answer_.has_value(); });
  EXPECT_TRUE(std::get<tcp::socket>(*answer_).is_open());
  run_ready(io_);
  EXPECT_TRUE(io_.stopped()) << "an attempt is still under way";
}

TEST(ConnectKind, RefusedIsDistinguishedFromUnreachable) {
  using boost::asio::error::connection_refused;
  using boost::asio::error::host_unreachable;
  EXPECT_EQ(connect_kind(connection_refused), TransportFailure::Kind::refused);
  EXPECT_EQ(connect_kind(host_unreachable), TransportFailure::Kind::unreachable);
}

TEST(AsioTimers, ADelayOfNothingFiresFromTheLoop) {
  boost::asio::io_context io;
  const auto timer = asio_timers(io)->make();
  int fired = 0;
  timer->arm(Duration::zero(), [&] { ++fired; });
  EXPECT_EQ(fired, 0);
  io.run();
  EXPECT_EQ(fired, 1);
}

TEST(AsioTimers, ADelayIsWaitedFor) {
  boost::asio::io_context io;
  const auto timer = asio_timers(io)->make();
  int fired = 0;
  timer->arm(std::chrono::microseconds{1}, [&] { ++fired; });
  io.run();
  EXPECT_EQ(fired, 1);
}

TEST(AsioTimers, WhatWasDisarmedReplacedOrDestroyedNeverFires) {
  boost::asio::io_context io;
  const auto timers = asio_timers(io);
  const auto never = [] { ADD_FAILURE(); };
  const auto disarmed = timers->make();
  const auto replaced = timers->make();
  auto destroyed = timers->make();
  int fired = 0;
  disarmed->arm(Duration::zero(), never);
  disarmed->disarm();
  replaced->arm(Duration::zero(), never);
  replaced->arm(Duration::zero(), [&] { ++fired; });
  destroyed->arm(Duration::zero(), never);
  destroyed.reset();
  const auto far = timers->make();
  far->arm(std::chrono::hours{1}, never);
  far->disarm();
  io.run();
  EXPECT_EQ(fired, 1);
}

}  // namespace
}  // namespace skewguard::net
