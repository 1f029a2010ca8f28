#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "diagnosis/evidence.hpp"
#include "oauth/token_events.hpp"
#include "skewguard/verdict.hpp"

namespace skewguard::diagnosis {

enum class Next {
  wait,      ///< until `until`, then send the same token again
  renew,     ///< a new token, at once or at `until`
  back_off,  ///< a new token, at `until`
  look,     ///< at `until`, see the API's Date without a token (evidence rule 5), then assess again
  give_up,  ///< nothing that this machine can do will help
};

struct Assessment {
  /// The verdicts that the evidence still allows, most likely first; never empty.
  std::vector<Verdict> candidates;
  Next next = Next::give_up;
  Instant until{};                        ///< for wait, renew, look and back_off
  Hindrance hindrance = Hindrance::none;  ///< to a wait, or to anything at all
  /// A request that cannot be sent again: a new token would be requested for it. It is, for others.
  bool replace = false;
  [[nodiscard]] Verdict verdict() const { return candidates.front(); }
};

/// Judges the last trial, a refusal: its possible causes, and what to do next. Pure.
Assessment assess(const Evidence& evidence);

/// What the token machine needs to know about the last trial, if that is a refusal. Pure.
std::optional<oauth::Refused> refused(const Evidence& evidence);

/// The final verdict on a refused trial, once nothing more follows (evidence rule 1). Pure.
Verdict settle(const Evidence& evidence, std::size_t trial);

}  // namespace skewguard::diagnosis
