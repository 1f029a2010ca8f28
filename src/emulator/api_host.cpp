#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/strings.hpp"
#include "emulator/encoding.hpp"
#include "emulator/hosts.hpp"
#include "emulator/json.hpp"

namespace skewguard::emulator {
namespace {

constexpr std::size_t kMaxPageSize = 100;

/// A visit whose token was accepted.
struct Guest {
  const Visit& visit;
  const Client& client;
  const Parameters& query;
  [[nodiscard]] Reply error(int status, std::string code, std::string message) const {
    return api_error(status, std::move(code), std::move(message), visit.correlation);
  }
};

Reply ok(const OrderedJson& body) {
  return json_reply(200, to_text(body), "ok");
}

OrderedJson organization(const std::string& name) {
  OrderedJson out;
  out["id"] = Mint::uuid_of("organization", name);
  out["name"] = name;
  return out;
}

OrderedJson user(const std::string& name) {
  const auto id = Mint::uuid_of("user", name);
  OrderedJson out;
  out["id"] = id;
  out["name"] = name;
  out["division"] = {{"id", Mint::uuid_of("division", "Home")}, {"name", "Home"}};
  out["email"] = "user-" + id.substr(0, 8) + "@emulator.invalid";
  out["state"] = "active";
  out["version"] = 1;
  out["selfUri"] = "/api/v2/users/" + id;
  return out;
}

// ---------------------------------------------------------------------------------- endpoints

Reply token_info(const Guest& guest) {
  const auto home = organization(guest.visit.cloud.settings().organization);
  OrderedJson oauth_client;
  oauth_client["id"] = guest.client.id;
  oauth_client["name"] = guest.client.id;
  oauth_client["organization"] = home;
  OrderedJson body;
  body["organization"] = home;
  body["homeOrganization"] = home;
  body["authorizedScope"] = OrderedJson::array();
  body["OAuthClient"] = std::move(oauth_client);
  return ok(body);
}

Reply revoke_token(const Guest& guest) {
  guest.visit.cloud.tokens().by_number(*guest.visit.record.token)->revoked = true;
  return json_reply(204, "", "ok");
}

Reply users_me(const Guest& guest) {
  if (guest.client.user.empty()) {
    return guest.error(400, "bad.request",
                       "This request requires a user context. Client credentials cannot be used "
                       "for requests that require a user context.");
  }
  return ok(user(guest.client.user));
}

Reply organizations_me(const Guest& guest) {
  auto body = organization(guest.visit.cloud.settings().organization);
  body["defaultLanguage"] = "en-us";
  body["thirdPartyOrgName"] = "emulated";
  body["domain"] = "emulator.invalid";
  body["version"] = 1;
  body["state"] = "active";
  body["selfUri"] = "/api/v2/organizations/me";
  return ok(body);
}

/// One page of `total` things, as the platform pages them; the last page's size may be smaller.
template <typename Entity>
Reply page(const Guest& guest, std::string_view path, std::size_t total, Entity entity) {
  const auto size = number_of(guest.query, "pageSize", 25, 1, kMaxPageSize);
  const auto number = number_of(guest.query, "pageNumber", 1, 1, 1'000'000);
  if (!size || !number) {
    return guest.error(400, "invalid.value",
                       size ? "pageNumber must be a number from 1 to 1000000."
                            : "pageSize must be a number from 1 to 100.");
  }
  const auto pages = (total + *size - 1) / *size;
  const auto uri = [&](std::size_t n) {
    std::string out(path);
    out += "?pageSize=" + std::to_string(*size) + "&pageNumber=" + std::to_string(n);
    return out;
  };
  OrderedJson body;
  body["entities"] = OrderedJson::array();
  const auto first = std::min((*number - 1) * *size, total);
  for (auto i = first; i < std::min(first + *size, total); ++i)
    body["entities"].push_back(entity(i));
  body["pageSize"] = *size;
  body["pageNumber"] = *number;
  body["total"] = total;
  body["firstUri"] = uri(1);
  body["selfUri"] = uri(*number);
  if (*number > 1) body["previousUri"] = uri(*number - 1);
  if (*number < pages) body["nextUri"] = uri(*number + 1);
  body["lastUri"] = uri(std::max<std::size_t>(pages, 1));
  body["pageCount"] = pages;
  return ok(body);
}

Reply users(const Guest& guest) {
  return page(guest, "/api/v2/users", guest.visit.cloud.settings().users,
              [](std::size_t i) { return user("User " + std::to_string(i + 1)); });
}

Reply roles(const Guest& guest) {
  return page(guest, "/api/v2/authorization/roles", 1, [](std::size_t) {
    OrderedJson role;
    role["id"] = Mint::uuid_of("role", "employee");
    role["name"] = "employee";
    return role;
  });
}

/// Takes a query and finds nothing; the headers prove what arrived.
Reply conversation_details(const Guest& guest) {
  const auto& request = guest.visit.request;
  const auto type = request.headers.find("Content-Type").value_or("");
  if (!iequals(trim(type.substr(0, type.find(';'))), "application/json")) {
    return guest.error(415, "unsupported.media.type", "The content type is not application/json.");
  }
  if (!OrderedJson::parse(request.body, nullptr, false).is_object()) {
    return guest.error(400, "bad.request",
                       "The request could not be understood by the server due to malformed "
                       "syntax.");
  }
  OrderedJson body;
  body["conversations"] = OrderedJson::array();
  body["totalHits"] = 0;
  auto reply = ok(body);
  reply.headers.add("X-Emulator-Body-Length", std::to_string(request.body.size()));
  reply.headers.add("X-Emulator-Body-Sha256", hex(sha256(request.body)));
  return reply;
}

/// Has been read by now, piece by piece; the answer proves what arrived.
Reply upload(const Guest& guest) {
  if (!pace_of(guest.query)) {
    return guest.error(400, "invalid.value",
                       "piece must be from 1 to 1048576 bytes, pause from 0 to 1 minute.");
  }
  const auto& record = guest.visit.record;
  OrderedJson body;
  body["bytes"] = record.body_length;
  body["sha256"] = record.body_length > 0 ? record.body_sha256 : hex(sha256(""));
  return ok(body);
}

Reply download(const Guest& guest) {
  auto download = download_of(guest.query);
  if (!download) {
    return guest.error(400, "invalid.value",
                       "bytes must be a number up to 2^50, framing length, chunked or close, piece "
                       "from 1 to 1048576 bytes, pause from 0 to 1 minute.");
  }
  auto reply = json_reply(200, "", "ok");
  set_field(reply.headers, "Content-Type", "application/octet-stream");
  reply.download = download;
  return reply;
}

struct ApiRoute {
  std::string_view method;
  std::string_view path;
  Reply (*answer)(const Guest&);
};
constexpr std::array kApiRoutes{
    ApiRoute{"GET", "/api/v2/tokens/me", token_info},
    ApiRoute{"DELETE", "/api/v2/tokens/me", revoke_token},
    ApiRoute{"GET", "/api/v2/users/me", users_me},
    ApiRoute{"GET", "/api/v2/organizations/me", organizations_me},
    ApiRoute{"GET", "/api/v2/users", users},
    ApiRoute{"GET", "/api/v2/authorization/roles", roles},
    ApiRoute{"POST", "/api/v2/analytics/conversations/details/query", conversation_details},
    ApiRoute{"POST", kUploadPath, upload},
    ApiRoute{"PUT", kUploadPath, upload},
    ApiRoute{"PATCH", kUploadPath, upload},
    ApiRoute{"GET", kDownloadPath, download},
};

// -------------------------------------------------------------------------------------- entry

/// How the token stands before this host, now.
Standing judge(const Visit& visit, TokenRecord& token, const Client* client) {
  const auto& settings = visit.cloud.settings();
  const auto& rules = settings.token_rules;
  if (client == nullptr || client->disabled) return Standing::client_disabled;
  const bool idle =
      rules.idle_timeout > Duration::zero() && visit.age - token.used_at >= rules.idle_timeout;
  if (idle && !token.revoked) {
    token.revoked = true;
    token.death = Standing::idle;
  }
  const auto verdict = standing(token, visit.date, {settings.strict_nbf, settings.strict_iat});
  // Issue and end are whole seconds: a second less of life is nobody's fault.
  const Duration life = token.ends - token.iat - std::chrono::seconds{1};
  visit.record.ended_early = verdict == Standing::expired && visit.age - token.issued_at < life;
  if (verdict != Standing::good) return verdict;
  const auto spread_after = rules.propagation_of(visit.record.backend.value_or(0));
  return visit.age - token.issued_at < spread_after ? Standing::not_spread : Standing::good;
}

/// docs/platform.md 2.2 and 4.
Reply too_many(const Visit& visit, const RateWindow& window) {
  const auto& limit = visit.cloud.settings().api_limit;
  const auto wait = std::to_string(window.reset(limit, visit.age).count());
  auto reply =
      api_error(429, "too.many.requests.retry.after",
                "Rate limit exceeded the maximum. Retry the request in [" + wait + "] seconds",
                visit.correlation);
  reply.headers.add("Strict-Transport-Security", "max-age=600; includeSubDomains");
  set_retry_after(reply.headers, limit.retry_after.value_or(RetryAfter{wait}), visit.reading);
  return reply;
}

/// The client whose token this is, or the refusal: one code for every bad token.
std::variant<const Client*, Reply> admit(const Visit& visit) {
  const auto [value, token] = presented_token(visit);
  if (value.empty()) {
    return api_error(401, "authentication.required",
                     "No authentication bearer token specified in authorization header.",
                     visit.correlation);
  }
  auto& cloud = visit.cloud;
  const Client* client = token == nullptr ? nullptr : cloud.clients().find(token->client);
  const auto verdict = token == nullptr ? Standing::unknown : judge(visit, *token, client);
  if (verdict == Standing::good) {
    if (!token->window.take(cloud.settings().api_limit, visit.age))
      return too_many(visit, token->window);
    return client;
  }
  auto reply = api_error(401, "bad.credentials", "Invalid login credentials.", visit.correlation);
  reply.outcome = to_string(verdict);
  return reply;
}

/// A question about the token does not count as its use where it says so (docs/platform.md 1.5).
void note_use(const Guest& guest) {
  const bool aside = guest.visit.record.path == "/api/v2/tokens/me" &&
                     find(guest.query, "preserveIdleTTL") == "true";
  if (!aside)
    guest.visit.cloud.tokens().by_number(*guest.visit.record.token)->used_at = guest.visit.age;
}

std::optional<Reply> missing_permission(const Guest& guest) {
  const auto& required = guest.visit.cloud.settings().required_permissions;
  const auto found = required.find(guest.visit.record.path);
  if (found == required.end() || guest.client.permissions.contains(found->second))
    return std::nullopt;
  constexpr std::string_view kText =
      "Unable to perform the requested action. You are missing the following permission(s): ";
  OrderedJson body;
  body["message"] = std::string(kText) + found->second;
  body["code"] = "missing.permissions";
  body["status"] = 403;
  body["messageWithParams"] = std::string(kText) + "{permissions}";
  body["messageParams"] = {{"permissions", found->second}};
  body["contextId"] = guest.visit.correlation;
  body["details"] = OrderedJson::array();
  body["errors"] = OrderedJson::array();
  return json_reply(403, to_text(body), "missing.permissions");
}

bool is_safe(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS";
}

/// For the ledger of effects.
void note_effect(const Guest& guest, const Reply& reply) {
  const auto& request = guest.visit.request;
  const auto key = request.headers.find("Idempotency-Key");
  if (key && !is_safe(request.method) && reply.status >= 200 && reply.status < 300)
    guest.visit.cloud.stats().effects.note(*key);
}

Reply route(const Guest& guest) {
  const auto& method = guest.visit.request.method;
  const auto asked = method == "HEAD" ? std::string_view{"GET"} : std::string_view{method};
  std::string allowed;
  for (const auto& route : kApiRoutes) {
    if (route.path != guest.visit.record.path) continue;
    if (route.method == asked) return route.answer(guest);
    allowed += allowed.empty() ? "" : ", ";
    allowed += route.method == "GET" ? "GET, HEAD" : route.method;
  }
  if (allowed.empty()) {
    return guest.error(404, "not.found", "The requested resource was not found.");
  }
  auto reply = guest.error(405, "method.not.allowed", "The method is not allowed here.");
  reply.headers.add("Allow", allowed);
  return reply;
}

}  // namespace

Reply api_error(int status, std::string code, std::string message, const std::string& correlation) {
  OrderedJson body;
  body["message"] = std::move(message);
  body["code"] = code;
  body["status"] = status;
  body["contextId"] = correlation;
  body["details"] = OrderedJson::array();
  body["errors"] = OrderedJson::array();
  return json_reply(status, to_text(body), std::move(code));
}

Presented presented_token(const Visit& visit) {
  const auto& headers = visit.request.headers;
  if (headers.count("Authorization") != 1) return {};
  const auto field = trim(*headers.find("Authorization"));
  const auto space = std::min(field.find(' '), field.size());
  if (!iequals(field.substr(0, space), "Bearer")) return {};
  const auto value = trim(field.substr(space));
  auto* token = value.empty() ? nullptr : visit.cloud.tokens().find(value);
  if (token != nullptr) visit.record.token = token->n;
  return {value, token};
}

Reply answer_api(const Visit& visit) {
  auto admitted = admit(visit);
  if (auto* refusal = std::get_if<Reply>(&admitted)) return std::move(*refusal);
  const auto target = parse_target(visit.request.target);
  if (!target) {
    return api_error(400, "bad.request", "The query's percent-encoding is malformed.",
                     visit.correlation);
  }
  const Guest guest{visit, *std::get<const Client*>(admitted), target->query};
  note_use(guest);
  if (auto refusal = missing_permission(guest)) return *std::move(refusal);
  auto reply = route(guest);
  note_effect(guest, reply);
  return reply;
}

}  // namespace skewguard::emulator
