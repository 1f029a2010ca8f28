#pragma once

#include <string>

#include "proxy/service.hpp"

namespace skewguard::proxy {

/// What /status.json says, schema `skewguard.status/1` (docs/guide/sidecar.md). `client`: null = it
/// could not be asked; `why_not_ready`: empty = ready. Contains no secret and no token.
/// Thread-safe.
std::string status_json(const Service& service, const ClientStatus* client,
                        const std::string& why_not_ready, bool draining);

}  // namespace skewguard::proxy
