#include "emulator/ca_file.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

namespace skewguard::emulator {
namespace {

bool write_all(int file, std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    const auto written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

Result<CaFile> CaFile::write(const std::string& path, std::string_view pem) {
  CaFile out;
  out.path_ = path;
  int file = -1;
  if (path.empty()) {
    std::error_code ignored;
    auto directory = std::filesystem::temp_directory_path(ignored);
    if (ignored) directory = "/tmp";
    out.path_ = (directory / "skewguard-emulator-ca-XXXXXX").string();
    file = ::mkstemp(out.path_.data());
    out.temporary_ = file >= 0;
  } else {
    file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  }
  const bool written = file >= 0 && write_all(file, pem);
  const int why = errno;
  const bool closed = file >= 0 && ::close(file) == 0;
  if (!written || !closed) {
    return Error{ErrorKind::config,
                 "cannot write the CA file " + out.path_ + ": " + std::strerror(why), ""};
  }
  return out;
}

CaFile::CaFile(CaFile&& other) noexcept
    : path_(std::move(other.path_)), temporary_(std::exchange(other.temporary_, false)) {}

CaFile& CaFile::operator=(CaFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(temporary_, other.temporary_);
  return *this;
}

CaFile::~CaFile() {
  if (temporary_) ::unlink(path_.c_str());
}

}  // namespace skewguard::emulator
