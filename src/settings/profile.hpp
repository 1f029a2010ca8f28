#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "skewguard/result.hpp"
#include "skewguard/secret.hpp"

namespace skewguard::settings {

/// The one key whose value is an array: Profile::token_params.
inline constexpr std::string_view kTokenParams = "token_params";

/// A validated [profile.NAME] table. Every value is text, as for a flag, and some are secrets.
struct Profile {
  std::string name;
  std::string file;
  std::map<std::string, Secret, std::less<>> values;
  std::vector<std::string> token_params;  ///< "K=V"
  /// "timeout in [profile.NAME] of FILE": for messages.
  [[nodiscard]] std::string origin(std::string_view key) const;
};

/// The profile `name` of the TOML text `toml` that `file` holds. `keys`: those it may have. The
/// error (`config`) names the key that is unknown and the nearest known one, or the line that is
/// not TOML; it never repeats a value.
/// A profile that is not there is empty, unless it was asked for by name (`required`).
Result<Profile> read_profile(std::string_view toml, const std::string& file,
                             const std::string& name, bool required,
                             const std::vector<std::string_view>& keys);

}  // namespace skewguard::settings
