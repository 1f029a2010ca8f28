#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "settings/profile.hpp"
#include "settings/settings.hpp"

namespace skewguard::settings {

/// A setting and where it can be set. Empty names = nowhere.
struct Definition {
  std::string_view name;  ///< for people
  std::string_view key;   ///< in a profile
  std::string_view flag;
  std::optional<std::string> Flags::* member;  ///< null = no flag
  std::array<std::string_view, 2> environment;
};

inline constexpr Definition kRegion{"region",
                                    "region",
                                    "--region",
                                    &Flags::region,
                                    {"GENESYS_CLOUD_REGION", "GENESYSCLOUD_REGION"}};
inline constexpr Definition kClientId{"client id",
                                      "client_id",
                                      "--client-id",
                                      &Flags::client_id,
                                      {"GENESYS_CLOUD_CLIENT_ID", "GENESYSCLOUD_OAUTHCLIENT_ID"}};
/// The value itself is never a flag's.
inline constexpr Definition kClientSecret{
    "client secret",
    "client_secret",
    "",
    nullptr,
    {"GENESYS_CLOUD_CLIENT_SECRET", "GENESYSCLOUD_OAUTHCLIENT_SECRET"}};
inline constexpr Definition kClientSecretFile{"client secret file",
                                              "client_secret_file",
                                              "--client-secret-file",
                                              &Flags::client_secret_file,
                                              {"GENESYS_CLOUD_CLIENT_SECRET_FILE"}};
inline constexpr Definition kClientAuth{"client authentication",
                                        "client_auth",
                                        "--client-auth",
                                        &Flags::client_auth,
                                        {"SKEWGUARD_CLIENT_AUTH"}};
inline constexpr Definition kAccessToken{
    "access token",
    "access_token",
    "",
    nullptr,
    {"GENESYS_CLOUD_ACCESS_TOKEN", "GENESYSCLOUD_ACCESS_TOKEN"}};
inline constexpr Definition kAccessTokenFile{
    "access token file", "access_token_file", "--access-token-file", &Flags::access_token_file, {}};
inline constexpr Definition kLoginUrl{
    "login base URL", "login_url", "--login-url", &Flags::login_url, {"SKEWGUARD_LOGIN_URL"}};
inline constexpr Definition kApiUrl{
    "API base URL", "api_url", "--api-url", &Flags::api_url, {"SKEWGUARD_API_URL"}};
inline constexpr Definition kTokenPath{
    "token path", "token_path", "--token-path", &Flags::token_path, {"SKEWGUARD_TOKEN_PATH"}};
inline constexpr Definition kVerifyPath{
    "path that verifies tokens", "verify_path", "--verify-path", &Flags::verify_path, {}};
inline constexpr Definition kDialect{
    "dialect", "dialect", "--dialect", &Flags::dialect, {"SKEWGUARD_DIALECT"}};
inline constexpr Definition kCaFile{
    "CA file", "ca_file", "--ca-file", &Flags::ca_file, {"SSL_CERT_FILE"}};
inline constexpr Definition kClientCert{
    "client certificate", "client_cert", "--client-cert", &Flags::client_cert, {}};
inline constexpr Definition kClientKey{
    "client key", "client_key", "--client-key", &Flags::client_key, {}};
inline constexpr Definition kProxy{
    "proxy", "proxy", "--proxy", &Flags::proxy, {"https_proxy", "HTTPS_PROXY"}};
inline constexpr Definition kNoProxy{
    "hosts without proxy", "no_proxy", "--no-proxy", &Flags::no_proxy, {"no_proxy", "NO_PROXY"}};
inline constexpr Definition kTimeout{
    "timeout", "timeout", "--timeout", &Flags::timeout, {"SKEWGUARD_TIMEOUT"}};
inline constexpr Definition kMaxWait{
    "longest wait", "max_wait", "--max-wait", &Flags::max_wait, {"SKEWGUARD_MAX_WAIT"}};
inline constexpr Definition kAttempts{
    "attempts", "attempts", "--attempts", &Flags::attempts, {"SKEWGUARD_ATTEMPTS"}};
inline constexpr Definition kStaleness{
    "staleness", "staleness", "--staleness", &Flags::staleness, {"SKEWGUARD_STALENESS"}};
inline constexpr Definition kMaxSkew{
    "harmful skew", "max_skew", "--max-skew", &Flags::max_skew, {"SKEWGUARD_MAX_SKEW"}};
/// Its flag may be repeated, so it is no member of one value.
inline constexpr Definition kNtp{"NTP servers", "ntp", "", nullptr, {"SKEWGUARD_NTP"}};
inline constexpr Definition kTokenStore{
    "token store", "token_store", "--token-store", &Flags::token_store, {"SKEWGUARD_TOKEN_STORE"}};
inline constexpr Definition kAlertCommand{"alert command",
                                          "alert_command",
                                          "--alert-command",
                                          &Flags::alert_command,
                                          {"SKEWGUARD_ALERT_COMMAND"}};
inline constexpr Definition kInsecureHttp{"insecure HTTP", "insecure_http", "", nullptr, {}};
inline constexpr Definition kLogLevel{"log level", "log_level", "", nullptr, {"SKEWGUARD_LOG"}};
inline constexpr Definition kLogFormat{
    "log format", "log_format", "--log-format", &Flags::log_format, {}};

/// Where a value was found; later ones override earlier ones.
enum class Rank { profile, environment, flag };

/// Wiped when destroyed, including its copies: it may be a secret.
struct Value {
  ~Value() { Secret::wipe(text); }
  std::string text;
  std::string origin;  ///< "--timeout", "SKEWGUARD_TIMEOUT", "timeout in [profile.x] of FILE"
  Rank rank = Rank::profile;
};

/// Flag, or what is given > environment > profile. Must not outlive its arguments.
class Sources {
 public:
  Sources(const Flags& flags, const Surroundings& surroundings, const Profile& profile)
      : flags_(flags), surroundings_(surroundings), profile_(profile) {}

