#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace skewguard::system {

/// Reads small text files below a root: "" for this machine, or a directory with files captured
/// from another one. All paths are absolute on that machine. Thread-safe.
class Files {
 public:
  static constexpr std::size_t kMaxBytes = std::size_t{256} * 1024;  ///< of one file
  static constexpr std::size_t kMaxNames = 65'536;                   ///< of one directory

  explicit Files(std::string root = "") : root_(std::move(root)) {}

  /// The content of a regular file, up to kMaxBytes. Empty if it cannot be read; never blocks on a
  /// pipe or a device.
  [[nodiscard]] std::optional<std::string> read(const std::string& path) const;
  /// The trimmed content; empty if it cannot be read.
  [[nodiscard]] std::string line(const std::string& path) const;
  [[nodiscard]] bool there(const std::string& path) const;
  /// The names in a directory, sorted; empty if it cannot be read.
  [[nodiscard]] std::vector<std::string> names(const std::string& directory) const;
  /// The path of a program, searched for in the system's directories (including sbin, which users'
  /// PATH may lack), then in `path`, a list like $PATH whose relative entries are ignored.
  [[nodiscard]] std::optional<std::string> program(std::string_view name,
                                                   std::string_view path) const;

 private:
  std::string root_;
};

}  // namespace skewguard::system
