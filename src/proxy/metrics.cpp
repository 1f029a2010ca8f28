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

void line(std::string& out, std::string_view name, std::string_view label, std::string_view of,
          std::uint64_t count) {
  out.append(name).append("{").append(label).append("=\"").append(of).append("\"} ");
  out.append(std::to_string(count)).append("\n");
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

void Metrics::judged(const CallReport& report) noexcept {
  for (const auto& attempt : report.attempts) {
    if (!attempt.verdict || *attempt.verdict == Verdict::ok) continue;
    count(rejections_[static_cast<std::size_t>(*attempt.verdict)]);
    if (attempt.action != Action::none && attempt.action != Action::give_up) {
      count(mitigations_[static_cast<std::size_t>(attempt.action)]);
    }
  }
}

std::string Metrics::text(double token_life) const {
  std::string out;
  begin(out, "skewguard_requests_total", "counter", "Requests by the status of their answers");
  for (int status = 100; status < kMaxStatus; ++status) {
    const auto requests = value(requests_[static_cast<std::size_t>(status)]);
    if (requests > 0) {
      line(out, "skewguard_requests_total", "code", std::to_string(status), requests);
    }
  }
  begin(out, "skewguard_rejections_total", "counter", "Answers that refused a request's token");
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
  if (token_life >= 0) {
    begin(out, "skewguard_token_expires_in_seconds", "gauge", "What is left of the token");
    out.append("skewguard_token_expires_in_seconds ").append(number(token_life)).append("\n");
  }
  begin(out, "skewguard_waiting_requests", "gauge", "Requests that wait for a token");
  out.append("skewguard_waiting_requests ");
  out.append(std::to_string(waiting_.load(std::memory_order_relaxed))).append("\n");
  added_.write(out, "skewguard_added_latency_seconds", "What the sidecar added to requests");
  upstream_.write(out, "skewguard_upstream_duration_seconds", "What the API took for them");
  begin(out, "skewguard_build_info", "gauge", "The version");
  line(out, "skewguard_build_info", "version", SKEWGUARD_VERSION, 1);
  return out;
}

}  // namespace skewguard::proxy
