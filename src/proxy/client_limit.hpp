#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "skewguard/result.hpp"

namespace skewguard::proxy {

/// How many connections of clients there may be at once. They leave enough files for connections to
/// the API and the login host: otherwise clients that are connected could not be served.
struct ClientLimit {
  static constexpr std::int64_t kMostServed = 12'000;
  static constexpr std::int64_t kMostTurnedAway = 100;

  std::int64_t served = kMostServed;
  std::int64_t turned_away = kMostTurnedAway;  ///< with an answer; more are closed without a word
};

/// The files that the full limit needs.
std::uint64_t files_wanted(std::size_t workers) noexcept;
/// Error `unavailable` if a process that may open `files` files cannot serve even one client.
Result<void> check_file_limit(std::uint64_t files, std::size_t workers);
/// What a process that may open `files` files can serve; at least one client.
ClientLimit client_limit(std::uint64_t files, std::size_t workers) noexcept;
/// A sentence for the log if that is less than the full limit; otherwise empty.
std::string describe_low_limit(const ClientLimit& limit, std::uint64_t files, std::size_t workers);

/// Raises this process's limit as far as it is wanted and allowed: most systems let a program open
/// 1,024 files unless it asks for more. Returns the limit.
std::uint64_t raise_file_limit(std::uint64_t wanted) noexcept;

}  // namespace skewguard::proxy
