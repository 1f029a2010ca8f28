#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <string>
#include <system_error>
#include <utility>

#include "settings/settings.hpp"

namespace skewguard::settings {
namespace {

constexpr std::size_t kMaxFileBytes = std::size_t{64} * 1024 * 1024;  // what a request may carry
constexpr std::size_t kFirstRead = std::size_t{4} * 1024;

std::string cause_of(int error) {
  return std::generic_category().message(error);
}

Error unreadable(const std::string& path, const std::string& cause) {
  return {.kind = ErrorKind::config,
          .message = "cannot read " + (path == "-" ? "standard input" : path) + " (" + cause + ")",
          .remedy = "name a file that exists and is readable"};
}

Result<SecretText> read_all(int fd, const std::string& path) {
  SecretText content;
  std::size_t filled = 0;
  while (true) {
    if (filled == content.size()) content.resize(std::max(2 * filled, kFirstRead));
    const ssize_t got = ::read(fd, content.data() + filled, content.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return unreadable(path, cause_of(errno));
    filled += static_cast<std::size_t>(got);
    if (filled > kMaxFileBytes) return unreadable(path, "it is over 64 MiB");
    if (got > 0) continue;
    content.resize(filled);
    return content;
  }
}

Result<SecretText> read_file(const std::string& path) {
  if (path == "-") return read_all(STDIN_FILENO, path);
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return unreadable(path, cause_of(errno));
  auto content = read_all(fd, path);
  ::close(fd);
  return content;
}

std::optional<std::string> environment(std::string_view name) {
  // Called before any thread is started.
  const char* value = std::getenv(std::string(name).c_str());  // NOLINT(concurrency-mt-unsafe)
  if (value == nullptr) return std::nullopt;
  return std::string(value);
}

bool file_exists(const std::string& path) {
  struct stat ignored{};
  return ::stat(path.c_str(), &ignored) == 0;
}

/// By its mode alone: whether a folder above it keeps others out is not asked, since it may be
/// moved.
bool all_may_read(const std::string& path) {
  struct stat found{};
  return ::stat(path.c_str(), &found) == 0 && S_ISREG(found.st_mode) &&
         (found.st_mode & S_IROTH) != 0;
}

}  // namespace

bool is_stdin(std::string_view path) noexcept {
  return path == "-" || path == "/dev/stdin" || path == "/dev/fd/0" || path == "/proc/self/fd/0";
}

Surroundings process_surroundings() {
  return {.environment = environment,
          .read_file = read_file,
          .file_exists = file_exists,
          .all_may_read = all_may_read};
}

}  // namespace skewguard::settings
