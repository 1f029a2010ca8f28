#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "skewguard/client.hpp"

namespace skewguard::runtime {

/// A file of secrets that may be replaced while the program runs: looked at before tokens are asked
/// for, which costs one stat(2), and read again where it has changed.
class SecretFile {
 public:
  using Read = std::function<Result<std::vector<Secret>>()>;

  SecretFile(std::string path, Read read) : path_(std::move(path)), read_(std::move(read)) {}

  /// What the file holds now, or why that is of no use; nothing where it is as at the last look.
  /// The first look always reads: the file may have changed since whoever made this had read it.
  Dependencies::FreshSecrets look();

 private:
  /// Device, inode, size, and the times of the last change of content and of status.
  using Stamp = std::array<std::int64_t, 7>;
  [[nodiscard]] Stamp stamp() const noexcept;

  std::string path_;
  Read read_;
  std::optional<Stamp> seen_;
};

}  // namespace skewguard::runtime
