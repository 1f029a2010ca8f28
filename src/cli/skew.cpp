#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/strings.hpp"
#include "cli/commands.hpp"
#include "cli/conclude.hpp"
#include "cli/readings.hpp"
#include "doctor/judge.hpp"
#include "http/url.hpp"
#include "time/duration_text.hpp"

namespace skewguard::cli {
namespace {

using doctor::ClockReading;
using Json = nlohmann::ordered_json;

constexpr std::size_t kMostProbes = 1000;

Result<std::size_t> probes_of(const SkewArguments& arguments) {
  if (!arguments.probes) return doctor::SurveyOptions{}.budget.probes;
  std::size_t probes = 0;
  const std::string_view digits = trim(*arguments.probes);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), probes);
  if (error != std::errc{} || end != digits.data() + digits.size() || probes < 1 ||
      probes > kMostProbes) {
    return usage_error("--probes is not a number from 1 to 1000", "16 give a millisecond or two");
  }
  return probes;
}

/// A quarter of a second for each probe beyond the usual ones.
Duration time_for(std::size_t probes) {
  const clocks::ProbeBudget usual;
  const auto more = static_cast<std::int64_t>(std::max(probes, usual.probes) - usual.probes);
  return usual.time + more * std::chrono::milliseconds{250};
}

Result<http::Url> server_url(const std::string& text, const Session& session) {
  const bool scheme = text.find("://") != std::string::npos;
  auto url = http::parse_url(scheme ? text : "https://" + text);
  if (!url) return usage_error(url.error().message, "give a URL, as in https://login.example.com");
  if (!url->tls() && !url->loopback() && !session.options.insecure_http) {
    return usage_error(url->text() + " is http:// and not a loopback address",
                       "use https://, or --insecure-http: nothing secret is sent");
  }
  return url;
}

Result<std::vector<http::Url>> servers_of(const SkewArguments& arguments, const Session& session) {
  std::vector<std::string> texts = arguments.urls;
  if (texts.empty()) {
    for (const std::string& url : {session.options.login_url, session.options.api_url})
      if (!url.empty()) texts.push_back(url + "/");
  }
  if (texts.empty()) {
    return usage_error("no server to measure",
                       "give URLs, or the region (GENESYS_CLOUD_REGION or --region)");
  }
  std::vector<http::Url> urls;
  for (const std::string& text : texts) {
    auto url = server_url(text, session);
    if (!url) return std::move(url).error();
    urls.push_back(*std::move(url));
  }
  return urls;
}

Json as_json(const doctor::Survey& survey) {
  Json json = {{"schema", "skewguard.skew/1"}, {"servers", Json::array()}, {"ntp", Json::array()}};
  for (const ClockReading& reading : survey.servers) json["servers"].push_back(to_json(reading));
  for (const auto& reading : survey.ntp) json["ntp"].push_back(to_json(reading));
  json["host"] = to_json(survey.host);
  return json;
}

// The table ---------------------------------------------------------------------------------------

/// One line: what it is of, and what is not known as "-".
struct Row {
  std::string name;
  std::optional<OffsetBound> bound{};
  std::optional<Duration> best{};
  std::optional<Duration> rtt{};
  std::string samples = "-";
  std::string excluded = "-";
  std::string verdict;
};

std::string line_of(const Row& row, std::size_t name_width) {
  const auto width = row.bound ? row.bound->width() : Duration{0};
  const Duration best = row.best.value_or(row.bound ? row.bound->middle() : Duration{0});
  return fmt::format("{:{}}  {:>12}  {:>28}  {:>9}  {:>7}  {:>8}  {}\n", row.name, name_width,
                     row.bound ? doctor::offset_text(best, width) : "-",
                     row.bound ? doctor::bounds_text(*row.bound) : "-",
                     row.rtt ? time::human(*row.rtt) : "-", row.samples, row.excluded,
                     one_line(row.verdict));
}

void add_rows(const ClockReading& reading, Duration max_skew, std::vector<Row>& rows) {
  constexpr double kTells = 0.9;  // what leaves more than this open tells nothing
  rows.push_back({.name = reading.url,
                  .bound = reading.bound,
                  .best = reading.best,
                  .rtt = reading.rtt_min,
                  .samples = fmt::format("{}/{}", reading.samples, reading.asked),
                  .excluded = reading.excluded.share < kTells
                                  ? fmt::format("{:.0f}%", reading.excluded.share * 100)
                                  : "-",
                  .verdict = state_of(reading, max_skew)});
  for (const clocks::ClockGroup& group : reading.groups) {
    rows.push_back({.name = "  one of its clocks",
                    .bound = group.offset,
                    .samples = std::to_string(group.samples),
                    .verdict = fmt::format("{:.0f}% of the answers", group.share * 100)});
  }
}

