#pragma once

#include <string>
#include <string_view>

#include "skewguard/result.hpp"

namespace skewguard::emulator {

/// The CA certificate on disk. A temporary file is removed with this object.
class CaFile {
 public:
  CaFile() = default;
  /// Writes to `path`, overwriting it; if empty, to a new temporary file.
  static Result<CaFile> write(const std::string& path, std::string_view pem);
  CaFile(CaFile&& other) noexcept;
  CaFile& operator=(CaFile&& other) noexcept;
  CaFile(const CaFile&) = delete;
  CaFile& operator=(const CaFile&) = delete;
  ~CaFile();

  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
  bool temporary_ = false;
};

}  // namespace skewguard::emulator
