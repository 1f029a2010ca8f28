#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "http/url.hpp"
#include "net/answer_parser.hpp"
#include "net/connector.hpp"
#include "net/loop.hpp"
#include "net/proxy.hpp"
#include "net/stream.hpp"
#include "net/timers.hpp"
#include "net/tunnel.hpp"
#include "skewguard/transport.hpp"

namespace skewguard::net {

/// What all lines to one server share. All that is referred to must outlive them.
struct ProbeRoute {
  Loop io;
  ClockSource& clock;
  Timers& timers;
  http::Url url;                    ///< what is asked for
  std::string method;               ///< "HEAD" or "GET"; may change between requests
  const TlsContext* tls = nullptr;  ///< of an https URL
  const Proxy* proxy = nullptr;     ///< where connections begin; null = at the server itself
};

/// One connection to one address, opened ahead of its requests, so that each leaves at the moment
/// that was aimed at. Requests carry no credentials. One operation at a time; handlers run on the
/// loop, once each, never from within the call, and not at all after close(). Not thread-safe.
class ProbeLine : public std::enable_shared_from_this<ProbeLine> {
 public:
  using Opened = std::function<void(std::optional<TransportFailure>)>;
  using Answered = std::function<void(SendResult)>;

  /// `address`: numeric, of the server, or of the proxy. `id` names the connection; never 0.
  ProbeLine(const ProbeRoute& route, std::string address, std::uint64_t id);
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
  [[nodiscard]] std::uint64_t id() const noexcept { return id_; }
  [[nodiscard]] const std::string& address() const noexcept { return address_; }

 private:
  enum class State { fresh, opening, idle, asking, closed };

  void connected(Connector::Answer answer);
  void secure(boost::asio::ip::tcp::socket socket);
  void opened(std::optional<TransportFailure> failure);
  void receive();
  void received(Stream::ErrorCode error, std::size_t size);
  void digest(AnswerParser::Outcome outcome);
  void deliver(AnswerParser::Outcome outcome);
  void watch(Instant deadline);
  void fail(TransportFailure::Kind kind, const std::string& why);
  void fail(TransportFailure failure);

  const ProbeRoute& route_;
  const std::string address_;
  const std::uint64_t id_;
  State state_ = State::fresh;
  bool used_ = false;
  bool heard_ = false;
  std::unique_ptr<Timer> timer_;
  std::shared_ptr<Connector> connector_;
  std::shared_ptr<Tunnel> tunnel_;
  std::shared_ptr<Stream> stream_;
  std::string head_;
  std::string buffer_;
  AnswerParser parser_;
  Exchange exchange_;
  Opened opened_;
  Answered answered_;
};

}  // namespace skewguard::net
