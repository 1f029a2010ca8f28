#include "settings/profile.hpp"

#include <toml++/toml.h>
#include <algorithm>
#include <optional>
#include <utility>

#include "base/nearest.hpp"

namespace skewguard::settings {
namespace {

Error wrong(std::string message, std::string remedy) {
  return {.kind = ErrorKind::config, .message = std::move(message), .remedy = std::move(remedy)};
}

std::string joined(const std::vector<std::string_view>& names) {
  std::string text;
  for (const std::string_view name : names) {
    if (!text.empty()) text.append(", ");
    text.append(name);
  }
  return text;
}

std::string did_you_mean(std::string_view typed, const std::vector<std::string_view>& known) {
  if (const auto meant = nearest(typed, known)) return "did you mean " + std::string(*meant) + "?";
  return "known: " + joined(known);
}

std::vector<std::string_view> names_of(const toml::table& table) {
  std::vector<std::string_view> names;
  for (const auto& [key, value] : table) names.push_back(key.str());
  return names;
}

/// Numbers and booleans as the text that a flag would have; nothing for tables, arrays and dates.
std::optional<Secret> text_of(const toml::node& node) {
  if (const auto* text = node.as_string()) return Secret(std::string_view(text->get()));
  if (const auto* number = node.as_integer()) return Secret(std::to_string(number->get()));
  if (const auto* number = node.as_floating_point()) return Secret(std::to_string(number->get()));
  if (const auto* flag = node.as_boolean()) return Secret(flag->get() ? "true" : "false");
  return std::nullopt;
}

/// Each text in it may be a secret.
void wipe(toml::table& table) {
  for (auto&& [key, node] : table) {
    if (auto* inner = node.as_table()) wipe(*inner);
    if (auto* text = node.as_string()) Secret::wipe(text->get());
  }
}

Result<std::vector<std::string>> texts_of(const toml::node& node, const std::string& origin) {
  const auto* array = node.as_array();
  const auto refused =
      wrong(origin + " is not an array of strings", R"(write token_params = ["resource=urn:api"])");
  if (array == nullptr) return refused;
  std::vector<std::string> texts;
  for (const auto& element : *array) {
    const auto* text = element.as_string();
    if (text == nullptr) return refused;
    texts.push_back(text->get());
  }
  return texts;
}

Result<Profile> read_table(const toml::table& table, Profile profile,
                           const std::vector<std::string_view>& keys) {
  for (const auto& [key, node] : table) {
    const std::string_view name = key.str();
    if (std::ranges::find(keys, name) == keys.end()) {
      return wrong("unknown key \"" + std::string(name) + "\" in [profile." + profile.name +
                       "] of " + profile.file,
                   did_you_mean(name, keys));
    }
    if (name == kTokenParams) {
      auto texts = texts_of(node, profile.origin(name));
      if (!texts) return std::move(texts).error();
      profile.token_params = *std::move(texts);
      continue;
    }
    auto text = text_of(node);
    if (!text) {
      return wrong(profile.origin(name) + " is not a string, number or boolean",
                   "write " + std::string(name) + " = \"...\"");
    }
    profile.values.emplace(name, *std::move(text));
  }
  return profile;
}

/// Nothing but profiles stands in the file.
std::optional<Error> check_top(const toml::table& top, const std::string& file) {
  for (const auto& [key, node] : top) {
    if (key.str() == "profile" && node.is_table()) continue;
    return wrong("unknown key \"" + std::string(key.str()) + "\" at the top of " + file,
                 "put settings in a table such as [profile.default]");
  }
  return std::nullopt;
}

Result<Profile> pick(const toml::table& top, Profile profile, bool required,
                     const std::vector<std::string_view>& keys) {
  if (auto error = check_top(top, profile.file)) return *std::move(error);
  const auto* profiles = top["profile"].as_table();
  const toml::node* node = profiles == nullptr ? nullptr : profiles->get(profile.name);
  if (node == nullptr) {
    if (!required) return profile;
    const std::string there = "there is no [profile." + profile.name + "] in " + profile.file;
    if (profiles == nullptr || profiles->empty()) return wrong(there, "it contains no profile");
    return wrong(there, did_you_mean(profile.name, names_of(*profiles)));
  }
  if (!node->is_table()) {
    return wrong("profile." + profile.name + " of " + profile.file + " is not a table",
                 "write [profile." + profile.name + "] on its own line");
  }
  return read_table(*node->as_table(), std::move(profile), keys);
}

}  // namespace

std::string Profile::origin(std::string_view key) const {
  return std::string(key) + " in [profile." + name + "] of " + file;
}

Result<Profile> read_profile(std::string_view toml, const std::string& file,
                             const std::string& name, bool required,
                             const std::vector<std::string_view>& keys) {
  try {
    toml::table top = toml::parse(toml);
    auto profile =
        pick(top, {.name = name, .file = file, .values = {}, .token_params = {}}, required, keys);
    wipe(top);
    return profile;
  } catch (const toml::parse_error& error) {
    // Its description may quote the line, which may hold a secret: the place must do.
    const auto place = error.source().begin;
    return wrong("line " + std::to_string(place.line) + ", column " + std::to_string(place.column) +
                     " of " + file + " is not TOML",
                 "see https://toml.io; put text in \"quotes\"");
  }
}

}  // namespace skewguard::settings
