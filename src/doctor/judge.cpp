#include "doctor/judge.hpp"

#include <array>
#include <cstddef>
#include <utility>

#include "diagnosis/exit_code.hpp"
#include "doctor/case.hpp"

namespace skewguard::doctor {

std::string_view to_string(Check::Status status) noexcept {
  constexpr std::array<std::string_view, 4> kNames{"ok", "skipped", "warn", "fail"};
  return kNames.at(static_cast<std::size_t>(status));
}

Diagnosis judge(const Examination& examination) {
  const Case of(examination);
  Claim claim = decide(of);
  return {std::move(claim.verdict), diagnosis::exit_code(claim.failure), std::move(claim.summary),
          std::move(claim.fix), all_checks(of)};
}

}  // namespace skewguard::doctor