std::string about_host(const doctor::HostReading& host) {
  std::string text = "this machine: ";
  if (!host.kernel) return text + "the kernel does not say how its clock is kept\n";
  text += host.kernel->synchronised ? "synchronised, as the kernel says" : "not synchronised";
  if (host.synchronised_within()) text += " within " + time::human(*host.synchronised_within());
  for (const auto& service : host.services)
    if (service.running) text += "; " + service.name + " is running";
  return text + "\n";
}

std::string table_of(const doctor::Survey& survey, Duration max_skew) {
  std::vector<Row> rows;
  for (const ClockReading& reading : survey.servers) add_rows(reading, max_skew, rows);
  for (const doctor::NtpReading& reading : survey.ntp) {
    rows.push_back({.name = "ntp " + reading.host,
                    .bound = reading.truth,
                    .verdict = reading.truth ? fmt::format("stratum {}", reading.stratum)
                                             : "no answer: " + reading.failure});
  }
  std::size_t width = 6;
  for (const Row& row : rows) width = std::max(width, row.name.size());
  std::string text = fmt::format("{:{}}  {:>12}  {:>28}  {:>9}  {:>7}  {:>8}  verdict\n", "server",
                                 width, "offset", "bounds", "rtt min", "samples", "excluded");
  for (const Row& row : rows) text += line_of(row, width);
  return text + "\n" + about_host(survey.host) +
         "offset: its clock minus this machine's; positive = it is ahead. excluded: a second "
         "clock\n"
         "behind the name would have been noticed if it gave more of the answers than this.\n";
}

int code_of(const doctor::Survey& survey, Duration max_skew) {
  const auto& servers = survey.servers;
  if (std::ranges::any_of(servers, [&](const auto& r) { return harmful(r, max_skew); })) return 4;
  const bool heard =
      std::ranges::any_of(servers, [](const auto& r) { return r.bound.has_value(); });
  return heard ? 0 : 6;
}

// Going on ----------------------------------------------------------------------------------------

/// The last estimates as bars between their least and their most.
std::string sparkline(const std::vector<Duration>& history) {
  constexpr std::array<const char*, 8> kBars{"\u2581", "\u2582", "\u2583", "\u2584",
                                             "\u2585", "\u2586", "\u2587", "\u2588"};
  const auto [low, high] = std::ranges::minmax(history);
  std::string text;
  for (const Duration offset : history) {
    const auto step = high > low ? (offset - low) * 7 / (high - low) : 3;
    text += kBars.at(static_cast<std::size_t>(step));
  }
  return text;
}

constexpr std::size_t kHistory = 40;

std::string watch_line(const ClockReading& reading, std::vector<Duration>& history,
                       Duration max_skew) {
  if (!reading.best) return reading.url + "  " + one_line(state_of(reading, max_skew)) + "\n";
  if (history.size() == kHistory) history.erase(history.begin());
  history.push_back(*reading.best);
  return fmt::format("{}  {}  {}  {}  {}\n", reading.url,
                     doctor::offset_text(*reading.best, reading.bound->width()),
                     doctor::bounds_text(*reading.bound), sparkline(history),
                     one_line(state_of(reading, max_skew)));
}

/// Until somebody ends the program, or its output cannot be written any more.
int watch(doctor::SurveyOptions options, const SkewArguments& arguments, Session& session) {
  constexpr clocks::ProbeBudget kRound{.probes = 8, .time = std::chrono::seconds{3}};
  if (!arguments.probes) options.budget = kRound;
  std::map<std::string, std::vector<Duration>> history;
  for (bool first = true;; first = false) {
    const auto survey = session.world.survey(options, nullptr);
    if (!survey) return fail(survey.error(), session);
    std::string text;
    if (arguments.json) {
      text = as_json(*survey).dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
    } else {
      if (!first && session.world.out_is_terminal)
        text = fmt::format("\x1b[{}F\x1b[J", survey->servers.size());
      for (const ClockReading& reading : survey->servers)
        text += watch_line(reading, history[reading.url], session.max_skew);
    }
    if (!print(text, session)) return 1;
  }
}

}  // namespace

int run_skew(const SkewArguments& arguments, Session& session) {
  const auto probes = probes_of(arguments);
  if (!probes) return fail(probes.error(), session);
  auto servers = servers_of(arguments, session);
  if (!servers) return fail(servers.error(), session);
  doctor::SurveyOptions options = survey_options(*std::move(servers), session);
  options.budget = {.probes = *probes, .time = time_for(*probes)};
  if (arguments.watch) return watch(std::move(options), arguments, session);
  const auto survey =
      session.world.survey(std::move(options), progress_of(session, arguments.json));
  if (session.world.err_is_terminal && !arguments.json) session.world.err("\r\x1b[K");
  if (!survey) return fail(survey.error(), session);
  const std::string text =
      arguments.json ? as_json(*survey).dump(2, ' ', false, Json::error_handler_t::replace) + "\n"
                     : table_of(*survey, session.max_skew);
  if (!print(text, session)) return 1;
  return code_of(*survey, session.max_skew);
}

}  // namespace skewguard::cli
