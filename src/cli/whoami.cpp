#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "cli/commands.hpp"
#include "cli/conclude.hpp"
#include "genesys/whoami.hpp"

namespace skewguard::cli {
namespace {

using genesys::NamedEntity;
using genesys::Owner;
using genesys::Whoami;
using Json = nlohmann::ordered_json;

Json text_or_null(const std::string& text) {
  return text.empty() ? Json() : Json(text);
}

/// skewguard.whoami/1 (CONTRACT section 1); null where the platform does not say.
std::string as_json(const Owner& owner) {
  const Json json = {{"schema", "skewguard.whoami/1"},
                     {"kind", genesys::to_string(owner.kind)},
                     {"name", text_or_null(owner.name)},
                     {"id", text_or_null(owner.id)},
                     {"organization",
                      {{"id", text_or_null(owner.organization.id)},
                       {"name", text_or_null(owner.organization.name)}}}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

/// The name first. Names are the platform's users' own words: kept on their line.
std::string as_text(const Owner& owner) {
  const std::string name = owner.name.empty() ? "(no name)" : one_line(owner.name);
  std::string text = name + " (" + std::string(genesys::to_string(owner.kind));
  if (!owner.id.empty()) text.append(" ").append(one_line(owner.id));
  text.append(")\n");
  if (owner.kind == Owner::Kind::organization) return text;
  const NamedEntity& organization = owner.organization;
  if (organization == NamedEntity{}) return text;
  text.append("organization ");
  text.append(organization.name.empty() ? "(no name)" : one_line(organization.name));
  if (!organization.id.empty()) text.append(" (").append(one_line(organization.id)).append(")");
  return text.append("\n");
}

/// Whether the answer told something of the owner, or only where else to look.
enum class Probe { counts, in_vain };

/// One report over all the calls of a search: `next` is the later call. Method, URL and status are
/// those of the last call whose answer counted.
void append(const CallReport& next, CallReport& into, Probe probe = Probe::counts) {
  if (probe == Probe::counts || into.method.empty()) {
    into.method = next.method;
    into.url = next.url;
    into.http_status = next.http_status;
  }
  into.exit_code = next.exit_code;
  into.token_requests += next.token_requests;
  into.elapsed += next.elapsed;
  into.clocks = next.clocks;
  if (into.verdict == Verdict::ok) into.verdict = next.verdict;
  into.mitigated = into.exit_code == 0 && into.verdict != Verdict::ok;
  for (ReportedAttempt attempt : next.attempts) {
    attempt.n = static_cast<int>(into.attempts.size()) + 1;
    into.attempts.push_back(std::move(attempt));
  }
}

/// A refusal that only told where else to look is no failure.
CallReport forgiven(CallReport report) {
  report.exit_code = 0;
  const bool about_the_user =
      report.verdict == Verdict::no_user_context || report.verdict == Verdict::missing_permission;
  if (about_the_user) report.verdict = Verdict::ok;
  return report;
}

/// Asks until it is settled who the token belongs to. `report` grows with every call.
Result<Owner> search(Api& api, Whoami who, CallReport& report) {
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

}  // namespace

int run_whoami(const WhoamiArguments& arguments, Session& session) {
  const auto report_file = ReportFile::open(arguments.report, session.world);
  if (!report_file) return fail(report_file.error(), session);
  const auto token =
      session.options.access_token.empty() ? Whoami::TokenIs::managed : Whoami::TokenIs::given;
  auto api = session.world.make_api(
      session.options, {.on_rejection = {}, .on_resolved = {}, .log = session.logger.sink()},
      session.token_store);
  if (!api) return fail(api.error(), session);

  CallReport report;
  const auto owner = search(**api, Whoami(token), report);
  if (!owner) report.exit_code = exit_code_of(owner.error());
  const bool printed = !owner || print(arguments.json ? as_json(*owner) : as_text(*owner), session);
  const bool reported = report_file->write(report, session);
  alert(report, session);
  if (!owner) return fail(owner.error(), session);
  tell_mitigation(report, session);
  return printed && reported ? 0 : 1;
}

}  // namespace skewguard::cli
