#include <utility>

#include "diagnosis/call_error.hpp"
#include "guard/call_machine_impl.hpp"
#include "time/duration_text.hpp"

namespace skewguard::guard {

void CallMachine::Impl::note(std::size_t attempt, Verdict verdict, std::string explanation) {
  record_.at(attempt).verdict = verdict;
  record_.at(attempt).explanation = std::move(explanation);
}

void CallMachine::Impl::decide(std::size_t attempt, Action action) {
  record_.at(attempt).action = action;
}

void CallMachine::Impl::announce(std::size_t attempt, std::vector<Verdict> candidates) {
  const ReportedAttempt& told = record_.attempts()[attempt];
  std::string names;
  for (const Verdict candidate : candidates)
    names.append(names.empty() ? "" : ", ").append(to_string(candidate));
  if (candidates.size() > 1) names.append(" (provisional)");
  log(LogLevel::warn, "rejected: " + names + ": " + told.explanation, told.verdict,
      told.correlation_id);
  out_.rejections.push_back({request_.method, request_.url, told, std::move(candidates)});
}

/// Reports what the usual check would have missed; the verdict rests on better evidence.
void CallMachine::Impl::warn_if_valid_locally(const ReportedAttempt& attempt) {
  const WallClockAnalysis& usual = attempt.analysis;
  if (usual.status != WallClockAnalysis::Status::valid_locally) return;
  std::string left = "nothing here tells its end";
  if (usual.time_remaining) {
    const auto tenths = *usual.time_remaining / std::chrono::milliseconds{100};
    left = std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) +
           " s left by the local wall clock";
  }
  log(LogLevel::critical,
      "token valid locally but refused by " + api_origin() + ": " + left + " (verdict provisional)",
      attempt.verdict, attempt.correlation_id);
}

/// Logs a wait as it begins.
void CallMachine::Impl::announce_sleep() {
  const Duration wait = wake_at_ - now().boot;
  LogLine line{.level = LogLevel::info,
               .message = "waiting " + time::human(wait) + " before ",
               .server = api_origin(),
               .wait = wait};
  if (then_ == Then::first_use) {
    line.message += "the first use of a new token: the API's clock is behind the login host's";
  } else {
    line.message += then_ == Then::renew  ? "requesting a new token"
                    : then_ == Then::look ? "checking the API's clock again"
                                          : "sending the request again";
    const auto& attempts = record_.attempts();
    if (!attempts.empty() && attempts.back().verdict != Verdict::ok)
      line.verdict = attempts.back().verdict;
  }
  out_.log.push_back(std::move(line));
}

/// A look and the wait after it count as one.
void CallMachine::Impl::begin_wait(std::size_t attempt) {
  if (waiting_for_ == attempt) return;
  waiting_for_ = attempt;
  waiting_since_ = now().boot;
}

/// The wait that followed an attempt is over.
void CallMachine::Impl::end_wait() {
  if (waiting_for_ == kNone) return;
  add_wait(std::exchange(waiting_for_, kNone), now().boot - waiting_since_);
}

void CallMachine::Impl::add_wait(std::size_t attempt, Duration waited) {
  record_.at(attempt).waited += waited;
  if (!trials_.empty() && attempt_of_trial_.back() == attempt && trials_.back().refused)
    trials_.back().waited += waited;
}

CallAction CallMachine::Impl::finish(std::optional<ErrorKind> failure, clocks::AnswerPtr answer,
                                     Verdict otherwise) {
  end_wait();
  settle();
  action::Finish end;
  end.answer = std::move(answer);
  end.accepted = accepted_;
  end.report = record_.close(failure, otherwise, *view_, options_.staleness);
  return end;
}

CallAction CallMachine::Impl::finish_without_answer(Error error, Verdict otherwise) {
  auto end = std::get<action::Finish>(finish(error.kind, nullptr, otherwise));
  error.report = std::make_shared<const CallReport>(end.report);
  end.error = std::move(error);
  return end;
}

/// The deadline passed during a wait (the machine was suspended, or its timer fired late).
CallAction CallMachine::Impl::finish_overslept() {
  give_up_on_refusal();
  const auto& attempts = record_.attempts();
  const Verdict last =
      attempts.empty() ? Verdict::ok : attempts.back().verdict.value_or(Verdict::ok);
  if (!attempts.empty()) decide(attempts.size() - 1, Action::give_up);
  if (last_answer_ && last == Verdict::api_rate_limited)
    return finish(ErrorKind::throttled, last_answer_);
  if (last_answer_ && (last == Verdict::auth_backend_unavailable || last == Verdict::ok))
    return finish(diagnosis::failure_of(last, HostRole::api), last_answer_);
  Error error;
  error.kind = ErrorKind::timeout;
  error.message = "the deadline passed before the request could be sent";
  error.remedy = "raise --timeout";
  return finish_without_answer(std::move(error), Verdict::timeout);
}

void CallMachine::Impl::log(LogLevel level, std::string message, std::optional<Verdict> verdict,
                            std::string correlation_id) {
  out_.log.push_back({level, std::move(message), verdict, api_origin(), std::move(correlation_id)});
}

}  // namespace skewguard::guard
