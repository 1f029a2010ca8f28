#include "proxy/status_page.hpp"

#include <nlohmann/json.hpp>
#include <string_view>

#include "diagnosis/json_numbers.hpp"
#include "diagnosis/report_json.hpp"
#include "time/http_date.hpp"

namespace skewguard::proxy {
namespace {

using Json = nlohmann::ordered_json;

Json time_json(WallTime time) {
  return time::format_rfc3339_ms(time.time_since_epoch());
}

Json token_json(const std::optional<ClientStatus::Token>& token) {
  if (!token) return nullptr;
  return {{"generation", token->generation},
          {"expires_in_s", diagnosis::seconds_or_null(token->remaining)},
          {"accepted", token->accepted}};
}

/// `works`: how the latest token request ended; null = none has ended yet.
Json login_json(const ClientStatus& client) {
  const auto& last = client.last_token_request;
  Json requests = Json::object();
  for (const auto& [verdict, count] : client.token_requests) requests[to_string(verdict)] = count;
  return {{"works", last ? Json(*last == Verdict::ok) : Json()}, {"token_requests", requests}};
}

Json clocks_json(const ClientStatus& client) {
  Json clocks = Json::array();
  for (const ReportedClock& clock : client.clocks) clocks.push_back(diagnosis::json_of(clock));
  return clocks;
}

Json workers_json(const Service& service) {
  Json workers = Json::array();
  for (const WorkerMetrics& worker : service.metrics.workers()) {
    std::int64_t requests = 0;
    for (const WorkerCount& count : worker.requests) requests += count.value();
    workers.push_back({{"connections", worker.connections.value()},
                       {"waiting_requests", worker.waiting.value()},
                       {"requests", requests}});
  }
  return workers;
}

Json rejection_json(const std::optional<Metrics::LastRejection>& last) {
  if (!last) return nullptr;
  Json json{{"time", time_json(last->time)}};
  json.update(diagnosis::json_of(last->attempt));
  json.erase("n");  // of its call
  return json;
}

}  // namespace

std::string status_json(const Service& service, const ClientStatus* client,
                        const std::string& why_not_ready, bool draining) {
  const Now now = service.clocks.now();
  Json json{{"schema", "skewguard.status/1"},
            {"version", SKEWGUARD_VERSION},
            {"time", time_json(now.wall)},
            {"uptime_s", diagnosis::in_seconds(now.boot - service.started)},
            {"ready", why_not_ready.empty()},
            {"reason", why_not_ready},
            {"draining", draining},
            {"listening_on", service.listening_on},
            {"api_url", service.client.options().api_url},
            {"login_url", service.client.options().login_url}};
  if (client != nullptr) {
    json["token"] = token_json(client->token);
    json["login"] = login_json(*client);
    json["clocks"] = clocks_json(*client);
    json["clock_steps"] = client->clock_steps;
  }
  json["workers"] = workers_json(service);
  json["waiting_requests"] = service.metrics.waiting();
  json["last_rejection"] = rejection_json(service.metrics.last_rejection());
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace skewguard::proxy
