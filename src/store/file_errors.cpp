#include "store/file_errors.hpp"

#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <system_error>
#include <utility>

namespace skewguard::store {
namespace {

struct Advice {
  int error;
  ErrorKind kind;
  const char* cause;  ///< null = the system's words
  const char* remedy;
};

constexpr const char* kOtherFolder = "name another folder for tokens, or keep none";
constexpr std::array<Advice, 14> kAdvice{{
    {EACCES, ErrorKind::config, nullptr, "make this user the owner of the folder and its content"},
    {EPERM, ErrorKind::config, nullptr, "make this user the owner of the folder and its content"},
    {EROFS, ErrorKind::config, nullptr, kOtherFolder},
    {ELOOP, ErrorKind::config, "it is a symbolic link", "remove the link, or name its target"},
    {ENOTDIR, ErrorKind::config, "it is a symbolic link, or not a folder", kOtherFolder},
    {EISDIR, ErrorKind::config, "it is a folder", "remove it"},
    {ENXIO, ErrorKind::config, "it is not a regular file", "remove it"},
    {EEXIST, ErrorKind::config, nullptr, "remove it"},
    {ENAMETOOLONG, ErrorKind::config, nullptr, kOtherFolder},
    {ENOLCK, ErrorKind::config, nullptr, "name a folder on a file system that has locks"},
    {EOPNOTSUPP, ErrorKind::config, nullptr, "name a folder on a file system that has locks"},
    {ENOSPC, ErrorKind::unavailable, nullptr, "free space on that file system"},
    {EDQUOT, ErrorKind::unavailable, nullptr, "free space in this user's quota"},
    {EIO, ErrorKind::unavailable, nullptr, "check the kernel's log: the disk may be failing"},
}};

std::string octal(std::uint32_t mode) {
  std::array<char, 12> digits{};
  const auto [end, error] = std::to_chars(digits.begin(), digits.end(), mode & 07777U, 8);
  return "0" + std::string(digits.begin(), error == std::errc{} ? end : digits.begin());
}

std::string type_name(std::uint32_t mode) {
  switch (mode & S_IFMT) {
    case S_IFLNK:
      return "a symbolic link";
    case S_IFDIR:
      return "a folder";
    case S_IFREG:
      return "a file";
    case S_IFIFO:
      return "a fifo";
    case S_IFSOCK:
      return "a socket";
    default:
      return "a device";
  }
}

}  // namespace

Error cannot(const std::string& what, const std::string& path, int error) {
  Error out{.kind = ErrorKind::unavailable,
            .message = {},
            .remedy = "check whether the folder can be read and written"};
  std::string cause = std::generic_category().message(error);
  for (const Advice& advice : kAdvice) {
    if (advice.error != error) continue;
    out.kind = advice.kind;
    out.remedy = advice.remedy;
    if (advice.cause != nullptr) cause = advice.cause;
  }
  out.message = "cannot " + what + " " + path + " (" + cause + ")";
  return out;
}

Error not_used(const std::string& path, const std::string& why, std::string remedy) {
  return {.kind = ErrorKind::config,
          .message = path + " is not used: " + why,
          .remedy = std::move(remedy)};
}

std::optional<Error> unfit(const std::string& path, const FileStatus& status, std::uint32_t type,
                           std::uint32_t user) {
  if ((status.mode & S_IFMT) != type) {
    return not_used(path, "it is " + type_name(status.mode) + ", not " + type_name(type),
                    "remove it");
  }
  if (status.owner != user) {
    return not_used(path,
                    "it belongs to user " + std::to_string(status.owner) + ", not to user " +
                        std::to_string(user),
                    type == S_IFDIR ? kOtherFolder : "remove it");
  }
  if ((status.mode & 077U) != 0) {
    const std::string why = "group or others can access it (mode " + octal(status.mode) + ")";
    if (type != S_IFDIR) return not_used(path, why, "chmod 600 " + path);
    // Any other folder may be shared on purpose: never suggest "chmod 700" for / or /tmp.
    if (path.ends_with("/skewguard")) return not_used(path, why, "chmod 700 " + path);
    const std::string below = path + (path.ends_with('/') ? "" : "/") + "skewguard";
    return not_used(
        path, why,
        "name a folder only for tokens, such as " + below + ": it is created with the right mode");
  }
  return std::nullopt;
}

}  // namespace skewguard::store
