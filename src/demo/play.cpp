#include "demo/play.hpp"

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <future>
#include <mutex>
#include <optional>
#include <utility>

#include "demo/naive_client.hpp"
#include "demo/stage.hpp"
#include "emulator/hosted.hpp"
#include "skewguard/client.hpp"
#include "time/duration_text.hpp"

namespace skewguard::demo {
namespace {

constexpr const char* kPath = "/api/v2/tokens/me";

/// How one call ended: the status that reached the caller, 0 = none.
struct Outcome {
  int status = 0;
  std::string words;  ///< for the story, beside the status
};

/// What both clients have in common: their servers, their machine, their notes.
class Scene {
 public:
  Scene(const emulator::Scenario& scenario, const std::shared_ptr<ClockSource>& system)
      : scenario_(scenario), system_(system), stage_(system, scenario.client.wall_offset) {}

  /// Starts the servers. Error: they cannot.
  Result<void> set() {
    auto options = scenario_.servers;
    options.events = scenario_.events;
    auto servers = emulator::Hosted::start(options, stage_.truth());
    if (!servers) return std::move(servers).error();
    servers_ = *std::move(servers);
    started_ = stage_.truth().now().boot;
    return {};
  }

  [[nodiscard]] const emulator::Hosted& servers() const { return *servers_; }
  [[nodiscard]] const Stage& stage() const { return stage_; }

  void note(std::string text) {
    const Duration at = stage_.truth().now().boot - started_;
    const std::lock_guard lock(mutex_);
    side_.story.push_back({at, std::move(text)});
  }
  void said(std::string text) {
    note(text);
    const std::lock_guard lock(mutex_);
    if (side_.said.empty()) side_.said = std::move(text);
  }
  void verdict(Verdict verdict) {
    const std::lock_guard lock(mutex_);
    ++side_.verdicts[verdict];
  }

  /// Makes the calls, each at its time or as soon as the one before has ended, and lets happen what
  /// happens meanwhile.
  Side run(const std::function<Outcome()>& call, Progress& progress) {
    const auto& plan = scenario_.client;
    for (std::uint64_t i = 0; i < plan.calls; ++i) {
      wait_until(plan.every * static_cast<Duration::rep>(i));
      const Outcome outcome = call();
      const bool good = outcome.status >= 200 && outcome.status < 300;
      note("GET " + std::string(kPath) + " -> " +
           (outcome.status == 0 ? "no answer" : std::to_string(outcome.status)) + outcome.words);
      const std::lock_guard lock(mutex_);
      ++side_.calls;
      if (!good) ++side_.failures;
      ++progress;
    }
    servers_->with([this](emulator::World& world, const Now&) { count(world.stats()); });
    const std::lock_guard lock(mutex_);
    return std::move(side_);
  }

 private:
  /// By this machine's own clock: what the pretended one sleeps through takes no time.
  void wait_until(Duration at) {
    if (!began_) began_ = system_->now().boot;
    while (true) {
      happen();
      const Duration left = *began_ + at - system_->now().boot;
      if (left <= Duration{0}) return;
      std::unique_lock lock(idle_mutex_);
      idle_.wait_for(lock, std::min<Duration>(left, std::chrono::milliseconds{20}));
    }
  }

  /// What is due: of the local machine it is done here, of the servers only noted.
  void happen() {
    const Duration age = system_->now().boot - *began_;
    for (; next_local_ < scenario_.locals.size(); ++next_local_) {
      const auto& event = scenario_.locals[next_local_];
      if (event.at > age) break;
      if (event.wall_step) {
        note("the local wall clock steps by " + time::human(*event.wall_step));
        stage_.step_wall(*event.wall_step);
      }
      if (event.suspend) {
        note("the machine is suspended for " + time::human(*event.suspend));
        stage_.suspend(*event.suspend);
      }
      if (event.stand_still) {
        note("the hypervisor stops the machine for " + time::human(*event.stand_still));
        stage_.stand_still(*event.stand_still);
      }
    }
    for (; next_event_ < scenario_.events.size(); ++next_event_) {
      const auto& event = scenario_.events[next_event_];
      if (event.at > age) break;
      note("the servers: " + event.order + " " + event.fields);
    }
  }

  void count(const emulator::Stats& stats) {
    const std::lock_guard lock(mutex_);
    side_.token_requests = stats.token_requests;
    const auto refused = stats.api_requests_by_status.find(401);
    if (refused != stats.api_requests_by_status.end()) side_.rejections = refused->second;
  }

  const emulator::Scenario& scenario_;
  std::shared_ptr<ClockSource> system_;
  Stage stage_;
  std::unique_ptr<emulator::Hosted> servers_;
  Instant started_{};
  std::optional<Instant> began_;
  std::size_t next_local_ = 0;
  std::size_t next_event_ = 0;
  std::mutex idle_mutex_;
  std::condition_variable idle_;
  std::mutex mutex_;  // over side_
  Side side_;
};

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
  if (report == nullptr || report->verdict == Verdict::ok) return out;
  scene.verdict(report->verdict);
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
  options.client_secret = identity.second;
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
