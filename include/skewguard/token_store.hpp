#pragma once

#include <optional>
#include <string>

#include "skewguard/secret.hpp"
#include "skewguard/time.hpp"

namespace skewguard {

/// A token that outlives the process that asked for it. Its life is told in the issuer's time,
/// never in ours: the issuer's clock is what processes and reboots have in common.
struct StoredToken {
  Secret access_token;
  Duration issued{0};  ///< the issuer's Date of the token answer, since 1970 by the issuer's clock
  Duration expires_in{0};  ///< of the token answer
};

/// Where tokens are kept between runs. Called on the control loop; must not block for long.
class TokenStore {
 public:
  virtual ~TokenStore() = default;
  /// `key` names login URL, token path, parameters, client id and a digest of the secret.
  virtual std::optional<StoredToken> load(const std::string& key) = 0;
  virtual void save(const std::string& key, const StoredToken& token) = 0;
  virtual void erase(const std::string& key) = 0;
};

}  // namespace skewguard
