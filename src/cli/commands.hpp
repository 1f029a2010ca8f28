#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "cli/command_line.hpp"
#include "cli/logger.hpp"
#include "cli/process_io.hpp"
#include "skewguard/client.hpp"

namespace skewguard::cli {

/// Everything that a command uses during one run.
struct Session {
  /// The options for the client that is to be made, with its secrets or its given token: this
  /// session keeps no copy of those. To be called once.
  ClientOptions release_options() {
    auto secrets = std::exchange(options.client_secrets, {});
    auto token = std::exchange(options.access_token, {});
    ClientOptions released = options;
    released.client_secrets = std::move(secrets);
    released.access_token = std::move(token);
    return released;
  }

  const ProcessIo& process;
  Logger& logger;
  ClientOptions options;      ///< of an identity; of no use to `emulate`
  std::string alert_command;  ///< empty = none
  settings::TokenStoreChoice token_store;
  std::string from_stdin;  ///< what standard input was read for already; empty = nothing
  /// Reads the client's secrets again, from the file that they came from; empty = from no file.
  std::function<Result<std::vector<Secret>>()> reread_secrets;
  std::string client_secret_file;  ///< that file
  bool quiet = false;
  bool log_json = false;
  Duration max_skew{};
  Screen screen;
};

/// Each returns the exit code (docs/contract.md section 3). If it is not 0, it has printed the
/// reason on standard error.
int run_call(const CallArguments& arguments, Session& session);
int run_whoami(const WhoamiArguments& arguments, Session& session);
int run_token(const TokenArguments& arguments, Session& session);
int run_doctor(const DoctorArguments& arguments, Session& session);
int run_skew(const SkewArguments& arguments, Session& session);
int run_serve(const ServeArguments& arguments, Session& session);
int run_emulate(const EmulateArguments& arguments, Session& session);
int run_demo(const DemoArguments& arguments, Session& session);

}  // namespace skewguard::cli
