#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "c/abi.hpp"
#include "c/call_state.hpp"
#include "c/error.hpp"

namespace skewguard::c {

/// How a call ended, in the form that C programs borrow. Must not outlive `ending`.
class Results {
 public:
  explicit Results(const Ending& ending);

  [[nodiscard]] const skewguard_error* error() const noexcept {
    return error_ ? &*error_ : nullptr;
  }
  [[nodiscard]] int32_t status() const noexcept;
  /// Ends with a zero byte; empty if there is none.
  [[nodiscard]] std::optional<std::string_view> bytes(int32_t which) const noexcept;
  [[nodiscard]] const HeaderField* field(std::size_t i) const noexcept;
  [[nodiscard]] Duration token_life() const noexcept;
  [[nodiscard]] const ReportedClock* clock(std::size_t i) const noexcept;

 private:
  const Response* response_ = nullptr;
  const BearerToken* token_ = nullptr;
  const ClientStatus* status_ = nullptr;
  std::optional<skewguard_error> error_;
  Secret token_text_;  // with a zero byte
  std::string report_;
  std::string verdict_;
};

}  // namespace skewguard::c
