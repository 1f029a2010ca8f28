#include "system/time_service.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "system/configured_servers.hpp"
#include "system/service_answers.hpp"
#include "system/words.hpp"

namespace skewguard::system {
namespace {

/// How to recognize a service on a machine.
struct Signs {
  TimeServiceKind kind;
  std::string_view name;
  std::string_view process;             ///< as the kernel keeps it: 15 characters
  std::string_view program;             ///< to be found; empty: see installed()
  std::vector<std::string_view> units;  ///< of systemd, as distributions name it
};

std::vector<Signs> known_services(bool has_ntpctl) {
  using enum TimeServiceKind;
  // Both programs are called ntpd, and one machine has one of them.
  const Signs ntp = has_ntpctl ? Signs{openntpd, "openntpd", "ntpd", "ntpd", {"openntpd"}}
                               : Signs{ntpd, "ntpd", "ntpd", "ntpd", {"ntpsec", "ntp", "ntpd"}};
  return {{chrony, "chronyd", "chronyd", "chronyd", {"chrony", "chronyd"}},
          {timesyncd, "systemd-timesyncd", "systemd-timesyn", "", {"systemd-timesyncd"}},
          ntp,
          {vmware, "VMware Tools", "vmtoolsd", "vmtoolsd", {"open-vm-tools", "vmtoolsd"}},
          {virtualbox,
           "VirtualBox Guest Additions",
           "VBoxService",
           "VBoxService",
           {"virtualbox-guest-utils", "vboxadd-service", "vboxservice"}}};
}

/// The names of running processes: "12 (chronyd) S ...".
std::set<std::string> processes(const Files& files) {
  std::set<std::string> found;
  for (const std::string& name : files.names("/proc")) {
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const std::string stat = files.read("/proc/" + name + "/stat").value_or("");
    const auto open = stat.find('('), close = stat.rfind(')');
    if (open == std::string::npos || close == std::string::npos || close < open) continue;
    if (!stat.substr(close).starts_with(") Z"))
      found.insert(stat.substr(open + 1, close - open - 1));
  }
  return found;
}

constexpr std::array<std::string_view, 4> kUnitPlaces = {
    "/etc/systemd/system/", "/run/systemd/system/", "/usr/lib/systemd/system/",
    "/lib/systemd/system/"};

std::string unit_of(const Files& files, const Signs& signs) {
  for (const std::string_view unit : signs.units) {
    for (const std::string_view place : kUnitPlaces) {
      if (files.there(std::string(place).append(unit).append(".service"))) return std::string(unit);
    }
  }
  return "";
}

/// A link in some target's `wants` directory, which is what `systemctl is-enabled` checks.
bool wanted(const Files& files, const std::string& unit) {
  const std::string place = "/etc/systemd/system";
  return std::ranges::any_of(files.names(place), [&](const std::string& name) {
    return name.ends_with(".wants") && files.there(place + "/" + name + "/" + unit + ".service");
  });
}

bool installed(const Files& files, const Signs& signs, std::string_view path) {
  if (signs.kind != TimeServiceKind::timesyncd)
    return files.program(signs.program, path).has_value();
  return files.there("/usr/lib/systemd/systemd-timesyncd") ||
         files.there("/lib/systemd/systemd-timesyncd");
}

/// Asks each service in its own way.
class Asking {
 public:
  Asking(const Files& files, const TimeServiceOptions& options, const Ask& ask)
      : files_(files), options_(options), ask_(ask) {}

  void complete(TimeService& service) const {
    using enum TimeServiceKind;
    switch (service.kind) {
      case chrony:
        // No process need be seen: chronyc finds it, and starts none.
        put(service,
            run(service, "chronyc",
                with({"-c", "-n", "-m"}, options_.chronyc, {"tracking", "sources"})),
            read_chronyc);
        break;
      case timesyncd:
        // Asked while it does not run, D-Bus would start it.
        if (service.running) ask_timesyncd(service);
        break;
      case ntpd:
        put(service, run(service, "ntpq", {"-n", "-c", "rv", "-c", "peers"}), read_ntpq);
        break;
      case openntpd:
        put(service, run(service, "ntpctl", {"-s", "status"}), read_ntpctl);
        break;
      case vmware:
        if (service.running) ask_vmware(service);
        break;
      case virtualbox:
      case hyper_v:
        break;
    }
    service.running = service.running || service.answer.synchronized.has_value();
  }

 private:
  using Words = std::vector<std::string>;

  static Words with(Words words, const Words& more, const Words& last) {
    words.insert(words.end(), more.begin(), more.end());
    words.insert(words.end(), last.begin(), last.end());
    return words;
  }

