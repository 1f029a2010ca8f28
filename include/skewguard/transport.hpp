#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "skewguard/export.hpp"
#include "skewguard/http.hpp"
#include "skewguard/time.hpp"

namespace SKEWGUARD_API skewguard {

/// The current time by another clock.
struct TimeReport {
  OffsetBound offset{};     ///< true time minus the local wall clock: positive = that one is behind
  std::string source{};     ///< in plain words: "NTP (192.0.2.1:123)"
  std::size_t servers = 1;  ///< how many agree on it
};

/// A certificate in a server's chain, and its validity period.
struct CertificateLife {
  enum class Place {
    server,        ///< the server's own
    intermediate,  ///< an issuer's, sent by the server
    trusted,       ///< one that this machine trusts
  };
  Place place = Place::server;
  std::string name{};     ///< of its subject; visible ASCII
  WallTime not_before{};  ///< valid from then on
  WallTime not_after{};   ///< no longer valid from then on
};

/// Why there is no answer.
struct TransportFailure {
  enum class Kind {
    dns,            ///< the name does not resolve
    refused,        ///< the connection was refused
    unreachable,    ///< no route, or the network is down
    tls_untrusted,  ///< the certificate or host name does not verify, for another cause than time
    tls_time,       ///< the certificate is not yet valid, or expired, by the local clock alone
    tls_failed,     ///< the TLS handshake failed otherwise
    timeout,        ///< the deadline passed (in whatever phase)
    reset,          ///< the connection broke before the answer began
    truncated,      ///< the connection broke in the middle of the answer
    malformed,      ///< what came is not HTTP
    too_large,      ///< head or body over the limit
    proxy,          ///< the outgoing proxy is not there, or could not reach the host: it may yet
    proxy_refused,  ///< it refuses us, is no proxy, or its name does not exist: that stays so
    cancelled,      ///< withdrawn
    bad_request,    ///< the request itself cannot be sent (unusable URL, control bytes in a header)
  };
  Kind kind = Kind::reset;
  std::string detail;                       ///< plain words, with host and port; never a secret
  bool request_sent = false;                ///< bytes of the request may have reached the server
  std::optional<WallTime> not_before{};     ///< for tls_time: from then on the whole chain is valid
  std::optional<WallTime> not_after{};      ///< likewise: until then
  std::optional<TimeReport> time_report{};  ///< for tls_time: what a Referee reported
  std::vector<CertificateLife> chain{};     ///< for tls_time: the server's own, then its issuers
  /// This machine was out of open files or memory for a connection: the network is not to blame.
  bool out_of_resources = false;
};
/// The remedy if `out_of_resources` is set.
inline constexpr const char* kCheckLimits =
    "check this machine's limits on threads, open files and memory (ulimit -a)";
/// The name of the enumerator.
std::string_view to_string(TransportFailure::Kind kind) noexcept;

/// An answer, whatever its status, or why there is none.
using SendResult = std::variant<Exchange, TransportFailure>;

/// The limits of one request.
struct SendOptions {
  Instant deadline{};  ///< over all phases: DNS, connect, TLS, write, read
  std::size_t body_limit = std::size_t{64} * 1024 * 1024;  ///< bytes; one more is `too_large`
};

/// Takes the body of one answer piece by piece. Used from one control loop alone. It must not
/// throw.
class BodySink {
 public:
  virtual ~BodySink() = default;
  /// The head of the answer: once, before its body. Not called where no answer begins.
  virtual void begin(const AnswerHead& head) = 0;
  /// The next piece, never empty; valid during this call only. Nothing more is read from the
  /// connection until `next` is called, on the loop: within this call or later, but once.
  virtual void take(std::string_view piece, std::function<void()> next) = 0;
};

/// Sends requests. Used from one control loop only; not thread-safe. A send() that throws counts as
/// a broken connection (`reset`).
class Transport {
 public:
  using Handler = std::function<void(SendResult)>;
  using Ticket = std::uint64_t;  ///< identifies a request in progress; never 0

  virtual ~Transport() = default;
  /// Starts one request. `handler` is called exactly once, on the control loop, never from within
  /// this call. Redirects are not followed. An idempotent request (RFC 9110 section 9.2.2) that
  /// finds its pooled connection closed before any byte of an answer is sent once more on a new
  /// one; no other request is.
  virtual Ticket send(HttpRequest request, const SendOptions& options, Handler handler) = 0;
  /// As send(), but the body goes into `sink`, and the Exchange that `handler` gets has none. After
  /// a failure, what the sink got is not the whole body. The deadline goes on while the sink holds
  /// a piece. Written in terms of send(): a transport that has only whole answers needs no other.
  virtual Ticket send_into(std::shared_ptr<BodySink> sink, HttpRequest request,
                           const SendOptions& options, Handler handler);
  /// Cancels a request: its handler gets `cancelled`, on the loop. Unknown tickets are ignored.
  virtual void cancel(Ticket ticket) = 0;
};

/// The clocks of this machine. Thread-safe. Must not throw, and `boot` must not go back.
class ClockSource {
 public:
  virtual ~ClockSource() = default;
  [[nodiscard]] virtual Now now() = 0;
  /// Only Now().boot, for frequent readers.
  [[nodiscard]] virtual Instant boot_now() { return now().boot; }
};

/// Detects that this machine was stopped, restored or migrated, so that its clocks may have stood
/// still. Used from one control loop only. Must not throw.
class DisruptionSource {
 public:
  virtual ~DisruptionSource() = default;
  /// Changes whenever that happens. Empty if unknown.
  [[nodiscard]] virtual std::optional<std::uint64_t> marker() = 0;
};

/// Gives the time if a certificate fails only because of its dates, to decide whether the local
/// clock is to blame. It is used for nothing else. Used from one control loop only.
class Referee {
 public:
  /// Empty: nobody could be asked, or they do not agree.
  using Handler = std::function<void(std::optional<TimeReport>)>;

  virtual ~Referee() = default;
  /// `handler` is called exactly once, on the control loop, at about `deadline` at the latest. No
  /// secret is sent to anyone.
  virtual void ask(Instant deadline, Handler handler) = 0;
};

}  // namespace skewguard
