#include "demo/play.hpp"

#include <future>
#include <utility>

#include "demo/naive_client.hpp"
#include "demo/scene.hpp"
#include "skewguard/client.hpp"

namespace skewguard::demo {
namespace {

using Identity = std::pair<std::string, Secret>;

Identity identity_of(const emulator::Scenario& scenario) {
  if (!scenario.servers.clients.empty()) return scenario.servers.clients.front();
  return {"demo", Secret("demo-secret")};
}

Side play_naive(Scene& scene, const Identity& identity, Progress& progress) {
  NaiveClient client(
      {scene.servers().login_url(), scene.servers().api_url(), identity.first, identity.second},
      scene.stage().local(), [&](std::string text) { scene.said(std::move(text)); });
  return scene.run([&] { return Outcome{client.get(kPath), ""}; }, progress);
}

/// What became of a call of ours, in a few words.
Outcome outcome_of(const Result<Response>& response, Scene& scene) {
  const CallReport* report = response ? &response->report : response.error().report.get();
  Outcome out;
  out.status = response ? response->status : 0;
  if (report == nullptr) return out;
  scene.told(*report);
  if (report->verdict == Verdict::ok) return out;
  for (const auto& attempt : report->attempts) {
    if (attempt.verdict != report->verdict) continue;
    out.words =
        ": " + std::string(to_string(report->verdict)) + ", " +
        std::string(report->mitigated ? "cured" : "exit code " + std::to_string(report->exit_code));
    scene.said(std::string(to_string(report->verdict)) + ": " + attempt.explanation);
    break;
  }
  return out;
}

Result<Side> play_guarded(Scene& scene, const Identity& identity, Progress& progress) {
  ClientOptions options;
  options.login_url = scene.servers().login_url();
  options.api_url = scene.servers().api_url();
  options.client_id = identity.first;
  options.client_secrets = {identity.second};
  Hooks hooks;
  hooks.log = [&scene](const LogLine& line) {
    if (line.level == LogLevel::info) scene.note(line.message);
  };
  Dependencies dependencies;
  dependencies.clock = scene.stage().local();
  auto client = Client::make(std::move(options), std::move(hooks), std::move(dependencies));
  if (!client) return std::move(client).error();
  return scene.run([&] { return outcome_of(client->get(kPath), scene); }, progress);
}

}  // namespace

Result<Played> play(const emulator::Scenario& scenario, const std::shared_ptr<ClockSource>& system,
                    Progress& progress) {
  Scene for_naive(scenario, system);
  Scene for_guarded(scenario, system);
  for (Scene* scene : {&for_naive, &for_guarded}) {
    if (auto set = scene->set(); !set) return std::move(set).error();
  }
  const Identity identity = identity_of(scenario);
  auto naive =
      std::async(std::launch::async, [&] { return play_naive(for_naive, identity, progress); });
  auto guarded = play_guarded(for_guarded, identity, progress);
  Played out;
  out.naive = naive.get();
  if (!guarded) return std::move(guarded).error();
  out.guarded = *std::move(guarded);
  return out;
}

}  // namespace skewguard::demo
