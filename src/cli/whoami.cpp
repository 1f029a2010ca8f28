#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "cli/commands.hpp"
#include "cli/conclude.hpp"
#include "cli/json_text.hpp"
#include "cli/owner.hpp"
#include "diagnosis/call_error.hpp"
#include "diagnosis/exit_code.hpp"
#include "genesys/whoami.hpp"
#include "time/duration_text.hpp"
#include "time/http_date.hpp"

namespace skewguard::cli {
namespace {

using genesys::NamedEntity;
using genesys::Owner;
using genesys::Whoami;
using Json = nlohmann::ordered_json;

Json text_or_null(const std::string& text) {
  return text.empty() ? Json() : Json(text);
}

/// skewguard.whoami/1 (docs/contract.md section 1); null if the platform does not say.
std::string as_json(const Owner& owner) {
  const Json json = {{"schema", "skewguard.whoami/1"},
                     {"kind", genesys::to_string(owner.kind)},
                     {"name", text_or_null(owner.name)},
                     {"id", text_or_null(owner.id)},
                     {"organization",
                      {{"id", text_or_null(owner.organization.id)},
                       {"name", text_or_null(owner.organization.name)}}}};
  return json_text(json);
}

/// The name first. Names come from the platform's users, so they are kept on one line.
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

/// Which host was asked and with what token, from the report of the calls.
std::string about_token(const CallReport& report, Whoami::TokenIs token, Session& session) {
  std::string text = "host " + session.options.api_url + "\n";
  const auto last = std::find_if(report.attempts.rbegin(), report.attempts.rend(),
                                 [](const ReportedAttempt& attempt) { return !!attempt.token; });
  if (last == report.attempts.rend()) return text;
  const char* source =
      report.token_requests > 0 ? "new from the login host" : "from the token store";
  if (token == Whoami::TokenIs::given) source = "given (a file or the environment)";
  text.append("token ").append(source);
  const auto& remaining = last->token->remaining;
  if (const auto& exp = last->analysis.token_exp; !remaining && exp)  // a given JWT
    return text + ", until " + time::format_rfc3339(exp->time_since_epoch()) + " by its exp\n";
  if (!remaining || !end_known(*remaining)) return text + "\n";
  const WallTime end = session.process.clock->now().wall + *remaining;
  return text + ", valid for " + time::human(*remaining) + ", until " +
         time::format_rfc3339(end.time_since_epoch()) + "\n";
}

}  // namespace

int run_whoami(const WhoamiArguments& arguments, Session& session) {
  const auto report_file = ReportFile::open(arguments.report, session.process);
  if (!report_file) return fail(report_file.error(), session);
  const auto token =
      session.options.access_token.empty() ? Whoami::TokenIs::managed : Whoami::TokenIs::given;
  auto api = session.process.make_api(session.release_options(), session.logger.hooks(),
                                      session.token_store);
  if (!api) return fail(api.error(), session);

  CallReport report;
  const auto owner = find_owner(**api, token, report);
  if (!owner) diagnosis::conclude(report, diagnosis::failure_of(owner.error()));
  const bool printed =
      !owner || print(arguments.json ? as_json(*owner)
                                     : as_text(*owner) + about_token(report, token, session),
                      session);
  const bool reported = report_file->write(report, session);
  alert(report, session);
  if (!owner) return fail(owner.error(), session);
  tell_mitigation(report, session);
  return printed && reported ? 0 : 1;
}

}  // namespace skewguard::cli
