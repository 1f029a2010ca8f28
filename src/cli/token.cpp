#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/secret_text.hpp"
#include "base/strings.hpp"
#include "cli/commands.hpp"
#include "cli/conclude.hpp"
#include "cli/json_text.hpp"
#include "oauth/token.hpp"
#include "time/duration_text.hpp"
#include "time/http_date.hpp"

namespace skewguard::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string_view word(BearerToken::Source source) noexcept {
  switch (source) {
    case BearerToken::Source::login:
      return "login";
    case BearerToken::Source::store:
      return "store";
    case BearerToken::Source::given:
      return "given";
  }
  return "login";
}

std::string as_json(const BearerToken& token) {
  const bool known = token.source != BearerToken::Source::given || end_known(token.remaining);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(token.remaining).count();
  const std::string end = time::format_rfc3339(token.expires_at.time_since_epoch());
  const Json json = {{"access_token", token.value.reveal()},
                     {"token_type", token.token_type},
                     {"expires_in", known ? Json(seconds) : Json()},
                     {"expires_at", known ? Json(end) : Json()},
                     {"source", word(token.source)}};
  return json_text(json);
}

Secret in_format(const BearerToken& token, std::string_view format) {
  if (format == "json") return Secret(as_json(token));
  if (format != "header") return joined_secret({token.value.reveal(), "\n"});
  return joined_secret(
      {"Authorization: ", oauth::bearer_authorization(token.value).reveal(), "\n"});
}

Result<TokenRequestOptions> options_of(const TokenArguments& arguments) {
  if (arguments.format != "raw" && arguments.format != "header" && arguments.format != "json") {
    return usage_error("the format (--format) is unknown", "use raw, header or json");
  }
  TokenRequestOptions options{.min_life = Duration{0},
                              .force_refresh = arguments.force_refresh,
                              .verify = !arguments.no_verify};
  if (!arguments.min_life) return options;
  const auto min_life = time::parse_duration(trim(*arguments.min_life));
  if (!min_life || *min_life < Duration{0}) {
    return usage_error("the minimum life (--min-life) is not a duration",
                       "write 500ms, 30s, 10m or 2h; a bare number is seconds");
  }
  options.min_life = *min_life;
  return options;
}

}  // namespace

int run_token(const TokenArguments& arguments, Session& session) {
  const auto options = options_of(arguments);
  if (!options) return fail(options.error(), session);
  std::vector<CallReport> cured;  // filled by the loop, completely before the token is returned
  Hooks hooks = session.logger.hooks();
  hooks.on_resolved = [&](const CallReport& report) {
    if (report.mitigated) cured.push_back(report);
  };
  auto api =
      session.process.make_api(session.release_options(), std::move(hooks), session.token_store);
  if (!api) return fail(api.error(), session);
  const auto token = (*api)->token(*options);
  api->reset();
  if (!token) {
    if (token.error().report) alert(*token.error().report, session);
    return fail(token.error(), session);
  }
  for (const CallReport& report : cured) {
    alert(report, session);
    tell_mitigation(report, session);
  }
  return print(in_format(*token, arguments.format).reveal(), session) ? 0 : 1;
}

}  // namespace skewguard::cli
