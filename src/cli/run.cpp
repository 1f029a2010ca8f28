#include "cli/run.hpp"

#include <exception>
#include <string>
#include <utility>
#include <variant>

#include "base/overloaded.hpp"
#include "base/secret_text.hpp"
#include "cli/command_line.hpp"
#include "cli/commands.hpp"
#include "cli/conclude.hpp"
#include "cli/help.hpp"
#include "cli/logger.hpp"
#include "cli/version.hpp"
#include "settings/settings.hpp"

namespace skewguard::cli {
namespace {

settings::Need need_of(const Arguments& arguments) {
  if (std::holds_alternative<EmulateArguments>(arguments) ||
      std::holds_alternative<DemoArguments>(arguments)) {
    return settings::Need::nothing;
  }
  const auto* serve = std::get_if<ServeArguments>(&arguments);
  if (serve != nullptr && serve->check) return settings::Need::nothing;
  if (std::holds_alternative<DoctorArguments>(arguments)) return settings::Need::examination;
  return std::holds_alternative<SkewArguments>(arguments) ? settings::Need::servers
                                                          : settings::Need::identity;
}

/// The settings that the command needs, or an exit code; the reason has been printed.
std::variant<settings::Settings, int> load(const CommandLine& line, const ProcessIo& process) {
  const settings::Need need = need_of(line.arguments);
  auto logging = settings::load(line.flags, process.surroundings, settings::Need::nothing);
  if (!logging) {
    Logger(process, {}).fail(logging.error());
    return exit_code_of(logging.error());
  }
  if (need == settings::Need::nothing) return *std::move(logging);
  auto settings = settings::load(line.flags, process.surroundings, need);
  if (process.forget_secrets) process.forget_secrets();
  if (!settings) {
    Logger(process, *logging).fail(settings.error());
    return exit_code_of(settings.error());
  }
  return *std::move(settings);
}

int say(const std::string& text, const ProcessIo& process) {
  const auto written = process.out(text);
  if (written) return 0;
  Logger(process, {}).fail(written.error());
  return 1;
}

std::function<Result<std::vector<Secret>>()> rereader(const settings::Flags& flags,
                                                      const ProcessIo& process,
                                                      const std::string& secret_file) {
  if (secret_file.empty()) return {};
  return [flags, &process]() -> Result<std::vector<Secret>> {
    auto settings = settings::load(flags, process.surroundings, settings::Need::identity);
    if (!settings) return std::move(settings).error();
    return std::move(settings->client.client_secrets);
  };
}

int run_command(CommandLine line, const ProcessIo& process) {
  auto loaded = load(line, process);
  if (line.flags.proxy) Secret::wipe(*line.flags.proxy);
  wipe_stack();
  if (const int* code = std::get_if<int>(&loaded)) return *code;
  auto& settings = std::get<settings::Settings>(loaded);
  Logger logger(process, settings);
  for (const std::string& warning : settings.warnings) {
    logger.write({.level = LogLevel::warn, .message = warning});
  }
  Session session{.process = process,
                  .logger = logger,
                  .options = std::move(settings.client),
                  .alert_command = std::move(settings.alert_command),
                  .token_store = std::move(settings.token_store),
                  .from_stdin = std::move(settings.from_stdin),
                  .reread_secrets = rereader(line.flags, process, settings.client_secret_file),
                  .client_secret_file = settings.client_secret_file,
                  .quiet = settings.quiet,
                  .log_json = settings.log_json,
                  .max_skew = settings.max_skew,
                  .screen = {.columns = process.columns,
                             .terminal = process.out_is_terminal,
                             .color = settings.color && process.out_is_terminal}};
  return std::visit(
      Overloaded{[&](const CallArguments& command) { return run_call(command, session); },
                 [&](const WhoamiArguments& command) { return run_whoami(command, session); },
                 [&](const TokenArguments& command) { return run_token(command, session); },
                 [&](const DoctorArguments& command) { return run_doctor(command, session); },
                 [&](const SkewArguments& command) { return run_skew(command, session); },
                 [&](const ServeArguments& command) { return run_serve(command, session); },
                 [&](const EmulateArguments& command) { return run_emulate(command, session); },
                 [&](const DemoArguments& command) { return run_demo(command, session); },
                 [](const VersionArguments&) { return 0; }, [](const HelpArguments&) { return 0; }},
      line.arguments);
}

}  // namespace

namespace {

/// Out of threads, descriptors or memory, where no better message was possible.
Error out_of_resources(const std::exception& why) {
  return {.kind = ErrorKind::unavailable,
          .message = std::string("this machine is out of resources: ") + why.what(),
          .remedy = "check its limits on threads, open files and memory (ulimit -a)"};
}

int run_words(std::vector<std::string> words, const ProcessIo& process,
              const settings::Settings& settings) {
  auto line = parse_command_line(std::move(words));
  wipe_stack();
  if (!line) {
    Logger(process, settings).fail(line.error());
    return exit_code_of(line.error());
  }
  if (const auto* help = std::get_if<HelpArguments>(&line->arguments)) {
    return say(help_text(*help, process.columns), process);
  }
  if (std::holds_alternative<VersionArguments>(line->arguments)) {
    return say("skewguard " + std::string(version()) + "\n", process);
  }
  return run_command(*std::move(line), process);
}

}  // namespace

int run(std::vector<std::string> words, const ProcessIo& process) {
  settings::Settings settings;
  settings.log_json = wants_json_log(words);
  try {
    return run_words(std::move(words), process, settings);
  } catch (const std::exception& why) {
    Logger(process, settings).fail(out_of_resources(why));
    return exit_code_of(out_of_resources(why));
  }
}

}  // namespace skewguard::cli
