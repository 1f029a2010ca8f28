// What a program does with a call: what is next, and what came of a send.
#include "c/call.hpp"

#include <functional>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "c/answer.hpp"
#include "c/error.hpp"

namespace skewguard::c {
namespace {

/// What a failure means: whether the request may have reached the API.
struct FailureMeaning {
  TransportFailure::Kind kind;
  bool request_sent;
};
std::optional<FailureMeaning> meaning_of(int32_t failure) {
  using enum TransportFailure::Kind;
  switch (failure) {
    case SKEWGUARD_FAILED_RESET:
      return FailureMeaning{reset, true};
    case SKEWGUARD_FAILED_REFUSED:
      return FailureMeaning{refused, false};
    case SKEWGUARD_FAILED_DNS:
      return FailureMeaning{dns, false};
    case SKEWGUARD_FAILED_TIMEOUT:
      return FailureMeaning{timeout, true};
    case SKEWGUARD_FAILED_TLS:
      return FailureMeaning{tls_failed, false};
    case SKEWGUARD_FAILED_TRUNCATED:
      return FailureMeaning{truncated, true};
    case SKEWGUARD_FAILED_OTHER:
      return FailureMeaning{cancelled, true};
    default:
      return std::nullopt;
  }
}

/// What came of the send that is due.
int32_t answer_call(skewguard_call* call, skewguard_error** error,
                    const std::function<SendResult()>& result) noexcept {
  return without_exceptions(error, SKEWGUARD_UNAVAILABLE, [&]() -> int32_t {
    if (call != nullptr && call->state->answer(result)) return 0;
    return report_error(
        error, wrong_argument("there is no send to answer", "answer each SKEWGUARD_SEND once"));
  });
}

}  // namespace
}  // namespace skewguard::c

namespace sg = skewguard::c;
int32_t skewguard_call_next(skewguard_call* call, int64_t wait) {
  return call == nullptr ? SKEWGUARD_DONE : call->state->next(skewguard::Duration{wait});
}

int32_t skewguard_call_send_number(const skewguard_call* call) {
  return call == nullptr ? 0 : call->state->send_number();
}

const char* skewguard_call_authorization(const skewguard_call* call) {
  return call == nullptr ? "" : call->state->authorization();
}

int64_t skewguard_call_time_left(const skewguard_call* call) {
  return call == nullptr ? 0 : call->state->time_left().count();
}

int32_t skewguard_call_answer(skewguard_call* call, const skewguard_answer* answer,
                              skewguard_error** error) {
  if (auto wrong = sg::check_answer(answer)) return sg::report_error(error, *std::move(wrong));
  return sg::answer_call(call, error, [&] { return sg::exchange_of(*answer, call->state->now()); });
}

int32_t skewguard_call_fail(skewguard_call* call, int32_t failure, const char* reason,
                            skewguard_error** error) {
  const auto meaning = sg::meaning_of(failure);
  if (!meaning) {
    return sg::report_error(
        error, sg::wrong_argument("there is no such failure: " + std::to_string(failure)));
  }
  return sg::answer_call(call, error, [&]() -> skewguard::SendResult {
    skewguard::TransportFailure failed;
    failed.kind = meaning->kind;
    failed.detail = reason == nullptr ? "the program's HTTP stack got no answer" : reason;
    failed.request_sent = meaning->request_sent;
    return failed;
  });
}

void skewguard_call_cancel(skewguard_call* call) {
  if (call != nullptr) call->operation.cancel();
}

void skewguard_call_free(skewguard_call* call) {
  std::unique_ptr<skewguard_call> owner(call);
  if (!owner) return;
  if (owner->process != ::getpid()) {  // a thread of the parent may hold its locks for ever
    std::ignore = owner.release();
    return;
  }
  owner->state->detach();
  owner->operation.cancel();
}
