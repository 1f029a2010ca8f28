#include "cli/clock_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
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

/// One line: what it is of, and what is not known as "-".
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
  if (!row.bound) return "-";
  return time::offset_text(row.best.value_or(row.bound->middle()), row.bound->width());
}

/// All but the verdict, which stands last and may be long.
std::string cells_of(const ClockRow& row, std::size_t name_width) {
  return fmt::format("{:{}}  {:>12}  {:>28}  {:>9}  {:>7}  {:>8}  ", row.name, name_width,
                     offset_of(row), row.bound ? time::bounds_text(*row.bound) : "-",
                     row.rtt ? time::human(*row.rtt) : "-", row.samples, row.excluded);
}

/// One above the other, where they do not fit beside each other.
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

/// A table where it fits, with room for a verdict; else blocks.
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
  constexpr double kTells = 0.9;  // what leaves more than this open tells nothing
  rows.push_back({.name = reading.url,
                  .bound = reading.bound,
                  .best = reading.best,
                  .rtt = reading.rtt_min,
                  .samples = fmt::format("{}/{}", reading.samples, reading.asked),
                  .excluded = reading.excluded.share < kTells
                                  ? fmt::format("{:.0f}%", reading.excluded.share * 100)
                                  : "-",
                  .verdict = with_standing(state_of(reading, harmful), wrong)});
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
  text += host.kernel->synchronised ? "synchronised, as the kernel says" : "not synchronised";
  if (host.synchronised_within()) text += " within " + time::human(*host.synchronised_within());
  for (const auto& service : host.services)
    if (service.running) text += "; " + service.name + " is running";
  return text;
}

std::string about_hosts(const doctor::Harm& harm) {
  if (!harm.login_and_api) return "";
  return "login and API host: their clocks differ by more than --max-skew, harmful";
}

/// Where there is more than one that could agree.
std::string about_all(const doctor::Consensus& known) {
  if (known.heard < 2) return "";
  if (!known.agreed) return "together: the clocks differ, and no majority tells who is right";
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
                                   : "no answer: " + reading.failure});
  }
  std::string text = text_of(rows, screen) + "\n";
  for (const std::string& note : {about_all(known), about_hosts(harm), about_host(survey.host)})
    if (!note.empty()) text += wrapped(note, 0, screen.columns) + "\n";
  constexpr std::size_t kLegend = 80;  // columns
  return text +
         wrapped(
             "offset: its clock minus this machine's; positive = it is ahead. excluded: a "
             "second clock behind the name would have been noticed if it gave more of the "
             "answers than this.",
             0, std::min(screen.columns, kLegend)) +
         "\n";
}

/// The last estimates, between the ends of all their bounds: what no bar shows is too small to be
/// told from what is not known.
std::string ClockHistory::bars(const Points& points) {
  constexpr std::array<const char*, 8> kBars{"\u2581", "\u2582", "\u2583", "\u2584",
                                             "\u2585", "\u2586", "\u2587", "\u2588"};
  OffsetBound all = points.front().bound;
  for (const Point& point : points)
    all = {std::min(all.low, point.bound.low), std::max(all.high, point.bound.high)};
  std::string text;
  for (const Point& point : points) {
    const auto step = all.width() > Duration{0} ? (point.best - all.low) * 7 / all.width() : 3;
    text += kBars.at(static_cast<std::size_t>(step));
  }
  return text;
}

void ClockHistory::note(const ClockReading& reading, const std::string& state) {
  Server& server = servers_[reading.url];
  server.last = state;
  ++server.asked;
  if (!reading.best || reading.failure) return;
  ++server.answered;
  server.least = std::min(server.least.value_or(*reading.best), *reading.best);
  server.most = std::max(server.most.value_or(*reading.best), *reading.best);
  server.width = reading.bound->width();
  Points& points = server.points;
  if (points.size() == kHistory) points.erase(points.begin());
  points.push_back({*reading.best, *reading.bound});
}

std::string ClockHistory::lines(const doctor::Survey& survey, const doctor::Harm& harm) {
  const doctor::Consensus known = doctor::consensus(survey);
  struct Line {
    std::string url;
    std::string offset;
    std::string bounds;
    std::string rest;
  };
  std::vector<Line> lines{{"server", "offset", "bounds", "verdict, and the last rounds"}};
  Line widest = lines.front();  // in each of its parts
  for (std::size_t i = 0; i < survey.servers.size(); ++i) {
    const ClockReading& reading = survey.servers[i];
    Line line{
        .url = reading.url,
        .rest = one_line(with_standing(state_of(reading, harm.servers[i]), known.servers[i]))};
    note(reading, line.rest);
    if (reading.best && !reading.failure) {
      line.offset = time::offset_text(*reading.best, reading.bound->width());
      line.bounds = time::bounds_text(*reading.bound);
      line.rest += "  " + bars(servers_[reading.url].points);
    }
    for (const auto part : {&Line::url, &Line::offset, &Line::bounds})
      if ((line.*part).size() > (widest.*part).size()) widest.*part = line.*part;
    lines.push_back(std::move(line));
  }
  std::string text;
  for (const Line& line : lines) {
    text += fmt::format("{:{}}  ", line.url, widest.url.size());
    if (!line.offset.empty()) {
      text += fmt::format("{:>{}}  {:>{}}  ", line.offset, widest.offset.size(), line.bounds,
                          widest.bounds.size());
    }
    text += line.rest + "\n";
  }
  if (const std::string note = about_hosts(harm); !note.empty()) text += note + "\n";
  const std::size_t steps = survey.host.watch.wall_steps();
  if (steps > std::exchange(wall_steps_, steps))
    text += "this machine's wall clock was stepped: all offsets have changed by as much\n";
  return text;
}

std::string ClockHistory::summary() const {
  std::string text;
  for (const auto& [url, server] : servers_) {
    text += url + ": ";
    if (server.least) {
      text += time::offset_text(*server.least, server.width);
      if (*server.most != *server.least)
        text += " to " + time::offset_text(*server.most, server.width);
      text += "; ";
    }
    if (server.answered < server.asked) {
      text += fmt::format("no answer in {} of {}; ", server.asked - server.answered,
                          counted(server.asked, "round"));
    }
    text += "in the end: " + server.last + "\n";
  }
  if (wall_steps_ > 0)
    text += "this machine's wall clock was stepped " + counted(wall_steps_, "time") + "\n";
  return text;
}

}  // namespace skewguard::cli
