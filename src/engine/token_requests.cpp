#include "engine/token_requests.hpp"

#include <algorithm>
#include <exception>
#include <functional>
#include <memory>
#include <utility>

#include "diagnosis/call_error.hpp"
#include "diagnosis/exit_code.hpp"
#include "engine/given_life.hpp"
#include "engine/question.hpp"
#include "oauth/token_failure.hpp"

namespace skewguard::engine {
namespace {

/// Whether GET may show more: an answer to HEAD has no body, which some errors need for their
/// classification; 405 and 501 are about HEAD itself. Nothing that clocks, the network or a limit
/// explain needs a body.
bool body_would_tell(const guard::action::Finish& finished) {
  if (!finished.answer || finished.answer->status < 400) return false;
  switch (finished.report.failure.value_or(ErrorKind::protocol)) {
    case ErrorKind::clock:
    case ErrorKind::unavailable:
    case ErrorKind::timeout:
    case ErrorKind::cancelled:
    case ErrorKind::throttled:
      return false;
    case ErrorKind::config:
    case ErrorKind::credentials:
    case ErrorKind::forbidden:
    case ErrorKind::protocol:
      break;
  }
  return true;
}

/// Prepends what happened earlier to that report.
void put_before(const CallReport& earlier, CallReport& report) {
  report.token_requests += earlier.token_requests;
  if (earlier.verdict != Verdict::ok) report.verdict = earlier.verdict;
  report.attempts.insert(report.attempts.begin(), earlier.attempts.begin(), earlier.attempts.end());
  for (std::size_t i = 0; i < report.attempts.size(); ++i)
    report.attempts[i].n = static_cast<int>(i) + 1;
}

bool cancelled(const guard::action::Finish& finished) {
  return finished.error && finished.error->kind == ErrorKind::cancelled;
}

/// The result of two calls in a row: if the second one got no answer, the first one's counts.
guard::action::Finish joined(guard::action::Finish first, guard::action::Finish second) {
  if (second.accepted || cancelled(second)) return second;
  if (!second.answer) {
    first.report.token_requests += second.report.token_requests;
    return first;
  }
  put_before(first.report, second.report);
  return second;
}

oauth::TokenFailure not_verified_in_time() {
  return oauth::token_failure(
      Verdict::timeout, "the API did not show before the deadline whether it accepts this token",
      "try again, or allow more time");
}

/// The error for a new token that the caller insists on.
oauth::TokenFailure older_one_accepted() {
  return oauth::token_failure(
      Verdict::issuer_clock_ahead,
      "the API does not accept the new token yet, but still accepts the previous one",
      "leave out --force-refresh, or have the clock of the login or the API host corrected");
}

Error unclear_answer(int status) {
  return {ErrorKind::protocol,
          "the API's answer (" + std::to_string(status) +
              ") does not show whether it accepts this token",
          "name a path that does (--verify-path), or leave it out (--no-verify)"};
}

}  // namespace

TokenRequests::TokenRequests(Uses uses)
    : uses_(std::move(uses)), question_(question_of(uses_.options)) {}

TokenRequests::~TokenRequests() {
  const Error cancelled{ErrorKind::cancelled, "the client is shutting down", ""};
  for (auto& [id, reader] : std::exchange(readers_, {})) {
    try {
      reader.handler(cancelled);
    } catch (...) {  // the next one is told all the same
      continue;
    }
  }
}

TokenRequests::Id TokenRequests::start(const TokenRequestOptions& options, Instant deadline,
                                       Handler handler) {
  const Id id = uses_.tokens.new_waiter();
  guard::CallRecord record("POST", uses_.token_url, {uses_.clocks.api(), uses_.clocks.login()});
  uses_.loop.later([this, id] { begin(id); });  // first, as in Calls::start()
  readers_.emplace(id, Reader{std::move(handler), options, deadline, std::move(record)});
  return id;
}

void TokenRequests::cancel(Id id) {
  uses_.loop.later([this, id] {
    uses_.tokens.withdraw(id);
    answer(id, Error{ErrorKind::cancelled, "the token was no longer needed", ""}, Verdict::ok);
  });
}

void TokenRequests::begin(Id id) {
  const auto found = readers_.find(id);
  if (found == readers_.end()) return;
  found->second.record.begin(uses_.clocks.now());
  want(id);
}

void TokenRequests::want(Id id) {
  const auto found = readers_.find(id);
  if (found == readers_.end()) return;
  const Reader& reader = found->second;
  oauth::event::Want wanted;
  wanted.waiter = id;
  wanted.deadline = reader.deadline;
  wanted.after = reader.after;
  wanted.min_life = reader.options.min_life;
  wanted.force = reader.options.force_refresh;
  uses_.tokens.want(wanted, [this, id](TokenService::Answer answer) {
    const auto asking = readers_.find(id);
    if (asking == readers_.end()) return;
    std::visit(
        [&](const auto& answered) {
          asking->second.record.add_login(answered.attempts, answered.token_requests);
          asking->second.asked_login |= answered.token_requests > 0;
        },
        answer);
    if (auto* failed = std::get_if<oauth::action::Fail>(&answer))
      return refuse(id, std::move(failed->failure));
    hand_out(std::get<oauth::action::Deliver>(answer), id);
  });
}

/// A token that the API would not accept yet is not valid: it is delivered once it is.
void TokenRequests::hand_out(const oauth::action::Deliver& delivered, Id id) {
  Reader& reader = readers_.at(id);
  // The new token is here: from now on nothing older is acceptable, and nothing newer is required.
  if (std::exchange(reader.options.force_refresh, false))
    reader.after = delivered.token->generation - 1;
  if (must_verify(reader, *delivered.token)) return verify(id, delivered.token->generation);
  if (!reader.options.verify || delivered.first_use <= uses_.clocks.now().boot)
    return give(id, delivered.token);
  if (delivered.first_use > reader.deadline) return refuse(id, oauth::begins_too_late());
  uses_.loop.at(delivered.first_use, [this, id] { want(id); });
}

// What the API accepts ----------------------------------------------------------------------------

bool TokenRequests::must_verify(const Reader& reader, const oauth::Token& token) const {
  return reader.options.verify && !question_.path.empty() &&
         !uses_.tokens.tokens().was_accepted(token.generation);
}

void TokenRequests::verify(Id id, std::uint64_t generation) {
  const Instant deadline = readers_.at(id).deadline;
  if (check_) {
    check_->waiting.push_back(id);
  } else {
    check_ = Check{deadline, {id}, {}};
    ask_api(generation);
  }
  if (!check_ || deadline >= check_->deadline) return;  // the call ends by then
  uses_.loop.at(deadline, [this, id] { refuse(id, not_verified_in_time()); });
}

void TokenRequests::ask_api(std::uint64_t generation) {
  uses_.listeners.log().write({LogLevel::debug, "asking the API whether it accepts this token: " +
                                                    question_.method + " " + question_.path});
  try {
    uses_.start_call({question_, check_->deadline, generation - 1, check_->by_head.has_value()},
                     [this, generation](guard::action::Finish finished) {
                       checked(std::move(finished), generation);
                     });
  } catch (const std::exception& e) {
    checked({nullptr,
             Error{ErrorKind::unavailable,
                   std::string("the API could not be asked about the token: ") + e.what(),
                   "check this machine's limits on memory"},
             {}},
            generation);
  }
}

void TokenRequests::checked(guard::action::Finish finished, std::uint64_t generation) {
  if (!finished.accepted && question_.method == "HEAD" && body_would_tell(finished)) {
    question_.method = "GET";
    check_->by_head = std::move(finished);
    return ask_api(generation);
  }
  Check ended = *std::exchange(check_, std::nullopt);
  if (ended.by_head) finished = joined(*std::move(ended.by_head), std::move(finished));
  const bool over = cancelled(finished);
  std::vector<Id> patient;
  for (const Id id : ended.waiting) {
    const auto found = readers_.find(id);
    if (found == readers_.end()) continue;
    if (finished.accepted) {
      accepted(id, finished.accepted, generation);
    } else if (over || found->second.deadline <= ended.deadline) {
      refuse(id, finished);
    } else {
      patient.push_back(id);
    }
  }
  // They came later and have time left; the next call gets as much as the one with the most.
  std::ranges::sort(patient, std::greater{}, [this](Id id) { return readers_.at(id).deadline; });
  for (const Id id : patient) want(id);
}

/// It may not be the token that this caller was to get, and verifying takes time. `asked`: the
/// generation that was verified first.
void TokenRequests::accepted(Id id, const oauth::TokenPtr& token, std::uint64_t asked) {
  Reader& reader = readers_.at(id);
  if (token->generation <= reader.after)
    return asked > reader.after ? refuse(id, older_one_accepted()) : want(id);
  if (token->given) return give(id, token);
  const Duration left = bearer_token(token).remaining;
  if (left > Duration{0} && left >= reader.options.min_life) return give(id, token);
  if (!std::exchange(reader.asked_login, true)) return want(id);
  refuse(id, oauth::new_token_too_short(left, reader.options.min_life));
}

// What they get -----------------------------------------------------------------------------------

void TokenRequests::give(Id id, const oauth::TokenPtr& token) {
  BearerToken out = bearer_token(token);
  const Duration min_life = readers_.at(id).options.min_life;
  // The machine does not know when a given token expires.
  if (token->given && out.remaining < min_life)
    return refuse(id, oauth::given_token_too_short(out.remaining, min_life));
  answer(id, std::move(out), Verdict::ok);
}

void TokenRequests::refuse(Id id, oauth::TokenFailure failure) {
  answer(id, std::move(failure.error), failure.verdict);
}

/// Reports the guarded call, after what this caller met before it.
void TokenRequests::refuse(Id id, const guard::action::Finish& finished) {
  Reader reader = std::move(readers_.extract(id).mapped());
  const int status = finished.answer ? finished.answer->status : 0;
  Error error = finished.error
                    ? *finished.error
                    : diagnosis::error_of(finished.report).value_or(unclear_answer(status));
  CallReport report = finished.report;
  if (!report.failure) diagnosis::conclude(report, error.kind);
  const CallReport own = reader.record.close(report.failure, Verdict::ok, uses_.clocks.view(),
                                             uses_.options.staleness);
  report.elapsed = own.elapsed;
  put_before(own, report);
  error.report = std::make_shared<const CallReport>(std::move(report));
  reader.handler(std::move(error));
}

void TokenRequests::answer(Id id, Result<BearerToken> result, Verdict otherwise) {
  const auto found = readers_.find(id);
  if (found == readers_.end()) return;
  Reader reader = std::move(found->second);
  readers_.erase(found);
  const auto failure = result ? std::nullopt : std::optional(result.error().kind);
  const auto report = std::make_shared<const CallReport>(
      reader.record.close(failure, otherwise, uses_.clocks.view(), uses_.options.staleness));
  uses_.listeners.resolved(*report);
  if (!result) {
    Error error = std::move(result).error();
    error.report = report;
    result = std::move(error);
  }
  reader.handler(std::move(result));
}

BearerToken TokenRequests::bearer_token(const oauth::TokenPtr& token) const {
  if (token->given) return given_token(*token);
  const clocks::ClockView view = uses_.clocks.view();
  const Now& now = view.now();
  // The delivered token may be the next one, whose lifetime only its own numbers show.
  const oauth::TokenMachine& tokens = uses_.tokens.tokens();
  const bool current = tokens.usable(view) == token;
  const Instant end = current ? tokens.ends_at(view).value_or(token->dead_at()) : token->dead_at();
  BearerToken out;
  out.value = token->value;
  out.token_type = "Bearer";
  out.remaining = std::max(Duration{0}, end - now.boot);
  out.expires_at = now.wall + out.remaining;
  out.source = token->stored ? BearerToken::Source::store : BearerToken::Source::login;
  return out;
}

BearerToken TokenRequests::given_token(const oauth::Token& token) const {
  const Now& now = uses_.clocks.now();
  BearerToken out;
  out.value = token.value;
  out.token_type = "Bearer";
  out.source = BearerToken::Source::given;
  out.remaining = token.dead_at() - now.boot;
  if (token.claims && token.claims->exp) {
    const GivenLife life = given_life(*token.claims, *token.claims->exp, now.wall,
                                      uses_.clocks.view().to_wall(uses_.clocks.api()));
    for (const auto& warning : life.warnings)
      uses_.listeners.log().write({LogLevel::warn, warning});
    out.remaining = life.remaining;
  }
  out.expires_at = now.wall + out.remaining;
  return out;
}

}  // namespace skewguard::engine
