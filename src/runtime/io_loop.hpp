#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>

#include "skewguard/executor.hpp"
#include "skewguard/transport.hpp"

namespace skewguard::runtime {

/// Our own control loop: an io_context with one thread named "skewguard". May be destroyed on that
/// thread: then it ends when the current function has returned.
class IoLoop final : public Executor {
 public:
  explicit IoLoop(std::shared_ptr<ClockSource> clock);
  ~IoLoop() override;
  IoLoop(const IoLoop&) = delete;
  IoLoop& operator=(const IoLoop&) = delete;

  void post(std::function<void()> function) override;
  Timer call_at(Instant at, std::function<void()> function) override;
  void cancel(Timer timer) override;
  [[nodiscard]] bool inside() const noexcept override;

  /// Ends the thread; pending functions are dropped.
  void stop();
  [[nodiscard]] boost::asio::io_context& context() noexcept;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;  // shared with its thread, which may outlive this
};

}  // namespace skewguard::runtime
