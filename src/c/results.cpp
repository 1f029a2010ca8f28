#include "c/results.hpp"

#include <string_view>

#include "base/secret_text.hpp"
#include "c/call.hpp"
#include "skewguard/report.hpp"

namespace skewguard::c {
namespace {

const CallReport* report_of(const Response* response, const std::optional<skewguard_error>& error) {
  if (response != nullptr) return &response->report;
  return error ? error->error.report.get() : nullptr;
}

/// Null until the call has ended.
const Results* results_of(const skewguard_call* call) noexcept {
  if (call == nullptr) return nullptr;
  if (call->results) return call->results.get();
  const Ending* ending = call->state->ended();
  if (ending == nullptr) return nullptr;
  try {
    call->results = std::make_unique<Results>(*ending);
  } catch (...) {  // no memory: as if it had not ended
    return nullptr;
  }
  return call->results.get();
}

}  // namespace

Results::Results(const Ending& ending)
    : response_(std::get_if<Response>(&ending)),
      token_(std::get_if<BearerToken>(&ending)),
      status_(std::get_if<ClientStatus>(&ending)) {
  if (const auto* failed = std::get_if<Error>(&ending)) error_.emplace(*failed);
  if (response_ != nullptr) {
    if (auto failed = failure(*response_)) error_.emplace(*std::move(failed));
  }
  if (const CallReport* report = report_of(response_, error_)) {
    report_ = to_json(*report);
    verdict_ = to_string(report->verdict);
  }
  if (token_ != nullptr)
    token_text_ = joined_secret({token_->value.reveal(), std::string_view("\0", 1)});
}

int32_t Results::status() const noexcept {
  if (response_ != nullptr) return response_->status;
  const CallReport* report = report_of(response_, error_);
  return report == nullptr ? 0 : report->http_status.value_or(0);
}

std::optional<std::string_view> Results::bytes(int32_t which) const noexcept {
  const auto unless_empty = [](std::string_view text) {
    return text.empty() ? std::nullopt : std::optional(text);
  };
  switch (which) {
    case SKEWGUARD_RESULT_BODY:
      if (response_ == nullptr) return std::nullopt;
      return response_->body;
    case SKEWGUARD_RESULT_REPORT:
      return unless_empty(report_);
    case SKEWGUARD_RESULT_TOKEN:
      if (token_ == nullptr) return std::nullopt;
      return token_text_.reveal().substr(0, token_text_.size() - 1);
    case SKEWGUARD_RESULT_TOKEN_TYPE:
      if (token_ == nullptr) return std::nullopt;
      return token_->token_type;
    case SKEWGUARD_RESULT_VERDICT:
      return unless_empty(verdict_);
    default:
      return std::nullopt;
  }
}

const HeaderField* Results::field(std::size_t i) const noexcept {
  if (response_ == nullptr || i >= response_->headers.fields().size()) return nullptr;
  return &response_->headers.fields()[i];
}

Duration Results::token_life() const noexcept {
  return token_ == nullptr ? Duration{0} : token_->remaining;
}

const ReportedClock* Results::clock(std::size_t i) const noexcept {
  if (status_ == nullptr || i >= status_->clocks.size()) return nullptr;
  return &status_->clocks[i];
}

}  // namespace skewguard::c

using skewguard::c::results_of;

const skewguard_error* skewguard_call_error(const skewguard_call* call) {
  const auto* results = results_of(call);
  return results == nullptr ? nullptr : results->error();
}

int32_t skewguard_call_status(const skewguard_call* call) {
  const auto* results = results_of(call);
  return results == nullptr ? 0 : results->status();
}

const char* skewguard_call_bytes(const skewguard_call* call, int32_t which, size_t* size) {
  const auto* results = results_of(call);
  const auto bytes = results == nullptr ? std::nullopt : results->bytes(which);
  if (size != nullptr) *size = bytes ? bytes->size() : 0;
  return bytes ? bytes->data() : nullptr;
}

int32_t skewguard_call_field(const skewguard_call* call, size_t i, skewguard_field* field) {
  const auto* results = results_of(call);
  const auto* found = results == nullptr ? nullptr : results->field(i);
  if (found == nullptr || field == nullptr) return 0;
  *field = {found->name.c_str(), found->name.size(), found->value.c_str(), found->value.size()};
  return 1;
}

int64_t skewguard_call_token_life(const skewguard_call* call) {
  const auto* results = results_of(call);
  return results == nullptr ? 0 : results->token_life().count();
}

int32_t skewguard_call_clock(const skewguard_call* call, size_t i, skewguard_clock* clock) {
  const auto* results = results_of(call);
  const auto* found = results == nullptr ? nullptr : results->clock(i);
  if (found == nullptr || clock == nullptr) return 0;
  const auto bounds = found->offset.value_or(skewguard::OffsetBound{});
  *clock = {found->server.c_str(), bounds.low.count(),    bounds.high.count(),
            found->samples,        found->offset ? 1 : 0, 0};
  return 1;
}
