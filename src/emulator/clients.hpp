#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "skewguard/secret.hpp"
#include "skewguard/time.hpp"

namespace skewguard::emulator {

/// An OAuth client. If it has a user, its tokens have a user context.
struct Client {
  std::string id;
  std::vector<Secret> secrets;  ///< each is accepted
  std::string user;             ///< the user's name; empty = none
  bool disabled = false;        ///< tokens are invalid, new ones refused (docs/platform.md 1.5)
  std::optional<Duration> lifetime{};                ///< of its tokens; otherwise the emulator's
  std::set<std::string, std::less<>> permissions{};  ///< "domain:entity:action"

  [[nodiscard]] bool accepts(const Secret& secret) const;
};

class ClientTable {
 public:
  static constexpr std::size_t kMaxClients = 1000;
  static constexpr std::size_t kMaxSecrets = 100;  ///< of one client

  explicit ClientTable(std::vector<Client> clients) : clients_(std::move(clients)) {}
  [[nodiscard]] Client* find(std::string_view id);
  /// Adds a new client; empty if there are kMaxClients already.
  Client* add(Client client);
  [[nodiscard]] const std::vector<Client>& all() const noexcept { return clients_; }

 private:
  std::vector<Client> clients_;
};

}  // namespace skewguard::emulator
