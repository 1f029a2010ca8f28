#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <string_view>

#include "proxy/page.hpp"
#include "proxy/service.hpp"
#include "relay/admission.hpp"

namespace skewguard::proxy {

/// Gets the answer to a request that does not go to the API. `route`: any but Route::api;
/// `authorization`: the value of that field. `reply` is called once, on `io`, never from within
/// this call: /metrics and /status.json ask the client's control loop. It must keep alive what it
/// uses; `service` must outlive `io`'s last function.
void own_page(boost::asio::io_context& io, relay::Route route, std::string_view authorization,
              std::string_view body, Service& service, bool draining,
              std::function<void(Page)> reply);

}  // namespace skewguard::proxy
