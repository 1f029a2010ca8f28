#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace skewguard::store {

/// What a name or a descriptor refers to.
struct FileStatus {
  std::uint32_t mode = 0;  ///< type and permissions (S_IFMT, 07777)
  std::uint32_t owner = 0;
  std::int64_t size = 0;  ///< bytes
};

/// The system calls of the file store, passed in so that tests can make any of them fail. Each
/// returns the call's result, or -errno; none of them retries. A symbolic link as the last
/// component is never followed, and open never blocks (on a fifo, say).
class Files {
 public:
  virtual ~Files() = default;

  virtual int make_folder(const std::string& path) = 0;  ///< mode 0700
  virtual int open_folder(const std::string& path) = 0;  ///< a descriptor
  /// Opens `name` in an open folder with `flags` of open(2); creates with mode 0600. Returns a
  /// descriptor.
  virtual int open(int folder, const std::string& name, int flags) = 0;
  /// The status of `name` in an open folder, or of the descriptor itself if `name` is empty.
  virtual int status(int fd, const std::string& name, FileStatus& status) = 0;
  virtual std::ptrdiff_t read(int fd, char* into, std::size_t max) = 0;
  virtual std::ptrdiff_t write(int fd, const char* bytes, std::size_t count) = 0;
  virtual int sync(int fd) = 0;
  virtual int rename(int folder, const std::string& from, const std::string& to) = 0;
  /// Creates a second name for a file: -EEXIST if `to` exists already, whatever it is.
  virtual int link(int folder, const std::string& from, const std::string& to) = 0;
  virtual int remove(int folder, const std::string& name) = 0;
  virtual int remove_folder(int folder, const std::string& name) = 0;  ///< an empty one
  /// Appends the names in an open folder to `names`, unordered, at most `max`. Returns 0.
  virtual int list(int folder, std::size_t max, std::vector<std::string>& names) = 0;
  virtual int lock(int fd) = 0;  ///< exclusive, -EWOULDBLOCK if another descriptor has it
  virtual int unlock(int fd) = 0;
  virtual int close(int fd) = 0;     ///< the descriptor is gone whatever it returns
  virtual std::uint32_t user() = 0;  ///< whose files are ours; cannot fail
};

/// The kernel's. Thread-safe.
Files& system_files();

/// Retries after a signal, a limited number of times, so that nothing hangs.
template <typename Call>
auto again(const Call& call) {
  constexpr int kMaxInterrupts = 100;
  auto result = call();
  for (int i = 0; i < kMaxInterrupts && result == -EINTR; ++i) result = call();
  return result;
}

}  // namespace skewguard::store
