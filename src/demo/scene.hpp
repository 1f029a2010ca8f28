#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "demo/play.hpp"
#include "demo/stage.hpp"
#include "emulator/hosted.hpp"
#include "skewguard/error.hpp"

namespace skewguard::demo {

inline constexpr const char* kPath = "/api/v2/tokens/me";

/// How one call ended: the status that reached the caller, 0 = none.
struct Outcome {
  int status = 0;
  std::string words;  ///< for the story, next to the status
};

/// The environment of one client: its servers, its machine, and the results. Thread-safe, but run()
/// is called once.
class Scene {
 public:
  Scene(const emulator::Scenario& scenario, const std::shared_ptr<ClockSource>& system)
      : scenario_(scenario), system_(system), stage_(system, scenario.client.wall_offset) {}

  /// Starts the servers. Error: they could not start.
  Result<void> set();
  [[nodiscard]] const emulator::Hosted& servers() const { return *servers_; }
  [[nodiscard]] const Stage& stage() const { return stage_; }

  void note(std::string text);
  void said(std::string text);
  /// Records how one of our calls ended. Looks up what the servers know about each failed answer.
  void told(const CallReport& report);

  /// Makes the calls, each caller's at its time or as soon as the one before has ended, and lets
  /// happen what happens meanwhile. `call` is used by as many threads as there are callers.
  Side run(const std::function<Outcome()>& call, Progress& progress);

 private:
  void call_once(const std::function<Outcome()>& call, Progress& progress);
  void wait_until(Duration at);
  void happen();
  void happen_here(const emulator::LocalEvent& event);
  [[nodiscard]] std::optional<emulator::RequestRecord> truth_of(const std::string& correlation);

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

}  // namespace skewguard::demo
