#include <algorithm>
#include <utility>

#include "settings/sources.hpp"

namespace skewguard::settings {
namespace {

constexpr std::string_view kCredentialFile = "genesys_cloud_client_secret";
constexpr std::size_t kMaxSecretBytes = 256 * 1024;  // four times the longest token seen in tests

bool has_control_characters(std::string_view text) noexcept {
  return std::ranges::any_of(
      text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; });
}

/// Every error names the setting and where it came from, never the value.
std::optional<Error> check_value(const Definition& setting, const Value& from,
                                 std::string_view text) {
  const std::string what = "the " + std::string(setting.name) + " (" + from.origin + ")";
  if (text.empty()) return config_error(what + " is empty", "set it, or leave it out");
  if (text.size() > kMaxSecretBytes) {
    return config_error(what + " is over 256 KiB long", "check that it is the right one");
  }
  if (has_control_characters(text)) {
    return config_error(what + " contains a control character",
                        "check for pasted line breaks and tabs");
  }
  return std::nullopt;
}

std::string_view without_newlines(std::string_view text) {
  return text.substr(0, text.find_last_not_of("\r\n") + 1);
}

/// The content of the file that `file` names, with the value of `setting`.
Result<SecretText> read_secret_file(const Sources& sources, const Definition& setting,
                                    const Value& file) {
  auto content = sources.surroundings().read_file(file.text);
  if (!content) {
    return config_error(
        std::string(setting.name) + " (" + file.origin + "): " + content.error().message,
        content.error().remedy);
  }
  return content;
}

/// systemd's LoadCredential=, and the like.
std::optional<Value> credentials_file(const Sources& sources) {
  const auto directory = sources.variable("CREDENTIALS_DIRECTORY");
  if (!directory) return std::nullopt;
  std::string path = *directory + "/" + std::string(kCredentialFile);
  const auto& exists = sources.surroundings().file_exists;
  if (!exists || !exists(path)) return std::nullopt;
  return Value{.text = std::move(path),
               .origin = std::string(kCredentialFile) + " in $CREDENTIALS_DIRECTORY",
               .rank = Rank::environment};
}

/// Where a secret is found, before any file is read: the value itself, or the file that holds it.
struct Place {
  Value value;
  bool is_file = false;
};

std::optional<Place> place_of(const Sources& sources, const Definition& direct,
                              const Definition& file, std::optional<Value> credentials) {
  if (auto value = sources.flag(direct)) return Place{*std::move(value), false};
  if (auto value = sources.flag(file)) return Place{*std::move(value), true};
  if (auto value = sources.environment(direct)) return Place{*std::move(value), false};
  if (auto value = sources.environment(file)) return Place{*std::move(value), true};
  if (credentials) return Place{*std::move(credentials), true};
  if (auto value = sources.profile(file)) return Place{*std::move(value), true};
  if (auto value = sources.profile(direct)) return Place{*std::move(value), false};
  return std::nullopt;
}

Result<Secret> secret_at(const Sources& sources, const Definition& setting, const Place& place) {
  auto content = place.is_file ? read_secret_file(sources, setting, place.value)
                               : Result<SecretText>(SecretText(place.value.text));
  if (!content) return std::move(content).error();
  const auto text = place.is_file ? without_newlines(content->view()) : content->view();
  if (auto error = check_value(setting, place.value, text)) return *std::move(error);
  return Secret(text);
}

/// The secrets of the client in their order, at least one: a file has one on each line.
Result<std::vector<Secret>> secrets_at(const Sources& sources, const Place& place) {
  if (!place.is_file) {
    auto only = secret_at(sources, kClientSecret, place);
    if (!only) return std::move(only).error();
    return std::vector<Secret>{*std::move(only)};
  }
  auto file = read_secret_file(sources, kClientSecret, place.value);
  if (!file) return std::move(file).error();
  std::vector<Secret> secrets;
  for (std::string_view rest = without_newlines(file->view());;) {
    const auto end = std::min(rest.find('\n'), rest.size());
    const auto line = without_newlines(rest.substr(0, end));
    if (auto error = check_value(kClientSecret, place.value, line)) return *std::move(error);
    secrets.emplace_back(line);
    if (end == rest.size()) return secrets;
    rest.remove_prefix(end + 1);
  }
}

bool from_stdin(const std::optional<Place>& place) {
  return place && place->is_file && is_stdin(place->value.text);
}

/// "the client secret (--client-secret-file)" where it was read from standard input, else empty.
std::string name_if_from_stdin(const Definition& setting, const std::optional<Place>& place) {
  if (!from_stdin(place)) return "";
  return "the " + std::string(setting.name) + " (" + place->value.origin + ")";
}

/// A token beats a client of the same rank: whoever sets one wants it used. A client named by a
/// flag beats a token in the environment.
bool token_wins(const std::optional<Place>& token, const std::optional<Value>& id,
                const std::optional<Place>& secret) {
  if (!token) return false;
  Rank client = id ? id->rank : Rank::profile;
  if (secret) client = std::max(client, secret->value.rank);
  return token->value.rank >= client;
}

std::optional<Error> read_token(const Sources& sources, const Place& place, ClientOptions& client) {
  auto token = secret_at(sources, kAccessToken, place);
  if (!token) return std::move(token).error();
  const bool sendable = std::ranges::all_of(
      token->reveal(), [](char c) { return c > ' ' && c < '\x7f'; });  // RFC 6750 section 2.1
  if (!sendable) {
    return config_error(
        "the access token (" + place.value.origin + ") contains a space or a non-ASCII character",
        "give only the token, without \"Bearer\"");
  }
  client.access_token = *std::move(token);
  return std::nullopt;
}

std::optional<Error> read_client(const Sources& sources, const std::optional<Value>& id,
                                 const std::optional<Place>& secret, ClientOptions& client) {
  if (id) {
    if (auto error = check_value(kClientId, *id, id->text)) return error;
    const bool in_basic =
        client.dialect == DialectName::genesys && client.client_auth == ClientAuth::basic;
    if (in_basic &&
        id->text.find(':') != std::string::npos) {  // RFC 7617 section 2: it ends the id
      return config_error("the client id (" + id->origin + ") contains a colon",
                          "give only the id, the secret has its own setting; an id that is a URN "
                          "needs --dialect rfc6749 or --client-auth post");
    }
    client.client_id = id->text;
  }
  if (!secret) return std::nullopt;
  auto secrets = secrets_at(sources, *secret);
  if (!secrets) return std::move(secrets).error();
  client.client_secrets = *std::move(secrets);
  return std::nullopt;
}

}  // namespace

