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

/// What is shared by all readers of one version: the lease, and the bytes that it refers to.
struct Publication::Snapshot {
  Secret authorization;
  Lease lease;
};

/// A thread's own reader of the publication with this id.
struct Publication::ThreadReader {
  std::uint64_t id = 0;
  LeaseReader reader;
};

Publication::Publication(std::function<void()> on_use)
    : id_(next_id()), on_use_(std::move(on_use)) {}

void Publication::publish(const oauth::TokenPtr& token, Instant until) {
  std::shared_ptr<const Lease> fresh;
  if (token) {
    auto snapshot = std::make_shared<Snapshot>();
    snapshot->authorization = oauth::bearer_authorization(token->value);
    const std::string_view authorization = snapshot->authorization.reveal();
    snapshot->lease = {authorization.substr(oauth::kBearerScheme.size()), authorization, until,
                       token->generation};
    const Lease* lease = &snapshot->lease;
    fresh = std::shared_ptr<const Lease>(std::move(snapshot), lease);
  }
  const std::lock_guard lock(mutex_);
  current_.swap(fresh);  // the old one is wiped, if at all, unlocked
  version_.fetch_add(1, std::memory_order_release);
}

const Lease* Publication::read(Instant now) noexcept {
  thread_local std::array<ThreadReader, 4> readers;
  ThreadReader& own = readers[id_ % readers.size()];
  if (own.id != id_) own = {id_, {}};
  return read(own.reader, now);
}

const Lease* Publication::look_again(LeaseReader& reader, Instant now) noexcept {
  const std::shared_ptr<const Lease> old = std::move(reader.lease_);  // wiped, if at all, unlocked
  {
    const std::lock_guard lock(mutex_);
    reader.lease_ = current_;
    reader.version_ = version_.load(std::memory_order_relaxed);
  }
  const Lease* lease = reader.lease_.get();
  if (lease == nullptr || now >= lease->until) return nullptr;
  if (first_to_use(reader.version_)) report_use();
  return lease;
}

/// The first reader of this version reports the use; nobody does for an older one.
bool Publication::first_to_use(std::uint64_t version) noexcept {
  std::uint64_t reported = reported_.load(std::memory_order_relaxed);
  while (reported < version) {
    if (reported_.compare_exchange_weak(reported, version, std::memory_order_relaxed)) return true;
  }
  return false;
}

void Publication::report_use() noexcept {
  if (!on_use_) return;
  try {
    on_use_();
  } catch (...) {  // no memory: it is reported at the next token
    return;
  }
}

}  // namespace skewguard::runtime

namespace skewguard {

const Lease* LeaseReader::lease(Instant now) noexcept {
  return from_ ? from_->read(*this, now) : nullptr;
}

}  // namespace skewguard
