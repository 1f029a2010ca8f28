#pragma once

#include <sys/epoll.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "proxy/descriptor.hpp"
#include "skewguard/time.hpp"

namespace skewguard::proxy {

/// What one thread waits for: changes of descriptors (epoll), functions that other threads hand
/// over, and timers. All functions are for that thread unless they say otherwise.
class EventLoop {
 public:
  /// A descriptor that the loop watches. The loop first notes all that has happened, for every
  /// descriptor, and then calls those to which something has happened: so what one of them knows of
  /// another is as new as what it was called for.
  class Watched {
   public:
    Watched() = default;
    Watched(const Watched&) = delete;
    Watched& operator=(const Watched&) = delete;
    virtual ~Watched() = default;

   protected:
    /// EPOLLIN and so on, as they have come; the owner removes what it has dealt with.
    std::uint32_t seen_ = 0;

   private:
    friend class EventLoop;
    /// Something has come. It may end itself and others from within.
    virtual void ready() = 0;
  };

  /// Throws std::system_error where this machine is out of descriptors.
  EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;
  ~EventLoop() = default;

  /// `events`: with EPOLLET each of them is told once, when it begins. False: it cannot be watched.
  bool watch(Watched& watched, int descriptor, std::uint32_t events);
  /// Other events of the same descriptor.
  bool change(int descriptor, std::uint32_t events) noexcept;
  /// Before it is closed.
  void forget(int descriptor) noexcept;
  /// ready() is called once more although nothing may happen: after all the others have had their
  /// turn.
  void again(int descriptor);

  /// Has the loop call `function()`, once, never from within this call. Thread-safe.
  template <typename Function>
  void post(Function function) {
    add(std::make_unique<TaskOf<Function>>(std::move(function)));
  }

  /// Destroys what was handed over and has not been called yet. Only once run() has ended.
  void drop_tasks();

  /// Called before each wait.
  void before_waiting(std::function<void()> function) { before_waiting_ = std::move(function); }

  /// Until stop().
  void run();
  /// Ends run(), also the next one. Thread-safe.
  void stop();
  /// Waits until something happens and lets it take its turn.
  void run_once() { turn(true); }
  /// Does all there is to do, without waiting.
  void poll();

 private:
  class Task {
   public:
    Task() = default;
    Task(const Task&) = delete;
    Task& operator=(const Task&) = delete;
    virtual ~Task() = default;
    virtual void run() = 0;
  };
  template <typename Function>
  class TaskOf final : public Task {
   public:
    explicit TaskOf(Function function) : function_(std::move(function)) {}
    void run() override { function_(); }

   private:
    Function function_;
  };
  /// Wakes the loop for what other threads have added.
  class Waker final : public Watched {
   public:
    explicit Waker(EventLoop& loop) : loop_(loop) {}

   private:
    void ready() override { loop_.run_tasks(); }
    EventLoop& loop_;
  };
  /// A descriptor's number is used again once it is closed; what was told of the one before is not
  /// for its successor.
  struct Slot {
    Watched* watched = nullptr;
    std::uint32_t uses = 0;
  };
  static constexpr std::size_t kMaxEvents = 512;

  void add(std::unique_ptr<Task> task);
  void wake() const noexcept;
  std::vector<std::unique_ptr<Task>> take_tasks();
  void run_tasks();
  bool turn(bool wait);
  [[nodiscard]] std::uint64_t key(int descriptor) const noexcept;
  [[nodiscard]] Watched* find(std::uint64_t key) const noexcept;

  Descriptor epoll_;
  Descriptor wake_;
  std::vector<Slot> slots_;  // by descriptor
  std::array<epoll_event, kMaxEvents> events_{};
  std::vector<std::uint64_t> again_;
  std::vector<std::uint64_t> taking_turns_;  // what again_ was
  std::function<void()> before_waiting_;
  std::atomic<bool> stopped_{false};
  std::mutex mutex_;
  std::vector<std::unique_ptr<Task>> tasks_;  // guarded by mutex_
  Waker waker_{*this};
};

/// Calls back once. On the boot clock: what is due after a suspension is due at once.
class LoopTimer final : private EventLoop::Watched {
 public:
  /// `loop` must outlive it. Throws std::system_error where this machine is out of descriptors.
  explicit LoopTimer(EventLoop& loop);
  LoopTimer(const LoopTimer&) = delete;
  LoopTimer& operator=(const LoopTimer&) = delete;
  ~LoopTimer() override { loop_.forget(timer_.get()); }

  /// Replaces what was armed before.
  void arm(Duration delay, std::function<void()> function);
  void disarm() noexcept;

 private:
  void ready() override;

  EventLoop& loop_;
  Descriptor timer_;
  std::function<void()> function_;
};

}  // namespace skewguard::proxy
