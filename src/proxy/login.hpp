#pragma once

#include <string_view>

#include "proxy/local_secret.hpp"
#include "proxy/page.hpp"
#include "skewguard/http.hpp"

namespace skewguard::proxy {

/// Answers an SDK's own login (RFC 6749 section 4.4) with the handle. Any client id will do.
Page login_page(const LocalSecret& local, std::string_view method, const Headers& headers,
                std::string_view body);

}  // namespace skewguard::proxy
