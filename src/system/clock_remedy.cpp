#include "system/clock_remedy.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace skewguard::system {
namespace {

/// Services that follow servers on the network; guest tools cannot be configured to.
bool uses_servers(const TimeService& service) {
  using enum TimeServiceKind;
  return service.kind == chrony || service.kind == timesyncd || service.kind == ntpd ||
         service.kind == openntpd;
}

/// "systemctl restart chrony", or the older way. Empty if neither exists.
std::optional<std::string> told_to(std::string_view verb, const TimeService& service,
                                   const Files& files) {
  if (files.there("/run/systemd/system") && !service.unit.empty())
    return "systemctl " + std::string(verb) + " " + service.unit;
  for (const std::string& script : {service.unit, service.name}) {
    if (!script.empty() && files.there("/etc/init.d/" + script))
      return "service " + script + " " + std::string(verb);
  }
  return std::nullopt;
}

void mend_running(const TimeService& service, const Files& files,
                  std::vector<ClockRemedy>& remedies) {
  if (service.kind == TimeServiceKind::chrony) {
    if (service.answer.synchronized == false) {
      remedies.push_back(
          {"chronyc -n sources",
           "shows which of its servers answer; until one does, chronyd does not know the time"});
    }
    remedies.push_back({"chronyc makestep", "sets the clock to chronyd's time at once"});
    return;
  }
  // The others set the clock and resolve their servers again when they start.
  if (const auto restart = told_to("restart", service, files)) {
    remedies.push_back(
        {*restart, "has " + service.name + " ask its servers and set the clock anew"});
  }
}

std::optional<std::string> install_chrony(const Files& files, std::string_view path) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kManagers = {
      {{"apt", "apt install chrony"},
       {"dnf", "dnf install chrony"},
       {"zypper", "zypper install chrony"},
       {"apk", "apk add chrony"},
       {"pacman", "pacman -S chrony"}}};
  for (const auto& [manager, command] : kManagers) {
    if (files.program(manager, path)) return std::string(command);
  }
  return std::nullopt;
}

}  // namespace

std::vector<ClockRemedy> clock_remedies(const std::vector<TimeService>& services,
                                        const MachineKind& kind, const Files& files,
                                        std::string_view path) {
  if (!kind.container.empty()) {
    return {{"", "this is a container (" + kind.container +
                     "); it uses its host's clock. Fix the clock on the host (chrony: `chronyc "
                     "makestep`; systemd: `timedatectl set-ntp true`)"}};
  }
  std::vector<ClockRemedy> remedies;
  if (kind.wsl) {
    remedies.push_back({"hwclock --hctosys",
                        "copies the time from Windows; WSL loses it when the machine sleeps"});
  }
  for (const TimeService& service : services) {
    if (service.running && uses_servers(service)) mend_running(service, files, remedies);
  }
  if (!remedies.empty()) return remedies;
  const auto idle = std::ranges::find_if(services, [](const TimeService& service) {
    return service.installed && !service.running && uses_servers(service);
  });
  if (idle != services.end()) {
    const auto start = told_to(idle->enabled == false ? "enable --now" : "start", *idle, files);
    if (start) return {{*start, idle->name + " is installed but not running"}};
    return {{"", idle->name + " is installed but not running: start it"}};
  }
  if (const auto install = install_chrony(files, path))
    return {{*install, "no time service keeps this machine's clock correct"}};
  return {{"", "no time service keeps this machine's clock correct: install one, such as chrony"}};
}

}  // namespace skewguard::system
