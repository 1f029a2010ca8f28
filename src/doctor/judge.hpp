#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/readings.hpp"
#include "skewguard/client.hpp"

/// What is wrong, and what to do about it. Pure.
namespace skewguard::doctor {

/// The result of requesting a token and asking whose it is.
struct Access {
  std::optional<Error> error{};
  CallReport report{};
  std::string who;                     ///< the token belongs to; empty = not known
  std::optional<Duration> lifetime{};  ///< of a new token; empty if there was none
  bool given = false;                  ///< it was handed in
  /// The time that doctor allowed, if the settings would allow more.
  std::optional<Duration> hurried{};
};

/// Everything that was found.
struct Examination {
  Survey survey;
  std::optional<std::size_t> login{};  ///< in survey.servers
  std::optional<std::size_t> api{};
  /// Servers that were asked over plain HTTP because their certificates failed on their dates.
  std::vector<ClockReading> plain;
  std::optional<Access> access{};  ///< nothing: there were no credentials
  std::string missing;             ///< settings that are missing, in plain words; empty = none
  Duration max_skew = std::chrono::seconds{5};
  Duration max_wait = std::chrono::seconds{15};  ///< as ClientOptions has it
  WallTime now{};
};

struct Check {
  enum class Status { ok, skipped, warn, fail };
  std::string name;
  Status status = Status::ok;
  std::string detail;
  std::string fix;  ///< empty = nothing to do
};
std::string_view to_string(Check::Status status) noexcept;

struct Diagnosis {
  std::string verdict;  ///< docs/contract.md section 5
  int exit_code = 0;    ///< docs/contract.md section 3
  std::string summary;  ///< what is wrong, the evidence with its figures, what follows
  std::string fix;      ///< what to do about it; empty = nothing
  std::vector<Check> checks;
};

Diagnosis judge(const Examination& examination);

}  // namespace skewguard::doctor
