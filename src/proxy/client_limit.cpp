#include "proxy/client_limit.hpp"

#include <sys/resource.h>

#include <algorithm>

#include "proxy/upstream_pool.hpp"

namespace skewguard::proxy {
namespace {

/// Listeners, loops, logs, the token store, and the engine's own connections.
constexpr std::int64_t kOwnFiles = 48;
constexpr std::int64_t kOwnFilesOfWorker = 4;

std::int64_t own_files(std::size_t workers) noexcept {
  return kOwnFiles + kOwnFilesOfWorker * static_cast<std::int64_t>(workers);
}

std::int64_t most_to_api(std::size_t workers) noexcept {
  return static_cast<std::int64_t>(UpstreamPool::kMaxInUse * workers);
}

/// With one client; each worker may keep a connection to the API for it.
std::uint64_t files_needed(std::size_t workers) noexcept {
  return static_cast<std::uint64_t>(own_files(workers)) + workers + 1;
}

}  // namespace

std::uint64_t files_wanted(std::size_t workers) noexcept {
  return static_cast<std::uint64_t>(ClientLimit::kMostServed + ClientLimit::kMostTurnedAway +
                                    most_to_api(workers) + own_files(workers));
}

Result<void> check_file_limit(std::uint64_t files, std::size_t workers) {
  const std::uint64_t needed = files_needed(workers);
  if (files >= needed) return {};
  return Error{ErrorKind::unavailable,
               "this process may open no more than " + std::to_string(files) +
                   " files, but the sidecar needs " + std::to_string(needed),
               "raise `ulimit -n` to at least " + std::to_string(needed)};
}

ClientLimit client_limit(std::uint64_t files, std::size_t workers) noexcept {
  constexpr std::int64_t kShareTurnedAway = 16;
  const auto usable = static_cast<std::int64_t>(std::min(files, files_wanted(workers)));
  const std::int64_t left = std::max<std::int64_t>(usable - own_files(workers), 0);
  ClientLimit limit;
  limit.turned_away = std::min(ClientLimit::kMostTurnedAway, left / kShareTurnedAway);
  const std::int64_t both = left - limit.turned_away;
  // No worker has ever more connections to the API than there are clients, idle ones included.
  const std::int64_t share = both / (static_cast<std::int64_t>(workers) + 1);
  limit.served = std::clamp<std::int64_t>(std::max(share, both - most_to_api(workers)), 1,
                                          ClientLimit::kMostServed);
  return limit;
}

std::string describe_low_limit(const ClientLimit& limit, std::uint64_t files, std::size_t workers) {
  if (limit.served == ClientLimit::kMostServed) return {};
  return "only " + std::to_string(limit.served) +
         " connections of programs are served at once, since this process may open no more than " +
         std::to_string(files) + " files: raise `ulimit -Hn` to " +
         std::to_string(files_wanted(workers));
}

std::uint64_t raise_file_limit(std::uint64_t wanted) noexcept {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return wanted;
  const rlim_t before = files.rlim_cur;
  if (before >= wanted) return before;
  files.rlim_cur = std::min<rlim_t>(files.rlim_max, wanted);
  return ::setrlimit(RLIMIT_NOFILE, &files) == 0 ? files.rlim_cur : before;
}

}  // namespace skewguard::proxy
