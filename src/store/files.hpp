#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace skewguard::store {

/// What a name or a descriptor stands for.
struct FileStatus {
  std::uint32_t mode = 0;  ///< type and permissions (S_IFMT, 07777)
  std::uint32_t owner = 0;
  std::int64_t size = 0;  ///< bytes
};

/// The system calls of the file store, handed in so that tests can make any of them fail. Each
/// returns what the call does, or -errno; none of them tries again. A symbolic link in the last
/// place is never followed, and no open waits (for the other end of a fifo, say).
class Files {
 public:
  virtual ~Files() = default;

  virtual int make_folder(const std::string& path) = 0;  ///< mode 0700
  virtual int open_folder(const std::string& path) = 0;  ///< a descriptor
  /// `name` in an open folder; `flags` of open(2); made with mode 0600. A descriptor.
  virtual int open(int folder, const std::string& name, int flags) = 0;
  /// Of `name` in an open folder; of the descriptor itself where `name` is empty.
  virtual int status(int fd, const std::string& name, FileStatus& status) = 0;
  virtual std::ptrdiff_t read(int fd, char* into, std::size_t most) = 0;
  virtual std::ptrdiff_t write(int fd, const char* bytes, std::size_t count) = 0;
  virtual int sync(int fd) = 0;
  virtual int rename(int folder, const std::string& from, const std::string& to) = 0;
  /// A second name for a file: -EEXIST where `to` is there already, whatever it is.
  virtual int link(int folder, const std::string& from, const std::string& to) = 0;
  virtual int remove(int folder, const std::string& name) = 0;
  virtual int remove_folder(int folder, const std::string& name) = 0;  ///< an empty one
  /// The names in an open folder, in no order, at most so many, added to `names`. 0.
  virtual int list(int folder, std::size_t most, std::vector<std::string>& names) = 0;
  virtual int lock(int fd) = 0;  ///< exclusive, -EWOULDBLOCK where another descriptor has it
  virtual int unlock(int fd) = 0;
  virtual int close(int fd) = 0;     ///< the descriptor is gone whatever it returns
  virtual std::uint32_t user() = 0;  ///< whose files are ours; cannot fail
};

/// The kernel's. Thread-safe.
Files& system_files();

/// Once more where a signal came between, within reason: nothing may hang.
template <typename Call>
auto again(const Call& call) {
  constexpr int kMostInterrupts = 100;
  auto result = call();
  for (int i = 0; i < kMostInterrupts && result == -EINTR; ++i) result = call();
  return result;
}

}  // namespace skewguard::store
