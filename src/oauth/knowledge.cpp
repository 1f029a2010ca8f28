#include "oauth/knowledge.hpp"

#include <algorithm>
#include <utility>

namespace skewguard::oauth {

bool Knowledge::was_accepted(std::uint64_t generation) const noexcept {
  return generation != 0 && std::ranges::find(accepted_, generation) != accepted_.end();
}

bool Knowledge::learn_lag(Duration lag) noexcept {
  lag = std::max(lag, Duration{0});
  if (lag == learned_.lag) return false;
  if (lag > learned_.lag) begins_ignored_ = false;
  learned_.lag = lag;
  return true;
}

bool Knowledge::learn_lead(Duration lead) noexcept {
  lead = std::max(lead, Duration{0});
  return std::exchange(learned_.lead, lead) != lead;
}

}  // namespace skewguard::oauth
