#include "diagnosis/exit_code.hpp"

#include <algorithm>
#include <string>

#include "oauth/certificate_failure.hpp"

namespace skewguard::diagnosis {
namespace {

constexpr int kOk = 0, kApiError = 1, kUsage = 2, kCredentials = 3, kClock = 4, kForbidden = 5,
              kNoAnswer = 6, kThrottled = 7;

std::string status_text(const CallReport& report) {
  if (!report.http_status) return "the API gave no answer";
  return "the API answered with " + std::to_string(*report.http_status);
}

}  // namespace

int exit_code(Verdict verdict, HostRole host) noexcept {
  switch (verdict) {
    case Verdict::ok:
      return kOk;
    case Verdict::issuer_clock_ahead:
    case Verdict::issuer_clock_behind:
    case Verdict::local_clock_ahead:
    case Verdict::local_clock_behind:
    case Verdict::tls_clock:
      return kClock;
    case Verdict::missing_permission:
      return kForbidden;
    case Verdict::login_rate_limited:
    case Verdict::api_rate_limited:
      return kThrottled;
    case Verdict::auth_backend_unavailable:
      return host == HostRole::login ? kNoAnswer : kApiError;
    case Verdict::tls_untrusted:
    case Verdict::network:
    case Verdict::timeout:
      return kNoAnswer;
    case Verdict::gateway_refused:
    case Verdict::no_user_context:
    case Verdict::protocol:
      return kApiError;
    case Verdict::token_expired:
    case Verdict::token_not_yet_active:
    case Verdict::token_revoked:
    case Verdict::token_rejected:
    case Verdict::token_contended:
    case Verdict::credentials_rejected:
    case Verdict::unknown_client:
    case Verdict::unknown:
      break;
  }
  return kCredentials;
}

int exit_code(ErrorKind kind) noexcept {
  switch (kind) {
    case ErrorKind::config:
      return kUsage;
    case ErrorKind::credentials:
      return kCredentials;
    case ErrorKind::clock:
      return kClock;
    case ErrorKind::forbidden:
      return kForbidden;
    case ErrorKind::unavailable:
    case ErrorKind::timeout:
    case ErrorKind::cancelled:
      return kNoAnswer;
    case ErrorKind::throttled:
      return kThrottled;
    case ErrorKind::protocol:
      break;
  }
  return kApiError;
}

ErrorKind error_kind(int exit_code, Verdict last) noexcept {
  switch (exit_code) {
    case kUsage:
      return ErrorKind::config;
    case kCredentials:
      return ErrorKind::credentials;
    case kClock:
      return ErrorKind::clock;
    case kForbidden:
      return ErrorKind::forbidden;
    case kNoAnswer:
      return last == Verdict::timeout ? ErrorKind::timeout : ErrorKind::unavailable;
    case kThrottled:
      return ErrorKind::throttled;
    default:
      break;
  }
  return last == Verdict::auth_backend_unavailable ? ErrorKind::unavailable : ErrorKind::protocol;
}

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

std::optional<Error> error_of(const CallReport& report) {
  if (report.exit_code == kOk) return std::nullopt;
  // The last attempt that explains this exit code, else the last that explains anything.
  const auto explains = [](const ReportedAttempt& a) { return !a.explanation.empty(); };
  const auto fits = [&](const ReportedAttempt& a) {
    return explains(a) && a.verdict && exit_code(*a.verdict, a.host) == report.exit_code;
  };
  auto last = std::find_if(report.attempts.rbegin(), report.attempts.rend(), fits);
  if (last == report.attempts.rend())
    last = std::find_if(report.attempts.rbegin(), report.attempts.rend(), explains);
  Error error;
  if (last == report.attempts.rend()) {
    error.kind = error_kind(report.exit_code, report.verdict);
    error.message = status_text(report);
  } else {
    error.kind = error_kind(report.exit_code, last->verdict.value_or(Verdict::ok));
    error.message = last->explanation;
  }
  return error;
}

}  // namespace skewguard::diagnosis
