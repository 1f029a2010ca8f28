#pragma once

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "net/answer_parser.hpp"
#include "net/proxy.hpp"
#include "skewguard/transport.hpp"

namespace skewguard::net {

/// Requests a tunnel to a host from a proxy (CONNECT, RFC 9110 section 9.3.6). The proxy's answer
/// goes no further: it is neither an answer of the host nor a sample of its clock. Not thread-safe.
class Tunnel : public std::enable_shared_from_this<Tunnel> {
 public:
  using Socket = boost::asio::ip::tcp::socket;
  /// The tunnel, or why there is none: plain words with the proxy's name, without credentials.
  using Answer = std::variant<Socket, TransportFailure>;
  using Handler = std::function<void(Answer)>;

  /// `socket`: connected to `proxy`, which must outlive start().
  Tunnel(Socket socket, const Proxy& proxy, const http::Url& target);
  Tunnel(const Tunnel&) = delete;
  Tunnel& operator=(const Tunnel&) = delete;

  /// `handler` runs on the loop, never from within this call, and not at all after cancel().
  void start(Handler handler);
  void cancel();

 private:
  void receive();
  void digest(AnswerParser::Outcome outcome);
  void answered();
  using Kind = TransportFailure::Kind;
  void refuse(Kind kind, std::string why);
  void finish(Answer answer);

  Socket socket_;
  const std::string proxy_;   // host:port
  const std::string target_;  // host:port
  const bool authorized_;     // credentials are sent
  Secret head_;
  std::array<char, 4096> buffer_{};
  AnswerParser parser_;
  Handler handler_;
};

}  // namespace skewguard::net
