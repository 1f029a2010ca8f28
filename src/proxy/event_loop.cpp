#include "proxy/event_loop.hpp"

#include <sys/eventfd.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <system_error>

namespace skewguard::proxy {
namespace {

constexpr int kUseBits = 32;

Descriptor checked(int descriptor, const char* what) {
  if (descriptor < 0) throw std::system_error(errno, std::system_category(), what);
  return Descriptor(descriptor);
}

timespec timespec_of(Duration duration) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(duration);
  return {static_cast<time_t>(seconds.count()), static_cast<long>((duration - seconds).count())};
}

}  // namespace

EventLoop::EventLoop()
    : epoll_(checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
      wake_(checked(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")) {
  // With EPOLLET it need not be read: each write is told.
  if (!watch(waker_, wake_.get(), EPOLLIN | EPOLLET))
    throw std::system_error(errno, std::system_category(), "epoll_ctl");
}

std::uint64_t EventLoop::key(int descriptor) const noexcept {
  const auto number = static_cast<std::uint32_t>(descriptor);
  return (std::uint64_t{slots_[number].uses} << kUseBits) | number;
}

EventLoop::Watched* EventLoop::find(std::uint64_t key) const noexcept {
  const Slot& slot = slots_[key & UINT32_MAX];
  return slot.uses == key >> kUseBits ? slot.watched : nullptr;
}

bool EventLoop::watch(Watched& watched, int descriptor, std::uint32_t events) {
  if (descriptor < 0) return false;
  const auto number = static_cast<std::size_t>(descriptor);
  if (number >= slots_.size()) slots_.resize(number + 1);
  slots_[number] = {&watched, slots_[number].uses + 1};
  epoll_event event{};
  event.events = events;
  event.data.u64 = key(descriptor);
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, descriptor, &event) == 0) return true;
  slots_[number].watched = nullptr;
  return false;
}

bool EventLoop::change(int descriptor, std::uint32_t events) noexcept {
  epoll_event event{};
  event.events = events;
  event.data.u64 = key(descriptor);
  return ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, descriptor, &event) == 0;
}

/// Closing a descriptor takes it out of epoll, unless a forked child has it as well: then find()
/// knows better.
void EventLoop::forget(int descriptor) noexcept {
  slots_[static_cast<std::size_t>(descriptor)].watched = nullptr;
}

void EventLoop::again(int descriptor) {
  again_.push_back(key(descriptor));
}

void EventLoop::add(std::unique_ptr<Task> task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
    if (tasks_.size() > 1) return;  // it has been woken for the first
  }
  wake();
}

void EventLoop::wake() const noexcept {
  ::eventfd_write(wake_.get(), 1);
}

std::vector<std::unique_ptr<EventLoop::Task>> EventLoop::take_tasks() {
  const std::lock_guard lock(mutex_);
  return std::exchange(tasks_, {});
}

void EventLoop::drop_tasks() {
  take_tasks().clear();
}

void EventLoop::run_tasks() {
  auto tasks = take_tasks();
  for (auto& task : tasks) std::exchange(task, nullptr)->run();
}

/// Whether anything happened.
bool EventLoop::turn(bool wait) {
  if (before_waiting_) before_waiting_();
  const int patience = wait && again_.empty() ? -1 : 0;
  const int count = std::max(
      ::epoll_wait(epoll_.get(), events_.data(), static_cast<int>(events_.size()), patience), 0);
  const auto* const end = events_.data() + count;
  for (const auto* event = events_.data(); event != end; ++event) {
    if (Watched* const watched = find(event->data.u64)) watched->seen_ |= event->events;
  }
  taking_turns_.swap(again_);
  for (const auto* event = events_.data(); event != end; ++event) {
    if (Watched* const watched = find(event->data.u64)) watched->ready();
  }
  const bool any = count > 0 || !taking_turns_.empty();
  for (const std::uint64_t one : taking_turns_) {
    if (Watched* const watched = find(one)) watched->ready();
  }
  taking_turns_.clear();
  return any;
}

void EventLoop::run() {
  while (!stopped_.load(std::memory_order_acquire)) turn(true);
}

void EventLoop::stop() {
  stopped_.store(true, std::memory_order_release);
  wake();
}

void EventLoop::poll() {
  while (turn(false)) {
  }
}

LoopTimer::LoopTimer(EventLoop& loop)
    : loop_(loop),
      timer_(checked(::timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK), "timerfd")) {
  if (!loop_.watch(*this, timer_.get(), EPOLLIN | EPOLLET))
    throw std::system_error(errno, std::system_category(), "epoll_ctl");
}

void LoopTimer::arm(Duration delay, std::function<void()> function) {
  function_ = std::move(function);
  const itimerspec when{{}, timespec_of(std::max(delay, Duration{1}))};  // 0 would disarm it
  ::timerfd_settime(timer_.get(), 0, &when, nullptr);
}

void LoopTimer::disarm() noexcept {
  function_ = nullptr;
  const itimerspec never{};
  ::timerfd_settime(timer_.get(), 0, &never, nullptr);
}

/// What was noted may be about a time that has been replaced since.
void LoopTimer::ready() {
  std::uint64_t times = 0;
  if (::read(timer_.get(), &times, sizeof times) != sizeof times || !function_) return;
  std::exchange(function_, nullptr)();
}

}  // namespace skewguard::proxy
