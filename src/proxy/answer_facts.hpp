#pragma once

#include <chrono>
#include <cstdint>

#include "relay/head_codec.hpp"
#include "skewguard/client.hpp"

namespace skewguard::proxy {

/// How an answer of the API arrived.
struct Arrival {
  Now sent{};                    ///< just before the first byte of its request
  Now received{};                ///< once its head was complete
  std::uint64_t connection = 0;  ///< which one
  bool early = false;            ///< it began before its request was sent
};

/// What the engine looks at.
AnswerHead answer_head(const relay::AnswerHead& head, const Arrival& arrival);

/// Tells the client what comes back with leased tokens, good answers seldom: they cost nothing
/// then. For a worker's thread.
class AnswerObserver {
 public:
  /// `client` must outlive it.
  explicit AnswerObserver(Client& client) noexcept : client_(client) {}

  /// Whether saw() will tell of an answer with this status that came at `now`: it costs a reading
  /// of all clocks.
  [[nodiscard]] bool wants(std::uint64_t generation, int status, Instant now) const noexcept;
  /// An answer to a request with the leased token of this generation.
  void saw(std::uint64_t generation, const relay::AnswerHead& head, const Arrival& arrival);

 private:
  /// The client takes no more of them either.
  static constexpr Duration kApart = std::chrono::milliseconds{250};

  Client& client_;
  std::uint64_t accepted_ = 0;  // the latest generation that was told of
  Instant next_ = Instant::min();
};

}  // namespace skewguard::proxy
