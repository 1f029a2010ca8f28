#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "diagnosis/assess.hpp"
#include "diagnosis/evidence.hpp"
#include "diagnosis/explain.hpp"
#include "guard/call_machine.hpp"
#include "guard/call_record.hpp"
#include "guard/call_retries.hpp"
#include "guard/call_trials.hpp"
#include "guard/pause.hpp"
#include "time/backoff.hpp"

/// The internals of the call machine: call_machine.cpp decides what happens next, call_answers.cpp
/// classifies the API's answers, call_end.cpp settles verdicts and closes the report.
namespace skewguard::guard {

using diagnosis::Assessment;
using diagnosis::Evidence;
using diagnosis::Hindrance;
using diagnosis::Next;
using diagnosis::Trial;
using oauth::Refusal;

class CallMachine::Impl {
 public:
  Impl(HttpRequest request, CallOptions options, const oauth::Dialect& dialect, ServerId api,
       ServerId login)
      : request_(std::move(request)),
        options_(std::move(options)),
        dialect_(dialect),
        hosts_{api, login},
        record_(request_.method, request_.url, hosts_) {}

  CallStep step(const CallEvent& event, const clocks::ClockView& view);

 private:
  using Then = Pause::Then;

  CallAction on(const event::Start& start);
  CallAction on(const event::Resumed& resumed);
  CallAction on_unknown_token(const clocks::AnswerPtr& answer);
  [[nodiscard]] bool from_elsewhere(const clocks::Answer& answer) const;
  CallAction pass_on(const clocks::AnswerPtr& answer);
  CallAction on(const event::TokenReady& ready);
  CallAction on(const event::TokenFailed& failed);
  CallAction on(const event::Answered& answered);
  CallAction on(const event::Failed& failed);
  CallAction on(const event::Woke& woke);
  CallAction on(const event::Cancelled& cancelled);

  // What to do next -------------------------------------------------------------------------------
  CallAction need_token(std::uint64_t after);
  /// Replaces those that were refused.
  [[nodiscard]] action::NeedToken need_new_token() const;
  CallAction send();
  /// With the same token, unless it has expired or been replaced by then.
  CallAction send_again();
  CallAction sleep(Instant until, Then then);
  CallAction look();
  CallAction retry_after(Duration wait);
  void use(const event::TokenReady& ready);
  /// Whether the request may be sent again after trouble that is not about the token. GET and HEAD
  /// change nothing (RFC 9110 section 9.2.1), so sending them twice is safe.
  [[nodiscard]] bool may_retry() const {
    return options_.policy.replayable && options_.policy.retry_errors &&
           (request_.method == "GET" || request_.method == "HEAD");
  }
  [[nodiscard]] bool one_too_many() const;
  bool give_up_on_refusal();

  // Answers of the API ----------------------------------------------------------------------------
  CallAction on_refused_token(const clocks::Answer& answer, const Refusal& refusal);
  CallAction follow(const Assessment& assessment);
  CallAction back_off(Instant until);
  CallAction on_seen(const clocks::Answer* answer);
  CallAction on_taken(const Refusal& refusal);
  CallAction on_new_token(const event::TokenReady& ready);
  CallAction check();
  CallAction on_checked(const clocks::Answer& answer);
  CallAction on_rate_limit(const Refusal& refusal);
  CallAction on_auth_backend(const Refusal& refusal);
  CallAction on_api_error(const Refusal& refusal);

  // Evidence --------------------------------------------------------------------------------------
  [[nodiscard]] Refusal refusal_of(const Exchange& exchange) const {
    return refusal_of(exchange, request_.url);
  }
  [[nodiscard]] Refusal refusal_of(const Exchange& exchange, std::string_view url) const;
  [[nodiscard]] Evidence evidence() const { return trials_.evidence(token_, options_, *view_); }
  void settle();
  [[nodiscard]] ErrorKind failure_of_refusals() const;

  // Report and log --------------------------------------------------------------------------------
  [[nodiscard]] std::size_t last_attempt() const { return record_.attempts().size() - 1; }
  void note(std::size_t attempt, Verdict verdict, std::string explanation);
  void decide(std::size_t attempt, Action action) { record_.at(attempt).action = action; }
  /// As decide(), for the last refusal of a token.
  void follow_refusal(Action action);
  void announce(std::size_t attempt, std::vector<Verdict> candidates);
  void end_wait();
  void add_wait(std::size_t attempt, Duration waited);
  CallAction finish(std::optional<ErrorKind> failure, clocks::AnswerPtr answer,
                    Verdict otherwise = Verdict::ok);
  CallAction finish_without_answer(Error error, Verdict otherwise);
  CallAction finish_refused();
  CallAction finish_overslept();

  [[nodiscard]] const Now& now() const { return view_->now(); }
  [[nodiscard]] Duration left() const { return options_.deadline - now().boot; }
  [[nodiscard]] const std::string& api_origin() const { return view_->origin(hosts_.api); }

  HttpRequest request_;
  CallOptions options_;
  const oauth::Dialect& dialect_;
  Hosts hosts_;
  CallRecord record_;

  const clocks::ClockView* view_ = nullptr;  // of the current step
  CallStep out_;

  TokenInUse token_;
  oauth::TokenPtr accepted_;  ///< by an answer of this call
  CallTrials trials_{hosts_};
  CallRetries retries_{options_.seed};
  time::Jitter jitter_{options_.seed + 3};
  Pause pause_;
  bool looking_ = false;
  bool replace_ = false;   ///< the token, although this call ends
  bool checking_ = false;  ///< whether the next token works; then the call ends
  bool settled_ = false;
  clocks::AnswerPtr last_answer_;  ///< to a request with a token
};

}  // namespace skewguard::guard
