#include "engine/true_time_cache.hpp"

#include <algorithm>
#include <utility>

#include "clocks/bounds.hpp"

namespace skewguard::engine {

void TrueTimeCache::ask(Instant wanted, Handler handler) {
  const Now& now = loop_.now();
  if (is_fresh(now)) return handler(heard_->report);
  const Duration left = std::max(wanted - now.boot, Duration{0});
  const std::uint64_t id = ++last_;
  const auto timer =
      loop_.at(now.boot + std::min(kPatience, left / 2), [this, id] { answer(id, std::nullopt); });
  waiting_.emplace(id, Waiting{std::move(handler), timer});
  // A question that was never answered is given up in the end.
  if (!asked_ || now.boot - *asked_ >= kKept) ask_referee();
}

bool TrueTimeCache::is_fresh(const Now& now) const {
  if (!heard_ || now.boot - heard_->at.boot >= kKept) return false;
  return !clocks::wall_was_set(clocks::wall_less_boot(heard_->at), now);
}

void TrueTimeCache::ask_referee() {
  asked_ = loop_.now().boot;
  try {
    referee_.ask(*asked_ + kAnswerWithin,
                 loop_.while_alive([this](const std::optional<TimeReport>& report) {
                   loop_.enter([this, report] { hear(report); });
                 }));
  } catch (...) {  // the user's own, or no memory
    hear(std::nullopt);
  }
}

void TrueTimeCache::hear(const std::optional<TimeReport>& report) {
  asked_.reset();
  heard_ = Answer{report, loop_.now()};
  while (!waiting_.empty()) answer(waiting_.begin()->first, report);
}

void TrueTimeCache::answer(std::uint64_t waiting, const std::optional<TimeReport>& report) {
  const auto found = waiting_.find(waiting);
  if (found == waiting_.end()) return;
  const Waiting who = std::move(found->second);
  waiting_.erase(found);
  loop_.cancel(who.timer);
  loop_.next([handler = who.handler, report] { handler(report); });
}

}  // namespace skewguard::engine
