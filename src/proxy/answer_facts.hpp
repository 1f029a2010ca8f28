#pragma once

#include <cstdint>

#include "proxy/upstream.hpp"
#include "relay/head_codec.hpp"
#include "skewguard/client.hpp"

namespace skewguard::proxy {

/// What the engine looks at: the head of an answer of the API, and how it arrived.
AnswerHead answer_head(const relay::AnswerHead& head, const Upstream& upstream);

/// Tells the client what comes back with leased tokens, good answers seldom: they cost nothing
/// then. For a worker's thread.
class AnswerObserver {
 public:
  /// `client` must outlive it.
  explicit AnswerObserver(Client& client) noexcept : client_(client) {}

  /// An answer to a request with the leased token of this generation.
  void saw(std::uint64_t generation, const relay::AnswerHead& head, const Upstream& upstream);

 private:
  /// The client takes no more of them either.
  static constexpr Duration kApart = std::chrono::milliseconds{250};

  Client& client_;
  std::uint64_t accepted_ = 0;  // the latest generation that was told of
  Instant next_ = Instant::min();
};

}  // namespace skewguard::proxy
