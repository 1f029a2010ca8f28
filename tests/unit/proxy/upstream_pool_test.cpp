#include "proxy/upstream_pool.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "net/proxy.hpp"
#include "system/system_clocks.hpp"

namespace skewguard::proxy {
namespace {

using boost::asio::ip::tcp;

/// This machine's clocks, in a while.
class LaterClocks final : public ClockSource {
 public:
  Now now() override {
    Now now = clocks_.now();
    now.boot += later;
    return now;
  }
  Duration later{0};

 private:
  system::SystemClocks clocks_;
};

class Pool : public ::testing::Test, protected Socket::User {
 protected:
  Pool() { accept(); }

  void socket_ready() override {}

  [[nodiscard]] http::Url url() const {
    return http::parse_url("http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()))
        .value();
  }
  void accept() {
    acceptor_.async_accept([this](const auto& error, tcp::socket socket) {
      if (error) return;
      accepted_.push_back(std::move(socket));
      accept();
    });
  }
  UpstreamPool::Ticket connect(int number, bool fresh = false) {
    return pool_.connect(fresh, [this, number](UpstreamPool::Answer answer) {
      order_.push_back(number);
      if (auto* made = std::get_if<std::unique_ptr<Upstream>>(&answer))
        made_.push_back(std::move(*made));
    });
  }
  /// Lets both loops do what there is to do.
  void pass() {
    loop_.poll();
    io_.restart();
    io_.poll();
    loop_.poll();
  }
  template <typename Holds>
  void run_until(Holds holds) {
    while (!holds()) pass();
  }
  /// Until the peer's kernel has all that was sent, the end included.
  static void await_arrival(tcp::socket& sender) {
    int on_its_way = 1;
    while (on_its_way > 0) ASSERT_EQ(::ioctl(sender.native_handle(), SIOCOUTQ, &on_its_way), 0);
  }
  std::unique_ptr<Upstream> made(int number) {
    connect(number);
    run_until([&] { return !made_.empty(); });
    auto upstream = std::move(made_.back());
    made_.pop_back();
    return upstream;
  }

  boost::asio::io_context io_{1};
  tcp::acceptor acceptor_{io_, {boost::asio::ip::address_v4::loopback(), 0}};
  std::list<tcp::socket> accepted_;
  LaterClocks clocks_;
  Log log_;
  ApiDialer dialer_{io_, clocks_, {}, net::ProxyRule{}, url(), log_};
  EventLoop loop_;
  UpstreamPool pool_{loop_, dialer_, clocks_};
  std::vector<int> order_;
  std::vector<std::unique_ptr<Upstream>> made_;
};

TEST_F(Pool, UsesAnIdleConnectionAgain) {
  EXPECT_EQ(pool_.take_idle(), nullptr);
  auto first = made(1);
  first->begin(*this);
  EXPECT_FALSE(first->reused());
  const auto id = first->id();
  pool_.release(std::move(first), true);
  auto again = pool_.take_idle();
  ASSERT_NE(again, nullptr);
  EXPECT_EQ(again->id(), id);
  again->begin(*this);
  EXPECT_TRUE(again->reused());
  EXPECT_EQ(pool_.take_idle(), nullptr) << "it is in use";
  pool_.release(std::move(again), false);
  EXPECT_EQ(pool_.take_idle(), nullptr) << "it was not to be used again";
}

// The request comes first, and the loop gets to both of them in one turn.
TEST_F(Pool, DoesNotTakeOneThatTheServerHasJustClosed) {
  pool_.release(made(1), true);
  run_until([&] { return !accepted_.empty(); });
  std::unique_ptr<Upstream> taken;
  bool asked = false;
  loop_.post([&] {
    taken = pool_.take_idle();
    asked = true;
  });
  accepted_.front().shutdown(tcp::socket::shutdown_send);
  await_arrival(accepted_.front());
  loop_.run_once();
  EXPECT_TRUE(asked);
  EXPECT_EQ(taken, nullptr);
}

TEST_F(Pool, DoesNotTakeOneOnWhichTheServerHasJustWritten) {
  pool_.release(made(1), true);
  run_until([&] { return !accepted_.empty(); });
  boost::asio::write(accepted_.front(), boost::asio::buffer(std::string_view("unasked")));
  await_arrival(accepted_.front());
  loop_.poll();
  EXPECT_EQ(pool_.take_idle(), nullptr);
}

TEST_F(Pool, DoesNotGiveOneThatTheServerClosedWhileTheNextWaitedForItsTurn) {
  pool_.release(made(1), true);
  run_until([&] { return !accepted_.empty(); });
  connect(2);
  accepted_.front().shutdown(tcp::socket::shutdown_send);
  await_arrival(accepted_.front());
  run_until([&] { return !made_.empty(); });
  EXPECT_EQ(made_[0]->id(), 2U);
  pool_.release(std::move(made_[0]), false);
}

TEST_F(Pool, ClosesOneThatTheServerHasClosedAlthoughNobodyWantsIt) {
  pool_.release(made(1), true);
  run_until([&] { return !accepted_.empty(); });
  pool_.drop_stale();
  EXPECT_TRUE(pool_.has_idle());
  accepted_.front().shutdown(tcp::socket::shutdown_send);
  await_arrival(accepted_.front());
  loop_.poll();
  pool_.drop_stale();
  EXPECT_FALSE(pool_.has_idle());
}

TEST_F(Pool, ClosesOneBeforeTheApiDoesIfThatSaysWhen) {
  using std::chrono::milliseconds;
  using std::chrono::seconds;
  struct {
    std::optional<Duration> kept;
    Duration used_for;
  } const cases[] = {{std::nullopt, seconds{50}},
                     {seconds{3600}, seconds{50}},
                     {seconds{5}, seconds{4}},
                     {seconds{1}, milliseconds{500}}};
  for (const auto& one : cases) {
    pool_.release(made(1), true, one.kept);
    clocks_.later += one.used_for - milliseconds{400};
    pool_.drop_stale();
    EXPECT_TRUE(pool_.has_idle());
    clocks_.later += milliseconds{400};
    pool_.drop_stale();
    EXPECT_FALSE(pool_.has_idle());
  }
  pool_.release(made(1), true, Duration{0});
  EXPECT_FALSE(pool_.has_idle());
}

TEST_F(Pool, TakesNobodyBeforeThoseThatWait) {
  pool_.release(made(1), true);
  connect(2);
  EXPECT_EQ(pool_.take_idle(), nullptr);
  run_until([&] { return !made_.empty(); });
  pool_.release(std::move(made_[0]), false);
}

TEST_F(Pool, ConnectsAnewWhereOnlyThatWillDo) {
  auto first = made(1);
  const auto id = first->id();
  pool_.release(std::move(first), true);
  connect(2, true);
  run_until([&] { return !made_.empty(); });
  EXPECT_NE(made_[0]->id(), id);
  pool_.release(std::move(made_[0]), false);
}

TEST_F(Pool, LetsOthersWaitInOrderBeyondItsLimit) {
  constexpr int kMax = UpstreamPool::kMaxInUse;
  for (int n = 0; n < kMax + 3; ++n) connect(n);
  run_until([&] { return made_.size() == UpstreamPool::kMaxInUse; });
  pass();
  EXPECT_EQ(order_.size(), UpstreamPool::kMaxInUse);
  EXPECT_EQ(pool_.take_idle(), nullptr);
  order_.clear();
  pool_.release(std::move(made_[0]), true);  // the next one gets it
  pool_.release(std::move(made_[1]), false);
  run_until([&] { return order_.size() == 2; });
  EXPECT_THAT(order_, ::testing::UnorderedElementsAre(kMax, kMax + 1));
  for (auto& upstream : made_) {
    if (upstream) pool_.release(std::move(upstream), false);
  }
  run_until([&] { return order_.size() == 3; });
  pool_.release(std::move(made_.back()), false);
}

TEST_F(Pool, ForgetsWhoLeaves) {
  constexpr int kMax = UpstreamPool::kMaxInUse;
  std::vector<UpstreamPool::Ticket> tickets;
  tickets.reserve(kMax + 2);
  for (int n = 0; n < kMax + 2; ++n) tickets.push_back(connect(n));
  pool_.cancel(tickets[0]);      // while it is being made: the first that waits takes its place
  pool_.cancel(tickets.back());  // while it waits
  pool_.cancel(tickets.back());
  run_until([&] { return made_.size() == UpstreamPool::kMaxInUse; });
  pass();
  EXPECT_EQ(order_.size(), UpstreamPool::kMaxInUse);
  EXPECT_EQ(std::ranges::count(order_, 0), 0);
  EXPECT_EQ(std::ranges::count(order_, kMax), 1);
  for (auto& upstream : made_) pool_.release(std::move(upstream), false);
}

TEST_F(Pool, SaysWhyThereIsNoConnection) {
  acceptor_.close();
  connect(1);
  run_until([&] { return !order_.empty(); });
  EXPECT_TRUE(made_.empty());
}

}  // namespace
}  // namespace skewguard::proxy
