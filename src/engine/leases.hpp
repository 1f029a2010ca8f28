#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>

#include "engine/host_clocks.hpp"
#include "engine/loop.hpp"
#include "engine/token_service.hpp"
#include "oauth/token.hpp"
#include "skewguard/result.hpp"
#include "skewguard/status.hpp"

namespace skewguard::engine {

/// The tokens that are published for readers on other threads: which ones they may have sent, and
/// who waits for the next one. For the control loop, within turns.
class Leases {
 public:
  /// The generation that is published now, or why there is none.
  using Handler = std::function<void(Result<std::uint64_t>)>;
  using Publish = std::function<void(const oauth::TokenPtr&, Instant)>;
  using Id = oauth::WaiterId;
  /// Its dependencies; all must outlive it, `publish` may be empty.
  struct Uses {
    Loop& loop;
    const HostClocks& clocks;
    TokenService& tokens;
    Publish publish;
  };

  explicit Leases(Uses uses) : uses_(std::move(uses)) {}
  /// Those who wait get `cancelled`.
  ~Leases();
  Leases(const Leases&) = delete;
  Leases& operator=(const Leases&) = delete;

  /// From now on this token may be sent until then; null = none.
  void publish(const oauth::TokenPtr& token, Instant until);
  /// The token of this generation, if it was one of the last that were published; else null.
  [[nodiscard]] oauth::TokenPtr published(std::uint64_t generation) const noexcept;

  /// The token that may be sent now, for a status; empty = there is none.
  [[nodiscard]] std::optional<ClientStatus::Token> current() const;

  /// Waits until a token of a later generation than `after` is published, and has one requested if
  /// need be; at most until `deadline`. `after`: 0, or a generation that the API has refused: then
  /// evidence rule 8 limits the token request. `handler` is called exactly once, never from within
  /// this call.
  Id await(std::uint64_t after, Instant deadline, Handler handler);
  /// Cancels a wait: its handler gets `cancelled`. Unknown ids are ignored.
  void cancel(Id id);

 private:
  struct Waiting {
    std::uint64_t after = 0;
    Instant deadline{};
    Handler handler;
    Executor::Timer timer = 0;
  };

  void begin(Id id);
  void answered(Id id, const TokenService::Answer& answer);
  [[nodiscard]] bool serves(const Waiting& waiting) const;
  void finish(Id id, Result<std::uint64_t> result);

  const Uses uses_;
  std::deque<oauth::TokenPtr> past_;  ///< the latest last
  std::uint64_t current_ = 0;         ///< the generation that may be sent until `until_`; 0 = none
  Instant until_{};
  std::map<Id, Waiting> waiting_;
};

}  // namespace skewguard::engine
