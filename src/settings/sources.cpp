#include "settings/sources.hpp"

#include <algorithm>
#include <utility>

#include "base/nearest.hpp"

namespace skewguard::settings {
namespace {

constexpr std::string_view kDefaultProfile = "default";
// What can be given beside the keys of a profile.
constexpr std::string_view kConfig = "config";
constexpr std::string_view kProfile = "profile";

/// Every key that a [profile.NAME] may have.
std::vector<std::string_view> profile_keys() {
  return {kRegion.key,      kClientId.key,   kClientSecret.key,    kClientSecretFile.key,
          kAccessToken.key, kLoginUrl.key,   kAccessTokenFile.key, kApiUrl.key,
          kTokenPath.key,   kVerifyPath.key, kTokenParams,         kDialect.key,
          kClientAuth.key,  kCaFile.key,     kTimeout.key,         kMaxWait.key,
          kAttempts.key,    kStaleness.key,  kTokenStore.key,      kInsecureHttp.key,
          kLogLevel.key,    kLogFormat.key,  kAlertCommand.key,    kProxy.key,
          kNoProxy.key,     kClientCert.key, kClientKey.key,       kMaxSkew.key,
          kNtp.key};
}

std::optional<std::string> variable_of(const Surroundings& surroundings, std::string_view name) {
  auto value = surroundings.environment(name);
  if (value && value->empty()) return std::nullopt;
  return value;
}

/// $XDG_CONFIG_HOME/skewguard/config.toml, else ~/.config/...; nothing without a home.
std::optional<std::string> default_file(const Surroundings& surroundings) {
  // Relative values are to be ignored (XDG base directory specification).
  if (auto base = variable_of(surroundings, "XDG_CONFIG_HOME"); base && base->starts_with('/')) {
    return *base + "/skewguard/config.toml";
  }
  if (auto home = variable_of(surroundings, "HOME"); home && home->starts_with('/')) {
    return *home + "/.config/skewguard/config.toml";
  }
  return std::nullopt;
}

bool exists(const Surroundings& surroundings, const std::string& path) {
  return surroundings.file_exists && surroundings.file_exists(path);
}

}  // namespace

Error config_error(std::string message, std::string remedy) {
  return {.kind = ErrorKind::config, .message = std::move(message), .remedy = std::move(remedy)};
}

std::optional<std::string> Sources::variable(std::string_view name) const {
  return variable_of(surroundings_, name);
}

Result<Flags> with_given(Flags flags) {
  auto known = profile_keys();
  known.insert(known.end(), {kConfig, kProfile});
  for (const auto& [name, value] : flags.given) {
    if (std::ranges::find(known, name) == known.end()) {
      const auto meant = nearest(name, known);
      return config_error("unknown setting \"" + name + "\"",
                          meant ? "did you mean " + std::string(*meant) + "?"
                                : "docs/guide/settings.md has the names");
    }
    std::string text(value.reveal());
    if (name == kTokenParams) flags.token_params.push_back(text);
    if (name == kConfig) flags.config = text;
    if (name == kProfile) flags.profile = text;
    Secret::wipe(text);
  }
  return flags;
}

std::optional<Value> Sources::given(const Definition& setting) const {
  const auto& given = flags_.given;
  const auto found = std::find_if(given.rbegin(), given.rend(),
                                  [&](const auto& one) { return one.first == setting.key; });
  if (found == given.rend()) return std::nullopt;
  return Value{.text = std::string(found->second.reveal()),
               .origin = "given as " + found->first,
               .rank = Rank::flag};
}

std::optional<Value> Sources::flag(const Definition& setting) const {
  if (auto value = given(setting)) return value;
  if (setting.member == nullptr || !(flags_.*setting.member)) return std::nullopt;
  return Value{
      .text = *(flags_.*setting.member), .origin = std::string(setting.flag), .rank = Rank::flag};
}

std::optional<Value> Sources::environment(const Definition& setting) const {
  for (const std::string_view name : setting.environment) {
    if (name.empty()) continue;
    if (auto value = variable(name)) {
      return Value{
          .text = *std::move(value), .origin = std::string(name), .rank = Rank::environment};
    }
  }
  return std::nullopt;
}

std::optional<Value> Sources::profile(const Definition& setting) const {
  const auto found = profile_.values.find(setting.key);
  if (found == profile_.values.end()) return std::nullopt;
  return Value{.text = std::string(found->second.reveal()),
               .origin = profile_.origin(setting.key),
               .rank = Rank::profile};
}

std::optional<Value> Sources::find(const Definition& setting) const {
  if (auto value = flag(setting)) return value;
  if (auto value = environment(setting)) return value;
  return profile(setting);
}

Result<Profile> find_profile(const Flags& flags, const Surroundings& surroundings) {
  auto file = flags.config ? flags.config : variable_of(surroundings, "SKEWGUARD_CONFIG");
  const auto name = flags.profile ? flags.profile : variable_of(surroundings, "SKEWGUARD_PROFILE");
  if (!file) {
    file = default_file(surroundings);
    const bool there = file && exists(surroundings, *file);
    if (!there && name) {
      return config_error("there is no profile file for the profile \"" + *name + "\"",
                          file ? "write [profile." + *name + "] into " + *file
                               : "name the file with --config or SKEWGUARD_CONFIG");
    }
    if (!there) return Profile{};
  }
  auto text = surroundings.read_file(*file);
  if (!text) return config_error("profile file: " + text.error().message, text.error().remedy);
  return read_profile(text->view(), *file, name.value_or(std::string(kDefaultProfile)),
                      name.has_value(), profile_keys());
}

}  // namespace skewguard::settings
