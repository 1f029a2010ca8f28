#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "clocks/sntp.hpp"
#include "net/edges.hpp"
#include "net/loop.hpp"
#include "skewguard/result.hpp"
#include "skewguard/transport.hpp"

namespace skewguard::net {

/// "HOST" or "HOST:PORT", IPv6 in brackets; the default port is 123.
struct SntpName {
  std::string host;  ///< lower case; IPv6 without brackets
  std::uint16_t port = 0;
};
/// Error (`config`): it is not one.
Result<SntpName> parse_sntp_name(std::string_view text);
/// The first one that is not valid.
Result<void> check_sntp_names(const std::vector<std::string>& names);

struct SntpAnswer {
  clocks::SntpSample sample;
  /// Which server answered: "192.0.2.1:123". One name may have many servers: samples belong
  /// together if this is the same.
  std::string address;
};

/// Why there is no sample.
struct SntpFailure {
  enum class Kind {
    bad_name,          ///< no HOST[:PORT]
    dns,               ///< the name does not resolve
    unreachable,       ///< no route, or nobody listens there
    timeout,           ///< the deadline passed
    too_soon,          ///< the server may be asked no more before the deadline (SntpPace)
    kiss,              ///< the server does not want to answer
    not_synchronized,  ///< the server does not know the time
    unusable,          ///< its answer makes no sense
    cancelled,         ///< withdrawn
  };
  Kind kind = Kind::timeout;  ///< what became of the last address
  std::string detail;         ///< each address with what became of it
};

using SntpResult = std::variant<SntpAnswer, SntpFailure>;

/// Asks NTP servers, each over its own connected socket, so that packets from others are ignored.
///
/// A name's addresses are tried in turn: the next one as soon as one has failed, or in parallel if
/// there is no answer for a second. Silent ones are asked again, a second after the last request
/// and 2 s after that, since datagrams get lost. The one that has answered is used again as long as
/// it answers. No server is asked more often than SntpPace allows, whatever its name: a question
/// that comes too soon waits. Not thread-safe: one loop runs everything. The loop and the clock
/// must outlive it. The destructor closes every socket; handlers that have not run by then never
/// do.
class SntpClient {
 public:
  using Handler = std::function<void(SntpResult)>;
  using Ticket = std::uint64_t;  ///< identifies a query in progress; never 0
  static constexpr Duration kPatience = std::chrono::seconds{1};
  static constexpr std::size_t kTries = 3;         ///< of one question, for each address
  static constexpr std::size_t kMaxAddresses = 4;  ///< as many as a pool's name has

  SntpClient(const Loop& io, ClockSource& clock, Edges edges = {});
  SntpClient(const SntpClient&) = delete;
  SntpClient& operator=(const SntpClient&) = delete;
  ~SntpClient();

  /// Asks for one sample. `handler` is called exactly once, on the loop, never from within this
  /// call.
  Ticket ask(const std::string& server, Instant deadline, const Handler& handler);
  /// Cancels a question: its handler gets `cancelled`. Unknown tickets are ignored.
  void cancel(Ticket ticket);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace skewguard::net
