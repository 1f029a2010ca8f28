#include "net/tls_sessions.hpp"

#include <utility>

namespace skewguard::net {

void TlsSessions::put(const std::string& server, TlsSession session) {
  if (!session || SSL_SESSION_is_resumable(session.get()) != 1) return;
  const std::lock_guard lock(mutex_);
  if (sessions_.size() >= kMaxServers && !sessions_.contains(server))
    sessions_.erase(sessions_.begin());
  auto& known = sessions_[server];
  known.push_back(std::move(session));
  if (known.size() > kMaxEach) known.pop_front();
}

TlsSession TlsSessions::take(const std::string& server) {
  const std::lock_guard lock(mutex_);
  const auto found = sessions_.find(server);
  if (found == sessions_.end()) return nullptr;
  auto& known = found->second;
  TlsSession newest;
  while (!known.empty() && !newest) {
    newest = std::move(known.back());
    known.pop_back();
    if (SSL_SESSION_is_resumable(newest.get()) != 1) newest.reset();
  }
  if (known.empty()) sessions_.erase(found);
  return newest;
}

}  // namespace skewguard::net
