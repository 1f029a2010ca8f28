#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "cli/commands.hpp"
#include "cli/conclude.hpp"
#include "cli/doctor_text.hpp"
#include "cli/json_text.hpp"
#include "cli/owner.hpp"
#include "cli/readings.hpp"
#include "doctor/judge.hpp"

namespace skewguard::cli {
namespace {

using doctor::Access;
using doctor::Check;
using doctor::ClockReading;
using doctor::Examination;
using Json = nlohmann::ordered_json;

/// Everything must be finished within this time, even if a server does not answer.
constexpr Duration kAccessTimeout = std::chrono::seconds{7};

/// Per server: enough to notice a second clock close to the first.
constexpr std::size_t kProbes = 37;

std::string missing_settings(const ClientOptions& options) {
  std::string credentials;
  if (options.access_token.empty()) {
    if (options.client_id.empty()) credentials = "the client id (GENESYS_CLOUD_CLIENT_ID)";
    if (options.client_secrets.empty()) {
      credentials += (credentials.empty() ? "" : " and ") +
                     std::string(
                         "the client secret (GENESYS_CLOUD_CLIENT_SECRET or "
                         "--client-secret-file)");
    }
  }
  const std::string also = credentials.empty() ? "" : ", " + credentials;
  if (options.login_url.empty() && options.api_url.empty())
    return "not set: the region (GENESYS_CLOUD_REGION or --region)" + also;
  if (options.api_url.empty())
    return "not set: the API's URL (SKEWGUARD_API_URL, --api-url, or the region)" + also;
  if (options.login_url.empty() && options.access_token.empty())
    return "not set: the login host's URL (SKEWGUARD_LOGIN_URL, --login-url, or the region)" + also;
  if (credentials.empty()) return "";
  return "no credentials, so only the clocks are checked; not set: " + credentials;
}

/// Clear the progress line first.
Hooks beside_progress(Session& session) {
  Hooks hooks = session.logger.hooks();
  if (!session.process.err_is_terminal) return hooks;
  hooks.log = [&process = session.process, log = std::move(hooks.log)](const LogLine& line) {
    process.err("\r\x1b[K");
    log(line);
  };
  return hooks;
}

/// Gets a token and asks whose it is. Always a new token, which is not stored.
Access try_access(ClientOptions options, Session& session) {
  Access access;
  options.timeout = std::min(options.timeout, kAccessTimeout);
  options.ntp.emplace();  // none: the doctor asks by itself
  access.given = !options.access_token.empty();
  if (options.timeout < session.options.timeout) access.hurried = options.timeout;
  const auto fail = [&](const Error& error) {
    access.error = error;
    if (error.report && access.report.attempts.empty()) access.report = *error.report;
  };
  auto api = session.process.make_api(std::move(options), beside_progress(session),
                                      {.kind = settings::TokenStoreChoice::Kind::none});
  if (!api) {
    fail(api.error());
    return access;
  }
  const auto token = (*api)->token({.verify = false});  // the API's part comes next
  if (!token) {
    fail(token.error());
    return access;
  }
  if (token->source == BearerToken::Source::login) access.lifetime = token->remaining;
  const auto owner = find_owner(
      **api, access.given ? genesys::Whoami::TokenIs::given : genesys::Whoami::TokenIs::managed,
      access.report);
  if (owner) {
    access.who = owner->name.empty() ? owner->id : owner->name;
  } else {
    fail(owner.error());
  }
  return access;
}

/// Asks servers whose certificate fails only because of its dates once more, over plain HTTP:
/// nothing secret is sent, and the answer is only a hint about the time.
std::vector<http::Url> plain_ones(const doctor::Survey& survey) {
  std::vector<http::Url> urls;
  for (const ClockReading& reading : survey.servers) {
    if (!reading.failure || reading.failure->kind != TransportFailure::Kind::tls_time) continue;
    auto url = http::parse_url(reading.url);
    if (!url) continue;
    url->scheme = "http";
    url->port = 80;
    urls.push_back(*std::move(url));
  }
  return urls;
}

Result<Examination> examine(Session& session, bool quiet) {
  Examination examination;
  examination.max_skew = session.max_skew;
  examination.max_wait = session.options.max_wait;
  examination.missing = missing_settings(session.options);
  std::vector<http::Url> servers;
  const auto add = [&](const std::string& base, std::optional<std::size_t>& place) {
    if (base.empty()) return;
    auto url = http::parse_url(base + "/");
    if (!url) return;
    place = servers.size();
    servers.push_back(*std::move(url));
  };
  add(session.options.login_url, examination.login);
  add(session.options.api_url, examination.api);

  std::future<Access> access;
  if (examination.missing.empty()) {
    access =
        std::async(std::launch::async, [&session, options = session.release_options()]() mutable {
          return try_access(std::move(options), session);
        });
  }
  auto first = survey_options(std::move(servers), session);
  first.budget.probes = kProbes;
  auto survey = session.process.survey(std::move(first), progress_of(session, quiet), nullptr);
  if (!survey) return std::move(survey).error();
  examination.survey = *std::move(survey);
  if (auto plain = plain_ones(examination.survey); !plain.empty()) {
    auto hasty = survey_options(std::move(plain), session);
    hasty.budget = {.probes = 3, .time = std::chrono::seconds{1}};
    hasty.ntp.emplace();  // none: those of the first round have been asked
    if (auto again = session.process.survey(std::move(hasty), nullptr, nullptr))
      examination.plain = std::move(again->servers);
  }
  if (access.valid()) examination.access = access.get();
  examination.now = session.process.clock->now().wall;
  return examination;
}

Json as_json(const Examination& examination, const doctor::Diagnosis& diagnosis) {
  Json json = {{"schema", "skewguard.doctor/1"},
               {"verdict", diagnosis.verdict},
               {"exit_code", diagnosis.exit_code},
               {"summary", diagnosis.summary},
               {"fix", diagnosis.fix},
               {"checks", Json::array()},
               {"clocks", Json::array()},
               {"ntp", Json::array()}};
  for (const Check& check : diagnosis.checks) {
    json["checks"].push_back({{"name", check.name},
                              {"status", to_string(check.status)},
                              {"detail", check.detail},
                              {"fix", check.fix}});
  }
  for (const auto& reading : examination.survey.servers) json["clocks"].push_back(to_json(reading));
  for (const auto& reading : examination.survey.ntp) json["ntp"].push_back(to_json(reading));
  json["host"] = to_json(examination.survey.host);
  return json;
}

}  // namespace

int run_doctor(const DoctorArguments& arguments, Session& session) {
  const auto examination = examine(session, arguments.json);
  if (session.process.err_is_terminal && !arguments.json) session.process.err("\r\x1b[K");
  if (!examination) return fail(examination.error(), session);
  const auto diagnosis = doctor::judge(*examination);
  const std::string text = arguments.json ? json_text(as_json(*examination, diagnosis))
                                          : doctor_text(diagnosis, session.screen);
  if (!print(text, session)) return 1;
  return diagnosis.exit_code;
}

}  // namespace skewguard::cli
