#include "system/machine_kind.hpp"

#include <algorithm>
#include <array>
#include <sstream>
#include <string_view>
#include <utility>

#include "base/strings.hpp"

namespace skewguard::system {
namespace {

using NamedBySign = std::pair<std::string_view, std::string_view>;  // what is found, what it means

template <std::size_t Count>
std::string first_sign(std::string_view text, const std::array<NamedBySign, Count>& signs) {
  for (const auto& [sign, name] : signs) {
    if (text.find(sign) != std::string_view::npos) return std::string(name);
  }
  return "";
}

/// `container=...` in the environment of the first process, which only root may read.
std::string container_in_environment(const Files& files) {
  std::istringstream entries(files.read("/proc/1/environ").value_or(""));
  constexpr std::string_view kName = "container=";
  for (std::string entry; std::getline(entries, entry, '\0');) {
    if (entry.starts_with(kName)) return entry.substr(kName.size());
  }
  return "";
}

std::string container_of(const Files& files) {
  constexpr std::array<NamedBySign, 6> kByCgroup = {{{"kubepods", "kubernetes"},
                                                     {"/docker", "docker"},
                                                     {"/libpod", "podman"},
                                                     {"/lxc", "lxc"},
                                                     {"/machine.slice/machine-", "systemd-nspawn"},
                                                     {"/containerd", "containerd"}}};
  const std::string by_cgroup = first_sign(files.read("/proc/1/cgroup").value_or(""), kByCgroup);
  // Kubernetes first: the container runtime below it leaves its own signs.
  if (by_cgroup == "kubernetes" || files.there("/run/secrets/kubernetes.io") ||
      files.there("/var/run/secrets/kubernetes.io"))
    return "kubernetes";
  if (files.there("/run/.containerenv")) return "podman";
  if (files.there("/.dockerenv")) return "docker";
  std::string container = files.line("/run/systemd/container");
  if (container.empty()) container = container_in_environment(files);
  if (container == "wsl") return "";  // told apart by its kernel
  return container.empty() ? by_cgroup : container;
}

bool has_hypervisor_flag(const Files& files) {
  std::istringstream lines(files.read("/proc/cpuinfo").value_or(""));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("flags")) return (line + " ").find(" hypervisor ") != std::string::npos;
  }
  return false;
}

std::string vm_of(const Files& files) {
  constexpr std::array<NamedBySign, 11> kByBoard = {{{"VMware", "VMware"},
                                                     {"VirtualBox", "VirtualBox"},
                                                     {"Microsoft Corporation Virtual", "Hyper-V"},
                                                     {"Google Compute Engine", "Google Cloud"},
                                                     {"Xen", "Xen"},
                                                     {"Parallels", "Parallels"},
                                                     {"KVM", "KVM"},
                                                     {"QEMU", "KVM"},
                                                     {"OpenStack", "OpenStack"},
                                                     {"DigitalOcean", "DigitalOcean"},
                                                     {"Hetzner vServer", "KVM"}}};
  constexpr std::array<NamedBySign, 3> kByClock = {
      {{"kvm-clock", "KVM"}, {"hyperv", "Hyper-V"}, {"xen", "Xen"}}};
  const std::string board = files.line("/sys/class/dmi/id/sys_vendor") + " " +
                            files.line("/sys/class/dmi/id/product_name");
  if (std::string name = first_sign(board, kByBoard); !name.empty()) return name;
  const bool xen_host =
      files.read("/proc/xen/capabilities").value_or("").find("control_d") != std::string::npos;
  if (files.line("/sys/hypervisor/type") == "xen" && !xen_host) return "Xen";
  if (!has_hypervisor_flag(files)) return "";
  if (board.find("Amazon") != std::string::npos) return "Amazon EC2";
  std::string const by_clock = first_sign(
      files.line("/sys/devices/system/clocksource/clocksource0/available_clocksource"), kByClock);
  return by_clock.empty() ? "a hypervisor" : by_clock;
}

/// How far a clock of this process's time namespace is moved against the machine's.
Duration namespace_offset(const Files& files, std::string_view which) {
  std::istringstream lines(files.read("/proc/self/timens_offsets").value_or(""));
  std::string clock;
  std::int64_t seconds = 0, nanoseconds = 0;
  while (lines >> clock >> seconds >> nanoseconds) {
    if (clock == which) return std::chrono::seconds{seconds} + Duration{nanoseconds};
  }
  return Duration{0};
}

std::vector<std::string> host_clocks_of(const Files& files) {
  std::vector<std::string> found;
  for (const std::string& name : files.names("/dev")) {
    if (name.starts_with("ptp") || name.starts_with("vmclock")) found.push_back("/dev/" + name);
  }
  return found;
}

}  // namespace

MachineKind machine_kind(const Files& files, const Now& now) {
  MachineKind kind;
  kind.container = container_of(files);
  kind.vm = vm_of(files);
  kind.wsl =
      to_lower(files.line("/proc/sys/kernel/osrelease")).find("microsoft") != std::string::npos;
  kind.clock_source =
      files.line("/sys/devices/system/clocksource/clocksource0/current_clocksource");
  kind.host_clocks = host_clocks_of(files);
  const Duration boot = now.boot.time_since_epoch() - namespace_offset(files, "boottime");
  const Duration mono = now.mono.time_since_epoch() - namespace_offset(files, "monotonic");
  kind.suspended = std::max(boot - mono, Duration{0});
  return kind;
}

}  // namespace skewguard::system
