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
/// and who of them asks for the next one. One value for each key, replaced by compare-and-swap
/// alone; all rules of sharing are the client's (docs/adr/0011-sharing.md). A register has no
/// clock, lets nothing expire, and removes nothing that a client may still need.
///
/// `key` names a client's settings: 64 hex digits, lower case. A value is a text that this library
/// made, at most 128 KiB of ASCII with an access token in it: keep it from everyone else, and out
/// of every log. What it means is no business of the register's.
///
/// Both operations are called on the control loop and must not block for long. Each calls its
/// handler exactly once, from within the call or later, on any thread. One that has not answered
/// within a second counts as failed; its answer is then ignored. Errors are of kind `config` where
/// a person has to fix something, else `unavailable`; what a call throws counts as `unavailable`.
/// The client goes on without the register and says so once. Several clients may share one register
/// only if it is thread-safe.
class TokenStore {
 public:
  /// What stands under a key.
  struct Value {
    Secret text;
    std::string version;  ///< names this value alone: another value under this key has another
  };
  /// What came of a swap.
  struct Swapped {
    bool swapped = false;
    std::optional<Value> value;  ///< now there: the new one, or the one that was in the way
  };
  /// Nothing: no value stands under the key.
  using ReadHandler = std::function<void(Result<std::optional<Value>>)>;
  using SwapHandler = std::function<void(Result<Swapped>)>;

  virtual ~TokenStore() = default;
  /// The newest value, whole.
  virtual void read(const std::string& key, ReadHandler handler) = 0;
  /// Puts `text` in the place of the value with the version `expected` (absent: of nothing). Of all
  /// swaps that expect one version, one succeeds. A swap that does not leaves everything as it was.
  /// After an error it may have succeeded nevertheless.
  virtual void swap(const std::string& key, std::optional<std::string> expected, Secret text,
                    SwapHandler handler) = 0;
};

/// Keeps each value in files of mode 0600 in a folder of this user's: for the processes of one
/// machine. `folder`: absolute; empty = $XDG_RUNTIME_DIR/skewguard, else $XDG_STATE_HOME/skewguard,
/// else $HOME/.local/state/skewguard. It is made when the first value is written, on a file system
/// with hard links. Thread-safe; handlers are called from within the call. A process that is frozen
/// or killed at any moment holds up nobody else. Error (`config`): there is no folder to keep
/// tokens in.
Result<std::shared_ptr<TokenStore>> file_token_store(std::string folder = {});

}  // namespace skewguard
