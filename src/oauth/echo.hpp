#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "skewguard/secret.hpp"

namespace skewguard::oauth {

/// Finds what a server's answer repeats of secrets that it was sent: as they are, percent-encoded
/// (RFC 3986 section 2.1), in base64 (RFC 4648 sections 4 and 5), or in base64 percent-encoded. Use
/// it where the words must keep their length, since their framing has been said; for words that are
/// only shown, oauth/withhold.
class Echo {
 public:
  Echo() = default;  ///< of no secret
  explicit Echo(std::string_view secret) { add(secret); }

  /// One more secret, such as the token that was used before. Not thread-safe.
  void add(std::string_view secret);

  /// Overwrites with '*' every run of at least eight characters of a secret, in any of these forms.
  /// The words must be whole: what is cut off at an end is found if eight characters of it are
  /// there. True if there was any. Thread-safe, allocates nothing, and is fast where there is
  /// neither a secret nor a percent sign.
  bool hide_in(std::span<char> words) const noexcept;

 private:
  using Window = std::uint64_t;  // eight characters, the first in the lowest byte
  template <typename T>
  using Kept = std::vector<T, SecretAllocator<T>>;

  /// A set of hash values that may contain more than was added.
  class Sieve {
   public:
    void add(std::uint64_t value);
    [[nodiscard]] bool has(std::uint64_t value) const noexcept;

   private:
    Kept<std::uint64_t> bits_;
  };

  void add_plain(std::string_view text);
  void add_base64(std::string_view text);
  void add_grams(std::string_view text);
  [[nodiscard]] bool known(Window plain, Window base64) const noexcept;
  [[nodiscard]] bool may_occur_in(std::string_view words) const noexcept;
  [[nodiscard]] bool occurs_around(std::string_view words, std::size_t at) const noexcept;

  Kept<Window> plain_;   // sorted
  Kept<Window> base64_;  // sorted, in the alphabet of section 4
  Sieve windows_;        // of both
  Sieve grams_;          // all pieces of four characters, in all alphabets
};

}  // namespace skewguard::oauth
