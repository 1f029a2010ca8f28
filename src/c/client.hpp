#pragma once

#include <memory>
#include <mutex>
#include <utility>

#include "base/fork_mutex.hpp"
#include "c/abi.hpp"
#include "c/queue.hpp"
#include "skewguard/client.hpp"
#include "skewguard/event_queue.hpp"

struct skewguard_client {
  skewguard_client(skewguard::Client from, std::shared_ptr<skewguard::ClockSource> its_clock,
                   skewguard::EventQueue its_events)
      : client(std::move(from)), clock(std::move(its_clock)), events(std::move(its_events)) {}

  /// From now on keeps these events, and tells `fresh` that there are some.
  void listen(const skewguard::EventQueue::Wanted& wanted, skewguard::c::Listener fresh);
  /// Who is told, in whose name.
  struct Listening {
    skewguard::c::Listener listener{};
    std::shared_ptr<const void> owner{};
    /// Takes what was told out of the queue.
    void withdraw() const {
      if (listener.queue) listener.queue->withdraw(owner.get());
    }
  };
  [[nodiscard]] Listening listening() const;

  skewguard::Client client;
  std::shared_ptr<skewguard::ClockSource> clock;  // the client's; its calls use it beyond its end
  skewguard::EventQueue events;

 private:
  mutable skewguard::ForkMutex mutex_;  // over listening_
  Listening listening_;
};
