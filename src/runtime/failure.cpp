#include "diagnosis/call_error.hpp"
#include "skewguard/client.hpp"

namespace skewguard {

std::optional<Error> failure(const Response& response) {
  auto error = diagnosis::error_of(response.report);
  if (error) error->report = std::make_shared<const CallReport>(response.report);
  return error;
}

}  // namespace skewguard
