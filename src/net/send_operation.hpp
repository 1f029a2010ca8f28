#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "http/url.hpp"
#include "net/dialer.hpp"
#include "net/round_trip.hpp"
#include "net/timers.hpp"
#include "skewguard/transport.hpp"

namespace skewguard::net {

/// One request, from its turn to its answer or failure. Its states follow one another as named;
/// a lost pooled connection leads back from `talking` to `dialing`, once.
class SendOperation : public std::enable_shared_from_this<SendOperation> {
 public:
  using Done = std::function<void(SendResult)>;

  /// `dialer` must outlive it, or abandon() must be called. `done` is called once, perhaps from
  /// within start().
  /// `sink`: gets the body; null = it is collected in the Exchange.
  SendOperation(Dialer& dialer, HttpRequest request, Route route, const SendOptions& options,
                std::shared_ptr<BodySink> sink, Done done);

  void wait_for_turn();  ///< the deadline runs from here on
  void start();
  void fail(TransportFailure::Kind kind, std::string detail);
  void abandon();  ///< ends it silently; does not use the dialer afterwards

  [[nodiscard]] const http::Url& url() const noexcept { return route_.url; }

 private:
  enum class State { waiting, dialing, talking, over };

  void watch_deadline();
  bool past_deadline();
  void time_out(const std::string& doing);
  void dial();
  void dialed(Dial::Answer answer);
  void talk(bool pooled);
  void ended(RoundTrip::Ending ending);
  void connection_lost(const std::string& why);
  void deliver(RoundTrip::Answered answered);
  void fail(TransportFailure failure);
  void finish(SendResult result);
  void release();
  void log_request() const;
  template <typename Words>
  void log(LogLevel level, const Words& words) const;

  Dialer& dialer_;
  const std::shared_ptr<const HttpRequest> request_;
  const Route route_;
  const SendOptions options_;
  const std::shared_ptr<BodySink> sink_;
  Done done_;
  const std::string place_;  // for messages

  State state_ = State::waiting;
  std::unique_ptr<Timer> timer_;
  std::shared_ptr<Dial> dial_;
  std::optional<Connection> connection_;
  std::shared_ptr<RoundTrip> trip_;
  bool pooled_ = false;        // the connection has carried an answer before
  bool resent_ = false;        // the request has been sent anew
  bool request_sent_ = false;  // bytes of it may have reached a server over an earlier connection
};

}  // namespace skewguard::net
