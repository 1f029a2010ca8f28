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
#include "time/backoff.hpp"

/// The internals of the call machine: call_machine.cpp decides what happens next, call_answers.cpp
/// classifies the API's answers, call_evidence.cpp settles verdicts and learns, call_telling.cpp
/// writes report and log.
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
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  /// What follows a sleep.
  enum class Then { first_use, send_again, look, renew };

  CallAction on(const event::Start& start);
  CallAction on(const event::TokenReady& ready);
  CallAction on(const event::TokenDenied& denied);
  CallAction on(const event::Answered& answered);
  CallAction on(const event::Failed& failed);
  CallAction on(const event::Woke& woke);
  CallAction on(const event::Cancelled& cancelled);

  // What to do next -------------------------------------------------------------------------------
  CallAction need_token(std::uint64_t after);
  /// In place of those that were refused.
  CallAction need_new_token();
  CallAction send();
  /// With the same token, unless it has ended by then or been replaced.
  CallAction send_again();
  CallAction sleep(Instant until, Then then);
  CallAction look();
  CallAction retry_after(Duration wait);
  void note_other_token(std::uint64_t generation);
  [[nodiscard]] bool one_too_many() const;
  bool give_up_on_refusal();

  // Answers of the API ----------------------------------------------------------------------------
  CallAction on_refused_token(const clocks::Answer& answer, const Refusal& refusal);
  CallAction follow(const Assessment& assessment);
  CallAction back_off(Instant until);
  CallAction on_seen(const clocks::Answer* answer);
  CallAction on_taken(const Refusal& refusal);
  CallAction on_rate_limit(const Refusal& refusal);
  CallAction on_auth_backend(const Refusal& refusal);
  CallAction on_api_error(const Refusal& refusal);

  // Evidence --------------------------------------------------------------------------------------
  [[nodiscard]] Refusal refusal_of(const Exchange& exchange) const;
  /// `refusal`: of the token; null where it was taken.
  void note_trial(const clocks::Answer& answer, const Refusal* refusal);
  [[nodiscard]] Evidence evidence() const;
  void settle();
  void learn(const std::vector<Verdict>& verdicts);
  [[nodiscard]] bool taken_later(std::size_t trial) const;
  [[nodiscard]] ErrorKind failure_of_refusals() const;

  // Report ----------------------------------------------------------------------------------------
  void note(std::size_t attempt, Verdict verdict, std::string explanation);
  void decide(std::size_t attempt, Action action);
  void announce(std::size_t attempt, std::vector<Verdict> candidates);
  void warn_if_valid_locally(const ReportedAttempt& attempt);
  void begin_wait(std::size_t attempt);
  void end_wait();
  void add_wait(std::size_t attempt, Duration waited);
  void announce_sleep();
  CallAction finish(std::optional<ErrorKind> failure, clocks::AnswerPtr answer,
                    Verdict otherwise = Verdict::ok);
  CallAction finish_without_answer(Error error, Verdict otherwise);
  CallAction finish_overslept();
  void log(LogLevel level, std::string message, std::optional<Verdict> verdict = std::nullopt,
           std::string correlation_id = {});

  [[nodiscard]] const Now& now() const { return view_->now(); }
  [[nodiscard]] Duration left() const { return options_.deadline - now().boot; }
  [[nodiscard]] const std::string& api_origin() const { return view_->origin(hosts_.api); }

  HttpRequest request_;
  CallOptions options_;
  const oauth::Dialect& dialect_;
  Hosts hosts_;
  CallRecord record_;

  const clocks::ClockView* view_ = nullptr;  // of the step under way
  CallStep out_;

  oauth::TokenPtr token_;
  bool token_accepted_ = false;
  oauth::TokenPtr accepted_;  ///< by an answer of this call
  unsigned early_ends_before_ = 0;
  bool begins_ignored_ = false;
  Instant older_until_ = Instant::min();
  time::Jitter jitter_{options_.seed + 3};

  // Sleeping
  Instant wake_at_{};
  Then then_ = Then::send_again;
  bool looking_ = false;
  /// The attempt that the wait under way follows, and since when.
  std::size_t waiting_for_ = kNone;
  Instant waiting_since_{};

  // Retries that are not about the token
  static constexpr time::Backoff::Options kGatewayBackoff{std::chrono::milliseconds{250},
                                                          std::chrono::seconds{2}};
  static constexpr time::Backoff::Options kLimitBackoff{std::chrono::seconds{1},
                                                        std::chrono::seconds{30}};
  static constexpr time::Backoff::Options kAuthBackoff{std::chrono::milliseconds{500},
                                                       std::chrono::seconds{5}};
  int gateway_retries_ = 0;
  time::Backoff gateway_backoff_{kGatewayBackoff, options_.seed};
  time::Backoff limit_backoff_{kLimitBackoff, options_.seed + 1};
  time::Backoff auth_backoff_{kAuthBackoff, options_.seed + 2};

  std::vector<Trial> trials_;
  std::vector<std::size_t> attempt_of_trial_;
  std::vector<diagnosis::Look> looks_;
  std::optional<Verdict> denied_;
  std::optional<Instant> next_request_;  ///< where evidence rule 8 is the reason for no new token
  Instant started_{};
  bool settled_ = false;
  clocks::AnswerPtr last_answer_;  ///< to a request with a token
};

/// GET and HEAD change nothing (RFC 9110 section 9.2.1), so sending them twice is safe.
inline bool safe_method(std::string_view method) {
  return method == "GET" || method == "HEAD";
}

/// Retries of a GET or HEAD after a broken connection or a gateway's 502, 503, 504: two, since such
/// trouble seldom ends sooner.
inline constexpr int kGatewayRetries = 2;

}  // namespace skewguard::guard
