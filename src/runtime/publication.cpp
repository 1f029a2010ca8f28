#include "runtime/publication.hpp"

#include <array>
#include <string>
#include <utility>

namespace skewguard::runtime {
namespace {

std::uint64_t next_id() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

}  // namespace

/// What a thread last read from one Publication.
struct Publication::Seen {
  std::uint64_t id = 0;
  std::uint64_t generation = 0;
  Instant until = Instant::min();
  std::shared_ptr<const Snapshot> snapshot;
};

/// For each thread, of a few Publications at a time.
struct Publication::Cache {
  std::array<Seen, 4> entries;
};

Publication::Publication(std::function<void()> on_use)
    : id_(next_id()), on_use_(std::move(on_use)) {}

Publication::Seen& Publication::seen_by_this_thread(std::uint64_t id) noexcept {
  thread_local Cache cache;
  return cache.entries[id % cache.entries.size()];
}

void Publication::publish(const oauth::TokenPtr& token, Instant until) {
  std::shared_ptr<Snapshot> fresh;
  if (token) {
    fresh = std::make_shared<Snapshot>();
    fresh->authorization = oauth::bearer_authorization(token->value);
    fresh->lease.authorization = fresh->authorization.reveal();
    fresh->lease.token = fresh->lease.authorization.substr(oauth::kBearerScheme.size());
    fresh->lease.until = until;
  }
  const std::lock_guard lock(mutex_);
  current_ = std::move(fresh);
  generation_.fetch_add(1, std::memory_order_release);
}

const Lease* Publication::read(Instant now) noexcept {
  Seen& seen = seen_by_this_thread(id_);
  if (seen.id == id_ && seen.generation == generation_.load(std::memory_order_acquire)) [[likely]]
    return now < seen.until ? &seen.snapshot->lease : nullptr;
  return look_again(seen, now);
}

const Lease* Publication::look_again(Seen& seen, Instant now) noexcept {
  const std::shared_ptr<const Snapshot> old =
      std::move(seen.snapshot);  // wiped, if at all, unlocked
  {
    const std::lock_guard lock(mutex_);
    seen.snapshot = current_;
    seen.generation = generation_.load(std::memory_order_relaxed);
  }
  seen.id = id_;
  seen.until = seen.snapshot ? seen.snapshot->lease.until : Instant::min();
  if (now >= seen.until) return nullptr;
  if (first_to_use(seen.generation)) tell_use();
  return &seen.snapshot->lease;
}

/// The first thread to read this generation reports the use; nobody does for an older one.
bool Publication::first_to_use(std::uint64_t generation) noexcept {
  std::uint64_t told = told_.load(std::memory_order_relaxed);
  while (told < generation) {
    if (told_.compare_exchange_weak(told, generation, std::memory_order_relaxed)) return true;
  }
  return false;
}

void Publication::tell_use() noexcept {
  if (!on_use_) return;
  try {
    on_use_();
  } catch (...) {  // no memory: it is told at the next token
    return;
  }
}

}  // namespace skewguard::runtime
