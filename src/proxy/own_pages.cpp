#include "proxy/own_pages.hpp"

#include <nlohmann/json.hpp>
#include <string>

#include "proxy/login.hpp"
#include "time/http_date.hpp"

namespace skewguard::proxy {
namespace {

std::string why_not_ready(const Service& service, bool draining) {
  return draining ? "shutting down" : service.readiness.why_not();
}

Page readyz(const Service& service, bool draining) {
  const std::string why_not = why_not_ready(service, draining);
  return why_not.empty() ? text_page(200, "ready\n") : text_page(503, why_not + "\n");
}

/// What is left of the token, in seconds; negative = there is none.
double token_life(Service& service) {
  const Instant now = service.client.now();
  const Lease* lease = service.client.lease(now);
  return lease == nullptr ? -1 : std::chrono::duration<double>(lease->until - now).count();
}

Page metrics(Service& service) {
  return {200,
          {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}},
          Secret(service.metrics.text(token_life(service)))};
}

Page status(Service& service, bool draining) {
  using Json = nlohmann::ordered_json;
  const std::string why_not = why_not_ready(service, draining);
  const double life = token_life(service);
  const auto wall = service.clocks.now().wall.time_since_epoch();
  const Json json{{"schema", "skewguard.status/1"},
                  {"version", SKEWGUARD_VERSION},
                  {"time", time::format_rfc3339_ms(wall)},
                  {"ready", why_not.empty()},
                  {"reason", why_not},
                  {"draining", draining},
                  {"api_url", service.client.options().api_url},
                  {"login_url", service.client.options().login_url},
                  {"token_expires_in_s", life < 0 ? Json() : Json(life)}};
  return json_page(200, json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace

Page own_page(relay::Route route, std::string_view authorization, std::string_view body,
              Service& service, bool draining) {
  switch (route) {
    case relay::Route::login:
      return login_page(*service.local.load(), authorization, body);
    case relay::Route::end_token:
    case relay::Route::preflight:
      return {.status = 204};
    case relay::Route::healthz:
      return text_page(200, "ok\n");
    case relay::Route::readyz:
      return readyz(service, draining);
    case relay::Route::metrics:
      return metrics(service);
    case relay::Route::status:
      return status(service, draining);
    case relay::Route::api:
      break;
  }
  return error_page(404, "not_found", "nothing is served here");
}

}  // namespace skewguard::proxy
