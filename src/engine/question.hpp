#pragma once

#include "skewguard/client.hpp"

namespace skewguard::engine {

/// The request that shows whether the API accepts a token; without a path nothing does.
Request question_of(const ClientOptions& options);

}  // namespace skewguard::engine
