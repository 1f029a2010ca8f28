#include "runtime/alerts.hpp"

#include <algorithm>
#include <memory>

#include "settings/settings.hpp"
#include "system/programs.hpp"

namespace skewguard::runtime {

bool alarming(const CallReport& report) noexcept {
  const auto by_clock = [](const ReportedAttempt& attempt) {
    switch (attempt.verdict.value_or(Verdict::ok)) {
      case Verdict::token_expired:  // by our own deadline, or by the API's clock
      case Verdict::issuer_clock_ahead:
      case Verdict::issuer_clock_behind:
      case Verdict::local_clock_ahead:
      case Verdict::local_clock_behind:
      case Verdict::tls_clock:
        return true;
      default:
        return false;
    }
  };
  if (report.verdict == Verdict::ok) return false;
  return !report.mitigated || std::ranges::any_of(report.attempts, by_clock);
}

std::function<void(const CallReport&)> alerts_to(const std::string& command) {
  return [command, programs = std::make_shared<system::Programs>()](const CallReport& report) {
    if (!alarming(report)) return;
    static_cast<void>(
        programs->start(command, to_json(report) + "\n", settings::secret_variables()));
  };
}

}  // namespace skewguard::runtime
