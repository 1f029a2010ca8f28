#include "emulator/clients.hpp"

#include <algorithm>

namespace skewguard::emulator {

bool Client::accepts(const Secret& secret) const {
  return std::find(secrets.begin(), secrets.end(), secret) != secrets.end();
}

Client* ClientTable::find(std::string_view id) {
  const auto found = std::find_if(clients_.begin(), clients_.end(),
                                  [id](const Client& client) { return client.id == id; });
  return found == clients_.end() ? nullptr : &*found;
}

Client* ClientTable::add(Client client) {
  if (clients_.size() >= kMaxClients) return nullptr;
  return &clients_.emplace_back(std::move(client));
}

}  // namespace skewguard::emulator
