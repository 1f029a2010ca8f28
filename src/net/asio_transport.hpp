#pragma once

#include <memory>

#include "base/log.hpp"
#include "net/edges.hpp"
#include "net/loop.hpp"
#include "net/options.hpp"
#include "skewguard/client.hpp"
#include "skewguard/transport.hpp"

namespace skewguard::net {

/// HTTP/1.1 over TCP or TLS. Deadlines are counted on the boot clock, whatever timers do. Plain
/// http never touches TLS: no authorities are loaded for it. Through a proxy every connection is a
/// tunnel, of http URLs too: what comes out of it is the host's own, its Date too. A proxy that
/// cannot be used fails each request as `bad_request`. `log` is told of connections and TLS at
/// level debug, of name look-ups at level trace. Not thread-safe: one loop runs `io`, and
/// everything is called from it. `io` and `clock` must outlive it. Destroying it closes every
/// connection; handlers that have not run by then never do.
class AsioTransport final : public Transport {
 public:
  AsioTransport(const Loop& io, ClockSource& clock, TlsOptions tls = {}, PoolOptions pool = {},
                Edges edges = {}, const ProxyOptions& proxy = {}, Log log = {});
  AsioTransport(const AsioTransport&) = delete;
  AsioTransport& operator=(const AsioTransport&) = delete;
  ~AsioTransport() override;

  Ticket send(HttpRequest request, const SendOptions& options, Handler handler) override;
  void cancel(Ticket ticket) override;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace skewguard::net
