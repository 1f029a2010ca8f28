#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "skewguard/result.hpp"
#include "skewguard/time.hpp"
#include "system/files.hpp"
#include "system/programs.hpp"

/// Which services keep this machine's clock, and what they say about it.
namespace skewguard::system {

struct NtpServer {
  std::string host;  ///< a name or an address, as it was configured
  std::uint16_t port = 123;
  friend bool operator==(const NtpServer&, const NtpServer&) = default;
};

enum class TimeServiceKind {
  chrony,
  timesyncd,
  ntpd,  ///< of ntp.org or NTPsec
  openntpd,
  vmware,      ///< VMware Tools
  virtualbox,  ///< Guest Additions
  hyper_v,     ///< a part of the kernel, served by the host
};

/// The answer of a service.
struct TimeServiceAnswer {
  std::optional<bool> synchronized;  ///< with another clock than this machine's
  /// True time minus local time, by the service's own estimate and error bound; positive = the
  /// local clock is behind. timesyncd: at its last measurement.
  std::optional<OffsetBound> offset;
  std::string source;              ///< the one it follows; empty: none, or it does not say
  std::vector<NtpServer> servers;  ///< that it uses, as far as it says
};

struct TimeService {
  TimeServiceKind kind = TimeServiceKind::chrony;
  std::string name;             ///< of the program or part: "chronyd", "systemd-timesyncd"
  std::string unit;             ///< of systemd, less ".service"; empty: there is none
  bool installed = false;       ///< its program is there
  bool running = false;         ///< its process is seen, or it answers
  std::optional<bool> enabled;  ///< starts with the machine; empty if unknown
  TimeServiceAnswer answer;     ///< empty if it was not asked, or `no_answer` says why
  std::string no_answer;        ///< why there is none: for people
  /// Its servers, each once: from its configuration, otherwise from its answer. For timesyncd from
  /// its answer, which includes those of the network.
  std::vector<NtpServer> servers;
};

struct TimeServiceOptions {
  /// Additional arguments for `chronyc`, such as {"-h", "/run/chrony-b/chronyd.sock"} or {"-p",
  /// "1323"}: for a chronyd that does not listen in the default place.
  std::vector<std::string> chronyc;
  /// Where to look for programs besides the system's directories: a list like $PATH.
  std::string path;
  OutputLimits limits;  ///< for each program that is asked
};

/// Runs a program and returns its output: output_of or a test double.
using Ask = std::function<Result<std::string>(const std::vector<std::string>&)>;

/// The services that are installed or running, the running ones first. Queries those that can be
/// queried without starting them. Blocks for at most the time of three programs.
std::vector<TimeService> time_services(const Files& files, const TimeServiceOptions& options = {},
                                       const Ask& ask = nullptr);

/// The servers that this machine's time services are configured to use, each once: only those of
/// running services, if these have any.
std::vector<NtpServer> ntp_servers(const std::vector<TimeService>& services);
/// The default NTP servers: the first four of those, otherwise pool.ntp.org; HOST:PORT or HOST.
std::vector<std::string> ntp_names(const std::vector<TimeService>& services);

}  // namespace skewguard::system
