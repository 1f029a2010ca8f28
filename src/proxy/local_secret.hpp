#pragma once

#include <string_view>
#include <vector>

#include "skewguard/secret.hpp"

namespace skewguard::proxy {

/// What a program must show to be served, and the handle that its login gets in place of a token.
/// Both follow from the local secret alone, so a handle outlives restarts. Immutable.
class LocalSecret {
 public:
  /// `secret`: empty = every program is served, whatever it shows.
  explicit LocalSecret(Secret secret);

  /// The handle for the programs' SDKs to send as bearer token; no token of the API.
  [[nodiscard]] const Secret& handle() const noexcept { return handle_; }
  /// What a request must show one of, as bearer token; none = it need not.
  [[nodiscard]] std::vector<Secret> bearers() const;
  /// Whether a login with this client secret gets the handle.
  [[nodiscard]] bool admits_login(std::string_view client_secret) const noexcept;

 private:
  Secret secret_;
  Secret handle_;
};

}  // namespace skewguard::proxy
