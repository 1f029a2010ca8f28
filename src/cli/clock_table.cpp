#include "cli/clock_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "base/strings.hpp"
#include "cli/conclude.hpp"
#include "cli/readings.hpp"
#include "doctor/consensus.hpp"
#include "time/duration_text.hpp"
#include "time/offset_text.hpp"

namespace skewguard::cli {
namespace {

using doctor::ClockReading;

/// One line; unknown values are "-".
struct ClockRow {
  std::string name;
  std::optional<OffsetBound> bound{};
  std::optional<Duration> best{};
  std::optional<Duration> rtt{};
  std::string samples = "-";
  std::string excluded = "-";
  std::string verdict;
};

std::string offset_of(const ClockRow& row) {
  return row.bound && row.best ? time::offset_text(*row.best, row.bound->width()) : "-";
}

/// What to show of its clock; nothing if it is not a clock.
std::optional<OffsetBound> told_bound(const ClockReading& reading) {
  return reading.no_clock() ? std::nullopt : reading.bound;
}

/// There is no single estimate for several clocks, nor for one that may be late by an unknown
/// amount.
std::optional<Duration> told_estimate(const ClockReading& reading) {
  const bool one = reading.has_one_time() && !reading.renewed_late;
  return one ? reading.best : std::nullopt;
}

/// All cells but the verdict, which comes last and may be long.
std::string cells_of(const ClockRow& row, std::size_t name_width) {
  return fmt::format("{:{}}  {:>12}  {:>28}  {:>9}  {:>7}  {:>8}  ", row.name, name_width,
                     offset_of(row), row.bound ? time::bounds_text(*row.bound) : "-",
                     row.rtt ? time::human(*row.rtt) : "-", row.samples, row.excluded);
}

/// One below the other if they do not fit side by side.
std::string block_of(const ClockRow& row, std::size_t width) {
  std::string text = row.name + "\n";
  const auto add = [&](std::string_view what, const std::string& says) {
    if (says != "-") text += fmt::format("    {:10}{}\n", what, wrapped(says, 14, width));
  };
  add("verdict", one_line(row.verdict));
  add("offset", offset_of(row));
  add("bounds", row.bound ? time::bounds_text(*row.bound) : "-");
  add("rtt min", row.rtt ? time::human(*row.rtt) : "-");
  add("samples", row.samples);
  add("excluded", row.excluded);
  return text;
}

/// A table if it fits, with room for a verdict; otherwise blocks.
std::string text_of(const std::vector<ClockRow>& rows, const Screen& screen) {
  constexpr std::size_t kLeastVerdict = 16;  // columns
  std::size_t name = 6;
  for (const ClockRow& row : rows) name = std::max(name, columns_of(row.name));
  const std::string header =
      fmt::format("{:{}}  {:>12}  {:>28}  {:>9}  {:>7}  {:>8}  verdict\n", "server", name, "offset",
                  "bounds", "rtt min", "samples", "excluded");
  const std::size_t cells = cells_of({}, name).size();
  const bool fits = cells + kLeastVerdict <= screen.columns;
  std::string text = fits ? header : "";
  for (const ClockRow& row : rows) {
    text += fits
                ? cells_of(row, name) + wrapped(one_line(row.verdict), cells, screen.columns) + "\n"
                : block_of(row, screen.columns);
  }
  return text;
}

std::string with_standing(const std::string& verdict, bool wrong) {
  return wrong ? verdict + ", a falseticker" : verdict;
}

void add_rows(const ClockReading& reading, bool wrong, bool harmful, std::vector<ClockRow>& rows) {
  constexpr double kTells = 0.9;  // a larger share tells nothing
  rows.push_back({.name = reading.url,
                  .bound = told_bound(reading),
                  .best = told_estimate(reading),
                  .rtt = reading.rtt_min,
                  .samples = fmt::format("{}/{}", reading.samples, reading.asked),
                  .excluded = reading.excluded.share < kTells && !reading.no_clock()
                                  ? fmt::format("{:.0f}%", reading.excluded.share * 100)
                                  : "-",
                  .verdict = with_standing(state_of(reading, harmful), wrong)});
  if (reading.picture != clocks::Picture::several_clocks) return;
  for (const clocks::ClockGroup& group : reading.groups) {
    rows.push_back({.name = "  one of its clocks",
                    .bound = group.offset,
                    .best = group.best,
                    .samples = std::to_string(group.samples),
                    .verdict = fmt::format("{:.0f}% of the answers", group.share * 100)});
  }
}

std::string about_host(const doctor::HostReading& host) {
  std::string text = "this machine: ";
  if (!host.kernel) return text + "the kernel does not say how its clock is kept";
  text += host.kernel->synchronized ? "synchronized, says the kernel" : "not synchronized";
  if (host.synchronized_within()) text += " within " + time::human(*host.synchronized_within());
  for (const auto& service : host.services)
    if (service.running) text += "; " + service.name + " is running";
  return text;
}

std::string about_hosts(const doctor::Harm& harm) {
  if (!harm.login_and_api) return "";
  return "login and API host: their clocks differ by more than --max-skew, which is harmful";
}

/// Only if there is more than one clock that could agree.
std::string about_all(const doctor::Consensus& known) {
  if (known.heard < 2) return "";
  if (!known.agreed) return "together: the clocks differ, and no majority shows which are right";
  std::string text = fmt::format("together: {} of {} clocks agree on {}", known.agreeing,
                                 known.heard, time::bounds_text(*known.agreed));
  if (const auto near = known.heard - known.agreeing - known.wrong; near > 0)
    text += fmt::format("; {} within a second of it", near);
  if (known.local_wrong) {
    text += std::string("; this machine's clock is ") +
            (known.agreed->middle() > Duration{0} ? "behind" : "ahead");
  }
  return text;
}

constexpr std::size_t kHistory = 40;

/// The first cells of a line of `skew --watch`.
std::string watch_cells(std::string_view name, std::string_view offset, std::string_view bounds,
                        std::size_t name_width) {
  return fmt::format("{:{}}  {:>12}  {:>28}  ", name, name_width, offset, bounds);
}

/// Whether there is room for a verdict and some bars after these cells.
bool fits_watch(std::size_t name_width, std::size_t columns) {
  constexpr std::size_t kRest = 24;
  return watch_cells("", "", "", name_width).size() + kRest <= columns;
}

}  // namespace

std::string clock_table(const doctor::Survey& survey, const doctor::Harm& harm,
                        const Screen& screen) {
  std::vector<ClockRow> rows;
  const doctor::Consensus known = doctor::consensus(survey);
  for (std::size_t i = 0; i < survey.servers.size(); ++i)
    add_rows(survey.servers[i], known.servers[i], harm.servers[i], rows);
  for (std::size_t i = 0; i < survey.ntp.size(); ++i) {
    const doctor::NtpReading& reading = survey.ntp[i];
    rows.push_back({.name = "ntp " + reading.host,
                    .bound = reading.truth,
                    .verdict = reading.truth
                                   ? with_standing(fmt::format("stratum {}{}", reading.stratum,
                                                               harm.ntp[i] ? ", harmful" : ""),
                                                   known.ntp[i])
                                   : "no answer: " + reading.why()});
  }
  std::string text = text_of(rows, screen) + "\n";
  for (const std::string& note : {about_all(known), about_hosts(harm), about_host(survey.host)})
    if (!note.empty()) text += wrapped(note, 0, screen.columns) + "\n";
  constexpr std::size_t kLegend = 80;  // columns
  return text +
         wrapped(
             "offset: the server's clock minus this machine's; positive = it is ahead. excluded: a "
             "second clock behind the name would have been noticed if it had given more of the "
             "answers than this.",
             0, std::min(screen.columns, kLegend)) +
         "\n";
}

ClockHistory::ClockHistory(const std::vector<std::string>& urls, std::size_t columns)
    : columns_(columns) {
  for (const std::string& url : urls) name_ = std::max(name_, columns_of(url));
}

std::string ClockHistory::header() const {
  if (!fits_watch(name_, columns_)) return "";
  return watch_cells("server", "offset", "bounds", name_) + "verdict, and the last rounds\n";
}

/// The last estimates, at most `max`, scaled between the ends of all their bounds: a change that no
/// bar shows is within the uncertainty.
std::string ClockHistory::bars(const Points& points, std::size_t max) {
  constexpr std::array<const char*, 8> kBars{"\u2581", "\u2582", "\u2583", "\u2584",
                                             "\u2585", "\u2586", "\u2587", "\u2588"};
  const auto shown = std::span(points).last(std::min(points.size(), max));
  OffsetBound all = shown.front().bound;
  for (const Point& point : shown)
    all = {std::min(all.low, point.bound.low), std::max(all.high, point.bound.high)};
  std::string text;
  for (const Point& point : shown) {
    const auto step = all.width() > Duration{0} ? (point.best - all.low) * 7 / all.width() : 3;
    text += kBars.at(static_cast<std::size_t>(step));
  }
  return text;
}

void ClockHistory::note(const ClockReading& reading, const std::string& state) {
  Server& server = servers_[reading.url];
  server.last = state;
  ++server.asked;
  if (!reading.bound || reading.failure) return;
  ++server.answered;
  const auto best = told_estimate(reading);
  if (!best) return;
  server.min = std::min(server.min.value_or(*best), *best);
  server.max = std::max(server.max.value_or(*best), *best);
  server.width = reading.bound->width();
  Points& points = server.points;
  if (points.size() == kHistory) points.erase(points.begin());
  points.push_back({*best, *reading.bound});
}

/// A row if it fits, otherwise a block below the name. The bars fill the rest.
std::string ClockHistory::line(const ClockReading& reading) const {
  constexpr std::size_t kIndent = 4;
  constexpr std::size_t kLeastBars = 8;  // columns
  const Server& server = servers_.at(reading.url);
  const bool row = fits_watch(name_, columns_);
  const auto bound = reading.failure ? std::nullopt : told_bound(reading);
  std::string text = reading.url;
  std::size_t indent = kIndent;
  if (row) {
    const ClockRow cells{.bound = bound, .best = told_estimate(reading)};
    text = bound ? watch_cells(reading.url, offset_of(cells), time::bounds_text(*bound), name_)
                 : fmt::format("{:{}}  ", reading.url, name_);
    indent = columns_of(text);
    text += wrapped(server.last, indent, columns_);
  } else {
    std::string says = server.last;
    if (bound) {
      const auto best = told_estimate(reading);
      says = (best ? time::offset_text(*best, bound->width()) + ", " : "") + "bounds " +
             time::bounds_text(*bound) + ": " + says;
    }
    text += "\n" + std::string(indent, ' ') + wrapped(says, indent, columns_);
  }
  if (server.points.empty() || reading.failure) return text + "\n";
  const std::size_t column = columns_of(std::string_view(text).substr(text.rfind('\n') + 1)) + 2;
  if (column + kLeastBars <= columns_)
    return text + "  " + bars(server.points, columns_ - column) + "\n";
  return text.append("\n").append(indent, ' ') + bars(server.points, columns_ - indent) + "\n";
}

std::string ClockHistory::lines(const doctor::Survey& survey, const doctor::Harm& harm) {
  const doctor::Consensus known = doctor::consensus(survey);
  std::string text;
  for (std::size_t i = 0; i < survey.servers.size(); ++i) {
    const ClockReading& reading = survey.servers[i];
    note(reading, one_line(with_standing(state_of(reading, harm.servers[i]), known.servers[i])));
    text += line(reading);
  }
  if (const std::string note = about_hosts(harm); !note.empty())
    text += wrapped(note, 0, columns_) + "\n";
  const std::size_t steps = survey.host.watch.wall_steps();
  if (steps > std::exchange(wall_steps_, steps)) {
    text += wrapped("this machine's wall clock was stepped: all offsets have changed by as much", 0,
                    columns_) +
            "\n";
  }
  return text;
}

std::string ClockHistory::summary() const {
  std::string text;
  for (const auto& [url, server] : servers_) {
    std::string says = url + ": ";
    if (server.min) {
      says += time::offset_text(*server.min, server.width);
      if (*server.max != *server.min) says += " to " + time::offset_text(*server.max, server.width);
      says += "; ";
    }
    if (server.answered < server.asked) {
      says += fmt::format("no answer in {} of {}; ", server.asked - server.answered,
                          counted(server.asked, "round"));
    }
    text += wrapped(says + "in the end: " + server.last, 0, columns_) + "\n";
  }
  if (wall_steps_ > 0)
    text += "this machine's wall clock was stepped " + counted(wall_steps_, "time") + "\n";
  return text;
}

}  // namespace skewguard::cli
