#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <span>

#include <sys/types.h>

#include "c/abi.hpp"

namespace skewguard::c {

/// The tags of whatever has something new, and one descriptor that is readable as long as there is
/// one. Thread-safe.
class Queue {
 public:
  /// Null: there is no descriptor left.
  static std::shared_ptr<Queue> make();
  explicit Queue(int fd);  ///< make() makes it
  ~Queue();
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  /// -1 after close().
  [[nodiscard]] int fd() const;
  /// `owner`: whoever has something new, for withdraw(). Does nothing in a forked process, where
  /// the descriptor is the parent's too.
  void push(const void* owner, std::uint64_t tag);
  /// The oldest tags; returns how many.
  std::size_t pop(std::span<std::uint64_t> tags);
  /// Takes out all tags of this owner.
  void withdraw(const void* owner);
  /// Closes the descriptor: from now on nothing is pushed. In a forked process that happens when
  /// nobody refers to the queue any more.
  void close();

 private:
  struct Entry {
    const void* owner;
    std::uint64_t tag;
  };
  /// Makes the descriptor readable or not, as the entries have it. With the lock: it only changes
  /// a number in the kernel, and never waits.
  void show(bool had_some) noexcept;

  const pid_t process_;
  mutable std::mutex mutex_;  // over all below, and what the descriptor shows
  int fd_;                    // an eventfd
  std::deque<Entry> entries_;
};

}  // namespace skewguard::c

struct skewguard_queue {
  std::shared_ptr<skewguard::c::Queue> queue;
};

namespace skewguard::c {

/// Where a call tells that it has something new; null queue: nowhere.
struct Listener {
  std::shared_ptr<Queue> queue{};
  std::uint64_t tag = 0;

  Listener() = default;
  Listener(const skewguard_queue* from, std::uint64_t its_tag)
      : queue(from == nullptr ? nullptr : from->queue), tag(its_tag) {}
  void tell(const void* owner) const {
    if (queue) queue->push(owner, tag);
  }
};

}  // namespace skewguard::c
