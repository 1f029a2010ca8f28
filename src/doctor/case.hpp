#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "clocks/agreement.hpp"
#include "clocks/who_is_wrong.hpp"
#include "doctor/consensus.hpp"
#include "doctor/harm.hpp"
#include "doctor/judge.hpp"

namespace skewguard::doctor {

/// The findings of an examination, seen as clocks that agree or differ. Refers to the examination.
///
/// Conclusions rest on the hulls (sources, blame, between); messages show the narrower bounds,
/// which hold if a single clock answers under each name.
struct Case {
  explicit Case(const Examination& from);

  [[nodiscard]] bool wrong(std::string_view name) const;
  /// Whether any clock of the host of this name is certainly too far from the local one.
  [[nodiscard]] bool harmful(std::string_view name) const;
  /// Whether the local clock is wrong, and certainly too far from a correct one.
  [[nodiscard]] bool local_harmful() const;
  /// Whether the bound lies entirely outside the tolerance.
  [[nodiscard]] bool off(const OffsetBound& bound) const;
  /// True time minus the local clock, if two independent clocks confirm it.
  [[nodiscard]] std::optional<OffsetBound> truth() const;
  /// The agreement of the NTP servers alone.
  [[nodiscard]] clocks::Agreement ntp() const;
  /// If the local clock is wrong: true time minus the local clock, with the narrowest bounds that
  /// can be shown.
  [[nodiscard]] OffsetBound local_off_shown() const;
  /// The clock of the host of this name minus what the others agree on, likewise.
  [[nodiscard]] OffsetBound host_off_shown(std::string_view name) const;
  /// "15 probes of the login host, 16 of the API host and 3 NTP servers", without that name.
  [[nodiscard]] std::string witnesses(std::string_view but = "") const;
  /// How to correct the local clock.
  [[nodiscard]] std::string mend_local() const;

  const Examination& examination;
  const Duration tolerance;  ///< a second, or less if less is harmful
  const Harm harm;
  const ClockReading* login = nullptr;  ///< null: its URL is not known
  const ClockReading* api = nullptr;
  std::vector<clocks::Source> sources;  ///< the hulls
  std::vector<clocks::Source> shown;    ///< the narrow bounds of the same, in the same order
  std::size_t first_ntp = 0;            ///< in both
  clocks::Blame blame;

 private:
  void add(std::optional<Testimony> testimony);
};

/// The names of sources.
inline constexpr std::string_view kLoginHost = "the login host";
inline constexpr std::string_view kApiHost = "the API host";

/// The NTP servers that are wrong according to all clocks or to the other NTP servers: "a.example,
/// b.example"; empty = none.
std::string wrong_ntp(const Case& of);

bool measured(const ClockReading* reading);
bool is_a_clock(const ClockReading* reading);
bool several(const ClockReading* reading);
/// How far apart the clocks of a host with several clocks certainly are.
Duration clocks_apart(const ClockReading& reading);
/// One clock, or two that are too close to tell apart.
bool has_one_time(const ClockReading* reading);
/// Its certificate fails, or TLS as a whole.
bool fails_by_tls(const ClockReading* reading);
bool any_fails_by_tls(const Case& of);
/// What to do if TLS fails, but not because of the certificate's dates.
const char* tls_fix(const ClockReading& reading);

/// The login host's clock minus the API's. Empty if either does not show a single time.
std::optional<OffsetBound> between(const Case& of);        ///< for verdicts
std::optional<OffsetBound> between_shown(const Case& of);  ///< to be shown
bool surely_apart(const Case& of);
/// The refusal that shows that the two hosts' clocks differ: tokens reveal more than Dates. Null if
/// there is none.
const ReportedAttempt* refused_by_clock(const Case& of);

/// The login host's clock is ahead of the API's by more than calls wait.
bool beyond_max_wait(const Case& of);
/// What to do if the API could not be used.
std::string access_remedy(const Case& of);

Duration magnitude(const OffsetBound& bound);  ///< of its middle

/// A verdict supported by the evidence, with its remedy.
struct Claim {
  std::string verdict;
  std::optional<ErrorKind> failure{};  ///< nothing: no harm is done
  std::string summary;
  std::string fix{};
};
/// The most important one.
Claim decide(const Case& of);

/// In the order of docs/contract.md section 5.
std::vector<Check> all_checks(const Case& of);

/// "312.4 s behind (bounds 312.396 to 312.405 s)": describes the local clock, given true time minus
/// the local clock; `behind` and `ahead` are the words for positive and negative.
std::string size_text(const OffsetBound& bound, const char* positive, const char* negative);
/// What a client that compares `exp` with the wall clock does wrong; empty = nothing.
std::string naive_harm(const Case& of);

}  // namespace skewguard::doctor
