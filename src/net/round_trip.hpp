#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>

#include "base/secret_text.hpp"
#include "http/url.hpp"
#include "net/answer_parser.hpp"
#include "net/dialer.hpp"
#include "net/stream.hpp"
#include "net/timers.hpp"
#include "skewguard/transport.hpp"

namespace skewguard::net {

/// One request over one connection, and its answer, which is read while the request is still being
/// written: a server may refuse a large body before it has read all of it. Nothing is tried twice
/// here. Not thread-safe.
class RoundTrip : public std::enable_shared_from_this<RoundTrip> {
 public:
  /// The answer is there.
  struct Answered {
    Exchange exchange;      ///< without the body where a sink got it
    bool reusable = false;  ///< the connection may carry another request
  };
  /// The connection broke before an answer began.
  struct Lost {
    std::string why;
  };
  /// What came is no answer that can be used, or it did not come in time.
  struct Unusable {
    TransportFailure::Kind kind = TransportFailure::Kind::malformed;
    std::string why;  ///< without a name for the server
  };
  /// TransportFailure: TLS failed; in full words.
  using Ending = std::variant<Answered, Lost, Unusable, TransportFailure>;
  using Handler = std::function<void(Ending)>;

  struct Options {
    Instant deadline{};
    std::size_t body_limit = 0;                ///< bytes
    std::shared_ptr<BodySink> sink = nullptr;  ///< null: the body is collected in the Exchange
    /// An answer over the limit is one all the same: its head is what is wanted.
    bool head_is_enough = false;
    bool pooled = false;  ///< the connection has carried an answer before
  };

  /// `dialer` must outlive it, or cancel() must be called.
  RoundTrip(Dialer& dialer, Connection connection, Options options);
  RoundTrip(const RoundTrip&) = delete;
  RoundTrip& operator=(const RoundTrip&) = delete;

  /// `handler` is called once, on the loop, never from within this call; not at all after cancel().
  void start(std::shared_ptr<const HttpRequest> request, const http::Url& url, Handler handler);
  void cancel();
  /// Bytes of the request may have reached the server.
  [[nodiscard]] bool request_sent() const noexcept { return sent_bytes_ || write_pending_; }

 private:
  void watch_deadline();
  bool past_deadline();
  [[nodiscard]] const char* doing() const noexcept;
  void written(Stream::ErrorCode error, std::size_t size);
  void read();
  void read_on();
  void received(Stream::ErrorCode error, std::size_t size);
  void digest(AnswerParser::Outcome outcome);
  void connection_ended(Stream::ErrorCode error);
  void hand_on(AnswerParser::Outcome outcome);
  void deliver(bool whole);
  void conclude(bool whole);
  void finish(Ending ending);

  Dialer& dialer_;
  const Connection connection_;
  const Options options_;
  std::shared_ptr<const HttpRequest> request_;
  Handler handler_;
  bool over_ = false;
  std::unique_ptr<Timer> timer_;
  Secret head_;        // holds the credentials
  SecretText buffer_;  // what was read last; may hold a token
  AnswerParser parser_{"GET", 0};
  Exchange exchange_;
  bool head_told_ = false;      // the sink has it
  std::uint64_t piece_ = 0;     // the one that the sink holds
  bool write_pending_ = false;  // how much of the request has gone out is not known
  bool sent_bytes_ = false;     // some of it went to the network
  bool answer_waits_ = false;   // it is whole, and is delivered once the request is written
  Stream::ErrorCode write_error_{};
};

}  // namespace skewguard::net
