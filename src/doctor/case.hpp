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

/// All that was found out, seen as clocks that agree or differ. Refers to the examination.
///
/// What is concluded rests on the hulls (sources, blame, between); what is told of it are the
/// narrower bounds that hold where one clock answers for each name.
struct Case {
  explicit Case(const Examination& from);

  [[nodiscard]] bool wrong(std::string_view name) const;
  /// Whether a clock of the host of this name is certainly too far from the local one.
  [[nodiscard]] bool harmful(std::string_view name) const;
  /// Whether the local clock is wrong, and a clock that is right too far from it.
  [[nodiscard]] bool local_harmful() const;
  /// Whether it does not hold an offset that the tolerance lets pass.
  [[nodiscard]] bool off(const OffsetBound& bound) const;
  /// True time less the local clock, where two clocks of different keepers bear it out.
  [[nodiscard]] std::optional<OffsetBound> truth() const;
  /// NTP's own agreement alone.
  [[nodiscard]] clocks::Agreement ntp() const;
  /// Where the local clock is wrong: the truth minus the local clock, as narrow as it can be told.
  [[nodiscard]] OffsetBound local_off_shown() const;
  /// What the host of this name is off by from what the others agree on; in the same way.
  [[nodiscard]] OffsetBound host_off_shown(std::string_view name) const;
  /// "15 probes of the login host, 16 of the API host and 3 NTP servers", less that of one name.
  [[nodiscard]] std::string witnesses(std::string_view but = "") const;
  /// How to set the local clock right.
  [[nodiscard]] std::string mend_local() const;

  const Examination& examination;
  const Duration tolerance;  ///< a second, or less where less is harmful
  const Harm harm;
  const ClockReading* login = nullptr;  ///< null: its URL is not known
  const ClockReading* api = nullptr;
  std::vector<clocks::Source> sources;  ///< the hulls
  std::vector<clocks::Source> shown;    ///< the narrow bounds of the same, in the same order
  std::size_t first_ntp = 0;            ///< in both
  clocks::Blame blame;

 private:
  void add(std::optional<Testimony> told);
};

/// The names of sources.
inline constexpr std::string_view kLoginHost = "the login host";
inline constexpr std::string_view kApiHost = "the API host";

/// The NTP servers that are wrong, by all clocks or by the others of their kind: "a.example,
/// b.example"; empty = none.
std::string wrong_ntp(const Case& of);

bool measured(const ClockReading* reading);
bool is_a_clock(const ClockReading* reading);
bool several(const ClockReading* reading);
/// How far the clocks of one that is `several` surely lie apart.
Duration clocks_apart(const ClockReading& reading);
/// One clock, or a pair too close to tell.
bool has_one_time(const ClockReading* reading);
/// Its certificate, or all of TLS, fails.
bool fails_by_tls(const ClockReading* reading);
bool any_fails_by_tls(const Case& of);
/// What to do where TLS fails, though not by the certificate's time.
const char* tls_fix(const ClockReading& reading);

/// Login host's clock less the API's. Nothing where not both show one time.
std::optional<OffsetBound> between(const Case& of);        ///< for verdicts
std::optional<OffsetBound> between_shown(const Case& of);  ///< to be told
bool surely_apart(const Case& of);
/// The refusal that shows that the two hosts' clocks differ: tokens tell more than Dates. Null:
/// none.
const ReportedAttempt* refused_by_clock(const Case& of);

/// The login host's clock is further ahead of the API's than calls wait for.
bool beyond_max_wait(const Case& of);
/// What to do about an access that failed.
std::string access_remedy(const Case& of);

Duration magnitude(const OffsetBound& bound);  ///< of its middle

/// A verdict that is borne out, with what it costs and what mends it.
struct Claim {
  std::string verdict;
  int exit_code = 0;
  std::string summary;
  std::string fix{};
};
/// The one that matters most.
Claim decide(const Case& of);

/// In the order of docs/contract.md section 5.
std::vector<Check> all_checks(const Case& of);

/// "312.4 s behind (bounds 312.396 to 312.405 s)": the local clock, where the truth less the local
/// clock is this; `behind` and `ahead` are words for positive and negative.
std::string size_text(const OffsetBound& bound, const char* positive, const char* negative);
/// What a client that compares `exp` with the wall clock does wrong; empty = nothing.
std::string naive_harm(const Case& of);

}  // namespace skewguard::doctor
