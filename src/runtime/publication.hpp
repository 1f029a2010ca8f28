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
  /// The token that may be sent at `now`; null = none. Valid until the next read of this reader,
  /// which must read no other publication. Thread-safe as long as each reader is one thread's.
  const Lease* read(LeaseReader& reader, Instant now) noexcept {
    if (reader.version_ != version_.load(std::memory_order_acquire)) [[unlikely]]
      return look_again(reader, now);
    const Lease* lease = reader.lease_.get();
    return lease != nullptr && now < lease->until ? lease : nullptr;
  }
  /// The same by a reader of this thread's own. It remembers a few publications: a thread that
  /// reads more of them in turn takes the lock. Valid until this thread's next read of this kind.
  const Lease* read(Instant now) noexcept;

 private:
  struct Snapshot;
  struct ThreadReader;
  const Lease* look_again(LeaseReader& reader, Instant now) noexcept;
  bool first_to_use(std::uint64_t version) noexcept;
  void report_use() noexcept;

  const std::uint64_t id_;  // of all that this process ever had: no thread mistakes one for another
  ForkMutex mutex_;         // over current_
  std::shared_ptr<const Lease> current_;
  const std::function<void()> on_use_;
  std::atomic<std::uint64_t> reported_{0};  // the latest version whose use was reported
  alignas(64) std::atomic<std::uint64_t> version_{1};
};

}  // namespace skewguard::runtime
