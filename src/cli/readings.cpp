#include "cli/readings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "base/strings.hpp"
#include "diagnosis/json_numbers.hpp"
#include "http/url.hpp"
#include "runtime/real_transport.hpp"
#include "time/duration_text.hpp"
#include "time/offset_text.hpp"

namespace skewguard::cli {
namespace {

using clocks::Picture;
using diagnosis::in_ms;
using diagnosis::in_seconds;
using diagnosis::seconds_or_null;
using doctor::ClockReading;
using Json = nlohmann::ordered_json;

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
    groups.push_back({{"offset_s", in_seconds(group.best)},
                      {"offset_low_s", in_seconds(group.offset.low)},
                      {"offset_high_s", in_seconds(group.offset.high)},
                      {"share", std::round(group.share * 1000) / 1000},
                      {"samples", group.samples}});
  }
  return groups;
}

/// What the answers of a reading with bounds show.
std::string shown_by(const ClockReading& reading) {
  const OffsetBound& bound = *reading.bound;
  const bool ahead = bound.low > Duration{0};
  const bool behind = bound.high < Duration{0};
  const std::string side = ahead ? "ahead" : behind ? "behind" : "";
  const std::string at_least =
      side.empty()
          ? ""
          : fmt::format("; {} by at least {}", side, time::human(ahead ? bound.low : -bound.high));
  if (reading.renewed_late) return "its Date is updated only now and then" + at_least;
  if (reading.picture == Picture::incoherent) return "its Date is not a clock";
  if (reading.picture == Picture::several_clocks)
    return fmt::format("{} clocks behind one name", reading.groups.size());
  if (reading.picture == Picture::late_or_second_clock)
    return "late Dates, or a second clock" + at_least;
  return side.empty() ? "agrees" : side;
}

}  // namespace

Json to_json(const ClockReading& reading) {
  const auto& bound = reading.bound;
  Json json = {{"url", reading.url},
               {"server", http::origin_of(reading.url)},
               {"offset_s", seconds_or_null(reading.best)},
               {"offset_low_s", bound ? Json(in_seconds(bound->low)) : Json()},
               {"offset_high_s", bound ? Json(in_seconds(bound->high)) : Json()},
               {"staleness_s", in_seconds(reading.staleness)},
               {"samples", reading.samples},
               {"requests", reading.asked},
               {"rtt_min_ms", reading.rtt_min ? Json(in_ms(*reading.rtt_min)) : Json()},
               {"excluded_share", reading.excluded.share < 1
                                      ? Json(std::round(reading.excluded.share * 1000) / 1000)
                                      : Json()},
               {"excluded_beyond_s",
                reading.excluded.share < 1 ? Json(in_seconds(reading.excluded.beyond)) : Json()},
               {"picture", picture_name(reading.picture)},
               {"steps", reading.steps},
               {"addresses", reading.addresses}};
  if (!reading.groups.empty()) json["groups"] = groups_json(reading);
  if (reading.failure) json["failure"] = reading.failure->detail;
  return json;
}

Json to_json(const doctor::NtpReading& reading) {
  const auto& truth = reading.truth;
  Json json = {{"host", reading.host},
               {"offset_low_s", truth ? Json(in_seconds(truth->low)) : Json()},
               {"offset_high_s", truth ? Json(in_seconds(truth->high)) : Json()},
               {"stratum", truth ? Json(reading.stratum) : Json()}};
  if (truth) json["address"] = reading.address;
  if (!reading.failure.empty()) json["failure"] = reading.failure;
  return json;
}

Json to_json(const doctor::HostReading& reading) {
  const auto& kernel = reading.kernel;
  const auto running =
      std::ranges::find_if(reading.services, [](const auto& service) { return service.running; });
  const auto& machine = reading.machine;
  const auto known = [](const std::string& text) { return text.empty() ? Json() : Json(text); };
  return {{"synchronized", kernel ? Json(kernel->synchronized) : Json()},
          {"max_error_s", seconds_or_null(kernel ? kernel->max_error : std::nullopt)},
          {"frequency_ppm", kernel ? Json(kernel->frequency_ppm) : Json()},
          {"service", running == reading.services.end() ? Json() : Json(running->name)},
          {"container", known(machine.container)},
          {"vm", known(machine.vm)},
          {"wsl", machine.wsl},
          {"suspended_s", in_seconds(machine.suspended)},
          {"wall_steps", reading.watch.wall_steps()}};
}

doctor::SurveyOptions survey_options(std::vector<http::Url> servers, const Session& session) {
  const auto& environment = session.process.surroundings.environment;
  return {.servers = std::move(servers),
          .staleness = session.options.staleness,
          .tls = runtime::tls_options(session.options),
          .proxy = session.options.proxy,
          .ntp = session.options.ntp,
          .path = environment("PATH").value_or("")};
}

doctor::Progress progress_of(const Session& session, bool quiet) {
  if (quiet || !session.process.err_is_terminal) return nullptr;
  return [&process = session.process](const doctor::Survey& so_far) {
    std::size_t asked = 0;
    for (const ClockReading& reading : so_far.servers) asked += reading.asked;
    const auto heard = std::ranges::count_if(so_far.ntp, [](const auto& r) { return !!r.truth; });
    process.err("\r\x1b[K" + counted(asked, "request") + " sent, " +
                counted(static_cast<std::size_t>(heard), "NTP server") + " heard");
  };
}

std::string state_of(const ClockReading& reading, bool harmful) {
  if (reading.failure) return "no answer: " + reading.failure->detail;
  if (!reading.bound) {
    return reading.asked == 0 ? "not asked yet" : "no usable Date: " + reading.no_sample;
  }
  std::string state = shown_by(reading);
  if (harmful) state += ", harmful" + time::hours_hint(*reading.bound);
  if (reading.steps > 0) {
    state += "; it stepped by " + time::human(reading.last_step.value_or(Duration{0})) +
             " while it was measured";
  }
  return state;
}

}  // namespace skewguard::cli
