#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/strings.hpp"
#include "cli/commands.hpp"
#include "cli/conclude.hpp"
#include "doctor/survey.hpp"
#include "http/url.hpp"
#include "runtime/real_transport.hpp"
#include "time/duration_text.hpp"

namespace skewguard::cli {
namespace {

using clocks::Picture;
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

double seconds_of(Duration d) {
  return std::round(static_cast<double>(d.count()) / 1e3) / 1e6;
}
Json or_null(const std::optional<Duration>& d) {
  return d ? Json(seconds_of(*d)) : Json();
}

std::string_view picture_name(Picture picture) {
  switch (picture) {
    case Picture::none:
      return "none";
    case Picture::one_clock:
      return "one_clock";
    case Picture::late_or_second_clock:
      return "late_or_second_clock";
    case Picture::several_clocks:
      return "several_clocks";
    case Picture::incoherent:
      return "not_a_clock";
  }
  return "none";
}

Json groups_json(const ClockReading& reading) {
  Json groups = Json::array();
  for (const clocks::ClockGroup& group : reading.groups) {
    groups.push_back({{"offset_low_s", seconds_of(group.offset.low)},
                      {"offset_high_s", seconds_of(group.offset.high)},
                      {"share", std::round(group.share * 1000) / 1000},
                      {"samples", group.samples}});
  }
  return groups;
}

Json server_json(const ClockReading& reading) {
  const auto& bound = reading.bound;
  Json json = {{"url", reading.url},
               {"offset_s", or_null(reading.best)},
               {"offset_low_s", bound ? Json(seconds_of(bound->low)) : Json()},
               {"offset_high_s", bound ? Json(seconds_of(bound->high)) : Json()},
               {"staleness_s", seconds_of(reading.staleness)},
               {"samples", reading.samples},
               {"requests", reading.asked},
               {"rtt_min_ms", reading.rtt_min ? Json(seconds_of(*reading.rtt_min * 1000)) : Json()},
               {"excluded_share", reading.excluded.share < 1
                                      ? Json(std::round(reading.excluded.share * 1000) / 1000)
                                      : Json()},
               {"excluded_beyond_s",
                reading.excluded.share < 1 ? Json(seconds_of(reading.excluded.beyond)) : Json()},
               {"picture", picture_name(reading.picture)},
               {"steps", reading.steps},
               {"addresses", reading.addresses}};
  if (!reading.groups.empty()) json["groups"] = groups_json(reading);
  if (reading.failure) json["failure"] = reading.failure->detail;
  return json;
}

std::string as_json(const std::vector<ClockReading>& readings) {
  Json json = {{"schema", "skewguard.skew/1"}, {"servers", Json::array()}};
  for (const ClockReading& reading : readings) json["servers"].push_back(server_json(reading));
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

/// "+312.402 s", "-0.3 ms": as many digits as the width of the bound bears out.
std::string offset_text(Duration offset, Duration width) {
  const double s = static_cast<double>(offset.count()) / 1e9;
  if (width >= std::chrono::milliseconds{100}) return fmt::format("{:+.2f} s", s);
  if (offset >= std::chrono::seconds{1} || offset <= -std::chrono::seconds{1} ||
      width >= std::chrono::milliseconds{10}) {
    return fmt::format("{:+.4f} s", s);
  }
  return fmt::format("{:+.2f} ms", s * 1e3);
}

std::string bounds_text(const OffsetBound& bound) {
  return offset_text(bound.low, bound.width()) + " .. " + offset_text(bound.high, bound.width());
}

/// Positive offsets mean that the server is ahead.
std::string verdict_of(const ClockReading& reading, Duration max_skew) {
  if (!reading.bound) {
    if (reading.failure) return "no answer: " + reading.failure->detail;
    return reading.asked == 0 ? "not asked yet" : "no clock to be seen: " + reading.no_sample;
  }
  if (reading.steps > 0) {
    return "its clock stepped by " + time::human(reading.last_step.value_or(Duration{0})) +
           " while it was measured";
  }
  if (reading.picture == Picture::incoherent) return "its Date is not a clock";
  if (reading.picture == Picture::several_clocks) {
    return fmt::format("{} clocks behind one name", reading.groups.size());
  }
  if (reading.picture == Picture::late_or_second_clock) return "late Dates, or a second clock";
  const OffsetBound& bound = *reading.bound;
  if (bound.low > max_skew) return "ahead, harmful";
  if (bound.high < -max_skew) return "behind, harmful";
  if (bound.low > Duration{0}) return "ahead";
  if (bound.high < Duration{0}) return "behind";
  return "agrees";
}

bool harmful(const ClockReading& reading, Duration max_skew) {
  const auto beyond = [max_skew](const OffsetBound& bound) {
    return bound.low > max_skew || bound.high < -max_skew;
  };
  if (!reading.bound) return false;
  return beyond(*reading.bound) ||
         std::ranges::any_of(reading.groups, [&](const auto& g) { return beyond(g.offset); });
}

std::string row_of(const ClockReading& reading, Duration max_skew, std::size_t name_width) {
  const auto cell = [&](bool known, std::string text) { return known ? std::move(text) : "-"; };
  const bool known = reading.bound.has_value();
  std::string row = fmt::format(
      "{:{}}  {:>12}  {:>26}  {:>9}  {:>7}  {:>8}  {}\n", reading.url, name_width,
      cell(known, known ? offset_text(*reading.best, reading.bound->width()) : ""),
      cell(known, known ? bounds_text(*reading.bound) : ""),
      cell(reading.rtt_min.has_value(),
           reading.rtt_min ? fmt::format("{:.2f} ms", seconds_of(*reading.rtt_min * 1000)) : ""),
      fmt::format("{}/{}", reading.samples, reading.asked),
      cell(reading.excluded.share < 1, fmt::format("{:.0f}%", reading.excluded.share * 100)),
      one_line(verdict_of(reading, max_skew)));
  for (const clocks::ClockGroup& group : reading.groups) {
    row += fmt::format("{:{}}  {:>12}  {:>26}  {:>9}  {:>7}  {:>8}  one of its clocks\n", "",
                       name_width, offset_text(group.offset.middle(), group.offset.width()),
                       bounds_text(group.offset), "", group.samples,
                       fmt::format("{:.0f}%", group.share * 100));
  }
  return row;
}

std::string table_of(const std::vector<ClockReading>& readings, Duration max_skew) {
  std::size_t width = 6;
  for (const ClockReading& reading : readings) width = std::max(width, reading.url.size());
  std::string text = fmt::format("{:{}}  {:>12}  {:>26}  {:>9}  {:>7}  {:>8}  verdict\n", "server",
                                 width, "offset", "bounds", "rtt min", "samples", "excluded");
  for (const ClockReading& reading : readings) text += row_of(reading, max_skew, width);
  return text +
         "\noffset: server minus this machine's clock; positive = the server is ahead. excluded: "
         "a\n"
         "second clock behind the name would have been noticed if it gave more of the answers.\n";
}

int code_of(const std::vector<ClockReading>& readings, Duration max_skew) {
  if (std::ranges::any_of(readings, [&](const auto& r) { return harmful(r, max_skew); })) return 4;
  const bool heard =
      std::ranges::any_of(readings, [](const auto& r) { return r.bound.has_value(); });
  return heard ? 0 : 6;
}

}  // namespace

int run_skew(const SkewArguments& arguments, Session& session) {
  const auto probes = probes_of(arguments);
  if (!probes) return fail(probes.error(), session);
  auto servers = servers_of(arguments, session);
  if (!servers) return fail(servers.error(), session);
  doctor::SurveyOptions options{.servers = *std::move(servers),
                                .budget = {.probes = *probes, .time = time_for(*probes)},
                                .staleness = session.options.staleness,
                                .tls = runtime::tls_options(session.options),
                                .proxy = session.options.proxy};
  const auto progress = [&](const std::vector<ClockReading>& so_far) {
    if (!session.world.err_is_terminal || arguments.json) return;
    std::size_t asked = 0;
    for (const ClockReading& reading : so_far) asked += reading.asked;
    session.world.err(fmt::format("\r{} requests sent", asked));
  };
  const auto readings = session.world.measure(std::move(options), progress);
  if (session.world.err_is_terminal && !arguments.json) session.world.err("\r\x1b[K");
  if (!readings) return fail(readings.error(), session);
  const std::string text =
      arguments.json ? as_json(*readings) : table_of(*readings, session.max_skew);
  if (!print(text, session)) return 1;
  return code_of(*readings, session.max_skew);
}

}  // namespace skewguard::cli