  /// The program's output. Empty if it is missing or hangs; `no_answer` then says why.
  std::optional<std::string> run(TimeService& service, std::string_view name,
                                 const Words& arguments) const {
    const auto program = files_.program(name, options_.path);
    if (!program) {
      service.no_answer = std::string(name) + " is not installed";
      return std::nullopt;
    }
    Result<std::string> text = ask_(with({*program}, arguments, {}));
    if (text) return std::move(text).value();
    service.no_answer = std::string(name) + " " + text.error().message;
    return std::nullopt;
  }

  template <typename Read>
  static void put(TimeService& service, const std::optional<std::string>& text, Read read) {
    if (!text) return;
    if (auto answer = read(*text)) {
      service.answer = *std::move(answer);
    } else {
      constexpr std::size_t kMax = 200;
      const auto lines = split(*text, "\r\n");
      service.no_answer = lines.empty() ? "it says nothing" : std::string(lines[0].substr(0, kMax));
    }
  }

  void ask_timesyncd(TimeService& service) const {
    const auto status = run(service, "timedatectl", {"timesync-status"});
    put(service, status, read_timesync_status);
    if (!service.answer.synchronized) return;
    if (const auto text = run(service, "timedatectl", {"show-timesync", "--all"}))
      service.answer.servers = read_timesync_servers(*text);
  }

  void ask_vmware(TimeService& service) const {
    const auto text = run(service, "vmware-toolbox-cmd", {"timesync", "status"});
    if (text) service.enabled = text->starts_with("Enabled");
  }

  const Files& files_;
  const TimeServiceOptions& options_;
  const Ask& ask_;
};

/// The host offers its time over the VM bus, and the kernel uses it.
bool hyper_v_offers_time(const Files& files) {
  constexpr std::string_view kTimeSync = "{9527e630-d0ae-497b-adce-e80ab0175caf}";
  const std::string place = "/sys/bus/vmbus/devices";
  return std::ranges::any_of(files.names(place), [&](const std::string& device) {
    return files.line(place + "/" + device + "/class_id") == kTimeSync;
  });
}

}  // namespace

std::vector<TimeService> time_services(const Files& files, const TimeServiceOptions& options,
                                       const Ask& ask) {
  const Ask run = ask ? ask : [&](const std::vector<std::string>& words) {
    return output_of(words, options.limits);
  };
  const Asking asking(files, options, run);
  const std::set<std::string> seen = processes(files);
  const bool systemd = files.there("/etc/systemd/system");
  std::vector<TimeService> services;
  for (const Signs& signs : known_services(files.program("ntpctl", options.path).has_value())) {
    TimeService service;
    service.kind = signs.kind;
    service.name = signs.name;
    service.installed = installed(files, signs, options.path);
    service.running = seen.contains(std::string(signs.process));
    if (!service.installed && !service.running) continue;
    service.unit = unit_of(files, signs);
    if (systemd && !service.unit.empty()) service.enabled = wanted(files, service.unit);
    asking.complete(service);
    // timesyncd also says what it got from the network; chronyc and ntpq give only addresses.
    service.servers = service.answer.servers;
    auto configured = configured_servers(files, signs.kind);
    const bool says_all = signs.kind == TimeServiceKind::timesyncd && !service.servers.empty();
    if (!configured.empty() && !says_all) service.servers = std::move(configured);
    services.push_back(std::move(service));
  }
  if (hyper_v_offers_time(files)) {
    TimeService& service = services.emplace_back();
    service.kind = TimeServiceKind::hyper_v;
    service.name = "Hyper-V time synchronization";
    service.installed = service.running = true;
  }
  std::ranges::sort(services, {}, [](const TimeService& service) {
    return std::pair(!service.running, service.kind);
  });
  return services;
}

std::vector<NtpServer> ntp_servers(const std::vector<TimeService>& services) {
  std::vector<NtpServer> running, all;
  for (const TimeService& service : services) {
    for (const NtpServer& server : service.servers) {
      if (service.running) add_server(running, server);
      add_server(all, server);
    }
  }
  return running.empty() ? all : running;
}

std::vector<std::string> ntp_names(const std::vector<TimeService>& services) {
  constexpr std::size_t kMax = 4;
  std::vector<std::string> names;
  for (const NtpServer& server : ntp_servers(services)) {
    if (names.size() == kMax) break;
    const bool v6 = server.host.find(':') != std::string::npos;
    names.push_back((v6 ? "[" + server.host + "]" : server.host) + ":" +
                    std::to_string(server.port));
  }
  if (names.empty()) names.emplace_back("pool.ntp.org");
  return names;
}

}  // namespace skewguard::system
