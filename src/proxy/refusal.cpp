#include "proxy/refusal.hpp"

#include "diagnosis/call_error.hpp"
#include "diagnosis/explain.hpp"
#include "proxy/token_gate.hpp"
#include "skewguard/report.hpp"

namespace skewguard::proxy {
namespace {

bool may_pass(TransportFailure::Kind kind) noexcept {
  using Kind = TransportFailure::Kind;
  return kind == Kind::dns || kind == Kind::refused || kind == Kind::unreachable ||
         kind == Kind::timeout || kind == Kind::reset || kind == Kind::proxy;
}

}  // namespace

Refusal refusal_of(const Error& error) {
  const bool judged = error.report != nullptr && error.report->verdict != Verdict::ok;
  return {judged ? to_string(error.report->verdict) : to_string(error.kind), describe(error),
          may_pass(error.kind)};
}

Refusal refusal_of(const TransportFailure& failure, const std::string& origin, WallTime now) {
  return {to_string(diagnosis::verdict_of(failure, now)),
          diagnosis::explain_failure(failure, origin, now, false).text(),
          may_pass(failure.kind) || failure.out_of_resources};
}

}  // namespace skewguard::proxy
