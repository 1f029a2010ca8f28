#include "store/files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace skewguard::store {
namespace {

template <typename T>
T or_error(T result) noexcept {
  return result < 0 ? static_cast<T>(-errno) : result;
}

class SystemFiles final : public Files {
 public:
  int make_folder(const std::string& path) override {
    return or_error(::mkdir(path.c_str(), 0700));
  }
  int open_folder(const std::string& path) override {
    return or_error(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  }
  int open(int folder, const std::string& name, int flags) override {
    constexpr int kAlways = O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    return or_error(::openat(folder, name.c_str(), flags | kAlways, 0600));
  }
  int status(int fd, const std::string& name, FileStatus& status) override {
    struct stat found{};
    if (::fstatat(fd, name.c_str(), &found, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) != 0)
      return -errno;
    status = {.mode = found.st_mode, .owner = found.st_uid, .size = found.st_size};
    return 0;
  }
  std::ptrdiff_t read(int fd, char* into, std::size_t max) override {
    return or_error(::read(fd, into, max));
  }
  std::ptrdiff_t write(int fd, const char* bytes, std::size_t count) override {
    return or_error(::write(fd, bytes, count));
  }
  int sync(int fd) override { return or_error(::fsync(fd)); }
  int rename(int folder, const std::string& from, const std::string& to) override {
    return or_error(::renameat(folder, from.c_str(), folder, to.c_str()));
  }
  int link(int folder, const std::string& from, const std::string& to) override {
    return or_error(::linkat(folder, from.c_str(), folder, to.c_str(), 0));
  }
  int remove(int folder, const std::string& name) override {
    return or_error(::unlinkat(folder, name.c_str(), 0));
  }
  int remove_folder(int folder, const std::string& name) override {
    return or_error(::unlinkat(folder, name.c_str(), AT_REMOVEDIR));
  }
  int list(int folder, std::size_t max, std::vector<std::string>& names) override {
    const int own = ::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (own < 0) return -errno;
    DIR* entries = ::fdopendir(own);
    if (entries == nullptr) {
      const int error = errno;
      ::close(own);
      return -error;
    }
    errno = 0;
    for (const dirent* entry = nullptr; max > 0 && (entry = ::readdir(entries)) != nullptr; --max)
      names.emplace_back(static_cast<const char*>(entry->d_name));
    const int error = errno;
    ::closedir(entries);
    return -error;
  }
  int lock(int fd) override { return or_error(::flock(fd, LOCK_EX | LOCK_NB)); }
  int unlock(int fd) override { return or_error(::flock(fd, LOCK_UN)); }
  int close(int fd) override { return or_error(::close(fd)); }
  std::uint32_t user() override { return ::geteuid(); }
};

}  // namespace

Files& system_files() {
  static SystemFiles files;
  return files;
}

}  // namespace skewguard::store
