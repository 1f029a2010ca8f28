#pragma once

#include <memory>

#include "base/log.hpp"
#include "net/edges.hpp"
#include "net/loop.hpp"
#include "net/options.hpp"
#include "skewguard/client.hpp"
#include "skewguard/transport.hpp"

namespace skewguard::net {

/// HTTP/1.1 over TCP or TLS. Deadlines use the boot clock, whatever timers do. Plain http never
/// uses TLS: no authorities are loaded for it. Through a proxy every connection is a tunnel, even
/// for http URLs, so the answer and its Date come from the host. An unusable proxy fails each
/// request with `bad_request`. `log` gets connections and TLS at level debug, name look-ups at
/// level trace. Not thread-safe: everything is called on the loop that runs `io`. `io` and `clock`
/// must outlive it. The destructor closes every connection; handlers that have not run by then
/// never do.
class AsioTransport final : public Transport {
 public:
  AsioTransport(const Loop& io, ClockSource& clock, TlsOptions tls = {}, PoolOptions pool = {},
                Edges edges = {}, const ProxyOptions& proxy = {}, Log log = {});
  AsioTransport(const AsioTransport&) = delete;
  AsioTransport& operator=(const AsioTransport&) = delete;
  ~AsioTransport() override;

  Ticket send(HttpRequest request, const SendOptions& options, Handler handler) override;
  Ticket send_into(std::shared_ptr<BodySink> sink, HttpRequest request, const SendOptions& options,
                   Handler handler) override;
  void cancel(Ticket ticket) override;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace skewguard::net
