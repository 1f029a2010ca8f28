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

/// Flags as the user typed them; absent = not given. The proxy's URL may hold its password: no
/// other secret's value is here.
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
};

/// The world that settings are read from, handed in so that tests bring their own.
struct Surroundings {
  std::function<std::optional<std::string>(std::string_view name)> environment;
  /// The file's content, or the error with its cause. "-" = stdin.
  std::function<Result<SecretText>(const std::string& path)> read_file;
  /// Whether anything is there under that name; an empty function: nothing ever is.
  std::function<bool(const std::string& path)> file_exists;
  /// Whether every user of this machine may read it; an empty function: nobody may.
  std::function<bool(const std::string& path)> all_may_read{};
};
/// This process's own: its environment, its files, its stdin.
Surroundings process_surroundings();

/// Where tokens are kept between runs.
struct TokenStoreChoice {
  enum class Kind { unsaid, none, file };
  Kind kind = Kind::unsaid;  ///< unsaid: the default of whoever asks
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
  bool color = false;                 ///< wanted, where stderr is a terminal
  std::vector<std::string> warnings;  ///< for the log, at level warn: what was left out of account
};

/// Whether a file of that name is standard input: "-", or what the system calls it.
bool is_stdin(std::string_view path) noexcept;

/// The environment variables whose values are secrets.
std::vector<std::string_view> secret_variables();

/// What a command needs: an identity (region or URLs, client id and secret, or a token), or less.
/// `examination`: an identity where there is one, and what is to be examined; `servers`: where they
/// are, without any identity; neither misses anything.
enum class Need { identity, examination, servers, nothing };

/// Flag > environment > profile file > default. A missing required setting is one error that names
/// every missing one and its environment variable. All errors are of kind `config`. Nothing is
/// sent.
Result<Settings> load(const Flags& flags, const Surroundings& surroundings, Need need);

}  // namespace skewguard::settings
