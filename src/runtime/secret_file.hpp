#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "skewguard/client.hpp"

namespace skewguard::runtime {

/// A file of secrets that may be replaced while the program runs: checked before token requests,
/// which costs one stat(2), and read again if it has changed.
class SecretFile {
 public:
  using Read = std::function<Result<std::vector<Secret>>()>;

  SecretFile(std::string path, Read read) : path_(std::move(path)), read_(std::move(read)) {}

  /// The secrets in the file, or why it is unusable; empty if it has not changed since the last
  /// check. The first check always reads: the file may have changed since the creator of this
  /// object read it.
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
