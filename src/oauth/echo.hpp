#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "skewguard/secret.hpp"

namespace skewguard::oauth {

/// Finds what a server's answer repeats of a secret that it was sent: as it is, percent-encoded
/// (RFC 3986 section 2.1), in base64 (RFC 4648 sections 4 and 5), or in base64 percent-encoded. Use
/// it where the words must keep their length, since their framing has been said; for words that are
/// only shown, oauth/withhold.
class Echo {
 public:
  explicit Echo(std::string_view secret);

  /// Overwrites with '*' every run of at least eight characters of the secret, in any of these
  /// forms. The words must be whole: what is cut off at an end is found if eight characters of it
  /// are there. True if there was any. Thread-safe.
  bool hide_in(std::span<char> words) const;

 private:
  using Window = std::uint64_t;  // eight characters
  template <typename T>
  using Kept = std::vector<T, SecretAllocator<T>>;

  Kept<Window> plain_;   // sorted
  Kept<Window> base64_;  // sorted, in the alphabet of section 4
};

}  // namespace skewguard::oauth
