#pragma once

#include <functional>
#include <string_view>

#include "proxy/event_loop.hpp"
#include "proxy/page.hpp"
#include "proxy/service.hpp"
#include "relay/admission.hpp"

namespace skewguard::proxy {

/// Gets the answer to a request that does not go to the API. `route`: any but Route::api;
/// `authorization`: the value of that field. `reply` is called once, on `loop`, never from within
/// this call: /metrics and /status.json ask the client's control loop. It must keep alive what it
/// uses; `service` must outlive `loop`'s last function.
void own_page(EventLoop& loop, relay::Route route, std::string_view authorization,
              std::string_view body, Service& service, bool draining,
              std::function<void(Page)> reply);

}  // namespace skewguard::proxy
