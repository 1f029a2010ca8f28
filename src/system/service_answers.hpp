#pragma once

#include <optional>
#include <string_view>

#include "system/time_service.hpp"

/// Parsers for the output of the time services' programs. Empty if the text is not such an answer.
namespace skewguard::system {

/// `chronyc -c -n -m tracking sources`.
std::optional<TimeServiceAnswer> read_chronyc(std::string_view text);
/// `timedatectl timesync-status`: what was measured.
std::optional<TimeServiceAnswer> read_timesync_status(std::string_view text);
/// `timedatectl show-timesync --all`: the servers.
std::vector<NtpServer> read_timesync_servers(std::string_view text);
/// `ntpq -n -c rv -c peers`, of ntp.org and of NTPsec.
std::optional<TimeServiceAnswer> read_ntpq(std::string_view text);
/// `ntpctl -s status`.
std::optional<TimeServiceAnswer> read_ntpctl(std::string_view text);

/// A systemd time span: "1min 4s", "5.233ms", "198us", "0". Empty if it is anything else.
std::optional<Duration> read_time_span(std::string_view text);

}  // namespace skewguard::system
