#pragma once

#include <memory>
#include <optional>
#include <string>

#include "skewguard/export.hpp"
#include "skewguard/result.hpp"
#include "skewguard/secret.hpp"
#include "skewguard/time.hpp"

namespace SKEWGUARD_API skewguard {

/// A token that outlives the process that asked for it. Its life is told twice, never in wall time:
/// by the issuer's clock, which processes and reboots have in common, and by the boot clock of the
/// machine that asked, which nobody need be asked about (docs/adr/0007-file-store.md).
struct StoredToken {
  Secret access_token;  ///< visible ASCII
  std::string token_type = "Bearer";
  /// The issuer's Date of the token answer, since 1970 by the issuer's clock; 0 = not known.
  Duration issued{0};
  Duration expires_in{0};  ///< the life that the token answer told, > 0
  /// Who read `sent`: it says something under the same boot id and time namespace alone. Empty =
  /// not known.
  std::string boot_id;
  std::string time_namespace;
  Instant sent{};  ///< when the token request was sent, by that CLOCK_BOOTTIME
  /// What was learned with this token, and with those before it, of one API host: the origin of its
  /// URL. Empty = nothing. A client that talks to another host leaves all of it out of account.
  std::string api{};
  bool accepted = false;  ///< that host took this token
  Duration lag{0};        ///< its clock is at most so far behind the issuer's; 0 = not that we know
  Duration lead{0};       ///< its clock is so far ahead of the issuer's; likewise
};

/// Where tokens are kept between runs, and how processes agree on who asks for a new one. Called on
/// the control loop; must not block for long. `key` is a digest, 64 hex digits, of login URL, token
/// path, parameters, client id and secret. An error is of kind `config` where a person must mend
/// something, else `unavailable`, and what is thrown counts as one; the client goes on without the
/// store and says so once. One store may serve several clients only if it is thread-safe.
class TokenStore {
 public:
  virtual ~TokenStore() = default;
  /// What was saved last; nothing where nothing was. The caller judges whether it still lives.
  virtual Result<std::optional<StoredToken>> load(const std::string& key) = 0;
  /// All or nothing: whoever loads gets the old token or this one. By the holder of the claim, or
  /// by one who has waited for the holder in vain: a frozen process must not keep others from
  /// saving.
  virtual Result<void> save(const std::string& key, const StoredToken& token) = 0;
  /// By the holder of the claim, so that it does not hit a newer token. Nothing there is no error.
  virtual Result<void> erase(const std::string& key) = 0;
  /// To be the one that asks for a new token. False: someone is already, in another process or
  /// through this very object (a second claim without a release is false too). Never waits. Lasts
  /// until release(), at the longest as long as the process lives.
  virtual Result<bool> claim(const std::string& key) = 0;
  /// Gives a claim back; without one it does nothing.
  virtual void release(const std::string& key) = 0;
};

/// Keeps tokens in a folder of this user's, a file of mode 0600 for each: what the commands use.
/// `folder`: absolute; empty = $XDG_RUNTIME_DIR/skewguard, else $XDG_STATE_HOME/skewguard. It is
/// made when the first token is saved. Serves one client; several may share the folder. Error
/// (`config`): there is no folder to keep tokens in.
Result<std::shared_ptr<TokenStore>> file_token_store(std::string folder = {});

}  // namespace skewguard
