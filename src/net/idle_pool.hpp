#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/options.hpp"
#include "skewguard/time.hpp"

namespace skewguard::net {

/// Idle connections by origin, the newest used first: it is most likely still alive, and the others
/// can expire. Destroying a Connection must close it. Once an origin is known, taking and putting
/// allocate nothing. Not thread-safe.
template <typename Connection>
class IdlePool {
 public:
  explicit IdlePool(const PoolOptions& options) : options_(options) {}

  void put(const std::string& origin, Connection connection, Instant now) {
    drop_stale(now);
    if (options_.most_idle == 0) return;
    auto& idle = idle_[origin];
    idle.push_back({std::move(connection), now});
    if (idle.size() > options_.most_idle) idle.erase(idle.begin());
  }

  std::optional<Connection> take(const std::string& origin, Instant now) {
    drop_stale(now);
    const auto found = idle_.find(origin);
    if (found == idle_.end() || found->second.empty()) return std::nullopt;
    std::optional<Connection> newest(std::move(found->second.back().connection));
    found->second.pop_back();
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
      std::erase_if(idle,
                    [&](const Entry& entry) { return now - entry.since >= options_.idle_timeout; });
    }
  }

  PoolOptions options_;
  std::map<std::string, std::vector<Entry>> idle_;  // oldest first; a client knows few origins
};

}  // namespace skewguard::net
