#include "runtime/io_loop.hpp"

#include <pthread.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <optional>
#include <thread>
#include <utility>

#include "base/signals.hpp"
#include "runtime/fork_pause.hpp"
#include "runtime/io_executor.hpp"

namespace skewguard::runtime {

class IoLoop::Impl {
 public:
  explicit Impl(std::shared_ptr<ClockSource> clock)
      : work_(boost::asio::make_work_guard(context_)),
        executor_(std::make_unique<IoExecutor>(context_.get_executor(), std::move(clock))) {
    // Asio opens its own descriptors for the first timer. Here the caller can be told that none are
    // left; on the loop, the call that needed one would be lost until its deadline.
    const boost::asio::steady_timer first(context_);
  }

  static void start(const std::shared_ptr<Impl>& self) {
    const SignalsBlocked blocked;
    self->thread_ = std::thread([self] { self->run(); });
    pthread_setname_np(self->thread_.native_handle(), "skewguard");
    self->pause_.emplace([&loop = *self](std::function<void()> event) {
      if (loop.inside()) return false;
      boost::asio::post(loop.context_, std::move(event));
      return true;
    });
  }

  void stop() {
    if (!thread_.joinable()) return;
    pause_.reset();
    context_.stop();
    if (inside()) {
      thread_.detach();
    } else {
      thread_.join();
    }
    executor_.reset();
  }

  bool inside() const noexcept { return thread_.get_id() == std::this_thread::get_id(); }
  IoExecutor& executor() noexcept { return *executor_; }
  boost::asio::io_context& context() noexcept { return context_; }

 private:
  // An exception (out of memory, for example) ends only its own event; the loop continues.
  void run() noexcept {
    while (true) {
      try {
        context_.run();
        return;
      } catch (...) {
        continue;
      }
    }
  }

  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::unique_ptr<IoExecutor> executor_;
  std::thread thread_;  // shares this with it
  std::optional<ForkPause> pause_;
};

IoLoop::IoLoop(std::shared_ptr<ClockSource> clock)
    : impl_(std::make_shared<Impl>(std::move(clock))) {
  Impl::start(impl_);
}
IoLoop::~IoLoop() {
  impl_->stop();
}

void IoLoop::post(std::function<void()> function) {
  boost::asio::post(impl_->context(), std::move(function));
}
Executor::Timer IoLoop::call_at(Instant at, std::function<void()> function) {
  return impl_->executor().call_at(at, std::move(function));
}
void IoLoop::cancel(Timer timer) {
  impl_->executor().cancel(timer);
}
void IoLoop::stop() {
  impl_->stop();
}
bool IoLoop::inside() const noexcept {
  return impl_->inside();
}
boost::asio::io_context& IoLoop::context() noexcept {
  return impl_->context();
}

}  // namespace skewguard::runtime
