#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "settings/settings.hpp"
#include "skewguard/result.hpp"

namespace skewguard::cli {

/// The command line, parsed by command. Values are still text, as typed.
struct CallArguments {
  std::string method;
  std::string path;
  std::optional<std::string> data;  ///< DATA, @FILE or "-"
  std::vector<std::string> headers;
  bool include = false;
  std::string report;  ///< empty = none
};
struct WhoamiArguments {
  bool json = false;
  std::string report;
};
struct TokenArguments {
  std::string format = "raw";
  bool force_refresh = false;
  std::optional<std::string> min_life;
  bool no_verify = false;
};
struct DoctorArguments {
  bool json = false;
};
struct SkewArguments {
  std::vector<std::string> urls;  ///< none = login and API host
  std::optional<std::string> probes;
  bool watch = false;
  bool json = false;
};
struct ServeArguments {
  std::vector<std::string> listen;  ///< none = 127.0.0.1:8484
  std::optional<std::string> workers, local_secret_file, max_hold, max_replay_body, max_waiting,
      drain, access_log;
  std::vector<std::string> allow, allow_hosts, allow_origins, required_fields;
  bool allow_remote = false;
  std::optional<std::string> check;  ///< the URL of a running sidecar; empty = the default one's
};
struct EmulateArguments {
  std::optional<std::string> login_offset, login_drift, api_offset, api_drift, backend_choice,
      token, lifetime, nbf_offset, user, latency, listen, login_port, api_port, ca_file, scenario,
      shell;
  std::vector<std::string> api_backends;
  std::vector<std::string> clients;  ///< "ID:SECRET": made up for tests
  bool strict_nbf = false;
  bool strict_iat = false;
  bool tls = false;
};
struct DemoArguments {
  std::string scenario;  ///< its id; empty = all
  bool json = false;
};
struct VersionArguments {};
/// A request for help: `help`, `help TOPIC`, `COMMAND --help`.
struct HelpArguments {
  enum class Of { program, command, topic };
  Of of = Of::program;
  std::string name{};  ///< of the command or topic, a known one
};

using Arguments =
    std::variant<CallArguments, WhoamiArguments, TokenArguments, DoctorArguments, SkewArguments,
                 ServeArguments, EmulateArguments, DemoArguments, VersionArguments, HelpArguments>;

struct CommandLine {
  Arguments arguments;
  settings::Flags flags;
};

/// Parses the words after the program's name. Options may come before or after a command's
/// arguments. Error (`config`): names what is wrong and the nearest known word.
Result<CommandLine> parse_command_line(std::vector<std::string> words);

/// Whether the words ask for log lines in JSON: for errors that occur before they are parsed.
bool wants_json_log(const std::vector<std::string>& words);

}  // namespace skewguard::cli