std::vector<std::string> readable_secrets(const Sources& sources) {
  const auto& readable = sources.surroundings().all_may_read;
  std::vector<std::string> warnings;
  const auto look = [&](const std::string& path, const std::string& what) {
    if (!readable || path.empty() || is_stdin(path) || !readable(path)) return;
    warnings.push_back("every user of this machine can read " + path + ", which contains " + what +
                       ": chmod 600 " + path);
  };
  const auto secret = place_of(sources, kClientSecret, kClientSecretFile, std::nullopt);
  if (secret && secret->is_file) look(secret->value.text, "the client secret");
  const auto token = place_of(sources, kAccessToken, kAccessTokenFile, std::nullopt);
  if (token && token->is_file) look(token->value.text, "an access token");
  if (sources.profile(kClientSecret) || sources.profile(kAccessToken))
    look(sources.profile().file, "a secret");
  return warnings;
}

std::optional<Error> read_identity(const Sources& sources, Settings& settings) {
  const auto id = sources.find(kClientId);
  const auto secret =
      place_of(sources, kClientSecret, kClientSecretFile, credentials_file(sources));
  const auto token = place_of(sources, kAccessToken, kAccessTokenFile, std::nullopt);
  if (from_stdin(secret) && from_stdin(token)) {
    return config_error("client secret and access token cannot both come from standard input",
                        "name a file for one of them");
  }
  if (token_wins(token, id, secret)) {
    settings.from_stdin = name_if_from_stdin(kAccessToken, token);
    return read_token(sources, *token, settings.client);
  }
  settings.from_stdin = name_if_from_stdin(kClientSecret, secret);
  if (secret && secret->is_file && !from_stdin(secret))
    settings.client_secret_file = secret->value.text;
  return read_client(sources, id, secret, settings.client);
}

}  // namespace skewguard::settings
