#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/log.hpp"
#include "engine/loop.hpp"
#include "sharing/share_machine.hpp"
#include "skewguard/secret.hpp"
#include "skewguard/token_store.hpp"

namespace skewguard::engine {

/// Performs the share machine's operations on the token store, and reports their results. A failing
/// store costs token requests, never a call, and is reported once. Part of an engine: on the
/// control loop only.
class StoreAccess {
 public:
  using Tell = std::function<void(const sharing::ShareEvent&)>;

  /// `key` identifies this client's record. `tell` runs within a turn, never from within read() or
  /// swap().
  StoreAccess(Loop& loop, const Log& log, TokenStore& store, std::string key, Tell tell);
  ~StoreAccess();
  StoreAccess(const StoreAccess&) = delete;
  StoreAccess& operator=(const StoreAccess&) = delete;

  void read(const sharing::action::Read& read);
  void swap(const sharing::action::Swap& swap);
  /// Reports at once what the store has answered so far.
  void open_inbox();

 private:
  struct Inbox;

  template <typename What>
  void attempt(const std::function<void(Result<TokenStore::Swapped>)>& handler, const What& what);
  [[nodiscard]] std::function<void(Result<TokenStore::Swapped>)> answer_to(
      sharing::OperationId operation);
  void tell(sharing::OperationId operation, const Result<TokenStore::Swapped>& result);
  [[nodiscard]] std::optional<sharing::Value> decoded(
      const std::optional<TokenStore::Value>& value);
  void report(const std::string& what);

  const Log& log_;
  TokenStore& store_;
  Tell tell_;
  std::string key_;
  Secret written_;  ///< the token in what was written last
  std::shared_ptr<Inbox> inbox_;
  bool reported_ = false;
};

}  // namespace skewguard::engine
