#pragma once

#include <string>
#include <string_view>

#include "skewguard/result.hpp"

namespace skewguard::emulator {

/// The CA certificate on disk. Gone with this object where no path was asked for.
class CaFile {
 public:
  CaFile() = default;
  /// At `path`, over what is there; where empty in a new file of the temporary directory.
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
