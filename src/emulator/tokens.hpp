#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "emulator/mint.hpp"
#include "emulator/rate_window.hpp"

namespace skewguard::emulator {

/// The status of a token by one API host's clock.
enum class Standing {
  good,
  unknown,
  revoked,
  evicted,   ///< the client had too many
  replaced,  ///< a newer one of the same client killed it
  idle,      ///< nobody used it for too long
  client_disabled,
  expired,
  not_yet_valid,
  not_spread,  ///< this backend has not heard of it yet
};
std::string_view to_string(Standing standing) noexcept;

/// A token as the platform stores it, without its value.
struct TokenRecord {
  std::uint64_t n = 0;  ///< the n-th that this emulator issued, from 1
  std::string client;
  TokenFormat format = TokenFormat::opaque;
  HostTime iat{};        ///< by the login host's clock at issue; read by each API host's own
  HostTime nbf{};        ///< likewise
  HostTime ends{};       ///< likewise
  bool revoked = false;  ///< dead before its end
  Standing death = Standing::revoked;    ///< of what, where it is
  Duration issued_at{};                  ///< true time since the emulator's start
  Duration used_at{};                    ///< likewise: when it was last taken, or issued
  RateWindow window{};                   ///< its API requests
  std::map<int, std::uint64_t> answers;  ///< API answers to it, by status
};

/// Which of a token's times an API host checks besides its end.
struct Checks {
  bool nbf = false;
  bool iat = false;
};

/// `date` is the Date that the host's answer will have. The token has expired if date >= ends; it
/// is not yet valid if date is before a time that the host checks.
Standing standing(const TokenRecord& token, std::chrono::seconds date,
                  const Checks& checks = {}) noexcept;

/// All issued tokens, indexed by value.
class TokenTable {
 public:
  static constexpr std::size_t kMaxTokens = 20'000;  ///< the oldest are forgotten

  /// Numbers the record and stores it.
  TokenRecord& add(const Secret& value, TokenRecord record);
  [[nodiscard]] TokenRecord* find(std::string_view value);
  [[nodiscard]] TokenRecord* by_number(std::uint64_t n);
  std::size_t revoke_all();
  std::size_t revoke_client(std::string_view client, Standing why = Standing::revoked);
  /// Ends the client's oldest tokens that are still valid at `date`, until `max` are left.
  void evict(std::string_view client, std::size_t max, HostTime date);
  /// Changes the value of a token. False if there is no such token.
  bool rename(std::uint64_t n, std::string_view value);
  [[nodiscard]] std::size_t issued() const noexcept { return issued_; }
  /// The newest `max`, oldest first.
  [[nodiscard]] std::vector<const TokenRecord*> newest(std::size_t max) const;

 private:
  struct Entry {
    std::string key;  // SHA-256 of the value
    TokenRecord record;
  };
  void forget_key(const Entry& entry);

  std::deque<Entry> entries_;  // a deque: records stay where they are
  std::unordered_map<std::string, TokenRecord*> by_key_;
  std::size_t issued_ = 0;
};

}  // namespace skewguard::emulator
