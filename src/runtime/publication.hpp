#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>

#include "base/fork_mutex.hpp"
#include "oauth/token.hpp"
#include "skewguard/client.hpp"

namespace skewguard::runtime {

/// The token that may be sent now: written on the control loop, read on any thread. A reader keeps
/// what it has read until its next read, and takes the lock only if something new was published;
/// otherwise a read is one atomic load and one comparison.
class Publication {
 public:
  /// `on_use` is called on a reader's thread when a token is read for the first time, at most once
  /// for each token.
  explicit Publication(std::function<void()> on_use = {});
  ~Publication() = default;
  Publication(const Publication&) = delete;
  Publication& operator=(const Publication&) = delete;

  /// Null: no token may be sent. Call it on one thread at a time.
  void publish(const oauth::TokenPtr& token, Instant until);
  /// The token that may be sent at `now`; null = none. Valid until this thread's next read from any
  /// Publication. Thread-safe.
  const Lease* read(Instant now) noexcept;

 private:
  struct Snapshot {
    Secret authorization;
    Lease lease;
  };
  struct Seen;
  struct Cache;
  static Seen& seen_by_this_thread(std::uint64_t id) noexcept;
  const Lease* look_again(Seen& seen, Instant now) noexcept;
  bool first_to_use(std::uint64_t generation) noexcept;
  void tell_use() noexcept;

  const std::uint64_t id_;  // of all that this process ever had: no thread mistakes one for another
  ForkMutex mutex_;         // over current_
  std::shared_ptr<const Snapshot> current_;
  const std::function<void()> on_use_;
  std::atomic<std::uint64_t> told_{0};  // the latest generation of whose use was told
  alignas(64) std::atomic<std::uint64_t> generation_{1};
};

}  // namespace skewguard::runtime
