#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "cli/command_line.hpp"
#include "settings/settings.hpp"

namespace skewguard::cli {

/// The groups of options in the help.
inline constexpr const char* kOptionGroup = "options";
inline constexpr const char* kCommonGroup = "common settings";
inline constexpr const char* kSettingGroup = "settings";
inline constexpr const char* kClockGroup = "clocks";
inline constexpr const char* kLoggingGroup = "logging";

/// The grammar of the command line: one subcommand for each command, and the common options at the
/// top. Parsing fills in its arguments, so it must not be moved.
class Grammar {
 public:
  Grammar();
  Grammar(const Grammar&) = delete;
  Grammar& operator=(const Grammar&) = delete;

  CLI::App app{"keeps programs authenticated whatever the clocks do", "skewguard"};
  CallArguments call;
  WhoamiArguments whoami;
  TokenArguments token;
  DoctorArguments doctor;
  SkewArguments skew;
  ServeArguments serve;
  EmulateArguments emulate;
  DemoArguments demo;
  std::string topic;  ///< of `help`
  settings::Flags flags;

 private:
  void add_settings();
  void add_logging();
  void add_call();
  void add_whoami();
  void add_token();
  void add_doctor();
  void add_skew();
  void add_serve();
  void add_emulate();
  void add_demo();
};

/// Whether the command accepts all settings, not only those for logging.
bool takes_settings(const CLI::App& command);

/// Whether it measures clocks.
bool measures_clocks(const CLI::App& command);

/// Whether it is a setting, common or not.
bool is_setting(const CLI::Option& option);

}  // namespace skewguard::cli
