#include "guard/call_record.hpp"

#include <algorithm>
#include <utility>

#include "diagnosis/exit_code.hpp"

namespace skewguard::guard {
namespace {

ReportedToken reported(const oauth::Token& token, const Now& now) {
  ReportedToken out;
  out.format = token.jwt() ? ReportedToken::Format::jwt : ReportedToken::Format::opaque;
  out.age = now.boot - token.sent;
  if (!token.given) out.remaining = token.dead_at() - now.boot;
  return out;
}

/// JWT exp, else the wall time of sending + expires_in.
std::optional<WallTime> local_expiry(const oauth::Token& token) {
  if (token.claims && token.claims->exp) return WallTime{*token.claims->exp};
  if (!token.given && token.expires_in) return token.sent_wall + *token.expires_in;
  return std::nullopt;
}

ReportedClock reported(ServerId server, const clocks::ClockView& view, Duration staleness) {
  const clocks::SkewEstimator& estimator = view.estimator(server);
  ReportedClock out;
  out.server = view.origin(server);
  out.offset = view.to_wall(server);
  out.staleness = staleness;
  out.samples = estimator.samples();
  out.rtt_min = estimator.rtt_min();
  return out;
}

/// A failed or missing answer, except errors that are not about the token.
bool rejected(const ReportedAttempt& attempt) {
  return attempt.verdict && *attempt.verdict != Verdict::ok;
}

}  // namespace

WallClockAnalysis analyze(const oauth::Token* token, const clocks::ClockView& view, ServerId api) {
  using Status = WallClockAnalysis::Status;
  WallClockAnalysis out;
  out.local_time = view.now().wall;
  out.skew = view.to_wall(api);
  if (token == nullptr) return out;
  out.token_exp = local_expiry(*token);
  if (out.token_exp) out.time_remaining = *out.token_exp - view.now().wall;
  const bool expired = out.time_remaining && *out.time_remaining <= Duration{0};
  out.status = expired ? Status::expired_locally : Status::valid_locally;
  return out;
}

std::vector<ReportedClock> reported_clocks(Hosts hosts, const clocks::ClockView& view,
                                           Duration staleness) {
  std::vector<ReportedClock> out;
  // A given token needs no login host, so there is none to report.
  if (!view.origin(hosts.login).empty()) out.push_back(reported(hosts.login, view, staleness));
  if (hosts.api != hosts.login) out.push_back(reported(hosts.api, view, staleness));
  return out;
}

CallRecord::CallRecord(std::string method, std::string url, Hosts hosts) : hosts_(hosts) {
  report_.method = std::move(method);
  report_.url = std::move(url);
}

void CallRecord::begin(const Now& now) {
  started_ = now.boot;
}

void CallRecord::add_login(const std::vector<oauth::LoginAttempt>& attempts, int token_requests) {
  report_.token_requests += token_requests;
  for (const oauth::LoginAttempt& login : attempts) {
    report_.attempts.push_back(login.attempt);
    report_.attempts.back().n = static_cast<int>(report_.attempts.size());
    report_.attempts.back().host = HostRole::login;
  }
}

std::size_t CallRecord::add(const clocks::Answer* answer, const oauth::Token* token,
                            const clocks::ClockView& view) {
  ReportedAttempt attempt;
  attempt.n = static_cast<int>(report_.attempts.size()) + 1;
  attempt.host = HostRole::api;
  const clocks::ClockView when = answer != nullptr ? view.at(answer->received) : view;
  if (answer != nullptr) {
    attempt.http_status = answer->status;
    report_.http_status = answer->status;
    if (answer->sample()) attempt.server_date = ServerTime{hosts_.api, answer->sample()->date};
  }
  if (token != nullptr) attempt.token = reported(*token, when.now());
  attempt.analysis = analyze(token, when, hosts_.api);
  report_.attempts.push_back(std::move(attempt));
  return report_.attempts.size() - 1;
}

CallReport CallRecord::close(std::optional<ErrorKind> failure, Verdict otherwise,
                             const clocks::ClockView& view, Duration staleness) {
  report_.elapsed = view.now().boot - started_;
  const auto first = std::find_if(report_.attempts.begin(), report_.attempts.end(), rejected);
  report_.verdict = first != report_.attempts.end() ? *first->verdict : otherwise;
  diagnosis::conclude(report_, failure);
  report_.clocks = reported_clocks(hosts_, view, staleness);
  return report_;
}

}  // namespace skewguard::guard
