#include <algorithm>
#include <string_view>

#include "cli/options.hpp"

namespace skewguard::cli {
namespace {

constexpr std::size_t kWidth = 80;   // columns of a terminal nobody has widened
constexpr std::size_t kColumn = 30;  // where explanations begin

/// `left` in its column, `right` beside it, wrapped.
std::string entry(const std::string& left, std::string_view right) {
  std::string text = "  " + left;
  if (text.size() + 1 > kColumn) {
    text.append("\n").append(kColumn, ' ');
  } else {
    text.append(kColumn - text.size(), ' ');
  }
  std::size_t column = kColumn;
  while (!right.empty()) {
    const std::size_t end = std::min(right.find(' '), right.size());
    if (column > kColumn && column + 1 + end > kWidth) {
      text.append("\n").append(kColumn, ' ');
      column = kColumn;
    }
    if (column > kColumn) {
      text.append(" ");
      ++column;
    }
    text.append(right.substr(0, end));
    column += end;
    right.remove_prefix(std::min(end + 1, right.size()));
  }
  return text.append("\n");
}

std::string entry(const CLI::Option& option) {
  if (option.get_positional()) return entry(option.get_name(), option.get_description());
  std::string names = option.get_name(false, true);
  for (std::size_t comma = names.find(','); comma != std::string::npos;
       comma = names.find(',', comma + 2)) {
    names.insert(comma + 1, " ");
  }
  const std::string value = option.get_items_expected_max() == 0 ? "" : option.get_type_name();
  return entry(value.empty() ? names : names + " " + value, option.get_description());
}

/// Every option of `app` in `group`, under its heading; nothing where there is none.
std::string section(const CLI::App& app, const std::string& group, const std::string& heading) {
  std::string text;
  for (const CLI::Option* option : app.get_options()) {
    if (option->nonpositional() && option->get_group() == group) text.append(entry(*option));
  }
  return text.empty() ? text : "\n" + heading + ":\n" + text;
}

std::string positionals(const CLI::App& app) {
  std::string text;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional()) text.append(entry(*option));
  }
  return text.empty() ? text : "\n" + text;
}

std::string usage(const CLI::App& command) {
  std::string text = "usage: skewguard " + command.get_name() + " [options]";
  for (const CLI::Option* option : command.get_options()) {
    if (!option->get_positional()) continue;
    const std::string name = option->get_name();
    text.append(option->get_required() ? " " + name : " [" + name + "]");
  }
  return text.append("\n");
}

std::string of_program(const CLI::App& app) {
  std::string text = "skewguard " + app.get_description() + "\n\n";
  text.append("usage: skewguard COMMAND [options]\n\ncommands:\n");
  for (const CLI::App* command : app.get_subcommands({})) {
    text.append(entry(command->get_name(), command->get_description()));
  }
  text.append(section(app, kOptionGroup, "options"));
  text.append(section(app, kLoggingGroup, "logging"));
  return text.append(
      "\n\"skewguard help COMMAND\" tells more. Exit codes: 0 done, 1 another error of the API,\n"
      "2 usage or settings, 3 credentials, 4 clock, 5 permission, 6 no answer, 7 rate limit.\n");
}

}  // namespace

std::string help_text(const CLI::App& app) {
  const CLI::App* top = app.get_parent();
  if (top == nullptr) return of_program(app);
  std::string text =
      "skewguard " + app.get_name() + ": " + app.get_description() + "\n\n" + usage(app);
  text.append(positionals(app));
  text.append(section(app, kOptionGroup, "options"));
  if (takes_settings(app)) {
    text.append(section(*top, kSettingGroup,
                        "settings (flag, else [environment], else profile file, else default)"));
  }
  return text.append(section(*top, kLoggingGroup, "logging"));
}

}  // namespace skewguard::cli
