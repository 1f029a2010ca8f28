// How calls begin: what arguments mean, and what starts them.
#include <optional>
#include <string>
#include <utility>

#include "c/answer.hpp"
#include "c/call.hpp"
#include "c/client.hpp"
#include "c/error.hpp"

namespace skewguard::c {
namespace {

constexpr int32_t kGuardFlags = SKEWGUARD_NOT_REPLAYABLE | SKEWGUARD_NO_RATE_WAIT |
                                SKEWGUARD_NO_ERROR_RETRY | SKEWGUARD_UNLIMITED_SENDS;
constexpr int32_t kTokenFlags = SKEWGUARD_FORCE_REFRESH | SKEWGUARD_UNVERIFIED;
constexpr std::size_t kMaxRequestBody = std::size_t{64} * 1024 * 1024;

std::optional<Error> check_flags(int32_t flags, int32_t known) {
  if ((flags & ~known) == 0) return std::nullopt;
  return wrong_argument("unknown flags: " + std::to_string(flags & ~known),
                        "this version of the library does not have them");
}

std::optional<Error> check_timeout(int64_t timeout) {
  if (timeout >= -1) return std::nullopt;
  return wrong_argument("the timeout is negative", "-1 stands for the client's");
}

std::optional<Duration> span_of(int64_t span) {
  if (span < 0) return std::nullopt;
  return Duration{span};
}

GuardOptions options_of(const char* method, const char* path, int32_t flags, int64_t timeout) {
  GuardOptions options;
  options.method = text_of(method);
  if (path != nullptr) options.path = path;
  options.timeout = span_of(timeout);
  options.policy.replayable = (flags & SKEWGUARD_NOT_REPLAYABLE) == 0;
  options.policy.wait_for_rate_limits = (flags & SKEWGUARD_NO_RATE_WAIT) == 0;
  options.policy.retry_errors = (flags & SKEWGUARD_NO_ERROR_RETRY) == 0;
  options.policy.limit_sends = (flags & SKEWGUARD_UNLIMITED_SENDS) == 0;
  return options;
}

/// A new call of `client` that `start` (of a Client and a state) starts; null and an error if the
/// arguments are `wrong`.
template <typename Start>
skewguard_call* begin(skewguard_client* client, std::optional<Error> wrong,
                      const skewguard_queue* queue, uint64_t tag, skewguard_error** error,
                      const Start& start) noexcept {
  return without_exceptions(error, nullptr, [&]() -> skewguard_call* {
    if (client == nullptr) wrong = wrong_argument("there is no client");
    if (wrong) {
      report_error(error, *std::move(wrong));
      return nullptr;
    }
    auto call = std::make_unique<skewguard_call>(
        std::make_shared<CallState>(client->clock, Listener(queue, tag)));
    call->operation = start(client->client, call->state);
    return call.release();
  });
}

Operation start_guard(Client& client, const std::shared_ptr<CallState>& state,
                      GuardOptions options) {
  return client.async_guard(
      [state](Bearer bearer, CallState::Answer answer) {
        state->ask(std::move(bearer), std::move(answer));
      },
      std::move(options), CallState::ending<Response>(state));
}

}  // namespace
}  // namespace skewguard::c

namespace sg = skewguard::c;
using skewguard::Client;
using skewguard::Operation;
using State = std::shared_ptr<sg::CallState>;

skewguard_call* skewguard_guard_begin(skewguard_client* client, const char* method,
                                      const char* path, int32_t flags, int64_t timeout,
                                      skewguard_queue* queue, uint64_t tag,
                                      skewguard_error** error) {
  auto wrong = sg::check_flags(flags, sg::kGuardFlags);
  if (!wrong) wrong = sg::check_timeout(timeout);
  return sg::begin(
      client, std::move(wrong), queue, tag, error, [&](Client& of, const State& state) {
        return sg::start_guard(of, state, sg::options_of(method, path, flags, timeout));
      });
}

skewguard_call* skewguard_guard_begin_with(skewguard_client* client, const char* method,
                                           const char* path, int32_t flags, int64_t timeout,
                                           uint64_t generation, const skewguard_answer* answer,
                                           skewguard_queue* queue, uint64_t tag,
                                           skewguard_error** error) {
  auto wrong = sg::check_flags(flags, sg::kGuardFlags);
  if (!wrong) wrong = sg::check_timeout(timeout);
  if (!wrong) wrong = sg::check_answer(answer);
  return sg::begin(client, std::move(wrong), queue, tag, error,
                   [&](Client& of, const State& state) {
                     auto options = sg::options_of(method, path, flags, timeout);
                     options.first = {generation, sg::exchange_of(*answer, state->now())};
                     return sg::start_guard(of, state, std::move(options));
                   });
}

skewguard_call* skewguard_request_begin(skewguard_client* client, const char* method,
                                        const char* path, const skewguard_field* fields,
                                        size_t field_count, const void* body, size_t body_size,
                                        int64_t timeout, skewguard_queue* queue, uint64_t tag,
                                        skewguard_error** error) {
  auto wrong = sg::check_timeout(timeout);
  if (fields == nullptr && field_count > 0)
    wrong = sg::wrong_argument("there is a number of fields, but no fields");
  if (body == nullptr && body_size > 0)
    wrong = sg::wrong_argument("the body has a size, but there is none");
  if (body_size > sg::kMaxRequestBody) wrong = sg::wrong_argument("the body is over 64 MiB");
  return sg::begin(
      client, std::move(wrong), queue, tag, error, [&](Client& of, const State& state) {
        skewguard::Request request;
        if (method != nullptr) request.method = method;
        request.path = sg::text_of(path);
        request.timeout = sg::span_of(timeout);
        for (std::size_t i = 0; i < field_count; ++i) {
          auto field = sg::field_of(fields[i]);
          request.headers.add(std::move(field.name), std::move(field.value));
        }
        if (body != nullptr) request.body.assign(static_cast<const char*>(body), body_size);
        return of.async_call(std::move(request), sg::CallState::ending<skewguard::Response>(state));
      });
}

skewguard_call* skewguard_token_begin(skewguard_client* client, int64_t min_life, int32_t flags,
                                      skewguard_queue* queue, uint64_t tag,
                                      skewguard_error** error) {
  auto wrong = sg::check_flags(flags, sg::kTokenFlags);
  if (min_life < 0) wrong = sg::wrong_argument("the minimum life is negative");
  return sg::begin(
      client, std::move(wrong), queue, tag, error, [&](Client& of, const State& state) {
        skewguard::TokenRequestOptions options;
        options.min_life = skewguard::Duration{min_life};
        options.force_refresh = (flags & SKEWGUARD_FORCE_REFRESH) != 0;
        options.verify = (flags & SKEWGUARD_UNVERIFIED) == 0;
        return of.async_token(options, sg::CallState::ending<skewguard::BearerToken>(state));
      });
}

skewguard_call* skewguard_status_begin(skewguard_client* client, skewguard_queue* queue,
                                       uint64_t tag, skewguard_error** error) {
  return sg::begin(client, std::nullopt, queue, tag, error, [&](Client& of, const State& state) {
    of.async_status(sg::CallState::ending<skewguard::ClientStatus>(state));
    return Operation();
  });
}
