#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/nearest.hpp"
#include "base/secret_text.hpp"
#include "base/strings.hpp"
#include "genesys/regions.hpp"
#include "http/url.hpp"
#include "settings/limits.hpp"
#include "settings/settings.hpp"
#include "settings/sources.hpp"
#include "time/duration_text.hpp"

namespace skewguard::settings {
namespace {

using MaybeError = std::optional<Error>;

std::string named(const Definition& setting, const Value& value) {
  return "the " + std::string(setting.name) + " (" + value.origin + ")";
}

MaybeError read_duration(const Sources& sources, const Definition& setting, const Bounds& bounds,
                         Duration& into) {
  const auto value = sources.find(setting);
  if (!value) return std::nullopt;
  const auto duration = time::parse_duration(trim(value->text));
  if (!duration) {
    return config_error(named(setting, *value) + " is not a duration",
                        "write 500ms, 30s, 10m or 2h; a bare number is seconds");
  }
  if (*duration < bounds.min || *duration > bounds.max) {
    return config_error(
        named(setting, *value) + " is out of range",
        "give " + time::setting_text(bounds.min) + " to " + time::setting_text(bounds.max));
  }
  into = *duration;
  return std::nullopt;
}

MaybeError read_attempts(const Sources& sources, int& into) {
  const auto value = sources.find(kAttempts);
  if (!value) return std::nullopt;
  const std::string_view text = trim(value->text);
  int attempts = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), attempts);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  if (!whole || attempts < 1 || attempts > kMaxAttempts) {
    return config_error(named(kAttempts, *value) + " is not a whole number from 1 to " +
                            std::to_string(kMaxAttempts),
                        "it limits how many tokens one call may have refused; the default is 3");
  }
  into = attempts;
  return std::nullopt;
}

/// One of some words.
template <typename T, std::size_t n>
MaybeError read_choice(const Sources& sources, const Definition& setting,
                       const std::array<std::pair<std::string_view, T>, n>& choices, T& into) {
  const auto value = sources.find(setting);
  if (!value) return std::nullopt;
  for (const auto& [word, meaning] : choices) {
    if (!iequals(trim(value->text), word)) continue;
    into = meaning;
    return std::nullopt;
  }
  std::string known;
  for (std::size_t i = 0; i < n; ++i)
    known.append(i == 0 ? "" : i + 1 == n ? " or " : ", ").append(choices[i].first);
  return config_error(named(setting, *value) + " is not known", "give " + known);
}

/// The base URL in its plain form, without a slash at the end.
Result<std::string> base_url(const Definition& setting, const Value& value, bool insecure_http) {
  const auto url = http::parse_url(trim(value.text));
  if (!url)
    return config_error(named(setting, value) + ": " + url.error().message, url.error().remedy);
  if (!url->tls() && !url->loopback() && !insecure_http) {
    return config_error(named(setting, value) + " uses http:// for an address that is not loopback",
                        "use https://, or --insecure-http if you must");
  }
  if (url->target.find('?') != std::string::npos) {
    return config_error(named(setting, value) + " has a query", "give only the base URL");
  }
  std::string text = url->text();
  while (text.ends_with('/')) text.pop_back();
  return text;
}

MaybeError read_url(const Sources& sources, const Definition& setting, bool insecure_http,
                    std::string& into) {
  const auto value = sources.find(setting);
  if (!value) return std::nullopt;
  auto url = base_url(setting, *value, insecure_http);
  if (!url) return std::move(url).error();
  into = *std::move(url);
  return std::nullopt;
}

/// The region first, then what each base URL says beyond it. Where both are given a region is but a
/// name for messages, so a private one is as good as any.
MaybeError read_urls(const Sources& sources, ClientOptions& client) {
  const bool both = sources.find(kLoginUrl) && sources.find(kApiUrl);
  if (const auto region = sources.find(kRegion)) {
    auto urls = genesys::urls_of(region->text);
    if (!urls && !both) {
      return config_error(urls.error().message + " (" + region->origin + ")", urls.error().remedy);
    }
    client.region = std::string(trim(region->text));
    if (urls) {
      client.login_url = urls->login_url;
      client.api_url = urls->api_url;
    }
  }
  if (auto error = read_url(sources, kLoginUrl, client.insecure_http, client.login_url)) {
    return error;
  }
  return read_url(sources, kApiUrl, client.insecure_http, client.api_url);
}

MaybeError read_path(const Sources& sources, const Definition& setting, const char* example,
                     std::string& into) {
  const auto value = sources.find(setting);
  if (!value) return std::nullopt;
  const std::string path(trim(value->text));
  const bool usable =
      path.starts_with('/') && http::parse_url(http::join_url("https://host.invalid", path)).ok();
  if (!usable) {
    return config_error(named(setting, *value) + " is not a path",
                        std::string("start it with a slash: ") + example);
  }
  into = path;
  return std::nullopt;
}

/// What has a setting of its own; a secret is never a flag's value.
bool reserved_field(std::string_view name) {
  return iequals(name, "client_id") || iequals(name, "client_secret");
}

