#include "proxy/metrics.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>

namespace skewguard::proxy {
namespace {

void count(std::atomic<std::uint64_t>& counter) noexcept {
  counter.fetch_add(1, std::memory_order_relaxed);
}

std::uint64_t value(const std::atomic<std::uint64_t>& counter) noexcept {
  return counter.load(std::memory_order_relaxed);
}

std::string number(double number) {
  std::array<char, 32> text{};
  const int size = std::snprintf(text.data(), text.size(), "%.9g", number);
  return {text.data(), static_cast<std::size_t>(size)};
}

double seconds(std::int64_t nanoseconds) {
  constexpr double kPerSecond = 1e9;
  return static_cast<double>(nanoseconds) / kPerSecond;
}

void begin(std::string& out, std::string_view name, std::string_view type, std::string_view help) {
  out.append("# HELP ").append(name).append(" ").append(help).append("\n");
  out.append("# TYPE ").append(name).append(" ").append(type).append("\n");
}

/// label="value"; backslash, quote and line feed are escaped.
void add_label(std::string& out, std::string_view label, std::string_view value) {
  out.append(label).append("=\"");
  for (const char c : value) {
    if (c == '\\' || c == '"') out.push_back('\\');
    out.append(c == '\n' ? "\\n" : std::string_view(&c, 1));
  }
  out.append("\"");
}

void line(std::string& out, std::string_view name, std::string_view label, std::string_view of,
          std::uint64_t count) {
  add_label(out.append(name).append("{"), label, of);
  out.append("} ").append(std::to_string(count)).append("\n");
}

void write_gauge(std::string& out, std::string_view name, std::string_view help, double value) {
  begin(out, name, "gauge", help);
  out.append(name).append(" ").append(number(value)).append("\n");
}

double seconds_of(Duration duration) {
  return seconds(duration.count());
}

void write_offsets(std::string& out, const ClientStatus& client) {
  constexpr std::string_view kName = "skewguard_clock_offset_seconds";
  begin(out, kName, "gauge",
        "Bounds of a server's clock minus this machine's wall clock; positive = ahead");
  for (const ReportedClock& clock : client.clocks) {
    if (!clock.offset) continue;
    for (const bool low : {true, false}) {
      add_label(out.append(kName).append("{"), "server", clock.server);
      add_label(out.append(","), "bound", low ? "low" : "high");
      out.append("} ").append(number(seconds_of(low ? clock.offset->low : clock.offset->high)));
      out.append("\n");
    }
  }
}

/// What the client knows.
void write_client(std::string& out, const ClientStatus& client) {
  begin(out, "skewguard_token_requests_total", "counter",
        "Token requests by their verdict; ok: with a token");
  for (const auto& [verdict, count] : client.token_requests)
    line(out, "skewguard_token_requests_total", "result", to_string(verdict), count);
  if (client.token && client.token->remaining) {
    write_gauge(out, "skewguard_token_expires_in_seconds", "What is left of the token",
                seconds_of(*client.token->remaining));
  }
  write_offsets(out, client);
  begin(out, "skewguard_clock_steps_total", "counter",
        "Steps seen of a server's clock, or of this machine's: wall, and boot, which stood still");
  for (const auto& [clock, count] : client.clock_steps)
    line(out, "skewguard_clock_steps_total", "clock", clock, count);
}

}  // namespace

void Metrics::Histogram::add(Duration duration) noexcept {
  const auto bucket = std::ranges::lower_bound(kEnds, seconds(duration.count())) - kEnds.begin();
  count(buckets_[static_cast<std::size_t>(bucket)]);
  sum_.fetch_add(duration.count(), std::memory_order_relaxed);
}

void Metrics::Histogram::write(std::string& out, std::string_view name,
                               std::string_view help) const {
  begin(out, name, "histogram", help);
  const std::string bucket = std::string(name) + "_bucket";
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < kEnds.size(); ++i) {
    total += value(buckets_[i]);
    line(out, bucket, "le", number(kEnds[i]), total);
  }
  total += value(buckets_.back());
  line(out, bucket, "le", "+Inf", total);
  const double sum = seconds(sum_.load(std::memory_order_relaxed));
  out.append(name).append("_sum ").append(number(sum)).append("\n");
  out.append(name).append("_count ").append(std::to_string(total)).append("\n");
}

void Metrics::answered(const AccessRecord& record) noexcept {
  if (record.status >= 0 && record.status < kMaxStatus) {
    count(requests_[static_cast<std::size_t>(record.status)]);
  }
  if (record.attempts == 0) return;
  added_.add(record.added);
  upstream_.add(record.upstream);
}

void Metrics::resolved(const CallReport& report, WallTime now) {
  for (const auto& attempt : report.attempts)
    if (attempt.host == HostRole::api) note(attempt, now);
}

void Metrics::rejected(const Rejection& rejection, WallTime now) {
  if (rejection.attempt.host == HostRole::login) note(rejection.attempt, now);
}

void Metrics::note(const ReportedAttempt& attempt, WallTime now) {
  if (!attempt.verdict || *attempt.verdict == Verdict::ok) return;
  count(rejections_[static_cast<std::size_t>(*attempt.verdict)]);
  if (attempt.action != Action::none && attempt.action != Action::give_up) {
    count(mitigations_[static_cast<std::size_t>(attempt.action)]);
  }
  const std::lock_guard lock(mutex_);
  last_ = LastRejection{now, attempt};
}

std::optional<Metrics::LastRejection> Metrics::last_rejection() const {
  const std::lock_guard lock(mutex_);
  return last_;
}

void Metrics::write_requests(std::string& out) const {
  begin(out, "skewguard_requests_total", "counter", "Requests by the status of their answers");
  for (int status = 100; status < kMaxStatus; ++status) {
    const auto requests = value(requests_[static_cast<std::size_t>(status)]);
    if (requests > 0) {
      line(out, "skewguard_requests_total", "code", std::to_string(status), requests);
    }
  }
}

void Metrics::write_rejections(std::string& out) const {
  begin(out, "skewguard_rejections_total", "counter", "Rejections of either host by their verdict");
  for (int i = 0; i < kVerdicts; ++i) {
    const auto rejections = value(rejections_[static_cast<std::size_t>(i)]);
    if (rejections == 0) continue;
    line(out, "skewguard_rejections_total", "verdict", to_string(static_cast<Verdict>(i)),
         rejections);
  }
  begin(out, "skewguard_mitigations_total", "counter", "What was done about them");
  for (const Action action : {Action::refresh_and_retry, Action::wait_and_retry}) {
    line(out, "skewguard_mitigations_total", "action", to_string(action),
         value(mitigations_[static_cast<std::size_t>(action)]));
  }
}

std::string Metrics::text(const ClientStatus* client) const {
  std::string out;
  write_requests(out);
  write_rejections(out);
  if (client != nullptr) write_client(out, *client);
  write_gauge(out, "skewguard_waiting_requests", "Requests that wait for a token", waiting());
  added_.write(out, "skewguard_added_latency_seconds", "What the sidecar added to requests");
  upstream_.write(out, "skewguard_upstream_duration_seconds", "What the API took for them");
  begin(out, "skewguard_build_info", "gauge", "The version");
  line(out, "skewguard_build_info", "version", SKEWGUARD_VERSION, 1);
  return out;
}

}  // namespace skewguard::proxy
