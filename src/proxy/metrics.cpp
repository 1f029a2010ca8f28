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

using Workers = std::list<WorkerMetrics>;

/// What `count_of` gives for each worker, summed.
template <typename F>
std::int64_t sum(const Workers& workers, F count_of) {
  std::int64_t total = 0;
  for (const WorkerMetrics& worker : workers) total += count_of(worker).value();
  return total;
}

void write_histogram(std::string& out, std::string_view name, std::string_view help,
                     const Workers& workers, WorkerMetrics::Histogram WorkerMetrics::* which) {
  constexpr auto& kEnds = WorkerMetrics::kEnds;
  begin(out, name, "histogram", help);
  const std::string bucket = std::string(name) + "_bucket";
  std::uint64_t total = 0;
  for (std::size_t i = 0; i <= kEnds.size(); ++i) {
    total += static_cast<std::uint64_t>(sum(
        workers, [&](const auto& worker) -> const auto& { return (worker.*which).buckets.at(i); }));
    line(out, bucket, "le", i < kEnds.size() ? number(kEnds.at(i)) : "+Inf", total);
  }
  const auto nanoseconds =
      sum(workers, [&](const auto& worker) -> const auto& { return (worker.*which).sum; });
  out.append(name).append("_sum ").append(number(seconds(nanoseconds))).append("\n");
  out.append(name).append("_count ").append(std::to_string(total)).append("\n");
}

void write_requests(std::string& out, const Workers& workers) {
  constexpr std::string_view kName = "skewguard_requests_total";
  begin(out, kName, "counter", "Requests by the status of their answers; 0: the client left first");
  for (std::size_t status = 0; status < WorkerMetrics::kMaxStatus; ++status) {
    const auto requests =
        sum(workers, [&](const auto& worker) -> const auto& { return worker.requests.at(status); });
    if (requests == 0) continue;
    line(out, kName, "code", std::to_string(status), static_cast<std::uint64_t>(requests));
  }
}

}  // namespace

std::int64_t Metrics::waiting() const noexcept {
  return sum(workers_, [](const auto& worker) -> const auto& { return worker.waiting; });
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
  write_requests(out, workers_);
  write_rejections(out);
  if (client != nullptr) write_client(out, *client);
  write_gauge(out, "skewguard_waiting_requests", "Requests that wait for a token",
              static_cast<double>(waiting()));
  write_histogram(out, "skewguard_added_latency_seconds", "What the sidecar added to requests",
                  workers_, &WorkerMetrics::added);
  write_histogram(out, "skewguard_upstream_duration_seconds", "What the API took for them",
                  workers_, &WorkerMetrics::upstream);
  begin(out, "skewguard_build_info", "gauge", "The version");
  line(out, "skewguard_build_info", "version", SKEWGUARD_VERSION, 1);
  return out;
}

}  // namespace skewguard::proxy
