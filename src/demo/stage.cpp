#include "demo/stage.hpp"

#include <mutex>

#include "virtual_time/machine.hpp"
#include "virtual_time/timeline.hpp"

namespace skewguard::demo {

using virtual_time::Machine;
using virtual_time::Timeline;

/// The machine that is shown, and one whose clocks are right.
class Stage::Play {
 public:
  Play(std::shared_ptr<ClockSource> system, Duration wall_offset)
      : system_(std::move(system)), start_(system_->now()) {
    local_.step_wall(wall_offset);
  }
  [[nodiscard]] Machine& local() noexcept { return local_; }
  [[nodiscard]] Machine& truth() noexcept { return truth_; }

  Now read(Machine& machine) {
    const std::lock_guard lock(mutex_);
    follow();
    return machine.now();
  }
  void step_wall(Duration by) {
    const std::lock_guard lock(mutex_);
    local_.step_wall(by);
  }
  void skip(Duration span, Machine::State state) {
    const std::lock_guard lock(mutex_);
    follow();
    local_.enter(state);
    skipped_ += span;
    timeline_.run_for(span);
    local_.enter(Machine::State::running);
  }

 private:
  void follow() {
    const Duration passed = system_->now().boot - start_.boot + skipped_;
    timeline_.run_for(passed - timeline_.now());
  }

  std::mutex mutex_;  // over all but the real clock
  const std::shared_ptr<ClockSource> system_;
  const Now start_;
  Timeline timeline_;
  Duration skipped_{0};  // true time that the real clock has not gone through
  Machine local_{timeline_, start_};
  Machine truth_{timeline_, start_};
};

class Stage::Clock final : public ClockSource {
 public:
  Clock(std::shared_ptr<Play> play, Machine& machine) : play_(std::move(play)), machine_(machine) {}
  Now now() override { return play_->read(machine_); }

 private:
  std::shared_ptr<Play> play_;
  Machine& machine_;
};

Stage::Stage(const std::shared_ptr<ClockSource>& system, Duration wall_offset)
    : play_(std::make_shared<Play>(system, wall_offset)),
      local_(std::make_shared<Clock>(play_, play_->local())),
      truth_(std::make_shared<Clock>(play_, play_->truth())) {}

std::shared_ptr<ClockSource> Stage::local() const {
  return local_;
}
ClockSource& Stage::truth() const {
  return *truth_;
}
void Stage::step_wall(Duration by) {
  play_->step_wall(by);
}
void Stage::suspend(Duration span) {
  play_->skip(span, Machine::State::suspended);
}
void Stage::stand_still(Duration span) {
  play_->skip(span, Machine::State::stopped);
}

}  // namespace skewguard::demo
