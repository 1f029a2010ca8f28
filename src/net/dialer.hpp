#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "http/url.hpp"
#include "net/connector.hpp"
#include "net/edges.hpp"
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

/// A connection that is ready for requests.
struct Connection {
  std::shared_ptr<Stream> stream;
  std::uint64_t id = 0;  ///< never 0, never used twice by one Dialer
};

/// Where a connection goes, and through which proxy: from Dialer::route_to().
struct Route {
  http::Url url;                 ///< scheme, host and port count
  const Proxy* proxy = nullptr;  ///< the proxy to connect to; null = the host itself
  std::string key;               ///< connections with the same key can replace each other

  /// For messages: "api.example:443 (through the proxy 10.0.0.1:3128)".
  [[nodiscard]] std::string place() const;
  /// The host whose name is looked up and connected to: the proxy, or the server.
  [[nodiscard]] const std::string& first_host() const noexcept;
  [[nodiscard]] std::uint16_t first_port() const noexcept;
};

class Dialer;

/// One connection being made: look-up, connect, tunnel, TLS. Ends with `Handler`, or with cancel().
/// Not thread-safe.
class Dial : public std::enable_shared_from_this<Dial> {
 public:
  using Answer = std::variant<Connection, TransportFailure>;
  /// Called once, on the loop, never from within Dialer::dial(); not at all after cancel().
  using Handler = std::function<void(Answer)>;

  struct Options {
    Instant deadline{};
    /// Numeric: connects to this address alone, without a look-up. Empty = to those of the name.
    std::string address{};
    /// Offers the server the TLS session of an earlier connection. A load balancer may keep to
    /// the same machine for it, so a probe that wants to meet any machine offers none.
    bool resume_tls = true;
  };

  Dial(Dialer& dialer, Route route, Options options, Handler handler);
  Dial(const Dial&) = delete;
  Dial& operator=(const Dial&) = delete;

  void cancel();

 private:
  friend class Dialer;
  enum class State { looking_up, connecting, tunnelling, securing, over };

  void start();
  void watch_deadline();
  bool past_deadline();
  [[nodiscard]] bool at_proxy() const noexcept;
  [[nodiscard]] const char* doing() const noexcept;
  void found(const LookupAnswer& answer);
  void connect(std::vector<std::string> addresses);
  void connected(Connector::Answer answer);
  void not_connected(const Connector::Failure& failure);
  void tunnelled(Tunnel::Answer answer);
  void secure(boost::asio::ip::tcp::socket socket);
  void secured(const std::optional<TransportFailure>& failure);
  void start_again_without_session();
  void fail(TransportFailure::Kind kind, std::string detail);
  void finish(Answer answer);
  void release();
  template <typename Words>
  void log(LogLevel level, const Words& words) const;

  Dialer& dialer_;
  const Route route_;
  Options options_;
  Handler handler_;
  State state_ = State::looking_up;
  Instant proxy_until_{};
  std::unique_ptr<Timer> timer_;
  std::unique_ptr<PendingLookup> lookup_;
  std::shared_ptr<Connector> connector_;
  std::shared_ptr<Tunnel> tunnel_;
  std::optional<Connection> connection_;  // while TLS is set up
};

/// Makes connections and keeps the idle ones. Its clock, timers and log serve what runs over the
/// connections too. Not thread-safe: one loop runs `io`, and everything is called from it. `io`
/// and `clock` must outlive it, and it must outlive its Dials or these must be cancelled.
class Dialer {
 public:
  Dialer(Loop io, ClockSource& clock, TlsOptions tls, const PoolOptions& pool, Edges edges,
         Result<ProxyRule> proxies, Log log = {});
  Dialer(const Dialer&) = delete;
  Dialer& operator=(const Dialer&) = delete;

  /// Error (`config`): the proxy cannot be used. A route lives no longer than this.
  [[nodiscard]] Result<Route> route_to(const http::Url& url) const;

  /// Idle connections that are looked at in one turn of the loop, which is to take no more than 64
  /// KiB from one peer (docs/adr/0010-http-codec.md).
  static constexpr std::size_t kMaxLooks = std::size_t{64} * 1024 / Stream::kMaxLookedAt;

  /// An idle connection that the server has neither closed nor written to. None either where
  /// kMaxLooks of them were of no use: a new connection is needed, the others wait for the next.
  std::optional<Connection> take_idle(const Route& route);
  /// `connection` has carried whole answers only, and may carry another request.
  void put_idle(const Route& route, Connection connection);

  std::shared_ptr<Dial> dial(Route route, Dial::Options options, Dial::Handler handler);

  [[nodiscard]] const Loop& io() const noexcept { return io_; }
  [[nodiscard]] ClockSource& clock() const noexcept { return clock_; }
  [[nodiscard]] Timers& timers() const noexcept { return *timers_; }
  [[nodiscard]] const Log& log() const noexcept { return log_; }

 private:
  friend class Dial;
  const TlsContext& tls();

  Loop io_;
  ClockSource& clock_;
  TlsOptions tls_options_;
  Result<ProxyRule> proxies_;
  std::shared_ptr<Timers> timers_;
  Lookup lookup_;
  IdlePool<Connection> pool_;
  Log log_;
  std::unique_ptr<TlsContext> tls_;  // created for the first https URL
  std::shared_ptr<TlsSessions> sessions_ = std::make_shared<TlsSessions>();
  std::uint64_t last_connection_ = 0;
};

/// Timers stand still while the machine is suspended, the boot clock does not: so nobody waits for
/// a deadline in one piece.
inline constexpr Duration kLongestNap = std::chrono::seconds{1};

}  // namespace skewguard::net
