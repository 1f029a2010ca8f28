#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/secret_text.hpp"
#include "http/url.hpp"
#include "net/answer_parser.hpp"
#include "net/dialer.hpp"
#include "net/stream.hpp"
#include "net/timers.hpp"
#include "skewguard/transport.hpp"

namespace skewguard::net {

/// One request, from its turn to its answer or failure. Its states follow one another as named;
/// a lost pooled connection leads back from `writing` or `reading` to `dialing`, once.
class SendOperation : public std::enable_shared_from_this<SendOperation> {
 public:
  using Done = std::function<void(SendResult)>;

  /// `dialer` must outlive it, or abandon() must be called. `done` is called once, perhaps from
  /// within start().
  /// `sink`: gets the body; null = it is collected in the Exchange.
  SendOperation(Dialer& dialer, HttpRequest request, Route route, const SendOptions& options,
                std::shared_ptr<BodySink> sink, Done done);

  void wait_for_turn();  ///< the deadline runs from here on
  void start();
  void fail(TransportFailure::Kind kind, std::string detail);
  void abandon();  ///< ends it silently; does not use the dialer afterwards

  [[nodiscard]] const http::Url& url() const noexcept { return route_.url; }

 private:
  enum class State { waiting, dialing, writing, reading, over };

  void watch_deadline();
  bool past_deadline();
  [[nodiscard]] const char* doing() const;
  void time_out();
  void dial();
  void dialed(Dial::Answer answer);
  void transmit();
  void written(Stream::ErrorCode error, std::size_t size);
  void receive();
  void received(Stream::ErrorCode error, std::size_t size);
  void digest(AnswerParser::Outcome outcome);
  void connection_ended(Stream::ErrorCode error);
  void connection_lost(const std::string& why);
  void hand_on(AnswerParser::Outcome outcome);
  void deliver();
  void fail(TransportFailure failure);
  void finish(SendResult result);
  void release();
  void log_request() const;
  template <typename Words>
  void log(LogLevel level, const Words& words) const;

  Dialer& dialer_;
  const HttpRequest request_;
  const Route route_;
  const SendOptions options_;
  const std::shared_ptr<BodySink> sink_;
  Done done_;
  const std::string place_;  // for messages

  State state_ = State::waiting;
  std::unique_ptr<Timer> timer_;
  std::shared_ptr<Dial> dial_;
  std::optional<Connection> connection_;
  Secret head_;        // contains the credentials
  SecretText buffer_;  // what was read last; may hold a token
  AnswerParser parser_;
  Exchange exchange_;
  bool head_told_ = false;      // the sink has it
  std::uint64_t piece_ = 0;     // the one that the sink is processing
  bool pooled_ = false;         // the connection has carried an answer before
  bool resent_ = false;         // the request has been sent anew
  bool request_sent_ = false;   // bytes of it may have reached a server
  bool write_pending_ = false;  // how much of it has gone out is not known
  bool half_written_ = false;   // the connection broke while it was being written
};

}  // namespace skewguard::net
