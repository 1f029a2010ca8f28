#include "cli/doctor_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "cli/logger.hpp"

namespace skewguard::cli {
namespace {

using doctor::Check;
using Status = Check::Status;

struct Mark {
  std::string_view sign;  ///< one column
  std::string_view color;
};

Mark mark_of(Status status) {
  switch (status) {
    case Status::ok:
      return {"\u2713", kGreen};
    case Status::warn:
      return {"!", kYellow};
    case Status::fail:
      return {"\u2717", kRed};
    case Status::skipped:
      break;
  }
  return {"-", kFaint};
}

/// "[!] " on a terminal, "warn    " in a file.
std::string marked(Status status, const Screen& screen) {
  const Mark mark = mark_of(status);
  if (!screen.terminal) return fmt::format("{:8}", to_string(status));
  return "[" + colored(mark.sign, mark.color, screen) + "] ";
}

/// The worst finding.
Status worst_of(const doctor::Diagnosis& diagnosis) {
  if (diagnosis.exit_code != 0) return Status::fail;
  const bool warned = std::ranges::any_of(diagnosis.checks, [](const Check& check) {
    return check.status == Status::warn || check.status == Status::fail;
  });
  return warned ? Status::warn : Status::ok;
}

std::string of_verdict(const doctor::Diagnosis& diagnosis, const Screen& screen) {
  const std::size_t indent = screen.terminal ? 4 : 0;
  const std::string words = diagnosis.verdict + ": " + one_line(diagnosis.summary);
  std::string text = screen.terminal ? marked(worst_of(diagnosis), screen) : "";
  text += wrapped(words, indent, screen.columns);
  if (!diagnosis.fix.empty()) {
    text.append("\n").append(indent, ' ');
    text += wrapped("fix: " + one_line(diagnosis.fix), indent, screen.columns);
  }
  return text + "\n";
}

std::string of_check(const Check& check, const Screen& screen) {
  constexpr std::size_t kName = 19;    // columns: "clock_sync_service" and a blank
  constexpr std::size_t kNarrow = 60;  // below this there is no room next to the name
  const std::size_t mark = screen.terminal ? 4 : 8;
  const bool narrow = screen.columns < kNarrow;
  const std::size_t indent = narrow ? 4 : mark + kName + 1;
  std::string text = marked(check.status, screen) + check.name;
  if (narrow) {
    text.append("\n").append(indent, ' ');
  } else {
    text.append(kName + 1 - std::min(check.name.size(), kName), ' ');
  }
  text += wrapped(one_line(check.detail), indent, screen.columns);
  if (!check.fix.empty()) {
    text.append("\n").append(indent, ' ');
    text += wrapped("fix: " + one_line(check.fix), indent, screen.columns);
  }
  return text + "\n";
}

}  // namespace

std::string doctor_text(const doctor::Diagnosis& diagnosis, const Screen& screen) {
  std::string text = of_verdict(diagnosis, screen) + "\n";
  for (const Status status : {Status::fail, Status::warn, Status::skipped, Status::ok}) {
    for (const Check& check : diagnosis.checks)
      if (check.status == status) text += of_check(check, screen);
  }
  return text;
}

}  // namespace skewguard::cli
