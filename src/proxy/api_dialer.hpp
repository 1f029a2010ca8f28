#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>
#include <variant>

#include "base/log.hpp"
#include "http/url.hpp"
#include "net/dialer.hpp"
#include "proxy/descriptor.hpp"
#include "proxy/event_loop.hpp"

namespace skewguard::proxy {

/// A new connection to the API.
struct Dialed {
  Descriptor socket;                    ///< does not block
  std::unique_ptr<net::TlsEngine> tls;  ///< null = plain
  std::uint64_t id = 0;                 ///< never 0, never used twice
};

/// Makes connections to the API for all workers, on a loop of its own: looking up a name, a proxy's
/// tunnel and TLS take their time, and no request that is under way is to wait for them.
class ApiDialer {
 public:
  using Ticket = std::uint64_t;  ///< names one that is being made; never 0
  using Answer = std::variant<Dialed, TransportFailure>;
  using Handler = std::function<void(Answer)>;

  /// All must outlive it.
  ApiDialer(boost::asio::io_context& io, ClockSource& clocks, net::TlsOptions tls,
            Result<net::ProxyRule> proxies, http::Url api, const Log& log);
  ApiDialer(const ApiDialer&) = delete;
  ApiDialer& operator=(const ApiDialer&) = delete;
  ~ApiDialer();

  /// It fails if that takes more than 10 s. The handler is called on `loop`, not at all if that has
  /// ended meanwhile. Thread-safe.
  Ticket dial(EventLoop& loop, Handler handler);
  /// The connection is not wanted any more; its handler may be called all the same. Unknown tickets
  /// are ignored. Thread-safe.
  void cancel(Ticket ticket);

 private:
  void start(Ticket ticket, EventLoop& loop, Handler handler);

  boost::asio::io_context& io_;
  net::Dialer dialer_;
  const http::Url api_;
  std::unordered_map<Ticket, std::shared_ptr<net::Dial>> dials_;
  std::atomic<Ticket> last_{0};
};

}  // namespace skewguard::proxy
