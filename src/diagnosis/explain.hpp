#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "diagnosis/assess.hpp"
#include "diagnosis/evidence.hpp"
#include "oauth/dialect.hpp"
#include "skewguard/transport.hpp"

/// One plain sentence with the numbers (or two: the second says what to do). Statements about two
/// servers are relative: "behind the login host's", never "wrong".
namespace skewguard::diagnosis {

/// Why the token was refused, as far as known when the refusal arrives.
std::string explain_provisional(const Evidence& evidence, const Assessment& assessment);

/// Why a refused trial got this verdict, what was done about it, and, if the call ended with it,
/// what a person must do.
struct Settled {
  std::size_t trial = 0;
  Verdict verdict = Verdict::unknown;
};
/// The hosts that the explanation is about.
struct Parties {
  std::string_view region;  ///< as the user gave it; may be empty
  std::string_view login;   ///< origins; may be empty
  std::string_view api;
};
std::string explain_settled(const Evidence& evidence, const Settled& settled,
                            const Parties& parties);

std::string explain_gateway(const oauth::Refusal& refusal, int status);
std::string explain_missing_permission(const oauth::Refusal& refusal);
std::string explain_no_user_context(const oauth::Refusal& refusal);
/// How long to wait for a rate limit. If `wait` is not shorter than `left`, the call does not wait.
struct LimitWait {
  std::optional<Duration> asked;  ///< what the API asks for; else the pause is our own
  Duration wait{0};
  Duration left{0};  ///< until the deadline
};
std::string explain_rate_limit(const oauth::Refusal& refusal, const LimitWait& limit);
std::string explain_auth_backend(const oauth::Refusal& refusal, bool retried);
std::string explain_redirect(const oauth::Refusal& refusal, int status);
std::string explain_unusable(const oauth::Refusal& refusal, int status);
std::string explain_api_error(const oauth::Refusal& refusal, int status, bool retried);
/// A missing answer in words.
struct ExplainedFailure {
  std::string what;    ///< a sentence
  std::string remedy;  ///< what a person can do, as Error has it; empty = nothing
  /// Both, as sentences.
  [[nodiscard]] std::string text() const;
};
/// `host`: the origin that was asked; `local`: the wall clock's time.
ExplainedFailure explain_failure(const TransportFailure& failure, const std::string& host,
                                 WallTime local, bool retried);

}  // namespace skewguard::diagnosis
