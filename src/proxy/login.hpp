#pragma once

#include <string_view>

#include "proxy/local_secret.hpp"
#include "proxy/page.hpp"

namespace skewguard::proxy {

/// Answers an SDK's own login, a POST, (RFC 6749 section 4.4) with the handle. Any client id will
/// do. `authorization`: the value of that field; empty = there is none.
Page login_page(const LocalSecret& local, std::string_view authorization, std::string_view body);

}  // namespace skewguard::proxy
