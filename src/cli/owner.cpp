#include "cli/owner.hpp"

#include <string>
#include <utility>

#include "diagnosis/exit_code.hpp"

namespace skewguard::cli {
namespace {

using genesys::Whoami;

/// Whether the answer said something about the owner, or only where else to look.
enum class Probe { counts, in_vain };

/// Combines the reports of all calls of a search: `next` is the later call. Method, URL and status
/// are those of the last call whose answer counted.
void append(const CallReport& next, CallReport& into, Probe probe = Probe::counts) {
  if (probe == Probe::counts || into.method.empty()) {
    into.method = next.method;
    into.url = next.url;
    into.http_status = next.http_status;
  }
  into.token_requests += next.token_requests;
  into.elapsed += next.elapsed;
  into.clocks = next.clocks;
  if (into.verdict == Verdict::ok) into.verdict = next.verdict;
  diagnosis::conclude(into, next.failure);
  for (ReportedAttempt attempt : next.attempts) {
    attempt.n = static_cast<int>(into.attempts.size()) + 1;
    into.attempts.push_back(std::move(attempt));
  }
}

/// A rejection that only said where else to look is not a failure.
CallReport forgiven(CallReport report) {
  const bool about_the_user =
      report.verdict == Verdict::no_user_context || report.verdict == Verdict::missing_permission;
  if (about_the_user) report.verdict = Verdict::ok;
  diagnosis::conclude(report, std::nullopt);
  return report;
}

}  // namespace

Result<genesys::Owner> find_owner(Api& api, Whoami::TokenIs token, CallReport& report) {
  Whoami who(token);
  while (true) {
    Request request;
    request.path = std::string(who.path());
    const auto response = api.call(std::move(request));
    if (!response) {
      if (response.error().report) append(*response.error().report, report);
      return response.error();
    }
    const auto next = who.take(response->status, response->body);
    const bool refused = next.ok() && *next == Whoami::Next::refused;
    const bool in_vain = !refused && (response->status < 200 || response->status >= 300);
    append(refused ? response->report : forgiven(response->report), report,
           in_vain ? Probe::in_vain : Probe::counts);
    if (!next) return next.error();
    if (*next == Whoami::Next::done) return who.owner();
    if (!refused) continue;
    if (auto error = failure(*response)) return *std::move(error);
    return Error{.kind = ErrorKind::protocol,
                 .message = "the API answered " + std::to_string(response->status) + " to " +
                            std::string(who.path()),
                 .remedy = ""};
  }
}

}  // namespace skewguard::cli
