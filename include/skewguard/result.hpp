#pragma once

#include <cstdlib>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "skewguard/error.hpp"
#include "skewguard/export.hpp"

namespace SKEWGUARD_API skewguard {

/// A value of type T, or an Error (docs/adr/0002-result.md). Check before reading: reading the
/// wrong side ends the process; if that was the value, standard error shows the error.
/// Thread-safety: as for T.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value)
      : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT(google-explicit-constructor)
  Result(Error error)
      : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool ok() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return ok(); }

  [[nodiscard]] T& value() & { return require(), *std::get_if<0>(&state_); }
  [[nodiscard]] const T& value() const& { return require(), *std::get_if<0>(&state_); }
  [[nodiscard]] T&& value() && { return require(), std::move(*std::get_if<0>(&state_)); }
  [[nodiscard]] T& operator*() & { return value(); }
  [[nodiscard]] const T& operator*() const& { return value(); }
  [[nodiscard]] T&& operator*() && { return std::move(*this).value(); }
  [[nodiscard]] T* operator->() { return &value(); }
  [[nodiscard]] const T* operator->() const { return &value(); }

  /// Like value(), call it only if there is one.
  [[nodiscard]] const Error& error() const& {
    if (ok()) std::abort();
    return *std::get_if<1>(&state_);
  }
  [[nodiscard]] Error&& error() && {
    if (ok()) std::abort();
    return std::move(*std::get_if<1>(&state_));
  }

  [[nodiscard]] T value_or(T other) const& {
    if (ok()) return value();
    return other;
  }

  /// Returns the value, or throws the error as an Exception.
  const T& or_throw() const& {
    if (!ok()) Exception::raise(error());
    return value();
  }
  T or_throw() && {
    if (!ok()) Exception::raise(std::move(*this).error());
    return std::move(*this).value();
  }

 private:
  void require() const {
    if (!ok()) Exception::end_process(error());
  }
  std::variant<T, Error> state_;
};

/// Success without a value, or an Error.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool ok() const noexcept { return !error_.has_value(); }
  explicit operator bool() const noexcept { return ok(); }
  [[nodiscard]] const Error& error() const& {
    if (ok()) std::abort();
    return *error_;
  }
  /// Throws the error, if there is one, as an Exception.
  void or_throw() const {
    if (!ok()) Exception::raise(error());
  }

 private:
  std::optional<Error> error_;
};

}  // namespace skewguard
