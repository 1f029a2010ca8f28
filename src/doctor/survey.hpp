#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "clocks/probe_plan.hpp"
#include "doctor/clock_probe.hpp"
#include "net/loop.hpp"
#include "net/options.hpp"
#include "net/proxy.hpp"
#include "net/tls_engine.hpp"

namespace skewguard::doctor {

/// Whose clocks are to be measured, and how.
struct SurveyOptions {
  std::vector<http::Url> servers;
  clocks::ProbeBudget budget{};
  Duration staleness = std::chrono::seconds{1};
  net::TlsOptions tls{};
  ProxyOptions proxy{};
  net::Lookup lookup = &net::system_lookup;
};

/// Measures the clocks of several servers side by side. On one loop; what it refers to must outlive
/// it.
class Survey {
 public:
  /// `proxies`: made of options.proxy.
  Survey(const net::Loop& io, ClockSource& clock, net::Timers& timers, SurveyOptions options,
         net::ProxyRule proxies);

  /// `done` is called once, when all have come to their end.
  void start(const std::function<void()>& done);
  /// In the order of SurveyOptions::servers.
  [[nodiscard]] std::vector<ClockReading> readings() const;

 private:
  net::ProxyRule proxies_;
  std::unique_ptr<net::TlsContext> tls_;
  std::vector<std::shared_ptr<ClockProbe>> probes_;
  std::size_t under_way_ = 0;
};

/// Tells how far it has come, about ten times a second.
using Progress = std::function<void(const std::vector<ClockReading>&)>;

/// The same from start to end, on a loop of its own; blocks for as long as the budget says, and
/// some seconds more where servers do not answer. Error (`config`): a proxy that cannot be used.
Result<std::vector<ClockReading>> measure(SurveyOptions options, ClockSource& clock,
                                          const Progress& progress);

}  // namespace skewguard::doctor
