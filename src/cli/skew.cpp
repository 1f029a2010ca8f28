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
#include "doctor/harm.hpp"
#include "http/url.hpp"
#include "time/duration_text.hpp"
#include "time/http_date.hpp"

namespace skewguard::cli {
namespace {

using diagnosis::in_seconds;
using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxProbes = 1000;

Result<std::size_t> probes_of(const SkewArguments& arguments) {
  if (!arguments.probes) return doctor::SurveyOptions{}.budget.probes;
  std::size_t probes = 0;
  const std::string_view digits = trim(*arguments.probes);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), probes);
  if (error != std::errc{} || end != digits.data() + digits.size() || probes < 1 ||
      probes > kMaxProbes) {
    return usage_error("--probes is not a number from 1 to 1000",
                       "16 give a precision of a millisecond or two");
  }
  return probes;
}

/// Adds a quarter of a second for each probe beyond the default.
Duration time_for(std::size_t probes) {
  const clocks::ProbeBudget usual;
  const auto more = static_cast<std::int64_t>(std::max(probes, usual.probes) - usual.probes);
  return usual.time + more * std::chrono::milliseconds{250};
}

Result<http::Url> server_url(const std::string& text, const Session& session) {
  const bool scheme = text.find("://") != std::string::npos;
  auto url = http::parse_url(scheme ? text : "https://" + text);
  if (!url) return usage_error(url.error().message, "use a URL such as https://login.example.com");
  if (!url->tls() && !url->loopback() && !session.options.insecure_http) {
    return usage_error(url->text() + " uses http:// for an address that is not loopback",
                       "use https://, or add --insecure-http: nothing secret is sent");
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
                       "name URLs, or set the region (GENESYS_CLOUD_REGION or --region)");
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

/// The login and API host of the settings; empty if URLs were named, or one of the two is not set.
std::optional<doctor::TokenHosts> token_hosts(const SkewArguments& arguments,
                                              const Session& session) {
  const auto& options = session.options;
  if (!arguments.urls.empty() || options.login_url.empty() || options.api_url.empty())
    return std::nullopt;
  return doctor::TokenHosts{};
}

int code_of(const doctor::Survey& survey, const doctor::Harm& harm) {
  if (harm.any()) return 4;
  const bool heard =
      std::ranges::any_of(survey.servers, [](const auto& r) { return r.bound.has_value(); });
  return heard ? 0 : 6;
}

/// The output of `skew --watch`, round by round. An interrupt may come at any moment.
class Watch {
 public:
  Watch(Session& session, bool json, std::optional<doctor::TokenHosts> hosts,
        const std::vector<std::string>& urls)
      : session_(session),
        json_(json),
        hosts_(hosts),
        history_(urls, session.screen.terminal ? session.screen.columns : kUnbroken) {}

  /// Announces the measurement before the first round. False if nobody reads it.
  bool begin() {
    const std::lock_guard lock(mutex_);
    if (json_) return true;
    if (!session_.screen.terminal)
      return print(fmt::format("{:{}}  {}", "time", stamp().size(), history_.header()), session_);
    return draw("measuring, until Ctrl-C; positive = ahead of this machine", history_.header());
  }
  /// False if the reader is gone.
  bool show(const doctor::Survey& known) {
    const std::lock_guard lock(mutex_);
    if (rounds_++ == 0) since_ = now();
    const doctor::Harm harm = doctor::harm_of(known, hosts_, session_.max_skew);
    note_code(code_of(known, harm));
    if (json_) {
      Json json = as_json(known);
      json["time"] = stamp();
      return print(json_text(json, -1), session_);
    }
    const std::string lines = history_.lines(known, harm);
    if (!session_.screen.terminal) return print(stamped(lines), session_);
    return draw(fmt::format("{}, round {}, until Ctrl-C; positive = ahead of this machine", stamp(),
                            rounds_),
                history_.header() + lines);
  }
  /// Prints the summary; returns the exit code.
  int end() {
    const std::lock_guard lock(mutex_);
    if (rounds_ == 0) {
      return fail({.kind = ErrorKind::unavailable,
                   .message = "interrupted before the end of the first round: nothing was measured",
                   .remedy = "allow a few seconds for a round"},
                  session_);
    }
    if (json_) return *code_;
    print(fmt::format("\n{} in {}\n", counted(rounds_, "round"), time::human(now() - since_)) +
              history_.summary(),
          session_);
    return *code_;
  }

 private:
  [[nodiscard]] WallTime now() const { return session_.process.clock->now().wall; }
  [[nodiscard]] std::string stamp() const { return time::format_rfc3339(now().time_since_epoch()); }
  /// Harm in any round counts; otherwise, whether any clock answered.
  void note_code(int code) {
    if (code_ != 4) code_ = code == 4 ? code : std::min(code_.value_or(code), code);
  }
  /// Prefixes each line with the time.
  [[nodiscard]] std::string stamped(std::string_view lines) const {
    std::string text;
    for (; !lines.empty(); lines.remove_prefix(lines.find('\n') + 1))
      text.append(stamp()).append("  ").append(lines.substr(0, lines.find('\n') + 1));
    return text;
  }
  /// Redraws in place. No line may be wider than the terminal, which would wrap it; a long word may
  /// be.
  bool draw(std::string_view title, const std::string& lines) {
    const std::string up = drawn_ > 0 ? fmt::format("\x1b[{}F\x1b[J", drawn_) : "";
    const std::string text = wrapped(title, 0, session_.screen.columns) + "\n" + lines;
    drawn_ = std::ranges::count(text, '\n');
    return print(up + "\x1b[?7l" + text + "\x1b[?7h", session_);
  }

  Session& session_;
  bool json_;
  std::optional<doctor::TokenHosts> hosts_;
  std::mutex mutex_;
  ClockHistory history_;
  std::size_t rounds_ = 0;
  WallTime since_{};
  std::optional<int> code_;
  std::ptrdiff_t drawn_ = 0;  // lines
};

/// Runs until the program is ended, or its output can no longer be written.
int watch(doctor::SurveyOptions options, const SkewArguments& arguments, Session& session) {
  constexpr clocks::ProbeBudget kRound{.probes = 8, .time = std::chrono::seconds{3}};
  if (!arguments.probes) options.budget = kRound;
  std::vector<std::string> urls;
  urls.reserve(options.servers.size());
  for (const http::Url& url : options.servers) urls.push_back(url.text());
  const auto rounds =
      std::make_shared<Watch>(session, arguments.json, token_hosts(arguments, session), urls);
  session.process.on_interrupt([weak = std::weak_ptr(rounds)] {
    constexpr int kNothingToTell = 1;
    const auto self = weak.lock();
    return self ? self->end() : kNothingToTell;
  });
  if (!rounds->begin()) return 1;
  const auto survey = session.process.survey(
      std::move(options), nullptr,
      [&rounds](const doctor::Survey& known) { return rounds->show(known); });
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
      session.process.survey(std::move(options), progress_of(session, arguments.json), nullptr);
  if (session.process.err_is_terminal && !arguments.json) session.process.err("\r\x1b[K");
  if (!survey) return fail(survey.error(), session);
  const auto harm = doctor::harm_of(*survey, token_hosts(arguments, session), session.max_skew);
  const std::string text =
      arguments.json ? json_text(as_json(*survey)) : clock_table(*survey, harm, session.screen);
  if (!print(text, session)) return 1;
  return code_of(*survey, harm);
}

}  // namespace skewguard::cli
