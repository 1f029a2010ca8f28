#include "cli/command_line.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>
#include <utility>

#include "base/nearest.hpp"
#include "cli/conclude.hpp"
#include "cli/help.hpp"
#include "cli/options.hpp"

namespace skewguard::cli {
namespace {

/// The command on the line, or the whole program.
const CLI::App& command_of(const CLI::App& app) {
  const auto commands = app.get_subcommands();
  return commands.empty() ? app : *commands.front();
}

std::string full_name(const CLI::App& app) {
  return app.get_parent() == nullptr ? "skewguard" : "skewguard " + app.get_name();
}

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({})) names.push_back(command->get_name());
  return names;
}

void add_long_names(const CLI::App& app, std::vector<std::string>& into) {
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) into.push_back("--" + name);
  }
}

/// The options that `command` accepts.
std::vector<std::string> option_names(const CLI::App& command) {
  std::vector<std::string> names;
  add_long_names(command, names);
  if (const CLI::App* top = command.get_parent()) add_long_names(*top, names);
  return names;
}

std::string suggest(std::string_view typed, const std::vector<std::string>& known,
                    const CLI::App& command) {
  if (const auto meant = nearest(typed, known)) return "did you mean " + std::string(*meant) + "?";
  return "see " + full_name(command) + " --help";
}

/// Options that people know from other programs, and what to type instead.
struct Habit {
  std::string_view option;
  const char* remedy;
};
constexpr std::array<Habit, 10> kHabits{{
    {"--client-secret",
     "other users can see a command line, so no flag takes the secret itself: use "
     "--client-secret-file "
     "FILE (- = standard input) or GENESYS_CLOUD_CLIENT_SECRET"},
    {"--access-token",
     "other users can see a command line, so no flag takes the token itself: use "
     "--access-token-file "
     "FILE or GENESYS_CLOUD_ACCESS_TOKEN"},
    {"-X", "the method comes first: skewguard call POST /api/v2/..."},
    {"--request", "the method comes first: skewguard call POST /api/v2/..."},
    {"-o", "the answer's body goes to standard output, complete or not at all: use > FILE"},
    {"--output", "the answer's body goes to standard output, complete or not at all: use > FILE"},
    {"-k", "certificates are always checked: use --ca-file to name your own CA"},
    {"--insecure", "certificates are always checked: use --ca-file to name your own CA"},
    {"-u", "use --client-id and --client-secret-file"},
    {"--user", "use --client-id and --client-secret-file"},
}};

std::string remedy_of_option(std::string_view name, const CLI::App& command) {
  const auto habit = std::ranges::find(kHabits, name, &Habit::option);
  if (habit != kHabits.end()) return habit->remedy;
  return suggest(name, option_names(command), command);
}

Error unknown_command(std::string_view typed, const CLI::App& app) {
  return usage_error("unknown command \"" + std::string(typed) + "\"",
                     suggest(typed, command_names(app), app));
}

/// What no command and no option has consumed.
std::optional<Error> unknown_word(const CLI::App& app) {
  const CLI::App& command = command_of(app);
  for (const std::string& word : app.remaining(true)) {
    if (word == "--") continue;
    if (word.size() > 1 && word.front() == '-') {
      const std::string name = word.substr(0, word.find('='));  // its value may be a secret
      return usage_error("unknown option \"" + name + "\" of " + full_name(command),
                         remedy_of_option(name, command));
    }
    if (&command == &app) return unknown_command(word, app);
    return usage_error("unexpected argument \"" + word + "\" of " + full_name(command),
                       "see " + full_name(command) + " --help");
  }
  return std::nullopt;
}

/// A setting that a command does not use would otherwise be ignored silently.
std::optional<Error> useless_setting(const CLI::App& app) {
  const CLI::App& command = command_of(app);
  if (takes_settings(command)) return std::nullopt;
  for (const CLI::Option* option : app.get_options()) {
    if (!is_setting(*option) || option->count() == 0) continue;
    return usage_error(option->get_name() + " has no effect on " + full_name(command),
                       "leave it out, or see " + full_name(command) + " --help");
  }
  return std::nullopt;
}

/// If a word is both, the topic: it says more.
Result<Arguments> help_on(const Grammar& grammar) {
  using Of = HelpArguments::Of;
  const std::string& name = grammar.topic;
  if (name.empty()) return Arguments{HelpArguments{}};
  auto known = help_topics();
  if (std::ranges::find(known, name) != known.end())
    return Arguments{HelpArguments{Of::topic, name}};
  const auto commands = command_names(grammar.app);
  if (std::ranges::find(commands, name) != commands.end())
    return Arguments{HelpArguments{Of::command, name}};
  known.insert(known.end(), commands.begin(), commands.end());
  return usage_error("unknown topic \"" + name + "\"", suggest(name, known, grammar.app));
}

