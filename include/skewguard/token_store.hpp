#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "skewguard/export.hpp"
#include "skewguard/result.hpp"
#include "skewguard/secret.hpp"

namespace SKEWGUARD_API skewguard {

/// Where clients in several processes, or on several machines, keep what they share: their token,
/// and which of them is requesting the next one. One value per key, replaced only by
/// compare-and-swap; the client implements all rules of sharing (docs/adr/0011-sharing.md). A store
/// has no clock, lets nothing expire, and removes nothing that a client may still need.
///
/// `key` identifies a client's settings: 64 hex digits, lower case. A value is a text made by this
/// library, at most 128 KiB of ASCII that contains an access token: protect it from other users,
/// and keep it out of logs. The store does not interpret it.
///
/// Both operations are called on the control loop and must not block for long. Each calls its
/// handler exactly once, from within the call or later, on any thread. An operation that takes
/// longer than a second counts as failed; its answer is then ignored. Errors are of kind `config`
/// if a person has to fix something, otherwise `unavailable`; an exception counts as `unavailable`.
/// The client then continues without the store and says so once. Several clients may share a store
/// only if it is thread-safe.
class TokenStore {
 public:
  /// The value of a key.
  struct Value {
    Secret text;
    std::string version;  ///< identifies this value: any other value under this key has another
  };
  /// The result of a swap.
  struct Swapped {
    bool swapped = false;
    std::optional<Value> value;  ///< now there: the new one, or the one that was in the way
  };
  /// Empty if the key has no value.
  using ReadHandler = std::function<void(Result<std::optional<Value>>)>;
  using SwapHandler = std::function<void(Result<Swapped>)>;

  virtual ~TokenStore() = default;
  /// Reads the newest value, completely.
  virtual void read(const std::string& key, ReadHandler handler) = 0;
  /// Replaces the value of the version `expected` (absent: there is none) with `text`. Of all swaps
  /// that expect the same version, one succeeds. A swap that does not succeed changes nothing.
  /// After an error it may have succeeded nevertheless.
  virtual void swap(const std::string& key, std::optional<std::string> expected, Secret text,
                    SwapHandler handler) = 0;
};

/// Keeps each value in files of mode 0600 in a folder of this user, for the processes of one
/// machine. `folder`: absolute; empty = $XDG_RUNTIME_DIR/skewguard, otherwise
/// $XDG_STATE_HOME/skewguard, otherwise $HOME/.local/state/skewguard. It is created when the first
/// value is written, and must be on a file system with hard links. Thread-safe; handlers are called
/// from within the call. A process that is frozen or killed at any moment blocks nobody else. Error
/// (`config`): there is no folder for tokens.
Result<std::shared_ptr<TokenStore>> file_token_store(std::string folder = {});

}  // namespace skewguard
