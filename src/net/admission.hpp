#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "skewguard/transport.hpp"

namespace skewguard::net {

/// Bounds the requests under way to one origin; the others wait in the order of arrival.
/// Not thread-safe.
class Admission {
 public:
  explicit Admission(std::size_t most) : most_(most) {}

  /// True: it may begin. False: it waits until leave() names it.
  bool enter(const std::string& origin, Transport::Ticket ticket);
  /// One that had begun has ended. Names the next one, which has entered with that.
  std::optional<Transport::Ticket> leave(const std::string& origin);
  /// One that waits gives up. False if it does not wait (it has begun, or is unknown).
  bool withdraw(const std::string& origin, Transport::Ticket ticket);

 private:
  struct Gate {
    std::size_t inside = 0;
    std::deque<Transport::Ticket> waiting;
  };
  std::size_t most_;
  std::map<std::string, Gate> gates_;  // none with nobody inside
};

}  // namespace skewguard::net
