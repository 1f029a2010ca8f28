#include "net/timers.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <utility>

namespace skewguard::net {
namespace {

class AsioTimer final : public Timer {
 public:
  explicit AsioTimer(const Loop& io) : io_(io), timer_(io.executor) {}

  void arm(Duration delay, std::function<void()> fire) override {
    // An expiry that is already in the loop's queue cannot be cancelled; the token tells the
    // armed one from those before it.
    armed_ = std::make_shared<int>(0);
    auto run = [armed = std::weak_ptr<int>(armed_),
                fire = std::move(fire)](const boost::system::error_code& error = {}) {
      if (!error && !armed.expired()) fire();
    };
    timer_.cancel();
    if (delay <= Duration::zero()) {
      boost::asio::post(io_.executor, std::move(run));  // due timers never fire under libfaketime
      return;
    }
    timer_.expires_after(delay);
    timer_.async_wait(std::move(run));
  }

  void disarm() override {
    armed_.reset();
    timer_.cancel();
  }

 private:
  Loop io_;
  boost::asio::steady_timer timer_;
  std::shared_ptr<int> armed_;
};

class AsioTimers final : public Timers {
 public:
  explicit AsioTimers(Loop io) : io_(std::move(io)) {}
  std::unique_ptr<Timer> make() override { return std::make_unique<AsioTimer>(io_); }

 private:
  Loop io_;
};

}  // namespace

std::shared_ptr<Timers> asio_timers(const Loop& io) {
  return std::make_shared<AsioTimers>(io);
}

}  // namespace skewguard::net
