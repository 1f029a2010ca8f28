#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/secret_text.hpp"
#include "skewguard/client.hpp"
#include "skewguard/log.hpp"
#include "skewguard/result.hpp"

namespace skewguard::settings {

/// Values by the names that a profile has, with one of "token_params" for each field, or "config"
/// and "profile" as the flags have them. Some are secrets.
using Given = std::vector<std::pair<std::string, Secret>>;

/// Flags as typed; absent = not given. The proxy's URL may contain its password: there is no other
/// secret here but in `given`.
struct Flags {
  std::optional<std::string> region, client_id, client_secret_file, login_url, api_url, token_path,
      verify_path, access_token_file, ca_file, client_cert, client_key, proxy, no_proxy, timeout,
      max_wait, attempts, staleness, token_store, config, profile, dialect, client_auth, log_format,
      alert_command, max_skew;
  std::vector<std::string> ntp;           ///< HOST[:PORT]
  std::vector<std::string> token_params;  ///< "K=V"
  bool insecure_http = false;
  int verbose = 0;  ///< -v, -v -v ...
  bool quiet = false;
  Given given{};  ///< what a program hands in by name
};

/// Where settings are read from, passed in so that tests can replace it.
struct Surroundings {
  std::function<std::optional<std::string>(std::string_view name)> environment;
  /// The content of a file, or the error with its cause. "-" = stdin.
  std::function<Result<SecretText>(const std::string& path)> read_file;
  /// Whether something of that name exists; an empty function: nothing does.
  std::function<bool(const std::string& path)> file_exists;
  /// Whether every user of this machine can read it; an empty function: nobody can.
  std::function<bool(const std::string& path)> all_may_read{};
};
/// Those of this process: its environment, files and stdin.
Surroundings process_surroundings();

/// Where tokens are kept between runs.
struct TokenStoreChoice {
  enum class Kind { unsaid, none, file };
  Kind kind = Kind::unsaid;  ///< unsaid: the caller's default
  std::string folder;        ///< of `file`, absolute; empty = the default one
};

struct Settings {
  ClientOptions client;
  std::string client_secret_file;  ///< that the client's secrets came from; empty = none, or stdin
  std::string from_stdin;          ///< what standard input was read for, in words; empty = nothing
  TokenStoreChoice token_store;
  std::string alert_command;                    ///< for the shell; empty = none
  Duration max_skew = std::chrono::seconds{5};  ///< more than this is harmful: `skew`, `doctor`
  LogLevel log_level = LogLevel::warn;
  bool quiet = false;  ///< nothing but the error that ends the command
  bool log_json = false;
  bool color = false;                 ///< if stderr is a terminal
  std::vector<std::string> warnings;  ///< for the log, at level warn: what was left out of account
};

/// Whether a file of that name is standard input: "-", or a system name of it.
bool is_stdin(std::string_view path) noexcept;

/// The environment variables whose values are secrets.
std::vector<std::string_view> secret_variables();

/// What a command needs: an identity (region or URLs, client id and secret, or a token), or less.
/// `examination`: an identity if there is one, and what to examine; `servers`: only where they are.
/// These two never report missing settings.
enum class Need { identity, examination, servers, nothing };

/// Flag, or what is given > environment > profile file > default. Nothing is both a flag and given;
/// of two values of one name the last is used, but all of "token_params". A missing required
/// setting is one error that names every missing one and its environment variable. All errors are
/// of kind `config`. Nothing is sent.
Result<Settings> load(const Flags& flags, const Surroundings& surroundings, Need need);

}  // namespace skewguard::settings
