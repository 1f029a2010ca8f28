#pragma once

#include <string_view>

#include "proxy/page.hpp"
#include "proxy/service.hpp"
#include "relay/admission.hpp"

namespace skewguard::proxy {

/// The answer to a request that does not go to the API. `route`: any but Route::api;
/// `authorization`: the value of that field. Thread-safe.
Page own_page(relay::Route route, std::string_view authorization, std::string_view body,
              Service& service, bool draining);

}  // namespace skewguard::proxy