  [[nodiscard]] std::optional<Value> find(const Definition& setting) const;
  /// As a flag, or given by name.
  [[nodiscard]] std::optional<Value> flag(const Definition& setting) const;
  /// The first of the setting's names that is set and not empty.
  [[nodiscard]] std::optional<Value> environment(const Definition& setting) const;
  [[nodiscard]] std::optional<Value> profile(const Definition& setting) const;
  /// An environment variable; an empty one counts as unset.
  [[nodiscard]] std::optional<std::string> variable(std::string_view name) const;

  [[nodiscard]] const Flags& flags() const noexcept { return flags_; }
  [[nodiscard]] const Surroundings& surroundings() const noexcept { return surroundings_; }
  [[nodiscard]] const Profile& profile() const noexcept { return profile_; }

 private:
  [[nodiscard]] std::optional<Value> given(const Definition& setting) const;

  const Flags& flags_;
  const Surroundings& surroundings_;
  const Profile& profile_;
};

/// An error of kind `config`.
Error config_error(std::string message, std::string remedy = {});

/// The client id and secrets, or a given token, and the file or standard input that they came from;
/// `config` names what is unusable. What is missing stays empty.
std::optional<Error> read_identity(const Sources& sources, Settings& settings);

/// A warning for each file of the user that contains a secret and is readable by everyone.
std::vector<std::string> readable_secrets(const Sources& sources);

/// The outgoing proxy; `config` names what is unusable, never the credentials. `any_tls`: some host
/// is reached over https://, else what HTTPS_PROXY says has no part in it.
std::optional<Error> read_proxy(const Sources& sources, bool any_tls, ProxyOptions& into);

/// Those flags, with what is given as "token_params", "config" and "profile" among them. Error
/// (`config`): a name that no setting has.
Result<Flags> with_given(Flags flags);

/// The profile that flags and environment select; empty if there is none.
Result<Profile> find_profile(const Flags& flags, const Surroundings& surroundings);

}  // namespace skewguard::settings