/// For the command on the line, or for the whole program.
HelpArguments help_on_line(const CLI::App& app) {
  const CLI::App& command = command_of(app);
  if (&command == &app) return {};
  return {HelpArguments::Of::command, command.get_name()};
}

Result<Arguments> arguments_of(Grammar& grammar) {
  const CLI::App& command = command_of(grammar.app);
  const std::string& name = command.get_name();
  if (name == "call") return Arguments{std::move(grammar.call)};
  if (name == "whoami") return Arguments{std::move(grammar.whoami)};
  if (name == "token") return Arguments{std::move(grammar.token)};
  if (name == "doctor") return Arguments{grammar.doctor};
  if (name == "skew") return Arguments{std::move(grammar.skew)};
  if (name == "serve") return Arguments{std::move(grammar.serve)};
  if (name == "emulate") return Arguments{std::move(grammar.emulate)};
  if (name == "demo") return Arguments{std::move(grammar.demo)};
  if (name == "version") return Arguments{VersionArguments{}};
  if (name == "help") return help_on(grammar);
  return usage_error("no command", "see skewguard --help");
}

Result<CommandLine> parsed(Grammar& grammar) {
  if (auto error = unknown_word(grammar.app)) return *std::move(error);
  if (auto error = useless_setting(grammar.app)) return *std::move(error);
  auto arguments = arguments_of(grammar);
  if (!arguments) return std::move(arguments).error();
  return CommandLine{.arguments = *std::move(arguments), .flags = std::move(grammar.flags)};
}

void add_names_with_value(const CLI::App& app, std::vector<std::string>& into) {
  for (const CLI::Option* option : app.get_options()) {
    if (!option->nonpositional() || option->get_items_expected_max() == 0) continue;
    for (const std::string& name : option->get_lnames()) into.push_back("--" + name);
    for (const std::string& name : option->get_snames()) into.push_back("-" + name);
  }
}

/// Moves the command's name before the options that precede it: the parser accepts only common
/// options there.
void put_command_first(std::vector<std::string>& words, const CLI::App& app) {
  std::vector<std::string> with_value;
  add_names_with_value(app, with_value);
  for (const CLI::App* command : app.get_subcommands({}))
    add_names_with_value(*command, with_value);
  auto word = words.begin();
  while (word != words.end() && word->starts_with('-')) {
    const bool takes_next = std::ranges::find(with_value, *word) != with_value.end();
    std::advance(word, takes_next && word + 1 != words.end() ? 2 : 1);
  }
  if (word == words.end()) return;
  const auto commands = command_names(app);
  if (std::ranges::find(commands, *word) == commands.end()) return;
  std::rotate(words.begin(), word, word + 1);
}

/// A proxy's URL may contain a password; keep it from the parser, which would leave copies of it.
class ProxyAside {
 public:
  explicit ProxyAside(std::vector<std::string>& words) {
    for (std::size_t i = 0; i < words.size(); ++i) {
      const bool with_value = words[i].starts_with(kWithValue);
      if (!with_value && (i == 0 || words[i - 1] != "--proxy")) continue;
      if (words[i].find('@') == std::string::npos) continue;
      const std::size_t begin = with_value ? kWithValue.size() : 0;
      url_ = Secret(std::string_view(words[i]).substr(begin));
      Secret::wipe(words[i]);
      words[i] = std::string(with_value ? kWithValue : "").append(kInItsPlace);
    }
  }
  void put_back(settings::Flags& flags) const {
    if (flags.proxy == kInItsPlace) flags.proxy = std::string(url_.reveal());
  }

 private:
  static constexpr std::string_view kWithValue = "--proxy=", kInItsPlace = "\x01";
  Secret url_;
};

}  // namespace

Result<CommandLine> parse_command_line(std::vector<std::string> words) {
  Grammar grammar;
  const ProxyAside proxy(words);
  put_command_first(words, grammar.app);
  try {
    grammar.app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
    proxy.put_back(grammar.flags);
    return parsed(grammar);
  } catch (const CLI::CallForHelp&) {
    return CommandLine{.arguments = help_on_line(grammar.app), .flags = std::move(grammar.flags)};
  } catch (const CLI::CallForVersion&) {
    return CommandLine{.arguments = VersionArguments{}, .flags = std::move(grammar.flags)};
  } catch (const CLI::ParseError& error) {
    if (auto unknown = unknown_word(grammar.app)) return *std::move(unknown);
    const CLI::App& command = command_of(grammar.app);
    return usage_error(error.what(), "see " + full_name(command) + " --help");
  }
}

bool wants_json_log(const std::vector<std::string>& words) {
  const auto at = std::ranges::find(words, "--log-format");
  if (at != words.end() && at + 1 != words.end()) return *(at + 1) == "json";
  return std::ranges::find(words, "--log-format=json") != words.end();
}

}  // namespace skewguard::cli
