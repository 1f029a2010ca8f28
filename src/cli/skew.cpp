#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/strings.hpp"
#include "cli/clock_table.hpp"
#include "cli/commands.hpp"
#include "cli/conclude.hpp"
#include "cli/json_text.hpp"
#include "cli/readings.hpp"
#include "diagnosis/json_numbers.hpp"
#include "doctor/consensus.hpp"
#include "http/url.hpp"

namespace skewguard::cli {
namespace {

using diagnosis::in_seconds;
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
  const doctor::Consensus known = doctor::consensus(survey);
  Json json = {{"schema", "skewguard.skew/1"}, {"servers", Json::array()}, {"ntp", Json::array()}};
  for (std::size_t i = 0; i < survey.servers.size(); ++i) {
    json["servers"].push_back(to_json(survey.servers[i]));
    json["servers"].back()["falseticker"] = bool{known.servers[i]};
  }
  for (std::size_t i = 0; i < survey.ntp.size(); ++i) {
    json["ntp"].push_back(to_json(survey.ntp[i]));
    json["ntp"].back()["falseticker"] = bool{known.ntp[i]};
  }
  const auto& agreed = known.agreed;
  json["together"] = {{"clocks", known.heard},
                      {"agreeing", known.agreeing},
                      {"falsetickers", known.wrong},
                      {"offset_low_s", agreed ? Json(in_seconds(agreed->low)) : Json()},
                      {"offset_high_s", agreed ? Json(in_seconds(agreed->high)) : Json()},
                      {"local_clock_wrong", known.local_wrong}};
  json["host"] = to_json(survey.host);
  return json;
}

int code_of(const doctor::Survey& survey, Duration max_skew) {
  const auto& servers = survey.servers;
  if (std::ranges::any_of(servers, [&](const auto& r) { return harmful(r, max_skew); })) return 4;
  const bool heard =
      std::ranges::any_of(servers, [](const auto& r) { return r.bound.has_value(); });
  return heard ? 0 : 6;
}

/// Until somebody ends the program, or its output cannot be written any more.
int watch(doctor::SurveyOptions options, const SkewArguments& arguments, Session& session) {
  constexpr clocks::ProbeBudget kRound{.probes = 8, .time = std::chrono::seconds{3}};
  if (!arguments.probes) options.budget = kRound;
  ClockHistory history;
  std::ptrdiff_t drawn = 0;  // lines
  const auto show = [&](const doctor::Survey& known) {
    if (arguments.json) return print(json_text(as_json(known), -1), session);
    const std::string lines = history.lines(known, session.max_skew);
    if (!session.world.out_is_terminal) return print(lines, session);
    // In place of the last ones, and none longer than the terminal is wide.
    const std::string up = drawn > 0 ? fmt::format("\x1b[{}F\x1b[J", drawn) : "";
    drawn = std::ranges::count(lines, '\n');
    return print(up + "\x1b[?7l" + lines + "\x1b[?7h", session);
  };
  const auto survey = session.world.survey(std::move(options), nullptr, show);
  return survey ? 1 : fail(survey.error(), session);
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
      session.world.survey(std::move(options), progress_of(session, arguments.json), nullptr);
  if (session.world.err_is_terminal && !arguments.json) session.world.err("\r\x1b[K");
  if (!survey) return fail(survey.error(), session);
  const std::string text = arguments.json ? json_text(as_json(*survey))
                                          : clock_table(*survey, session.max_skew, session.screen);
  if (!print(text, session)) return 1;
  return code_of(*survey, session.max_skew);
}

}  // namespace skewguard::cli
