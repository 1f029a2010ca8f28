#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "skewguard/transport.hpp"

namespace skewguard::net {

/// Limits the requests in progress to each origin; the others wait in the order of arrival. Not
/// thread-safe.
class Admission {
 public:
  explicit Admission(std::size_t most) : most_(most) {}

  /// True: the request may start. False: it waits until leave() returns it.
  bool enter(const std::string& origin, Transport::Ticket ticket);
  /// A request has ended. Returns the next one, which may then start.
  std::optional<Transport::Ticket> leave(const std::string& origin);
  /// Removes a waiting request. False if it is not waiting (it has started, or is unknown).
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
