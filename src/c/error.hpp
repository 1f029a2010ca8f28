#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "c/abi.hpp"
#include "skewguard/error.hpp"
#include "skewguard/report.hpp"

/// An error with its texts in the form that C programs borrow.
struct skewguard_error {
  explicit skewguard_error(skewguard::Error from);

  skewguard::Error error;
  std::string description;
  std::string report;  // JSON
};

namespace skewguard::c {

/// The number of a kind; those of the enumerators are fixed.
int32_t number_of(ErrorKind kind) noexcept;
Error wrong_argument(std::string message, std::string remedy = {});

/// Gives the caller an error, if it wants one, and returns the number of its kind. Without memory
/// for it, the caller gets one that needs none.
int32_t report_error(skewguard_error** error, Error from) noexcept;
/// The same for the current exception; to be called in a catch clause.
int32_t report_exception(skewguard_error** error) noexcept;

/// What `run` returns (a handle, or 0), or what stands for failure if it throws: no exception
/// leaves the library.
template <typename F>
auto without_exceptions(skewguard_error** error, decltype(std::declval<F>()()) failed,
                        const F& run) noexcept -> decltype(run()) {
  try {
    return run();
  } catch (...) {
    report_exception(error);
    return failed;
  }
}

}  // namespace skewguard::c
