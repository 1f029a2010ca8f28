#pragma once

#include <cstddef>
#include <utility>

#include "oauth/grant.hpp"

namespace skewguard::oauth {

/// The grants of one client: one for each secret while the secret is being replaced. The login host
/// tells which of them is good. Not thread-safe.
class GrantRotation {
 public:
  /// May be empty: then tokens are given, and none can be requested.
  explicit GrantRotation(Grants grants) : grants_(std::move(grants)) {}

  [[nodiscard]] const Grants& all() const noexcept { return grants_; }
  [[nodiscard]] bool empty() const noexcept { return grants_.empty(); }
  /// The one to use. Precondition: not empty.
  [[nodiscard]] const Grant& current() const { return *grants_.at(turn_); }
  /// Which one that is: 1, 2, ...
  [[nodiscard]] std::size_t number() const noexcept { return turn_ + 1; }

  /// The login host refused the current one: turns to the next. True: that one has not been refused
  /// since a token came, so it may be tried at once. False: all have been.
  bool refused() noexcept {
    turn_ = grants_.empty() ? 0 : (turn_ + 1) % grants_.size();
    if (++refused_ < grants_.size()) return true;
    refused_ = 0;
    return false;
  }
  /// A token came, from the login host or from another process that uses the same client.
  void note_token() noexcept { refused_ = 0; }

  /// The login host has issued a token for one of them.
  void note_worked() noexcept { worked_ = true; }
  [[nodiscard]] bool worked() const noexcept { return worked_; }

 private:
  Grants grants_;
  std::size_t turn_ = 0;
  std::size_t refused_ = 0;  ///< in a row
  bool worked_ = false;
};

}  // namespace skewguard::oauth
