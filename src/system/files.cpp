#include "system/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>

namespace skewguard::system {

std::optional<std::string> Files::read(const std::string& path) const {
  const int fd = ::open((root_ + path).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return std::nullopt;
  struct stat status{};
  bool good = ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
  std::string text;
  std::array<char, 4096> part{};
  while (good && text.size() < kMaxBytes) {
    const ssize_t got = ::read(fd, part.data(), std::min(part.size(), kMaxBytes - text.size()));
    if (got < 0 && errno == EINTR) continue;
    good = got >= 0;
    if (got <= 0) break;
    text.append(part.data(), static_cast<std::size_t>(got));
  }
  ::close(fd);
  if (!good) return std::nullopt;
  return text;
}

std::string Files::line(const std::string& path) const {
  constexpr std::string_view kBlank(" \t\r\n\0", 5);
  const std::string text = read(path).value_or("");
  const auto first = text.find_first_not_of(kBlank);
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

bool Files::there(const std::string& path) const {
  return ::access((root_ + path).c_str(), F_OK) == 0;
}

std::vector<std::string> Files::names(const std::string& directory) const {
  std::vector<std::string> found;
  std::error_code error;
  std::filesystem::directory_iterator entry(root_ + directory, error);
  for (; !error && entry != std::filesystem::directory_iterator() && found.size() < kMaxNames;
       entry.increment(error)) {
    found.push_back(entry->path().filename().string());
  }
  std::ranges::sort(found);
  return found;
}

std::optional<std::string> Files::program(std::string_view name, std::string_view path) const {
  std::string places = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin:";
  places += path;
  for (std::size_t at = 0; at < places.size();) {
    const std::size_t end = std::min(places.find(':', at), places.size());
    std::string candidate = places.substr(at, end - at);
    at = end + 1;
    if (!candidate.starts_with('/')) continue;
    candidate.append("/").append(name);
    struct stat status{};
    const std::string real = root_ + candidate;
    if (::stat(real.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
        ::access(real.c_str(), X_OK) == 0)
      return candidate;
  }
  return std::nullopt;
}

}  // namespace skewguard::system
