#include "net/tls_sessions.hpp"

#include <utility>

namespace skewguard::net {

void TlsSessions::put(const std::string& server, TlsSession session) {
  if (!session || SSL_SESSION_is_resumable(session.get()) != 1) return;
  if (sessions_.size() >= kMaxServers && !sessions_.contains(server))
    sessions_.erase(sessions_.begin());
  auto& known = sessions_[server];
  known.push_back(std::move(session));
  if (known.size() > kMaxEach) known.pop_front();
}

TlsSession TlsSessions::take(const std::string& server) {
  const auto found = sessions_.find(server);
  if (found == sessions_.end()) return nullptr;
  TlsSession newest = std::move(found->second.back());
  found->second.pop_back();
  if (found->second.empty()) sessions_.erase(found);
  return SSL_SESSION_is_resumable(newest.get()) == 1 ? std::move(newest) : take(server);
}

}  // namespace skewguard::net
