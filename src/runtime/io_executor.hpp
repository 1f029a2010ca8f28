#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>

#include "skewguard/executor.hpp"
#include "skewguard/transport.hpp"

namespace skewguard::runtime {

/// An Asio executor as a control loop. It must run one function at a time: that of an io_context
/// with one thread, or a strand. May be destroyed on any thread; pending functions are dropped.
class IoExecutor final : public Executor {
 public:
  /// `inside` says whether the caller runs on it; empty = unknown.
  IoExecutor(boost::asio::any_io_executor executor, std::shared_ptr<ClockSource> clock,
             std::function<bool()> inside = {});
  ~IoExecutor() override;
  IoExecutor(const IoExecutor&) = delete;
  IoExecutor& operator=(const IoExecutor&) = delete;

  void post(std::function<void()> function) override;
  Timer call_at(Instant at, std::function<void()> function) override;
  void cancel(Timer timer) override;
  [[nodiscard]] bool inside() const noexcept override { return inside_ && inside_(); }

 private:
  struct State;
  std::function<bool()> inside_;
  std::shared_ptr<State> state_;  // shared with what was posted
};

}  // namespace skewguard::runtime
