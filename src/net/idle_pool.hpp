#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "net/options.hpp"
#include "skewguard/time.hpp"

namespace skewguard::net {

/// Idle connections by origin, the newest used first: it is most likely still alive, and the others
/// can expire. Destroying a Connection must close it. Not thread-safe.
template <typename Connection>
class IdlePool {
 public:
  explicit IdlePool(const PoolOptions& options) : options_(options) {}

  void put(const std::string& origin, Connection connection, Instant now) {
    drop_stale(now);
    if (options_.most_idle == 0) return;
    auto& idle = idle_[origin];
    idle.push_back({std::move(connection), now});
    if (idle.size() > options_.most_idle) idle.pop_front();
  }

  std::optional<Connection> take(const std::string& origin, Instant now) {
    drop_stale(now);
    const auto found = idle_.find(origin);
    if (found == idle_.end()) return std::nullopt;
    std::optional<Connection> newest(std::move(found->second.back().connection));
    found->second.pop_back();
    if (found->second.empty()) idle_.erase(found);
    return newest;
  }

  [[nodiscard]] std::size_t size() const noexcept {
    std::size_t count = 0;
    for (const auto& [origin, idle] : idle_) count += idle.size();
    return count;
  }

 private:
  struct Entry {
    Connection connection;
    Instant since;  ///< idle from then on
  };

  void drop_stale(Instant now) {
    for (auto& [origin, idle] : idle_) {
      while (!idle.empty() && now - idle.front().since >= options_.idle_timeout) idle.pop_front();
    }
    std::erase_if(idle_, [](const auto& entry) { return entry.second.empty(); });
  }

  PoolOptions options_;
  std::map<std::string, std::deque<Entry>> idle_;  // oldest first; no empty ones
};

}  // namespace skewguard::net
