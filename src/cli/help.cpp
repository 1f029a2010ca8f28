#include "cli/help.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "cli/guides.hpp"
#include "cli/layout.hpp"
#include "cli/options.hpp"

namespace skewguard::cli {
namespace {

using Of = HelpArguments::Of;

constexpr std::size_t kHelpWidth = 80;  // columns, however wide the terminal is

constexpr std::string_view kPrecedence =
    "(flag, otherwise [environment], otherwise profile file, otherwise default)";

struct Topic {
  const char* name;
  const char* about;
};
constexpr std::array<Topic, 4> kTopics{{
    {"settings", "every setting: flag, environment variable, default"},
    {"exit-codes", "what the exit code means"},
    {"verdicts", "what each verdict means and what skewguard does about it"},
    {"emulate", "the emulator's guide: faults, control requests, scenarios"},
}};

std::string paragraph(std::string_view text, std::size_t width) {
  return wrapped(text, 0, width) + "\n";
}

std::string entry_of(const CLI::Option& option, std::size_t width) {
  if (option.get_positional()) return entry(option.get_name(), option.get_description(), width);
  std::string names = option.get_name(false, true);
  for (std::size_t comma = names.find(','); comma != std::string::npos;
       comma = names.find(',', comma + 2)) {
    names.insert(comma + 1, " ");
  }
  const std::string value = option.get_items_expected_max() == 0 ? "" : option.get_type_name();
  return entry(value.empty() ? names : names + " " + value, option.get_description(), width);
}

/// Every option of `app` in `group`, under its heading; empty if there is none.
std::string section(const CLI::App& app, const std::string& group, std::string_view heading,
                    std::size_t width) {
  std::string text;
  for (const CLI::Option* option : app.get_options()) {
    if (option->nonpositional() && option->get_group() == group)
      text.append(entry_of(*option, width));
  }
  if (text.empty()) return text;
  return "\n" + paragraph(std::string(heading) + ":", width) + text;
}

std::string positionals(const CLI::App& app, std::size_t width) {
  std::string text;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional()) text.append(entry_of(*option, width));
  }
  return text.empty() ? text : "\n" + text;
}

std::string usage(const CLI::App& command) {
  std::string text = "usage: skewguard " + command.get_name() + " [options]";
  for (const CLI::Option* option : command.get_options()) {
    if (!option->get_positional()) continue;
    const bool several = option->get_items_expected_max() > 1;
    const std::string name = option->get_name() + (several ? " ..." : "");
    text.append(option->get_required() ? " " + name : " [" + name + "]");
  }
  return text.append("\n");
}

std::string of_program(const CLI::App& app, std::size_t width) {
  std::string text = paragraph("skewguard " + app.get_description(), width) +
                     "\nusage: skewguard COMMAND [options]\n\ncommands:\n";
  for (const CLI::App* command : app.get_subcommands({})) {
    text.append(entry(command->get_name(), command->get_description(), width));
  }
  text.append(section(app, kOptionGroup, "options", width));
  text.append(section(app, kLoggingGroup, "logging", width)).append("\n");
  text.append(paragraph("more: skewguard COMMAND --help, or skewguard help with one of", width));
  for (const Topic& topic : kTopics) text.append(entry(topic.name, topic.about, width));
  return text + "\n" +
         paragraph(
             "exit codes: 0 done, 1 another API error, 2 usage or settings, 3 credentials, "
             "4 clock, 5 permission, 6 no answer, 7 rate limit",
             width);
}

/// Where to read more.
std::string more_about(const CLI::App& command, std::size_t width) {
  if (takes_settings(command)) {
    return "\n" +
           paragraph("All settings (URLs, proxy, certificates, waits): skewguard help settings",
                     width);
  }
  if (command.get_name() != "emulate") return "";
  return "\n" + paragraph("Everything it can do wrong, and when: skewguard help emulate", width);
}

std::string of_command(const CLI::App& command, std::size_t width) {
  const CLI::App& top = *command.get_parent();
  std::string text =
      paragraph("skewguard " + command.get_name() + ": " + command.get_description(), width) +
      "\n" + usage(command);
  text.append(positionals(command, width));
  text.append(section(command, kOptionGroup, "options", width));
  if (measures_clocks(command)) text.append(section(top, kClockGroup, "clocks", width));
  if (takes_settings(command))
    text.append(section(top, kCommonGroup, "common settings " + std::string(kPrecedence), width));
  text.append(section(top, kLoggingGroup, "logging", width));
  return text.append(more_about(command, width));
}

std::string settings_text(const CLI::App& app, std::size_t width) {
  std::string text = "skewguard settings\n";
  text.append(section(app, kCommonGroup, "common settings " + std::string(kPrecedence), width));
  text.append(section(app, kSettingGroup, "other settings", width));
  text.append(section(app, kClockGroup, "clocks", width));
  text.append(section(app, kLoggingGroup, "logging", width)).append("\n");
  text.append(paragraph("profile file (TOML): the names of the flags, with underscores", width));
  text.append(
      "  [profile.default]\n"
      "  region = \"eu-west-1\"\n"
      "  client_id = \"...\"\n"
      "  client_secret_file = \"/etc/skewguard/secret\"\n"
      "\n");
  return text.append(
      paragraph("Durations: 500ms, 30s, 10m, 2h; a bare number is seconds. http:// URLs are "
                "accepted only for loopback addresses, unless --insecure-http is given.",
                width));
}

}  // namespace

std::vector<std::string> help_topics() {
  std::vector<std::string> names;
  names.reserve(std::size(kTopics));
  for (const Topic& topic : kTopics) names.emplace_back(topic.name);
  return names;
}

std::string help_text(const HelpArguments& about, std::size_t width) {
  const Grammar grammar;
  width = std::min(width, kHelpWidth);
  if (about.of == Of::topic) {
    const auto markdown = guide(about.name);
    return markdown ? as_plain_text(*markdown, width) : settings_text(grammar.app, width);
  }
  for (const CLI::App* command : grammar.app.get_subcommands({})) {
    if (about.of == Of::command && command->get_name() == about.name)
      return of_command(*command, width);
  }
  return of_program(grammar.app, width);
}

}  // namespace skewguard::cli
