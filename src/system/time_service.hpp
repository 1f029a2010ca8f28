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

/// Who keeps this machine's clock, and what they say of it.
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

/// What a service answers when it is asked.
struct TimeServiceAnswer {
  std::optional<bool> synchronised;  ///< with another clock than this machine's
  /// True time less local time, by the service's own estimate and error bound; positive = the local
  /// clock is behind. timesyncd: as it was at its last measurement.
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
  std::optional<bool> enabled;  ///< starts with the machine; nothing where it cannot be told
  TimeServiceAnswer answer;     ///< empty where it was not asked, or `no_answer` says why
  std::string no_answer;        ///< why there is none: for people
  /// Each once: by its configuration, else by its answer; timesyncd's by its answer, which knows
  /// those of the network too.
  std::vector<NtpServer> servers;
};

struct TimeServiceOptions {
  /// More arguments for `chronyc`, as {"-h", "/run/chrony-b/chronyd.sock"} or {"-p", "1323"}: for a
  /// chronyd that does not listen where it usually does.
  std::vector<std::string> chronyc;
  /// Where programs are looked for besides the system's directories: as in $PATH.
  std::string path;
  OutputLimits limits;  ///< for each program that is asked
};

/// Runs a program and returns what it writes: output_of, or what stands in for it.
using Ask = std::function<Result<std::string>(const std::vector<std::string>&)>;

/// Those that are installed or run, the running ones first. Asks those that can be asked without
/// starting any. Blocks: at most for three programs' time.
std::vector<TimeService> time_services(const Files& files, const TimeServiceOptions& options = {},
                                       const Ask& ask = nullptr);

/// The servers that this machine's time services are configured with, each once: the running
/// services' alone where any has some.
std::vector<NtpServer> ntp_servers(const std::vector<TimeService>& services);
/// Whom to ask for the time where nobody has been named: the first four of those, else
/// pool.ntp.org; HOST:PORT or HOST.
std::vector<std::string> ntp_names(const std::vector<TimeService>& services);

}  // namespace skewguard::system
