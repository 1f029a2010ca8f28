#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "net/timers.hpp"
#include "skewguard/transport.hpp"

/// A clock and timers controlled by the test.
namespace skewguard::net::testing_loop {

class FakeClock final : public ClockSource {
 public:
  Now now() override {
    ++reads;
    if (on_read) on_read();
    return now_;
  }
  void advance(Duration by) {
    now_.boot += by;
    now_.wall += by;
    now_.mono += by;
    now_.raw += by;
  }
  void set_wall(WallTime wall) { now_.wall = wall; }
  [[nodiscard]] Instant boot() const { return now_.boot; }

  std::size_t reads = 0;
  std::function<void()> on_read{};

 private:
  Now now_{.boot = Instant{std::chrono::hours{1}},
           .wall = WallTime{std::chrono::sys_days{std::chrono::year{2026} / 3 / 14}}};
};

/// Timers that the test fires, early or late.
class ManualTimers final : public Timers {
 public:
  struct Armed {
    Duration delay{};
    std::function<void()> fire;
  };

  std::unique_ptr<Timer> make() override { return std::make_unique<One>(state_); }

  /// Fires all timers that are armed now, each once.
  void fire() {
    auto armed = std::exchange(state_->armed, {});
    for (auto& [owner, one] : armed) {
      if (state_->alive(owner)) one.fire();
    }
  }
  [[nodiscard]] std::size_t armed() const { return state_->armed.size(); }
  [[nodiscard]] Duration longest_delay() const {
    Duration longest{0};
    for (const auto& [owner, one] : state_->armed) longest = std::max(longest, one.delay);
    return longest;
  }

 private:
  using Owner = const Timer*;
  struct State {
    std::vector<std::pair<Owner, Armed>> armed;
    std::vector<Owner> timers;
    [[nodiscard]] bool alive(Owner owner) const {
      return std::ranges::find(timers, owner) != timers.end();
    }
    void drop(Owner owner) {
      std::erase_if(armed, [&](const auto& entry) { return entry.first == owner; });
    }
  };
  class One final : public Timer {
   public:
    explicit One(std::shared_ptr<State> state) : state_(std::move(state)) {
      state_->timers.push_back(this);
    }
    One(const One&) = delete;
    One& operator=(const One&) = delete;
    ~One() override {
      state_->drop(this);
      std::erase(state_->timers, this);
    }
    void arm(Duration delay, std::function<void()> fire) override {
      state_->drop(this);
      state_->armed.emplace_back(this, Armed{delay, std::move(fire)});
    }
    void disarm() override { state_->drop(this); }

   private:
    std::shared_ptr<State> state_;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

/// Runs the loop until a condition holds. Fails the test if the loop runs out of work.
template <typename Predicate>
void run_until(boost::asio::io_context& io, Predicate holds) {
  while (!holds()) {
    io.restart();
    if (io.run_one() == 0) {
      FAIL() << "nothing is left to happen";
    }
  }
}

/// Runs what is ready, and does not wait for anything else.
inline void run_ready(boost::asio::io_context& io) {
  io.restart();
  io.poll();
}

}  // namespace skewguard::net::testing_loop
