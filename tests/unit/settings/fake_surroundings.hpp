#pragma once

#include <map>
#include <set>
#include <string>

#include "settings/settings.hpp"

namespace skewguard::settings {

/// Isolated: nothing of this machine's environment or files gets in.
struct FakeSurroundings {
  std::map<std::string, std::string, std::less<>> environment;
  std::map<std::string, std::string, std::less<>> files;
  std::set<std::string, std::less<>> public_files;  ///< that everybody may read

  [[nodiscard]] Surroundings make() const {
    Surroundings out;
    out.environment = [this](std::string_view name) -> std::optional<std::string> {
      const auto found = environment.find(name);
      if (found == environment.end()) return std::nullopt;
      return found->second;
    };
    out.read_file = [this](const std::string& path) -> Result<SecretText> {
      const auto found = files.find(path);
      if (found != files.end()) return SecretText(found->second);
      return Error{.kind = ErrorKind::config,
                   .message = "cannot read " + path + " (No such file or directory)",
                   .remedy = "name a file that exists"};
    };
    out.file_exists = [this](const std::string& path) { return files.contains(path); };
    out.all_may_read = [this](const std::string& path) { return public_files.contains(path); };
    return out;
  }
};

}  // namespace skewguard::settings
