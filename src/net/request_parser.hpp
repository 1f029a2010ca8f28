#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "skewguard/http.hpp"

namespace skewguard::net {

/// One whole request as a server reads it, credentials included.
struct ReceivedRequest {
  std::string method;
  std::string target;  ///< as sent: path and query, or absolute (RFC 9112 section 3.2.2)
  Headers headers;
  std::string body;
  int version = 11;  ///< 10 = HTTP/1.0, 11 = HTTP/1.1
  bool keep_alive = true;
};

/// Bytes of a connection -> its requests, one after the other. Strict: what another reader might
/// take for something else is malformed (RFC 9112 sections 2.2, 3.2, 5, 6.3). The outcome depends
/// on the bytes alone, never on how they were cut into pieces. Not thread-safe.
class RequestParser {
 public:
  struct Limits {
    std::size_t head;  ///< bytes, its last empty line included
    std::size_t body;  ///< bytes
  };
  enum class Outcome {
    more,       ///< feed on
    complete,   ///< the request is whole: take it
    malformed,  ///< not HTTP/1.1, or not beyond doubt: answer 400 and close
    head_over,  ///< answer 431
    body_over,  ///< answer 413
  };

  /// Gets the body of one request piece by piece, as it comes.
  using Sink = std::function<void(std::string_view piece)>;
  /// Chooses the sink for the body of the request with this head (its `body` is empty); an empty
  /// one if the parser shall collect the body.
  using ChooseSink = std::function<Sink(const ReceivedRequest& head)>;

  explicit RequestParser(Limits limits);
  RequestParser(RequestParser&&) noexcept;
  RequestParser& operator=(RequestParser&&) noexcept;
  ~RequestParser();

  /// Called from within feed() once for each request, when its head is complete. Without it every
  /// body is collected. Limits::body does not apply to a body that goes to a sink.
  void on_head(ChooseSink choose);
  /// Takes bytes, at most 1 MiB (none: looks again at those it holds). Not to be called between
  /// `complete` and take(), nor after a failure.
  Outcome feed(std::string_view bytes);
  /// The request, once, after `complete`; what came after it is kept for the next.
  ReceivedRequest take();
  /// The head is there, the body is not, and the client waits for "100 Continue" before it sends
  /// it (RFC 9110 section 10.1.1).
  [[nodiscard]] bool awaits_continue() const;
  /// How many bytes of the current request it has read, from the first one of its head.
  [[nodiscard]] std::uint64_t consumed() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace skewguard::net
