#include "diagnosis/call_error.hpp"
#include "diagnosis/standing.hpp"
#include "guard/call_machine_impl.hpp"
#include "http/content_coding.hpp"
#include "oauth/answer_body.hpp"
#include "oauth/withhold.hpp"

namespace skewguard::guard {
namespace {

/// If the caller asked for an encoding, the answer stays encoded: an error is still read, from a
/// copy in `decoded`.
const Exchange& readable(const Exchange& exchange, std::optional<Exchange>& decoded) {
  const bool error = exchange.status >= 400 && exchange.body.size() <= oauth::kMaxErrorBytes;
  if (!error || !exchange.headers.find("Content-Encoding")) return exchange;
  decoded = exchange;
  http::decode_body(*decoded, oauth::kMaxErrorBytes);
  return *decoded;
}

std::string_view path_of(std::string_view url) {
  const auto scheme = url.find("://");
  const auto path = url.find('/', scheme == std::string_view::npos ? 0 : scheme + 3);
  if (path == std::string_view::npos) return "/";
  return url.substr(path, url.find_first_of("?#", path) - path);
}

bool gateway_trouble(int status) {
  return status == 502 || status == 503 || status == 504;
}

/// Whether this answer shows that the API accepted the token. Only answers that depend on the token
/// count: a 429, a 400 or a 5xx may come from a gateway that never looked at it.
bool took_token(const Refusal& refusal, int status) {
  if (refusal.kind == Refusal::Kind::token_refused || refusal.error_code == "invalid_token")
    return false;
  if (refusal.kind == Refusal::Kind::missing_permission ||
      refusal.kind == Refusal::Kind::no_user_context) {
    return true;
  }
  return (status >= 200 && status < 300) || status == 404 || status == 409 || status == 422;
}

}  // namespace

CallAction CallMachine::Impl::on(const event::Answered& answered) {
  const clocks::Answer& answer = *answered.answer;
  if (std::exchange(looking_, false)) return on_seen(&answer);
  if (checking_) return on_checked(answer);
  if (from_elsewhere(answer)) return pass_on(answered.answer);
  const Refusal refusal = refusal_of(answer);
  last_answer_ = answered.answer;
  const std::size_t attempt = record_.add(&answer, token_.token.get(), *view_);
  record_.at(attempt).error_code = refusal.error_code;
  record_.at(attempt).correlation_id = refusal.correlation_id;
  if (refusal.kind == Refusal::Kind::token_refused) return on_refused_token(answer, refusal);
  // An answer to HEAD has no body to show whose 403 it is.
  const bool whose = request_.method != "HEAD" || answer.status != 403;
  if (whose && took_token(refusal, answer.status)) {
    trials_.note(answer, token_, nullptr, attempt, *view_);
    token_.accepted = true;
    accepted_ = token_.token;
    out_.facts.push_back(oauth::event::Accepted{token_.token->generation});
    if (diagnosis::took_unbegun(trials_.last(), options_.staleness))
      out_.facts.push_back(oauth::event::TakesUnbegun{});
  }
  return on_taken(refusal);
}

/// What the API does with a new token tells what was wrong with the one that it refused.
CallAction CallMachine::Impl::on_checked(const clocks::Answer& answer) {
  const Refusal refusal = refusal_of(answer, options_.check.url);
  if (refusal.kind == Refusal::Kind::token_refused) {
    const std::size_t attempt = record_.add(&answer, token_.token.get(), *view_);
    record_.at(attempt).error_code = refusal.error_code;
    record_.at(attempt).correlation_id = refusal.correlation_id;
    trials_.note(answer, token_, &refusal, attempt, *view_);
    note(attempt, diagnosis::assess(evidence()).verdict(), {});
    announce(attempt, diagnosis::assess(evidence()).candidates);
    follow_refusal(Action::give_up);
  } else if (answer.status >= 200 && answer.status < 300) {
    trials_.note(answer, token_, nullptr, trials_.last_attempt(), *view_);
    out_.facts.push_back(oauth::event::Accepted{token_.token->generation});
  }
  return finish_refused();
}

/// Classified as received; messages about it do not show the token.
Refusal CallMachine::Impl::refusal_of(const Exchange& exchange, std::string_view url) const {
  std::optional<Exchange> decoded;
  Refusal refusal =
      dialect_.api_refusal(readable(exchange, decoded), path_of(url), !options_.given_token);
  const auto hide = [this](std::string& words) {
    words = oauth::withhold(std::move(words), {token_.token->value.reveal()});
  };
  hide(refusal.description);
  hide(refusal.error_code);
  hide(refusal.correlation_id);
  hide(refusal.gateway);
  std::for_each(refusal.permissions.begin(), refusal.permissions.end(), hide);
  return refusal;
}

CallAction CallMachine::Impl::on_taken(const Refusal& refusal) {
  const std::size_t attempt = last_attempt();
  const auto give_up = [&](Verdict verdict, std::string explanation) {
    note(attempt, verdict, std::move(explanation));
    decide(attempt, Action::give_up);
    announce(attempt, {verdict});
    return finish(diagnosis::failure_of(verdict, HostRole::api), last_answer_);
  };
  switch (refusal.kind) {
    case Refusal::Kind::missing_permission:
      return give_up(Verdict::missing_permission, diagnosis::explain_missing_permission(refusal));
    case Refusal::Kind::gateway_refused:
      return give_up(Verdict::gateway_refused,
                     diagnosis::explain_gateway(refusal, last_answer_->status));
    case Refusal::Kind::no_user_context:
      return give_up(Verdict::no_user_context, diagnosis::explain_no_user_context(refusal));
    case Refusal::Kind::redirect:
      return give_up(Verdict::protocol, diagnosis::explain_redirect(refusal, last_answer_->status));
    case Refusal::Kind::unusable:
      return give_up(Verdict::protocol, diagnosis::explain_unusable(refusal, last_answer_->status));
    case Refusal::Kind::rate_limited:
      return on_rate_limit(refusal);
    case Refusal::Kind::backend_unavailable:
      return on_auth_backend(refusal);
    default:
      break;
  }
  if (last_answer_->status < 200)
    return give_up(Verdict::protocol, diagnosis::explain_unusable(refusal, last_answer_->status));
  if (last_answer_->status < 300) return finish(std::nullopt, last_answer_);
  return on_api_error(refusal);
}

CallAction CallMachine::Impl::on_rate_limit(const Refusal& refusal) {
  const std::size_t attempt = last_attempt();
  CallRetries::Limit limit = retries_.after_limit(refusal.retry_after, left());
  limit.retry = limit.retry && options_.policy.replayable && options_.policy.wait_for_rate_limits;
  note(attempt, Verdict::api_rate_limited,
       diagnosis::explain_rate_limit(refusal, {limit.asked, limit.wait, left()}));
  decide(attempt, limit.retry ? Action::wait_and_retry : Action::give_up);
  announce(attempt, {Verdict::api_rate_limited});
  if (limit.retry) return retry_after(limit.wait);
  return finish(ErrorKind::throttled, last_answer_);
}

/// The API could not verify the token with its own back end: nothing was done, so any method may be
/// sent again.
CallAction CallMachine::Impl::on_auth_backend(const Refusal& refusal) {
  const std::size_t attempt = last_attempt();
  const auto wait = options_.policy.replayable
                        ? retries_.after_auth_backend(refusal.retry_after, left())
                        : std::nullopt;
  note(attempt, Verdict::auth_backend_unavailable,
       diagnosis::explain_auth_backend(refusal, wait.has_value()));
  decide(attempt, wait ? Action::wait_and_retry : Action::give_up);
  announce(attempt, {Verdict::auth_backend_unavailable});
  if (wait) return retry_after(*wait);
  return finish(diagnosis::failure_of(Verdict::auth_backend_unavailable, HostRole::api),
                last_answer_);
}

CallAction CallMachine::Impl::on_api_error(const Refusal& refusal) {
  const std::size_t attempt = last_attempt();
  const auto wait = gateway_trouble(last_answer_->status) && may_retry()
                        ? retries_.after_gateway_trouble(refusal.retry_after, left())
                        : std::nullopt;
  note(attempt, Verdict::ok,
       diagnosis::explain_api_error(refusal, last_answer_->status, wait.has_value()));
  if (!wait) return finish(diagnosis::failure_of(Verdict::ok, HostRole::api), last_answer_);
  decide(attempt, Action::wait_and_retry);
  out_.log.push_back({LogLevel::info, record_.at(attempt).explanation, std::nullopt, api_origin(),
                      refusal.correlation_id});
  return retry_after(*wait);
}

}  // namespace skewguard::guard