MaybeError read_token_params(const Sources& sources, ClientOptions& client) {
  const bool from_flags = !sources.flags().token_params.empty();
  const auto& params = from_flags ? sources.flags().token_params : sources.profile().token_params;
  const std::string origin =
      from_flags ? "--token-param" : sources.profile().origin("token_params");
  for (const std::string& param : params) {
    const std::size_t equals = param.find('=');
    if (equals == std::string::npos || equals == 0) {
      return config_error("a token parameter (" + origin + ") is not K=V",
                          "write resource=urn:api");
    }
    if (reserved_field(param.substr(0, equals))) {
      return config_error("the token parameter " + param.substr(0, equals) + " (" + origin +
                              ") has its own setting",
                          "leave it out; --client-auth post puts id and secret into the form");
    }
    client.token_params.emplace_back(param.substr(0, equals), param.substr(equals + 1));
  }
  return std::nullopt;
}

MaybeError read_token_store(const Sources& sources, TokenStoreChoice& choice) {
  constexpr std::string_view kFile = "file:";
  const auto value = sources.find(kTokenStore);
  if (!value) return std::nullopt;
  if (value->text == "none") {
    choice.kind = TokenStoreChoice::Kind::none;
    return std::nullopt;
  }
  const bool named_folder = value->text.starts_with(kFile);
  if (value->text != "file" && !named_folder) {
    return config_error(named(kTokenStore, *value) + " is not in this build",
                        "this build has none, file and file:DIR");
  }
  choice.kind = TokenStoreChoice::Kind::file;
  if (named_folder) choice.folder = value->text.substr(kFile.size());
  if (named_folder && !choice.folder.starts_with('/')) {
    return config_error(named(kTokenStore, *value) + " is not an absolute folder",
                        "write file:/var/lib/app, or file for the default");
  }
  return std::nullopt;
}

MaybeError read_bounds(const Sources& sources, ClientOptions& client) {
  if (auto error = read_duration(sources, kTimeout, kTimeoutBounds, client.timeout)) return error;
  if (auto error = read_duration(sources, kMaxWait, kMaxWaitBounds, client.max_wait)) return error;
  if (auto error = read_duration(sources, kStaleness, kStalenessBounds, client.staleness)) {
    return error;
  }
  return read_attempts(sources, client.attempts);
}

bool any_tls(const ClientOptions& client) {
  return client.login_url.starts_with("https://") || client.api_url.starts_with("https://");
}

/// Several stand with commas or spaces between them.
std::vector<std::string> ntp_texts(const Sources& sources) {
  if (!sources.flags().ntp.empty()) return sources.flags().ntp;
  std::vector<std::string> servers;
  const auto value = sources.find(kNtp);
  std::string_view rest = value ? std::string_view(value->text) : std::string_view{};
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find_first_of(", "), rest.size());
    if (end > 0) servers.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return servers;
}

std::optional<std::vector<std::string>> read_ntp(const Sources& sources) {
  auto servers = ntp_texts(sources);
  if (servers.empty()) return std::nullopt;
  if (servers == std::vector<std::string>{"none"}) servers.clear();
  return servers;
}

MaybeError read_client_options(const Sources& sources, ClientOptions& client) {
  constexpr std::array<std::pair<std::string_view, bool>, 2> kYesNo{
      {{"true", true}, {"false", false}}};
  constexpr std::array<std::pair<std::string_view, DialectName>, 2> kDialects{
      {{"genesys", DialectName::genesys}, {"rfc6749", DialectName::rfc6749}}};
  constexpr std::array<std::pair<std::string_view, ClientAuth>, 3> kClientAuths{
      {{"basic", ClientAuth::basic}, {"post", ClientAuth::post}, {"none", ClientAuth::none}}};
  if (auto error = read_choice(sources, kInsecureHttp, kYesNo, client.insecure_http)) return error;
  client.insecure_http |= sources.flags().insecure_http;
  if (auto error = read_choice(sources, kDialect, kDialects, client.dialect)) return error;
  if (auto error = read_choice(sources, kClientAuth, kClientAuths, client.client_auth)) {
    return error;
  }
  if (auto error = read_urls(sources, client)) return error;
  if (auto error = read_path(sources, kTokenPath, "/oauth/token", client.token_path)) return error;
  if (auto error = read_path(sources, kVerifyPath, "/api/v2/tokens/me", client.verify_path)) {
    return error;
  }
  if (auto error = read_token_params(sources, client)) return error;
  if (auto error = read_bounds(sources, client)) return error;
  if (const auto file = sources.find(kCaFile)) client.ca_file = file->text;
  if (const auto file = sources.find(kClientCert)) client.client_cert_file = file->text;
  if (const auto file = sources.find(kClientKey)) client.client_key_file = file->text;
  return read_proxy(sources, any_tls(client), client.proxy);
}

std::string how_to_set(const Definition& setting) {
  const std::string_view flag =
      setting.flag.empty() ? kClientSecretFile.flag : setting.flag;  // the secret's is its file's
  return std::string(setting.name) + " (" + std::string(setting.environment[0]) + " or " +
         std::string(flag) + ")";
}

