#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/strings.hpp"
#include "cli/commands.hpp"
#include "cli/conclude.hpp"
#include "cli/json_text.hpp"
#include "demo/catalog.hpp"
#include "demo/play.hpp"

namespace skewguard::cli {
namespace {

using demo::Played;
using demo::Side;
using emulator::Scenario;
using Json = nlohmann::ordered_json;

struct Row {
  Scenario scenario;
  Played played;
};

Result<std::vector<Scenario>> chosen(const std::string& id) {
  if (id.find('/') != std::string::npos || id.ends_with(".toml")) {
    auto scenario = emulator::load_scenario(id);
    if (!scenario) return std::move(scenario).error();
    return std::vector<Scenario>{*std::move(scenario)};
  }
  auto all = demo::catalog();
  if (!all || id.empty()) return all;
  std::string known;
  for (const auto& scenario : *all) {
    if (iequals(scenario.id, id)) return std::vector<Scenario>{scenario};
    known.append(known.empty() ? "" : ", ").append(scenario.id);
  }
  return usage_error("there is no scenario \"" + one_line(id) + "\"",
                     "use one of " + known + ", or the path of a scenario file");
}

/// All in parallel: they spend most of their time waiting.
Result<std::vector<Row>> play_all(std::vector<Scenario> scenarios, Session& session) {
  std::uint64_t calls = 0;
  for (const auto& scenario : scenarios)
    calls += 2 * scenario.client.calls * scenario.client.callers;
  demo::Progress progress{0};
  std::vector<std::future<Result<Played>>> playing;
  playing.reserve(scenarios.size());
  for (const auto& scenario : scenarios) {
    playing.push_back(std::async(std::launch::async, [&scenario, &session, &progress] {
      return demo::play(scenario, session.process.clock, progress);
    }));
  }
  const auto tell = [&](std::string_view end) {
    if (!session.process.err_is_terminal) return;
    session.process.err(
        fmt::format("\r{} of {} made{}", progress.load(), counted(calls, "call"), end));
  };
  Result<std::vector<Row>> rows = std::vector<Row>{};
  for (std::size_t i = 0; i < playing.size(); ++i) {
    while (playing[i].wait_for(std::chrono::milliseconds{200}) != std::future_status::ready) {
      tell("");
    }
    auto played = playing[i].get();
    if (!rows) continue;
    if (!played) {
      rows = std::move(played).error();
    } else {
      rows->push_back({std::move(scenarios[i]), *std::move(played)});
    }
  }
  tell("\n");
  return rows;
}

/// `text` in at most `max` columns.
std::string fitted(const std::string& text, std::size_t max) {
  return text.size() <= max ? text : text.substr(0, max - 3) + "...";
}

std::string verdicts_of(const Side& side) {
  std::string text;
  for (const auto& [verdict, count] : side.verdicts) {
    text.append(text.empty() ? "" : ", ").append(to_string(verdict));
    if (count > 1) text.append(fmt::format(" x{}", count));
  }
  return text.empty() ? "no call was refused" : text;
}

std::string line_of(std::string_view who, const Side& side, const std::string& said,
                    const Screen& screen) {
  constexpr std::size_t kFigures = 48;  // columns before what was said
  const std::size_t room = std::max(screen.columns, kFigures + 20) - kFigures;
  std::string line = fmt::format("     {:11} {:>5} {:>7} {:>7} {:>7}", who, side.calls,
                                 side.failures, side.token_requests, side.rejections);
  if (!said.empty()) line.append("  ").append(fitted(said, std::min<std::size_t>(room, 60)));
  return line.append("\n");
}

void add(const Side& from, Side& into) {
  into.calls += from.calls;
  into.failures += from.failures;
  into.token_requests += from.token_requests;
  into.rejections += from.rejections;
}

std::string table(const std::vector<Row>& rows, const Screen& screen) {
  std::string text = fmt::format("     {:11} {:>5} {:>7} {:>7} {:>7}  what was said\n", "", "calls",
                                 "failed", "tokens", "refused");
  Side naive, guarded;
  for (const auto& [scenario, played] : rows) {
    text += fmt::format("{:4} {}\n", scenario.id, scenario.title);
    text += line_of("naive", played.naive, played.naive.said, screen);
    text += line_of("skewguard", played.guarded, verdicts_of(played.guarded), screen);
    add(played.naive, naive);
    add(played.guarded, guarded);
  }
  text += "     all of them\n" + line_of("naive", naive, "", screen) +
          line_of("skewguard", guarded, "", screen);
  constexpr std::size_t kLegend = 80;  // columns
  const std::size_t width = std::min(screen.columns, kLegend);
  return text + "\n" +
         wrapped(
             "failed: calls whose failure reached the caller. tokens: token requests. refused: "
             "401s. naive: stores the expiry of a token as wall time and answers a 401 with one "
             "refresh and one retry. Where skewguard fails as well, only correcting a clock would "
             "help.",
             0, width) +
         "\nOne story line by line: skewguard demo ID\n";
}

std::string story_of(const char* who, const Side& side, const Screen& screen) {
  constexpr std::size_t kTime = 12;  // columns
  std::string text = fmt::format("\n{}\n", who);
  std::string last;
  std::size_t repeated = 0;
  const auto end_run = [&] {
    if (repeated > 0) text += "           ... and " + counted(repeated, "more time") + "\n";
    repeated = 0;
  };
  for (const auto& moment : side.story) {
    if (moment.text == last) {
      ++repeated;
      continue;
    }
    end_run();
    last = moment.text;
    const double seconds = std::chrono::duration<double>(moment.at).count();
    text += fmt::format("{:8.2f} s  {}\n", seconds, wrapped(moment.text, kTime, screen.columns));
  }
  end_run();
  const std::string sum = fmt::format("{}, {} failed, {}, {}", counted(side.calls, "call"),
                                      side.failures, counted(side.token_requests, "token request"),
                                      counted(side.rejections, "refusal"));
  return text + fmt::format("{:>10}  {}\n", "=", wrapped(sum, kTime, screen.columns));
}

std::string story(const Row& row, const Screen& screen) {
  const Scenario& scenario = row.scenario;
  return wrapped(scenario.id + "  " + scenario.title, 0, screen.columns) + "\n" +
         wrapped(scenario.about, 0, screen.columns) + "\n" +
         story_of("The naive client:", row.played.naive, screen) +
         story_of("skewguard:", row.played.guarded, screen);
}

Json side_json(const Side& side) {
  Json json = {{"calls", side.calls},
               {"failures", side.failures},
               {"token_requests", side.token_requests},
               {"rejections", side.rejections},
               {"said", side.said.empty() ? Json() : Json(side.said)}};
  return json;
}

/// The verdict on one answer, and the truth known to its server.
Json judged_json(const demo::Judged& judged) {
  const auto& [attempt, truth] = judged;
  return {{"host", attempt.host == HostRole::api ? "api" : "login"},
          {"http_status", attempt.http_status ? Json(*attempt.http_status) : Json()},
          {"verdict", to_string(*attempt.verdict)},
          {"action", to_string(attempt.action)},
          {"explanation", attempt.explanation},
          {"truth", truth ? Json(truth->outcome) : Json()},
          {"ended_early", truth && truth->ended_early},
          {"faults", truth ? Json(truth->faults) : Json::array()}};
}

std::string as_json(const std::vector<Row>& rows) {
  Json json = {{"schema", "skewguard.demo/1"}, {"scenarios", Json::array()}};
  for (const auto& [scenario, played] : rows) {
    Json guarded = side_json(played.guarded);
    guarded["verdicts"] = Json::object();
    for (const auto& [verdict, count] : played.guarded.verdicts) {
      guarded["verdicts"][std::string(to_string(verdict))] = count;
    }
    guarded["exit_codes"] = played.guarded.exit_codes;
    guarded["judged"] = Json::array();
    for (const auto& judged : played.guarded.judged) {
      guarded["judged"].push_back(judged_json(judged));
    }
    json["scenarios"].push_back({{"id", scenario.id},
                                 {"title", scenario.title},
                                 {"about", scenario.about},
                                 {"naive", side_json(played.naive)},
                                 {"skewguard", std::move(guarded)}});
  }
  return json_text(json);
}

}  // namespace

int run_demo(const DemoArguments& arguments, Session& session) {
  auto scenarios = chosen(arguments.scenario);
  if (!scenarios) return fail(scenarios.error(), session);
  const auto rows = play_all(*std::move(scenarios), session);
  if (!rows) return fail(rows.error(), session);
  std::string text;
  if (arguments.json) {
    text = as_json(*rows);
  } else {
    text = arguments.scenario.empty() ? table(*rows, session.screen)
                                      : story(rows->front(), session.screen);
  }
  return print(text, session) ? 0 : 1;
}

}  // namespace skewguard::cli
