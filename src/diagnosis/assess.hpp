#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "diagnosis/evidence.hpp"
#include "skewguard/verdict.hpp"

namespace skewguard::diagnosis {

enum class Next {
  wait,      ///< until `until`, then send the same token again
  renew,     ///< a new token, at once or at `until`
  back_off,  ///< a new token, at `until`
  look,      ///< at `until`, see the API's Date without a token (rule 5), then assess again
  give_up,   ///< nothing that this machine can do will help
};

/// Why nothing more is tried, for the explanation.
enum class Hindrance { none, attempts, max_wait, deadline, nothing_new };

struct Assessment {
  /// What the evidence still allows, likeliest first; never empty.
  std::vector<Verdict> candidates;
  Next next = Next::give_up;
  Instant until{};  ///< for wait, renew, look and back_off
  Hindrance hindrance = Hindrance::none;
  [[nodiscard]] Verdict verdict() const { return candidates.front(); }
};

/// Judges the last trial, a refusal: what it may be, and what to do next. Pure.
Assessment assess(const Evidence& evidence);

/// The final verdict of a trial that was refused, now that nothing more follows (rule 1). Pure.
Verdict settle(const Evidence& evidence, std::size_t trial);

}  // namespace skewguard::diagnosis
