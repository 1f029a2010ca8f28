#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace skewguard::system {

/// Small text files below a root: "" is this machine, a directory is one that was captured.
/// All paths are absolute ones of that machine. Thread-safe.
class Files {
 public:
  static constexpr std::size_t kMostBytes = std::size_t{256} * 1024;  ///< of one file
  static constexpr std::size_t kMostNames = 65'536;                   ///< of one directory

  explicit Files(std::string root = "") : root_(std::move(root)) {}

  /// What a plain file holds, up to kMostBytes. Nothing where it cannot be read; a pipe or a device
  /// is not waited for.
  [[nodiscard]] std::optional<std::string> read(const std::string& path) const;
  /// Without spaces and line ends around it; empty where it cannot be read.
  [[nodiscard]] std::string line(const std::string& path) const;
  [[nodiscard]] bool there(const std::string& path) const;
  /// The names in a directory, sorted; empty where it cannot be read.
  [[nodiscard]] std::vector<std::string> names(const std::string& directory) const;
  /// The path of a program: in the system's directories (sbin too, which a user's PATH leaves out),
  /// then in `path`, a list as in $PATH, of which relative parts are passed over.
  [[nodiscard]] std::optional<std::string> program(std::string_view name,
                                                   std::string_view path) const;

 private:
  std::string root_;
};

}  // namespace skewguard::system
