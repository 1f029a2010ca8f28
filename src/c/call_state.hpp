#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <variant>

#include "c/abi.hpp"
#include "c/queue.hpp"
#include "skewguard/client.hpp"

namespace skewguard::c {

/// How a call ended.
using Ending = std::variant<Error, Response, BearerToken, ClientStatus>;

/// What a call's handle and the control loop tell each other. The loop writes the sends that it
/// asks for and the end; the program asks what is next, and answers. Thread-safe; the program's
/// side is used by one thread at a time. Lives as long as either side needs it.
class CallState {
 public:
  using Answer = std::function<void(SendResult)>;

  CallState(std::shared_ptr<ClockSource> clock, Listener listener)
      : clock_(std::move(clock)), listener_(std::move(listener)) {}

  // The loop's side.

  /// Asks for a send.
  void ask(Bearer bearer, Answer answer);
  /// The call has ended.
  void end(Ending ending);
  /// A Client's handler that ends it.
  template <typename T>
  static std::function<void(Result<T>)> ending(const std::shared_ptr<CallState>& state) {
    return [state](Result<T> result) {
      if (!result) return state->end(std::move(result).error());
      state->end(*std::move(result));
    };
  }

  // The program's side.

  /// SKEWGUARD_WAITING, SEND or DONE; waits for one of the latter. Negative = as long as it takes.
  int32_t next(Duration wait);
  [[nodiscard]] int32_t send_number() const;
  /// Ends with a zero byte; valid until answer().
  [[nodiscard]] const char* authorization() const;
  [[nodiscard]] Duration time_left() const;
  /// What came of the send. False: none was handed out.
  bool answer(const std::function<SendResult()>& result);
  /// Null until the call has ended; then it stays as it is.
  [[nodiscard]] const Ending* ended() const;
  [[nodiscard]] Now now() const { return clock_->now(); }
  /// From now on nobody is told anything.
  void detach();

 private:
  void tell();

  const std::shared_ptr<ClockSource> clock_;
  mutable std::mutex mutex_;  // over all below
  std::condition_variable changed_;
  Listener listener_;
  Answer answer_;  // of the send that is due; empty = none is
  Secret authorization_;
  Instant deadline_{};
  int32_t sends_ = 0;
  bool handed_out_ = false;  // the last send has not been answered
  std::optional<Ending> ending_;
};

}  // namespace skewguard::c
