#include "diagnosis/call_error.hpp"

#include <algorithm>
#include <string>

#include "base/error_kind.hpp"
#include "diagnosis/exit_code.hpp"
#include "oauth/certificate_failure.hpp"

namespace skewguard::diagnosis {
namespace {

std::string status_text(const CallReport& report) {
  if (!report.http_status) return "the API gave no answer";
  return "the API answered with " + std::to_string(*report.http_status);
}

/// Its last answer is an error that is not about the token, whatever happened before.
bool ended_by_api_error(const CallReport& report) {
  return report.failure == failure_of(Verdict::ok, HostRole::api) && !report.attempts.empty() &&
         report.attempts.back().verdict == Verdict::ok;
}

}  // namespace

Verdict verdict_of(const TransportFailure& failure, WallTime local) {
  using Kind = TransportFailure::Kind;
  switch (failure.kind) {
    case Kind::tls_untrusted:
      return Verdict::tls_untrusted;
    case Kind::tls_time:
      return oauth::why_out_of_time(failure, "", local).verdict;
    case Kind::timeout:
      return Verdict::timeout;
    case Kind::malformed:
    case Kind::too_large:
    case Kind::bad_request:
      return Verdict::protocol;
    case Kind::dns:
    case Kind::refused:
    case Kind::unreachable:
    case Kind::tls_failed:
    case Kind::reset:
    case Kind::truncated:
    case Kind::proxy:
    case Kind::proxy_refused:
    case Kind::cancelled:
      break;
  }
  return Verdict::network;
}

ErrorKind failure_of(Verdict verdict, HostRole host) noexcept {
  if (verdict == Verdict::auth_backend_unavailable && host == HostRole::api)
    return ErrorKind::protocol;
  return error_kind(verdict);
}

ErrorKind failure_of(const Error& error) noexcept {
  return error.report && error.report->failure ? *error.report->failure : error.kind;
}

std::optional<Error> error_of(const CallReport& report) {
  if (!report.failure) return std::nullopt;
  if (ended_by_api_error(report)) {
    const std::string& explanation = report.attempts.back().explanation;
    return Error{*report.failure, explanation.empty() ? status_text(report) : explanation, ""};
  }
  // The last attempt that explains this failure, else the last that explains anything.
  const auto explains = [](const ReportedAttempt& a) { return !a.explanation.empty(); };
  const auto fits = [&](const ReportedAttempt& a) {
    return explains(a) && a.verdict.value_or(Verdict::ok) != Verdict::ok &&
           exit_code(failure_of(*a.verdict, a.host)) == report.exit_code;
  };
  auto last = std::find_if(report.attempts.rbegin(), report.attempts.rend(), fits);
  Error error;
  if (last != report.attempts.rend()) {
    error.kind = error_kind(*last->verdict);
    error.message = last->explanation;
    return error;
  }
  last = std::find_if(report.attempts.rbegin(), report.attempts.rend(), explains);
  error.kind = *report.failure;
  error.message = last != report.attempts.rend() ? last->explanation : status_text(report);
  return error;
}

}  // namespace skewguard::diagnosis
