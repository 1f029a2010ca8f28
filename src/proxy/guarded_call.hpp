#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "proxy/event_loop.hpp"
#include "skewguard/client.hpp"
#include "skewguard/secret.hpp"

namespace skewguard::proxy {

/// Has the engine judge the answers to one request, from the first that may be about the token to
/// the one that the client gets. For its worker's thread; what comes from the control loop is
/// posted to it. Held by std::shared_ptr; the last one cancels the call.
class GuardedCall : public std::enable_shared_from_this<GuardedCall> {
 public:
  /// Called on the loop, never from within a function of the call.
  class User {
   public:
    /// The request is to be sent with authorization(), and answer() called with what comes of it.
    virtual void send_again() = 0;
    /// The call has ended.
    virtual void judged(Verdict verdict) = 0;

   protected:
    ~User() = default;
  };

  /// All must outlive it, and `loop` the client.
  GuardedCall(EventLoop& loop, Client& client, User& user)
      : loop_(loop), client_(client), user_(user) {}
  GuardedCall(const GuardedCall&) = delete;
  GuardedCall& operator=(const GuardedCall&) = delete;
  ~GuardedCall() { operation_.cancel(); }

  /// `options.first` is the answer that it begins with. Once.
  void start(GuardOptions options);
  /// Between send_again() and answer().
  [[nodiscard]] bool sending() const noexcept { return answer_ != nullptr; }
  /// While sending().
  [[nodiscard]] std::string_view authorization() const noexcept { return authorization_.reveal(); }
  /// What came of the send that it wanted.
  void answer(SendResult result);

 private:
  using Answer = std::function<void(SendResult)>;

  EventLoop& loop_;
  Client& client_;
  User& user_;
  Operation operation_;
  Answer answer_;
  Secret authorization_;
};

}  // namespace skewguard::proxy
