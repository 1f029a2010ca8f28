#include <memory>
#include <utility>
#include <vector>

#include "diagnosis/call_error.hpp"
#include "diagnosis/standing.hpp"
#include "guard/call_machine_impl.hpp"
#include "guard/learned.hpp"

namespace skewguard::guard {

/// At the end of the call each refusal gets its final verdict (evidence rule 1), and later calls
/// learn from it.
void CallMachine::Impl::settle() {
  const std::vector<Trial>& trials = trials_.all();
  if (trials.empty() || std::exchange(settled_, true)) return;
  const Evidence known = evidence();
  std::vector<Verdict> verdicts(trials.size(), Verdict::ok);
  for (std::size_t i = 0; i < trials.size(); ++i) {
    if (!trials[i].refused) continue;
    verdicts[i] = diagnosis::settle(known, i);
    const std::size_t attempt = trials_.attempt_of(i);
    note(attempt, verdicts[i],
         diagnosis::explain_settled(
             known, {i, verdicts[i]},
             {options_.region, view_->origin(hosts_.login), view_->origin(hosts_.api)}));
    const ReportedAttempt& reported = record_.at(attempt);
    out_.log.push_back(
        {LogLevel::warn, reported.explanation, verdicts[i], api_origin(), reported.correlation_id});
  }
  for (auto& lesson :
       lessons(trials, verdicts, view_->between(hosts_.login, hosts_.api), options_.staleness))
    out_.facts.push_back(std::move(lesson));
}

/// The error of a call that gives up on a refused token, from its last attempt. If that is a wrong
/// local clock, which made a given token look valid, the token is refused anyway.
ErrorKind CallMachine::Impl::failure_of_refusals() const {
  if (diagnosis::local_clock_differs(evidence(), trials_.last())) return ErrorKind::credentials;
  const auto& last = record_.attempts()[trials_.last_attempt()];
  return diagnosis::failure_of(last.verdict.value_or(Verdict::unknown), HostRole::api);
}

CallAction CallMachine::Impl::finish(std::optional<ErrorKind> failure, clocks::AnswerPtr answer,
                                     Verdict otherwise) {
  end_wait();
  settle();
  action::Finish end;
  end.answer = std::move(answer);
  end.accepted = accepted_;
  if (replace_) end.replace = need_new_token();
  end.report = record_.close(failure, otherwise, *view_, options_.staleness);
  return end;
}

CallAction CallMachine::Impl::finish_without_answer(Error error, Verdict otherwise) {
  auto end = std::get<action::Finish>(finish(error.kind, nullptr, otherwise));
  error.report = std::make_shared<const CallReport>(end.report);
  end.error = std::move(error);
  return end;
}

/// Ends the call with the last answer, which refused the token.
CallAction CallMachine::Impl::finish_refused() {
  settle();
  return finish(failure_of_refusals(), last_answer_);
}

/// The deadline passed during a wait (the machine was suspended, or its timer fired late).
CallAction CallMachine::Impl::finish_overslept() {
  give_up_on_refusal();
  const auto& attempts = record_.attempts();
  const Verdict last =
      attempts.empty() ? Verdict::ok : attempts.back().verdict.value_or(Verdict::ok);
  if (!attempts.empty()) decide(last_attempt(), Action::give_up);
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

}  // namespace skewguard::guard
