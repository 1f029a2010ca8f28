#include "demo/scene.hpp"

#include <algorithm>
#include <future>
#include <utility>

#include "time/duration_text.hpp"

namespace skewguard::demo {

Result<void> Scene::set() {
  auto options = scenario_.servers;
  options.events = scenario_.events;
  auto servers = emulator::Hosted::start(options, stage_.truth());
  if (!servers) return std::move(servers).error();
  servers_ = *std::move(servers);
  started_ = stage_.truth().now().boot;
  return {};
}

void Scene::note(std::string text) {
  const Duration at = stage_.truth().now().boot - started_;
  const std::lock_guard lock(mutex_);
  side_.story.push_back({at, std::move(text)});
}

void Scene::said(std::string text) {
  note(text);
  const std::lock_guard lock(mutex_);
  if (side_.said.empty()) side_.said = std::move(text);
}

void Scene::told(const CallReport& report) {
  std::vector<Judged> judged;
  for (const auto& attempt : report.attempts) {
    if (!attempt.verdict || *attempt.verdict == Verdict::ok) continue;
    judged.push_back({attempt, truth_of(attempt.correlation_id)});
  }
  const std::lock_guard lock(mutex_);
  side_.exit_codes.insert(report.exit_code);
  if (report.verdict != Verdict::ok) ++side_.verdicts[report.verdict];
  std::ranges::move(judged, std::back_inserter(side_.judged));
}

Side Scene::run(const std::function<Outcome()>& call, Progress& progress) {
  const auto& plan = scenario_.client;
  for (std::uint64_t i = 0; i < plan.calls; ++i) {
    wait_until(plan.every * static_cast<Duration::rep>(i));
    std::vector<std::future<void>> others;
    for (std::size_t n = 1; n < plan.callers; ++n) {
      others.push_back(std::async(std::launch::async, [&] { call_once(call, progress); }));
    }
    call_once(call, progress);
    for (auto& other : others) other.get();
  }
  const std::lock_guard lock(mutex_);
  servers_->with([this](emulator::CloudEmulator& cloud, const Now&) {
    const auto& stats = cloud.stats();
    side_.token_requests = stats.token_requests;
    const auto refused = stats.api_requests_by_status.find(401);
    if (refused != stats.api_requests_by_status.end()) side_.rejections = refused->second;
  });
  return std::move(side_);
}

void Scene::call_once(const std::function<Outcome()>& call, Progress& progress) {
  const Outcome outcome = call();
  const bool good = outcome.status >= 200 && outcome.status < 300;
  note("GET " + std::string(kPath) + " -> " +
       (outcome.status == 0 ? "no answer" : std::to_string(outcome.status)) + outcome.words);
  const std::lock_guard lock(mutex_);
  ++side_.calls;
  if (!good) ++side_.failures;
  ++progress;
}

/// By this machine's own clock: what the pretended one sleeps through takes no time.
void Scene::wait_until(Duration at) {
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
void Scene::happen() {
  const Duration age = system_->now().boot - *began_;
  for (; next_local_ < scenario_.locals.size(); ++next_local_) {
    const auto& event = scenario_.locals[next_local_];
    if (event.at > age) break;
    happen_here(event);
  }
  for (; next_event_ < scenario_.events.size(); ++next_event_) {
    const auto& event = scenario_.events[next_event_];
    if (event.at > age) break;
    note("the servers: " + event.order + " " + event.fields);
  }
}

void Scene::happen_here(const emulator::LocalEvent& event) {
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

std::optional<emulator::RequestRecord> Scene::truth_of(const std::string& correlation) {
  std::optional<emulator::RequestRecord> found;
  if (correlation.empty()) return found;
  servers_->with([&](emulator::CloudEmulator& cloud, const Now&) {
    const auto& failed = cloud.stats().failed;
    const auto record =
        std::ranges::find(failed, correlation, &emulator::RequestRecord::correlation);
    if (record != failed.end()) found = *record;
  });
  return found;
}

}  // namespace skewguard::demo
