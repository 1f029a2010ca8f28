#include "net/admission.hpp"

#include <algorithm>

namespace skewguard::net {

bool Admission::enter(const std::string& origin, Transport::Ticket ticket) {
  auto& gate = gates_[origin];
  if (gate.inside < std::max<std::size_t>(most_, 1)) {
    ++gate.inside;
    return true;
  }
  gate.waiting.push_back(ticket);
  return false;
}

std::optional<Transport::Ticket> Admission::leave(const std::string& origin) {
  const auto found = gates_.find(origin);
  if (found == gates_.end()) return std::nullopt;
  auto& gate = found->second;
  if (!gate.waiting.empty()) {
    const auto next = gate.waiting.front();
    gate.waiting.pop_front();
    return next;
  }
  if (--gate.inside == 0) gates_.erase(found);
  return std::nullopt;
}

bool Admission::withdraw(const std::string& origin, Transport::Ticket ticket) {
  const auto found = gates_.find(origin);
  if (found == gates_.end()) return false;
  return std::erase(found->second.waiting, ticket) > 0;
}

}  // namespace skewguard::net
