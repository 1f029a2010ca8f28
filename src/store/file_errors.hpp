#pragma once

#include <optional>
#include <string>

#include "skewguard/error.hpp"
#include "store/files.hpp"

namespace skewguard::store {

/// "cannot WHAT PATH (cause)", with a remedy. `error` is an errno.
Error cannot(const std::string& what, const std::string& path, int error);

/// "PATH is not used: WHY"
Error not_used(const std::string& path, const std::string& why, std::string remedy);

/// Why this is not a `type` (S_IFREG, S_IFDIR) that only `user` can access; empty if it is.
std::optional<Error> unfit(const std::string& path, const FileStatus& status, std::uint32_t type,
                           std::uint32_t user);

}  // namespace skewguard::store
