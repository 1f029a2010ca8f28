#include "c/error.hpp"

#include <memory>

#include "runtime/client_errors.hpp"

skewguard_error::skewguard_error(skewguard::Error from)
    : error(std::move(from)),
      description(describe(error)),
      report(error.report ? to_json(*error.report) : "") {}

namespace skewguard::c {
namespace {

/// What there is when there is no memory for any other; never freed.
const std::unique_ptr<skewguard_error>& spare() {
  static const auto only = std::make_unique<std::unique_ptr<skewguard_error>>(
                               std::make_unique<skewguard_error>(
                                   Error{ErrorKind::unavailable, "out of memory", kCheckLimits}))
                               .release();
  return *only;
}

}  // namespace

int32_t number_of(ErrorKind kind) noexcept {
  switch (kind) {
    case ErrorKind::config:
      return SKEWGUARD_CONFIG;
    case ErrorKind::credentials:
      return SKEWGUARD_CREDENTIALS;
    case ErrorKind::clock:
      return SKEWGUARD_CLOCK;
    case ErrorKind::forbidden:
      return SKEWGUARD_FORBIDDEN;
    case ErrorKind::throttled:
      return SKEWGUARD_THROTTLED;
    case ErrorKind::unavailable:
      return SKEWGUARD_UNAVAILABLE;
    case ErrorKind::timeout:
      return SKEWGUARD_TIMEOUT;
    case ErrorKind::protocol:
      return SKEWGUARD_PROTOCOL;
    case ErrorKind::cancelled:
      return SKEWGUARD_CANCELLED;
  }
  return SKEWGUARD_PROTOCOL;
}

Error wrong_argument(std::string message, std::string remedy) {
  return {ErrorKind::config, std::move(message), std::move(remedy)};
}

int32_t report_error(skewguard_error** error, Error from) noexcept {
  const int32_t kind = number_of(from.kind);
  if (error == nullptr) return kind;
  try {
    *error = std::make_unique<skewguard_error>(std::move(from)).release();
    return kind;
  } catch (...) {
    *error = spare().get();
    return SKEWGUARD_UNAVAILABLE;
  }
}

int32_t report_exception(skewguard_error** error) noexcept {
  return report_error(error, runtime::not_started());
}

}  // namespace skewguard::c

int32_t skewguard_error_kind_of(const skewguard_error* error) {
  return error == nullptr ? SKEWGUARD_OK : skewguard::c::number_of(error->error.kind);
}

const char* skewguard_error_text_of(const skewguard_error* error, int32_t which) {
  if (error == nullptr) return "";
  switch (which) {
    case SKEWGUARD_ERROR_MESSAGE:
      return error->error.message.c_str();
    case SKEWGUARD_ERROR_REMEDY:
      return error->error.remedy.c_str();
    case SKEWGUARD_ERROR_DESCRIPTION:
      return error->description.c_str();
    case SKEWGUARD_ERROR_REPORT:
      return error->report.c_str();
    default:
      return "";
  }
}

void skewguard_error_free(skewguard_error* error) {
  if (error == skewguard::c::spare().get()) return;
  const std::unique_ptr<skewguard_error> owner(error);
}