std::vector<std::string> missing(const ClientOptions& client) {
  const bool given = !client.access_token.empty();
  const bool no_api = client.api_url.empty();
  const bool no_login = client.login_url.empty() && !given;
  std::vector<std::string> names;
  if (no_api && client.login_url.empty()) {
    names.push_back(how_to_set(kRegion));
  } else if (no_api || no_login) {
    names.push_back(how_to_set(no_api ? kApiUrl : kLoginUrl) + " or " + how_to_set(kRegion));
  }
  if (given) return names;
  if (client.client_id.empty()) names.push_back(how_to_set(kClientId));
  if (client.client_secrets.empty() && client.client_auth != ClientAuth::none)
    names.push_back(how_to_set(kClientSecret));
  return names;
}

MaybeError check_complete(const ClientOptions& client) {
  const auto names = missing(client);
  if (names.empty()) return std::nullopt;
  std::string message = names.size() == 1 ? "missing setting: " : "missing settings: ";
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) message.append(", ");
    message.append(names[i]);
  }
  return config_error(std::move(message), names.size() == 1
                                              ? "set it, or put it in a profile file"
                                              : "set each of them, or put them in a profile file");
}

std::optional<LogLevel> level_of(std::string_view word) {
  for (const LogLevel level : {LogLevel::trace, LogLevel::debug, LogLevel::info, LogLevel::warn,
                               LogLevel::error, LogLevel::critical}) {
    if (iequals(word, to_string(level))) return level;
  }
  return std::nullopt;
}

MaybeError read_logging(const Sources& sources, Settings& settings) {
  constexpr std::array<std::pair<std::string_view, bool>, 2> kFormats{
      {{"text", false}, {"json", true}}};
  constexpr std::array<LogLevel, 3> kVerbose{LogLevel::info, LogLevel::debug, LogLevel::trace};
  if (const auto value = sources.find(kLogLevel)) {
    const auto level = level_of(trim(value->text));
    if (!level) {
      return config_error(named(kLogLevel, *value) + " is not known",
                          "give trace, debug, info, warn, error or critical");
    }
    settings.log_level = *level;
  }
  const Flags& flags = sources.flags();
  if (flags.quiet && flags.verbose > 0) {
    return config_error("-q and -v contradict each other", "give one of them");
  }
  settings.quiet = flags.quiet;
  if (flags.quiet) settings.log_level = LogLevel::error;
  if (flags.verbose > 0) {
    settings.log_level = kVerbose[static_cast<std::size_t>(std::min(flags.verbose, 3) - 1)];
  }
  settings.color = !sources.variable("NO_COLOR") && sources.variable("TERM") != "dumb";
  return read_choice(sources, kLogFormat, kFormats, settings.log_json);
}

/// Reported here, before anything is sent. Its content is for the TLS library to judge.
MaybeError check_ca_file(const Sources& sources, const ClientOptions& client) {
  const auto file = sources.find(kCaFile);
  const auto& exists = sources.surroundings().file_exists;
  if (!file || !exists || !any_tls(client) || exists(file->text)) return std::nullopt;
  return config_error(named(kCaFile, *file) + " does not exist: " + file->text,
                      "name a PEM file, or omit it to use the system's");
}

}  // namespace

std::vector<std::string_view> secret_variables() {
  std::vector<std::string_view> names;
  for (const Definition& secret : {kClientSecret, kAccessToken})
    names.insert(names.end(), secret.environment.begin(), secret.environment.end());
  return names;
}

Result<Settings> load(const Flags& typed, const Surroundings& surroundings, Need need) {
  const auto merged = typed.given.empty() ? Result<Flags>(Flags{}) : with_given(typed);
  if (!merged) return merged.error();
  const Flags& flags = typed.given.empty() ? typed : *merged;  // no copy of a proxy's password
  const bool nothing = need == Need::nothing;
  auto profile = nothing ? Result<Profile>(Profile{}) : find_profile(flags, surroundings);
  if (!profile) return std::move(profile).error();
  const Sources sources(flags, surroundings, *profile);
  Settings settings;
  if (auto error = read_logging(sources, settings)) return *std::move(error);
  if (nothing) return settings;
  auto unusable = read_client_options(sources, settings.client);
  if (!unusable) unusable = check_ca_file(sources, settings.client);
  if (!unusable) unusable = read_duration(sources, kMaxSkew, kMaxSkewBounds, settings.max_skew);
  if (!unusable && need != Need::servers) unusable = read_identity(sources, settings);
  wipe_stack();
  if (unusable) return *unusable;
  if (need != Need::servers) settings.warnings = readable_secrets(sources);
  settings.client.ntp = read_ntp(sources);
  if (auto error = read_token_store(sources, settings.token_store)) return *std::move(error);
  if (const auto command = sources.find(kAlertCommand)) settings.alert_command = command->text;
  if (need != Need::identity) return settings;
  if (auto error = check_complete(settings.client)) return *std::move(error);
  return settings;
}

}  // namespace skewguard::settings
