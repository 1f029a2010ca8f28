#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/strings.hpp"
#include "emulator/encoding.hpp"
#include "emulator/hosts.hpp"
#include "emulator/json.hpp"

namespace skewguard::emulator {
namespace {

struct Credentials {
  std::string id;
  Secret secret;
};

/// `Basic base64(id:secret)`, the two parts as they are: the platform form-encodes neither.
std::optional<Credentials> basic_credentials(const Headers& headers) {
  const auto fields = headers.all("Authorization");
  if (fields.size() != 1) return std::nullopt;
  const auto field = trim(fields.front());
  const auto space = field.find(' ');
  if (space == std::string_view::npos || !iequals(field.substr(0, space), "Basic"))
    return std::nullopt;
  auto decoded = base64_decode(trim(field.substr(space)));
  if (!decoded) return std::nullopt;
  const auto colon = decoded->find(':');
  if (colon == std::string::npos) return std::nullopt;
  Credentials out{decoded->substr(0, colon), Secret(std::string_view(*decoded).substr(colon + 1))};
  Secret::wipe(*decoded);
  return out;
}

bool is_form(const Headers& headers) {
  const auto type = headers.find("Content-Type").value_or("");
  return iequals(trim(type.substr(0, type.find(';'))), "application/x-www-form-urlencoded");
}

Reply invalid_request(std::string description) {
  return login_error(400, "invalid_request", std::move(description), "invalid_request");
}

/// What is wrong with the request before anyone asks who sends it.
std::optional<Reply> malformed(const ServerRequest& request) {
  if (request.method != "POST") {
    auto reply = login_error(405, "invalid_request", "method not allowed", "method_not_allowed");
    reply.headers.add("Allow", "POST");
    return reply;
  }
  if (request.body.empty()) return invalid_request("the body is missing");
  if (!is_form(request.headers)) {
    return invalid_request("the content type is not application/x-www-form-urlencoded");
  }
  const auto form = parse_form(request.body);
  if (!form) return invalid_request("the body's percent-encoding is malformed");
  for (const auto& [name, value] : *form) {
    if (count(*form, name) > 1) return invalid_request("a parameter is repeated");  // RFC 6749 3.2
  }
  const auto grant = find(*form, "grant_type").value_or("");
  if (grant.empty()) return invalid_request("grant_type is missing");
  if (grant != "client_credentials") {
    return login_error(400, "unsupported_grant_type", "grant type not supported",
                       "unsupported_grant_type");
  }
  return std::nullopt;
}

/// The client that the credentials name, or the refusal.
std::variant<Client*, Reply> authenticate(CloudEmulator& cloud, const ServerRequest& request) {
  const auto refused = [](std::string description, std::string outcome) {
    return login_error(401, "invalid_client", std::move(description), std::move(outcome));
  };
  const auto credentials = basic_credentials(request.headers);
  if (!credentials) return refused("authentication failed", "no_credentials");
  auto* client = cloud.clients().find(credentials->id);
  if (client == nullptr) {
    return login_error(400, "invalid_client", "client not found", "client_not_found");
  }
  if (!client->accepts(credentials->secret))
    return refused("authentication failed", "wrong_secret");
  if (client->disabled) return refused("client is disabled", "client_disabled");
  return client;
}

Reply token_answer(const Secret& value, Duration expires_in, std::string outcome) {
  OrderedJson body;
  body["access_token"] = std::string(value.reveal());
  body["token_type"] = "bearer";
  body["expires_in"] = seconds_number(expires_in);
  return json_reply(200, to_text(body), std::move(outcome));
}

/// The client's last token again, where the rules say so.
std::optional<Reply> same_again(const Visit& visit, const Client& client) {
  auto& cloud = visit.cloud;
  const auto same = cloud.settings().token_rules.same_token;
  const auto last = cloud.last_tokens().find(client.id);
  if (same == SameToken::never || last == cloud.last_tokens().end()) return std::nullopt;
  const auto* token = cloud.tokens().by_number(last->second.n);
  if (token == nullptr) return std::nullopt;
  const bool lives = standing(*token, visit.date) == Standing::good;
  if (same == SameToken::live && !lives) return std::nullopt;
  visit.record.token = token->n;
  const auto left = same == SameToken::live ? token->ends - visit.date : last->second.lifetime;
  return token_answer(last->second.value, left, "same_again");
}

/// docs/platform.md 2.1: 400, and no Retry-After.
std::optional<Reply> over_limit(const Visit& visit, const Client& client) {
  auto& window = visit.cloud.login_windows()[client.id];
  if (window.take(visit.cloud.settings().login_limit, visit.age)) return std::nullopt;
  return login_error(400, "invalid_request", "rate limit exceeded; too many token requests",
                     "rate_limited");
}

Reply issue(const Visit& visit, const Client& client) {
  if (auto refusal = over_limit(visit, client)) return *std::move(refusal);
  if (auto again = same_again(visit, client)) return *std::move(again);
  auto& cloud = visit.cloud;
  const auto lifetime = client.lifetime.value_or(cloud.settings().lifetime);
  auto issued = issue_token(cloud, client, visit.date, visit.age);
  visit.record.token = issued.record.n;
  cloud.last_tokens()[client.id] = {issued.record.n, issued.value, lifetime};
  return token_answer(issued.value, lifetime, "issued");
}

}  // namespace

IssuedToken issue_token(CloudEmulator& cloud, const Client& client, std::chrono::seconds date,
                        Duration age) {
  const auto& settings = cloud.settings();
  const auto& rules = settings.token_rules;
  TokenRecord record;
  record.client = client.id;
  record.format = settings.token;
  record.iat = date;
  record.nbf = date + settings.nbf_offset;
  record.ends = date + client.lifetime.value_or(settings.lifetime);
  record.issued_at = record.used_at = age;
  Secret value = settings.token == TokenFormat::opaque
                     ? cloud.mint().opaque_token()
                     : cloud.mint().jwt({.issuer = settings.issuer,
                                         .client = client.id,
                                         .id = cloud.mint().uuid(),
                                         .iat = record.iat,
                                         .nbf = record.nbf,
                                         .exp = record.ends});
  auto& tokens = cloud.tokens();
  if (rules.contention) tokens.revoke_client(client.id, Standing::replaced);
  auto& added = tokens.add(value, std::move(record));
  if (rules.most_live > 0) tokens.evict(client.id, rules.most_live, date);
  return {added, std::move(value)};
}

Reply login_error(int status, std::string error, std::string description, std::string outcome) {
  OrderedJson body;
  body["error"] = std::move(error);
  body["description"] = description;
  body["error_description"] = std::move(description);
  return json_reply(status, to_text(body), std::move(outcome));
}

Reply answer_login(const Visit& visit) {
  if (visit.record.path != kTokenPath)
    return login_error(404, "not_found", "not found", "not_found");
  if (auto refusal = malformed(visit.request)) return *std::move(refusal);
  auto client = authenticate(visit.cloud, visit.request);
  if (auto* refusal = std::get_if<Reply>(&client)) return std::move(*refusal);
  return issue(visit, *std::get<Client*>(client));
}

}  // namespace skewguard::emulator
