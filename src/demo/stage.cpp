#include "demo/stage.hpp"

#include <utility>

namespace skewguard::demo {
namespace {

using Shift = std::atomic<Duration::rep>;  // nanoseconds

Duration read(const Shift& shift) {
  return Duration{shift.load(std::memory_order_relaxed)};
}

}  // namespace

class Stage::Local final : public ClockSource {
 public:
  Local(std::shared_ptr<ClockSource> system, Duration wall_offset)
      : wall{wall_offset.count()}, system_(std::move(system)) {}
  Now now() override {
    Now now = system_->now();
    now.boot += read(suspended);
    now.wall += read(suspended) + read(wall);
    return now;
  }
  Shift wall;
  Shift suspended{0};

 private:
  std::shared_ptr<ClockSource> system_;
};

class Stage::Truth final : public ClockSource {
 public:
  explicit Truth(std::shared_ptr<ClockSource> system) : system_(std::move(system)) {}
  Now now() override {
    Now now = system_->now();
    const Duration by = read(skipped);
    now.boot += by;
    now.wall += by;
    now.mono += by;
    now.raw += by;
    return now;
  }
  Shift skipped{0};

 private:
  std::shared_ptr<ClockSource> system_;
};

Stage::Stage(std::shared_ptr<ClockSource> system, Duration wall_offset)
    : local_(std::make_shared<Local>(system, wall_offset)),
      truth_(std::make_shared<Truth>(std::move(system))) {}

std::shared_ptr<ClockSource> Stage::local() const {
  return local_;
}
ClockSource& Stage::truth() const {
  return *truth_;
}
void Stage::step_wall(Duration by) {
  local_->wall += by.count();
}
void Stage::suspend(Duration span) {
  local_->suspended += span.count();
  truth_->skipped += span.count();
}
void Stage::stand_still(Duration span) {
  truth_->skipped += span.count();
}

}  // namespace skewguard::demo
