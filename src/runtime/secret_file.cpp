#include "runtime/secret_file.hpp"

#include <sys/stat.h>

#include <utility>

namespace skewguard::runtime {

/// All zero if there is no such file.
SecretFile::Stamp SecretFile::stamp() const noexcept {
  struct stat file{};
  if (::stat(path_.c_str(), &file) != 0) return {};
  return {static_cast<std::int64_t>(file.st_dev),
          static_cast<std::int64_t>(file.st_ino),
          file.st_size,
          file.st_mtim.tv_sec,
          file.st_mtim.tv_nsec,
          file.st_ctim.tv_sec,
          file.st_ctim.tv_nsec};
}

Dependencies::FreshSecrets SecretFile::look() {
  // Taken before reading: a change in the meantime is seen the next time.
  const Stamp now = stamp();
  if (std::exchange(seen_, now) == now) return std::nullopt;
  return read_();
}

}  // namespace skewguard::runtime
