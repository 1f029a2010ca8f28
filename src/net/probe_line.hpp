#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "net/dialer.hpp"
#include "net/round_trip.hpp"
#include "skewguard/transport.hpp"

namespace skewguard::net {

/// What all lines to one server share. All that it refers to must outlive them.
struct ProbeRoute {
  Dialer& dialer;
  Route route;         ///< its URL is requested
  std::string method;  ///< "HEAD" or "GET"; may change between requests
};

/// One connection to one address, opened ahead of its requests, so that each leaves at the moment
/// that was aimed at. Requests carry no credentials. One operation at a time; handlers run on the
/// loop, once each, never from within the call, and not at all after close(). Not thread-safe.
class ProbeLine : public std::enable_shared_from_this<ProbeLine> {
 public:
  using Opened = std::function<void(std::optional<TransportFailure>)>;
  using Answered = std::function<void(SendResult)>;

  /// `address`: numeric, of the server, or of the proxy.
  ProbeLine(const ProbeRoute& route, std::string address);
  ProbeLine(const ProbeLine&) = delete;
  ProbeLine& operator=(const ProbeLine&) = delete;
  ~ProbeLine() { close(); }

  void open(Instant deadline, Opened opened);
  /// Open, nothing under way, and not closed by the server meanwhile.
  [[nodiscard]] bool idle();
  /// Sends now: its first byte goes out within this call as a rule. Only where idle().
  void ask(Instant deadline, Answered answered);
  void close();

  [[nodiscard]] bool closed() const noexcept { return state_ == State::closed; }
  /// It has carried a request.
  [[nodiscard]] bool used() const noexcept { return used_; }
  /// It has brought an answer.
  [[nodiscard]] bool heard() const noexcept { return heard_; }
  /// Of the connection; 0 before it is open.
  [[nodiscard]] std::uint64_t id() const noexcept { return connection_.id; }
  [[nodiscard]] const std::string& address() const noexcept { return address_; }

 private:
  enum class State { fresh, opening, idle, asking, closed };

  void dialed(Dial::Answer answer);
  void ended(RoundTrip::Ending ending);
  void fail(TransportFailure::Kind kind, const std::string& why);
  void fail(TransportFailure failure);

  const ProbeRoute& route_;
  const std::string address_;
  State state_ = State::fresh;
  bool used_ = false;
  bool heard_ = false;
  std::shared_ptr<Dial> dial_;
  Connection connection_;
  std::shared_ptr<RoundTrip> trip_;
  Opened opened_;
  Answered answered_;
};

}  // namespace skewguard::net
