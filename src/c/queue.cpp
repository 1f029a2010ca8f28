#include "c/queue.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "c/error.hpp"
#include "skewguard/transport.hpp"

namespace skewguard::c {

std::shared_ptr<Queue> Queue::make() {
  const int fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (fd < 0) return nullptr;
  try {
    return std::make_shared<Queue>(fd);
  } catch (...) {
    ::close(fd);
    throw;
  }
}

Queue::Queue(int fd) : process_(::getpid()), fd_(fd) {}

Queue::~Queue() {
  if (fd_ >= 0) ::close(fd_);
}

int Queue::fd() const {
  const std::lock_guard lock(mutex_);
  return fd_;
}

void Queue::close() {
  if (::getpid() != process_) return;  // another thread of the parent may hold the lock for ever
  const std::lock_guard lock(mutex_);
  entries_.clear();
  ::close(std::exchange(fd_, -1));
}

void Queue::push(const void* owner, std::uint64_t tag) {
  if (::getpid() != process_) return;
  const std::lock_guard lock(mutex_);
  if (fd_ < 0) return;
  const bool had_some = !entries_.empty();
  entries_.push_back({owner, tag});
  show(had_some);
}

std::size_t Queue::pop(std::span<std::uint64_t> tags) {
  const std::lock_guard lock(mutex_);
  const bool had_some = !entries_.empty();
  const std::size_t count = std::min(tags.size(), entries_.size());
  for (std::size_t i = 0; i < count; ++i) {
    tags[i] = entries_.front().tag;
    entries_.pop_front();
  }
  show(had_some);
  return count;
}

void Queue::withdraw(const void* owner) {
  if (::getpid() != process_) return;
  const std::lock_guard lock(mutex_);
  const bool had_some = !entries_.empty();
  std::erase_if(entries_, [&](const Entry& entry) { return entry.owner == owner; });
  show(had_some);
}

void Queue::show(bool had_some) noexcept {
  const bool has_some = !entries_.empty();
  if (has_some == had_some || fd_ < 0) return;
  std::uint64_t number = 1;
  std::ignore =
      has_some ? ::write(fd_, &number, sizeof number) : ::read(fd_, &number, sizeof number);
}

}  // namespace skewguard::c

using skewguard::c::Queue;

skewguard_queue* skewguard_queue_new(skewguard_error** error) {
  return skewguard::c::without_exceptions<>(error, nullptr, [&]() -> skewguard_queue* {
    auto queue = Queue::make();
    if (queue) return std::make_unique<skewguard_queue>(std::move(queue)).release();
    skewguard::c::report_error(
        error, {skewguard::ErrorKind::unavailable, "there is no file descriptor left for a queue",
                skewguard::kCheckLimits});
    return nullptr;
  });
}

int skewguard_queue_fd(const skewguard_queue* queue) {
  return queue == nullptr ? -1 : queue->queue->fd();
}

size_t skewguard_queue_pop(skewguard_queue* queue, uint64_t* tags, size_t count) {
  if (queue == nullptr || tags == nullptr) return 0;
  return queue->queue->pop({tags, count});
}

void skewguard_queue_free(skewguard_queue* queue) {
  const std::unique_ptr<skewguard_queue> owner(queue);
  if (owner) owner->queue->close();
}
