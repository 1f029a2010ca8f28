#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "skewguard/secret.hpp"
#include "skewguard/time.hpp"
#include "skewguard/verdict.hpp"

namespace skewguard::sharing {

/// A process is requesting a token from the login host. It need not release the claim: if the beat
/// stops, another process takes over, so no store has to delete anything.
struct Claim {
  std::uint64_t id = 0;  ///< random, new for each request; distinguishes the holder from all others
  std::uint64_t fence = 0;  ///< the generation that the answer will get
  std::uint64_t beat = 0;   ///< raised by the holder as long as it waits for the answer
  friend bool operator==(const Claim&, const Claim&) = default;
};

/// A token that all processes may use. Its lifetime is recorded twice, never in wall time: by the
/// issuer's clock, which is the same for all machines and boots, and by the boot clock of the
/// machine that requested it, which can be read without a request.
struct SharedToken {
  std::uint64_t id = 0;  ///< random: the same token everywhere
  Secret value;
  std::string token_type = "Bearer";
  /// The earliest possible time of issue by the issuer's clock, since 1970: the Date of the answer
  /// minus the duration of the request. 0 = the answer had no Date.
  Duration issued_from{0};
  /// That Date. It stands for the `iat` of an opaque token. 0 = none.
  Duration date{0};
  Duration life{0};  ///< > 0
  /// Whose boot clock read `sent`. Empty = unknown.
  std::string boot_id;
  std::string time_namespace;
  Instant sent{};         ///< when the token request was sent
  bool accepted = false;  ///< by the API host of the record
};

/// Whether `sent` was read from the boot clock of this boot and time namespace. False where one of
/// them is unknown.
inline bool same_boot_clock(const SharedToken& token, std::string_view boot_id,
                            std::string_view time_namespace) {
  return !boot_id.empty() && token.boot_id == boot_id && !time_namespace.empty() &&
         token.time_namespace == time_namespace;
}

/// Why there is no token. All processes that want one wait together.
struct Trouble {
  std::uint32_t failures = 0;  ///< in a row
  Duration pause{0};           ///< the longest that anyone has to wait after seeing this
  Duration not_before{0};      ///< by the issuer's clock since 1970; 0 = unknown
  Verdict verdict = Verdict::ok;
};

/// What processes share about one client: the content of one register. ShareMachine makes all the
/// decisions; the register makes none.
struct Record {
  std::uint64_t epoch = 0;       ///< random: a register that lost its content begins a new one
  std::uint64_t generation = 0;  ///< of the token: the fence of the claim that brought it
  std::uint64_t refused = 0;     ///< tokens up to this generation were refused by the API
  /// The fence of a claim whose token could not be stored (too long, for example): whoever waited
  /// for it requests one of its own. 0 = none.
  std::uint64_t unstored = 0;
  /// The fence of a claim that brought no token because the login host rejected the client's
  /// credentials, and which they were (Need::credentials): whoever waited for it with the same ones
  /// learns that from here. 0 = none.
  std::uint64_t rejected = 0;
  std::uint64_t rejected_credentials = 0;
  std::optional<SharedToken> token;
  std::optional<Claim> claim;
  Trouble trouble;
  /// When the bucket of evidence rule 8 is full again, by the issuer's clock since 1970; 0 = full.
  Duration bucket_full_at{0};
  /// The origin of the API host that `accepted`, `lag` and `lead` are about. Empty = none.
  std::string api;
  Duration lag{0};   ///< its clock is at most this far behind the issuer's; 0 = unknown
  Duration lead{0};  ///< its clock is this far ahead of the issuer's; 0 = unknown
};

}  // namespace skewguard::sharing
