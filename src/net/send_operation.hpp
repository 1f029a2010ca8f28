#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/log.hpp"
#include "base/secret_text.hpp"
#include "http/url.hpp"
#include "net/answer_parser.hpp"
#include "net/connector.hpp"
#include "net/idle_pool.hpp"
#include "net/lookup.hpp"
#include "net/loop.hpp"
#include "net/options.hpp"
#include "net/proxy.hpp"
#include "net/stream.hpp"
#include "net/timers.hpp"
#include "net/tunnel.hpp"
#include "skewguard/transport.hpp"

namespace skewguard::net {

struct Connection {
  std::shared_ptr<Stream> stream;
  std::uint64_t id = 0;  ///< never 0, never used twice
};

/// What all requests of one transport share.
struct Shared {
  Loop io;
  ClockSource& clock;
  TlsOptions tls_options;
  Result<ProxyRule> proxies;  // an unusable one fails each request
  std::shared_ptr<Timers> timers;
  Lookup lookup;
  IdlePool<Connection> pool;
  Log log;
  std::unique_ptr<TlsContext> tls = nullptr;  // made when the first https URL is asked for
  std::uint64_t last_connection = 0;
};

/// One request, from its turn to its answer or failure. Its states follow one another as named;
/// a lost pooled connection leads back from `writing` or `reading` to `looking_up`, once.
class SendOperation : public std::enable_shared_from_this<SendOperation> {
 public:
  using Done = std::function<void(SendResult)>;

  /// `shared` must outlive it, or abandon() must be called. `done` is called once, perhaps from
  /// within start().
  SendOperation(Shared& shared, HttpRequest request, http::Url url, const SendOptions& options,
                Done done);

  void wait_for_turn();  ///< the deadline runs from here on
  void start();
  void fail(TransportFailure::Kind kind, std::string detail);
  void abandon();  ///< ends it without a word; touches nothing shared from then on

  [[nodiscard]] const http::Url& url() const noexcept { return url_; }

 private:
  enum class State {
    waiting,
    looking_up,
    connecting,
    tunnelling,  // through a proxy alone
    securing,
    writing,
    reading,
    over
  };

  void watch_deadline();
  bool past_deadline();
  [[nodiscard]] bool at_proxy() const noexcept;
  [[nodiscard]] std::string doing() const;
  void time_out();
  void open();
  void found(const LookupAnswer& answer);
  void connect(const std::vector<std::string>& addresses);
  void connected(Connector::Answer answer);
  void tunnelled(Tunnel::Answer answer);
  void secure(boost::asio::ip::tcp::socket socket);
  void secured(const std::optional<TransportFailure>& failure);
  void transmit();
  void written(Stream::ErrorCode error, std::size_t size);
  void receive();
  void received(Stream::ErrorCode error, std::size_t size);
  void digest(AnswerParser::Outcome outcome);
  void connection_ended(Stream::ErrorCode error);
  void connection_lost(const std::string& why);
  void deliver();
  void fail(TransportFailure failure);
  void finish(SendResult result);
  void release();
  void log_request() const;
  template <typename Words>
  void log(LogLevel level, const Words& words) const;

  Shared& shared_;
  const HttpRequest request_;
  const http::Url url_;
  const SendOptions options_;
  Done done_;
  const Proxy* const proxy_;  // where connections begin; null = at the host itself
  const std::string place_;   // host:port, and the proxy
  const std::string route_;   // connections of one route may take each other's place

  State state_ = State::waiting;
  std::unique_ptr<Timer> timer_;
  std::unique_ptr<PendingLookup> lookup_;
  std::shared_ptr<Connector> connector_;
  std::shared_ptr<Tunnel> tunnel_;
  Instant proxy_until_{};
  std::optional<Connection> connection_;
  Secret head_;        // holds the credentials
  SecretText buffer_;  // what was read last; may hold a token
  AnswerParser parser_;
  Exchange exchange_;
  bool pooled_ = false;         // the connection has carried an answer before
  bool resent_ = false;         // the request has been sent anew
  bool request_sent_ = false;   // bytes of it may have reached a server
  bool write_pending_ = false;  // how much of it has gone out is not known
  bool half_written_ = false;   // the connection broke while it was being written
};

}  // namespace skewguard::net
