#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "emulator/limits.hpp"
#include "emulator/order.hpp"

namespace skewguard::emulator {
namespace {

using std::chrono::seconds;

OrderedJson number_of(double value) {
  return value;
}

// ------------------------------------------------------------------------------------- looking

OrderedJson clock_state(const SkewedClock& clock, const Now& now) {
  OrderedJson out;
  out["offset_s"] = seconds_number(clock.offset(now.boot));
  out["drift_ppm"] = number_of(clock.drift_ppm());
  out["reads_s"] = seconds_number(clock.reading(now.boot));
  out["steps_to_come"] = clock.steps_to_come(now.boot);
  return out;
}

OrderedJson delays_state(const Delays& delays) {
  return {{"up_s", seconds_number(delays.up)}, {"down_s", seconds_number(delays.down)}};
}

OrderedJson clients_state(const ClientTable& clients) {
  auto out = OrderedJson::array();
  for (const auto& client : clients.all()) {
    OrderedJson one{{"id", client.id},
                    {"secrets", client.secrets.size()},
                    {"user", client.user},
                    {"disabled", client.disabled},
                    {"permissions", client.permissions}};
    one["lifetime_s"] = client.lifetime ? seconds_number(*client.lifetime) : nlohmann::json();
    out.push_back(std::move(one));
  }
  return out;
}

OrderedJson record_state(const RequestRecord& record) {
  OrderedJson out{{"n", record.n},
                  {"host", to_string(record.host)},
                  {"method", record.method},
                  {"path", record.path},
                  {"status", record.status},
                  {"outcome", record.outcome},
                  {"faults", record.faults},
                  {"token", nullptr},
                  {"backend", nullptr},
                  {"date", record.date.count()},
                  {"at_s", seconds_number(record.at)},
                  {"correlation_id", record.correlation},
                  {"ended_early", record.ended_early},
                  {"body_length", record.body_length},
                  {"body_sha256", record.body_sha256}};
  if (record.token) out["token"] = *record.token;
  if (record.backend) out["backend"] = *record.backend;
  return out;
}

template <typename Count>
OrderedJson counts(const Count& map) {
  auto out = OrderedJson::object();
  for (const auto& [key, n] : map) {
    if constexpr (std::is_integral_v<std::decay_t<decltype(key)>>) {
      out[std::to_string(key)] = n;
    } else {
      out[key] = n;
    }
  }
  return out;
}

Reply stats(Order& order) {
  constexpr std::size_t kTokensShown = 200;
  const auto& stats = order.cloud.stats();
  OrderedJson out;
  out["token_requests"] = {{"total", stats.token_requests},
                           {"by_outcome", counts(stats.token_requests_by_outcome)}};
  out["api_requests"] = {{"total", stats.api_requests},
                         {"by_status", counts(stats.api_requests_by_status)},
                         {"by_outcome", counts(stats.api_requests_by_outcome)},
                         {"by_backend", counts(stats.api_requests_by_backend)}};
  out["faults"] = {{"login", counts(stats.login_faults)}, {"api", counts(stats.api_faults)}};
  out["other_requests"] = stats.other;
  out["unreadable_requests"] = stats.unreadable;
  out["requests_cut"] = counts(stats.requests_cut);
  out["tokens"] = OrderedJson::array();
  for (const auto* token : order.cloud.tokens().newest(kTokensShown)) {
    out["tokens"].push_back({{"n", token->n},
                             {"client", token->client},
                             {"format", to_string(token->format)},
                             {"begins_s", seconds_number(token->nbf)},
                             {"ends_s", seconds_number(token->ends)},
                             {"revoked", token->revoked},
                             {"why", token->revoked ? to_string(token->death) : ""},
                             {"answers", counts(token->answers)}});
  }
  for (const auto& [name, records] :
       {std::pair{"failed", &stats.failed}, std::pair{"recent", &stats.recent}}) {
    out[name] = OrderedJson::array();
    for (const auto& record : *records) out[name].push_back(record_state(record));
  }
  return order_done(out);
}

Reply effects(Order& order) {
  const auto& effects = order.cloud.stats().effects;
  return order_done({{"total", effects.total()},
                     {"by_key", counts(effects.by_key())},
                     {"not_kept", effects.not_kept()}});
}

Reply reset_stats(Order& order) {
  if (auto why = order.fields.complaint()) return order_refused(*why);
  order.cloud.stats() = Stats{};
  return order_done();
}

// -------------------------------------------------------------------------------------- clocks

/// The clocks that an order is for: the login host's, one backend's or all of them.
std::vector<SkewedClock*> clocks_of(Order& order) {
  auto& backends = order.cloud.api_clocks();
  const auto host = host_field(order.fields);
  const auto backend = order.fields.count("backend", backends.size() - 1);
  if (!host) {
    order.fields.complain("host", "is missing");
    return {};
  }
  if (*host == Host::login) {
    if (backend) order.fields.complain("backend", "the login host has none");
    return {&order.cloud.login_clock()};
  }
  if (backend) return {&backends[*backend]};
  std::vector<SkewedClock*> all;
  all.reserve(backends.size());
  for (auto& clock : backends) all.push_back(&clock);
  return all;
}

Reply set_clock(Order& order) {
  auto& fields = order.fields;
  const auto clocks = clocks_of(order);
  const auto offset = fields.duration("offset", -kMaxOffset, kMaxOffset);
  const auto drift =
      fields.number("drift_ppm", -SkewedClock::kMaxDriftPpm, SkewedClock::kMaxDriftPpm);
  const auto step = fields.duration("step", -kMaxOffset, kMaxOffset);
  const auto after = fields.duration("after", Duration::zero(), kMaxDelayOfStep);
  if (!offset && !drift && !step) fields.complain("offset", "or 'drift_ppm' or 'step' is needed");
  if (after && !step) fields.complain("after", "needs 'step'");
  for (const auto* clock : clocks) {
    if (after && clock->steps_to_come(order.now.boot) >= SkewedClock::kMaxSteps)
      fields.complain("after", "too many steps wait already");
  }
  if (auto why = fields.complaint()) return order_refused(*why);

  const auto at = order.now.boot;
  for (auto* clock : clocks) {
    if (offset) clock->set_offset(*offset, at);
    if (drift) clock->set_drift(*drift, at);
    if (step && after) clock->step_at(at + *after, *step);
    if (step && !after) clock->step(*step, at);
  }
  return order_state(order);
}

std::optional<ClockOptions> new_backend(Fields& fields, const nlohmann::json& value,
                                        std::size_t i) {
  const auto name = "add[" + std::to_string(i) + "]";
  ClockOptions out;
  if (value.is_object()) {
    Fields inner(value, name + ".");
    out.offset = inner.duration("offset", -kMaxOffset, kMaxOffset).value_or(Duration::zero());
    out.drift_ppm = inner.number("drift_ppm", -SkewedClock::kMaxDriftPpm, SkewedClock::kMaxDriftPpm)
                        .value_or(0);
    const auto why = inner.complaint();
    if (why) fields.complain_whole(*why);
    return why ? std::nullopt : std::optional(out);
  }
  const auto offset = duration_from(value);
  if (offset) return ClockOptions{*offset, 0};
  fields.complain(name, "must be an offset or an object with 'offset' and 'drift_ppm'");
  return std::nullopt;
}

Reply set_backends(Order& order) {
  auto& fields = order.fields;
  auto& clocks = order.cloud.api_clocks();
  auto& settings = order.cloud.settings();
  std::vector<ClockOptions> added;
  if (const auto add = fields.any("add")) {
    if (!add->is_array()) fields.complain("add", "must be an array");
    for (std::size_t i = 0; add->is_array() && i < add->size(); ++i)
      if (const auto one = new_backend(fields, (*add)[i], i)) added.push_back(*one);
  }
  const auto remove = fields.count("remove", clocks.size() - 1);
  const auto left = clocks.size() + added.size() - (remove ? 1 : 0);
  if (left == 0) fields.complain("remove", "the last backend must stay");
  if (left > CloudEmulator::kMaxBackends) fields.complain("add", "at most 100 backends");
  const bool unpin = fields.null("pin");
  const auto pin = fields.count("pin", std::max<std::size_t>(left, 1) - 1);
  const auto name = fields.text("choice");
  const auto choice = name ? parse_backend_choice(*name) : Result<BackendChoice>(settings.choice);
  if (!choice) fields.complain("choice", "must be \"request\" or \"connection\"");
  if (auto why = fields.complaint()) return order_refused(*why);

  if (remove) clocks.erase(clocks.begin() + static_cast<std::ptrdiff_t>(*remove));
  for (const auto& one : added) order.cloud.add_backend(one, order.now);
  settings.choice = *choice;
  if (remove || unpin) settings.pinned_backend.reset();
  if (pin) settings.pinned_backend = static_cast<std::size_t>(*pin);
  return order_state(order);
}

Reply set_latency(Order& order) {
  auto& fields = order.fields;
  const auto host = host_field(fields);
  const auto up = fields.duration("up", Duration::zero(), kMaxLatency);
  const auto down = fields.duration("down", Duration::zero(), kMaxLatency);
  if (!up && !down) fields.complain("up", "or 'down' is needed");
  if (auto why = fields.complaint()) return order_refused(*why);
  auto& settings = order.cloud.settings();
  const auto set = [&](Host which, Delays& delays) {
    if (host && *host != which) return;
    delays.up = up.value_or(delays.up);
    delays.down = down.value_or(delays.down);
  };
  set(Host::login, settings.login_delays);
  set(Host::api, settings.api_delays);
  return order_state(order);
}

// -------------------------------------------------------------------------- tokens and clients

Reply revoke(Order& order) {
  auto& fields = order.fields;
  auto& tokens = order.cloud.tokens();
  const auto all = fields.flag("all").value_or(false);
  const auto client = fields.text("client");
  const auto value = fields.text("token");
  const auto n = fields.count("n", tokens.issued());
  if ((all ? 1 : 0) + (client ? 1 : 0) + (value ? 1 : 0) + (n ? 1 : 0) != 1)
    fields.complain("all", "or 'client', 'token' or 'n' is needed, and one alone");
  if (client && order.cloud.clients().find(*client) == nullptr)
    fields.complain("client", "no such client");
  auto* token = value ? tokens.find(*value) : n ? tokens.by_number(*n) : nullptr;
  if ((value || n) && token == nullptr) fields.complain(value ? "token" : "n", "no such token");
  if (auto why = fields.complaint()) return order_refused(*why);

  std::size_t revoked = 0;
  if (all) revoked = tokens.revoke_all();
  if (client) revoked = tokens.revoke_client(*client);
  if (token != nullptr) revoked = std::exchange(token->revoked, true) ? 0 : 1;
  return order_done({{"ok", true}, {"revoked", revoked}});
}

Reply set_client(Order& order) {
  auto& fields = order.fields;
  const auto id = fields.text("id");
  const auto disabled = fields.flag("disabled");
  const auto secret = fields.text("secret");  // in place of all
  const auto add_secret = fields.text("add_secret");
  const auto remove_secret = fields.text("remove_secret");
  const auto user = fields.text("user");
  const bool no_lifetime = fields.null("lifetime");
  const auto lifetime = fields.duration("lifetime", kMinLifetime, kMaxLifetime);
  const auto permissions = fields.texts("permissions");
  auto& clients = order.cloud.clients();
  auto* client = id ? clients.find(*id) : nullptr;
  if (!valid_client_id(id.value_or(""))) fields.complain("id", "must be there, without a colon");
  if (client == nullptr && !secret) fields.complain("secret", "is needed for a new client");
  if (client == nullptr && clients.all().size() >= ClientTable::kMaxClients)
    fields.complain("id", "too many clients");
  if (client != nullptr && add_secret && client->secrets.size() >= ClientTable::kMaxSecrets)
    fields.complain("add_secret", "too many secrets");
  for (const auto& [name, text] : {std::pair{"secret", secret}, {"add_secret", add_secret}})
    if (text && text->empty()) fields.complain(name, "must not be empty");
  if (auto why = fields.complaint()) return order_refused(*why);

  if (client == nullptr) client = clients.add({*id, {}, ""});
  if (secret) client->secrets = {Secret(*secret)};
  if (add_secret) client->secrets.emplace_back(*add_secret);
  if (remove_secret) std::erase(client->secrets, Secret(*remove_secret));
  if (disabled) client->disabled = *disabled;
  if (user) client->user = *user;
  if (lifetime || no_lifetime) client->lifetime = lifetime;
  if (permissions) client->permissions = {permissions->begin(), permissions->end()};
  return order_state(order);
}

Reply set_permission(Order& order) {
  auto& fields = order.fields;
  const auto path = fields.text("path");
  const bool none = fields.null("permission");
  const auto permission = fields.text("permission");
  if (!path || !path->starts_with("/api/v2/")) fields.complain("path", "must begin with /api/v2/");
  if (!permission && !none) fields.complain("permission", "must be a name, or null");
  if (auto why = fields.complaint()) return order_refused(*why);
  auto& required = order.cloud.settings().required_permissions;
  if (permission) required[*path] = *permission;
  if (none) required.erase(*path);
  return order_state(order);
}

Reply quit(Order& order) {
  if (auto why = order.fields.complaint()) return order_refused(*why);
  auto reply = order_done();
  reply.quit = true;
  return reply;
}

struct ControlRoute {
  std::string_view method;
  std::string_view path;
  Reply (*answer)(Order&);
};
constexpr std::array kControlRoutes{
    ControlRoute{"GET", "/emulator/state", order_state},
    ControlRoute{"GET", "/emulator/stats", stats},
    ControlRoute{"GET", "/emulator/effects", effects},
    ControlRoute{"POST", "/emulator/stats/reset", reset_stats},
    ControlRoute{"POST", "/emulator/clock", set_clock},
    ControlRoute{"POST", "/emulator/backends", set_backends},
    ControlRoute{"POST", "/emulator/latency", set_latency},
    ControlRoute{"POST", "/emulator/token", order_token},
    ControlRoute{"POST", "/emulator/fault", order_fault},
    ControlRoute{"POST", "/emulator/limit", order_limit},
    ControlRoute{"POST", "/emulator/revoke", revoke},
    ControlRoute{"POST", "/emulator/client", set_client},
    ControlRoute{"POST", "/emulator/permission", set_permission},
    ControlRoute{"POST", "/emulator/quit", quit},
};

}  // namespace

Reply order_done(const OrderedJson& body) {
  return json_reply(200, to_text(body), "control");
}

Reply order_refused(std::string why, int status) {
  return json_reply(status, to_text(OrderedJson{{"error", std::move(why)}}), "control");
}

Reply order_state(Order& order) {
  auto& cloud = order.cloud;
  const auto& settings = cloud.settings();
  OrderedJson out;
  out["age_s"] = seconds_number(cloud.age(order.now));
  out["login"] = {{"clock", clock_state(cloud.login_clock(), order.now)},
                  {"delays", delays_state(settings.login_delays)}};
  out["api"] = {{"delays", delays_state(settings.api_delays)},
                {"choice", to_string(settings.choice)},
                {"pin", nullptr},
                {"backends", OrderedJson::array()}};
  if (settings.pinned_backend) out["api"]["pin"] = *settings.pinned_backend;
  for (const auto& clock : cloud.api_clocks())
    out["api"]["backends"].push_back(clock_state(clock, order.now));
  out["token"] = token_state(settings);
  out["limits"] = {{"login", limit_state(settings.login_limit)},
                   {"api", limit_state(settings.api_limit)}};
  out["faults"] = faults_state(cloud);
  out["events"] = {{"to_come", cloud.events_to_come()}, {"refused", cloud.refused_events()}};
  out["permissions"] = settings.required_permissions;
  out["clients"] = clients_state(cloud.clients());
  return order_done(out);
}

std::optional<Host> host_field(Fields& fields) {
  const auto name = fields.text("host");
  if (!name) return std::nullopt;
  if (*name == "login") return Host::login;
  if (*name == "api") return Host::api;
  fields.complain("host", "must be \"login\" or \"api\"");
  return std::nullopt;
}

Reply answer_control(CloudEmulator& cloud, const ServerRequest& request, const Now& now) {
  const auto target = parse_target(request.target.substr(0, request.target.find('?')));
  const auto path = target ? target->path : std::string{};
  std::string_view allowed;
  for (const auto& route : kControlRoutes) {
    if (route.path != path) continue;
    if (route.method == request.method) {
      Order order{cloud, Fields(route.method == "POST" ? request.body : std::string{}), now};
      return route.answer(order);
    }
    allowed = route.method;
  }
  if (allowed.empty()) return order_refused("no such control path", 404);
  auto reply = order_refused("use " + std::string(allowed), 405);
  reply.headers.add("Allow", std::string(allowed));
  return reply;
}

}  // namespace skewguard::emulator
