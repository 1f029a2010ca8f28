#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <vector>

#include "system/time_service.hpp"

/// Helpers for parsing the texts of time services.
namespace skewguard::system {

enum class Empty { dropped, kept };

/// The parts of `text` between any of `separators`. They refer to `text`.
inline std::vector<std::string_view> split(std::string_view text, std::string_view separators,
                                           Empty empty = Empty::dropped) {
  std::vector<std::string_view> parts;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find_first_of(separators, at), text.size());
    if (end > at || empty == Empty::kept) parts.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

/// Adds it unless it is there already, or there are too many.
inline void add_server(std::vector<NtpServer>& servers, NtpServer server) {
  constexpr std::size_t kMaxServers = 64;  // a configuration names a handful
  if (server.host.empty() || servers.size() >= kMaxServers) return;
  if (std::ranges::find(servers, server) == servers.end()) servers.push_back(std::move(server));
}

}  // namespace skewguard::system
