#include "proxy/own_pages.hpp"

#include <string>
#include <utility>

#include "proxy/login.hpp"
#include "proxy/status_page.hpp"

namespace skewguard::proxy {
namespace {

std::string why_not_ready(const Service& service, bool draining) {
  return draining ? "shutting down" : service.readiness.why_not();
}

Page readyz(const Service& service, bool draining) {
  const std::string why_not = why_not_ready(service, draining);
  return why_not.empty() ? text_page(200, "ready\n") : text_page(503, why_not + "\n");
}

/// Needs nothing that only the control loop knows.
Page page_at_once(relay::Route route, std::string_view authorization, std::string_view body,
                  const Service& service, bool draining) {
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
    default:
      return error_page(404, "not_found", "nothing is served here");
  }
}

Page page_about(const ClientStatus* client, relay::Route route, const Service& service,
                bool draining) {
  if (route == relay::Route::status)
    return json_page(200, status_json(service, client, why_not_ready(service, draining), draining));
  return {200,
          {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}},
          Secret(service.metrics.text(client))};
}

}  // namespace

void own_page(EventLoop& loop, relay::Route route, std::string_view authorization,
              std::string_view body, Service& service, bool draining,
              std::function<void(Page)> reply) {
  const auto answer = [&loop, reply = std::move(reply)](Page page) {
    loop.post([reply, page = std::move(page)]() mutable { reply(std::move(page)); });
  };
  if (route != relay::Route::metrics && route != relay::Route::status) {
    return answer(page_at_once(route, authorization, body, service, draining));
  }
  service.client.async_status([=, &service](const Result<ClientStatus>& client) {
    answer(page_about(client ? &*client : nullptr, route, service, draining));
  });
}

}  // namespace skewguard::proxy
