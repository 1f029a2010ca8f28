#include "oauth/refresh_schedule.hpp"

#include <algorithm>

#include "oauth/lifetime.hpp"

namespace skewguard::oauth {
namespace {

/// A margin wider than this would cost a second token in each lifetime.
constexpr double kLargestPart = 0.25;

/// Issuers compute `exp` from a time that was truncated to a whole second, so a token may expire up
/// to a second before we expect.
constexpr Duration kTruncation = std::chrono::seconds{1};

/// A fraction of the lifetime, limited whatever the options say.
Duration margin(Duration span, double part, Duration max) noexcept {
  const double sane = part > 0 ? std::min(part, kLargestPart) : 0;  // NaN too
  const Duration share{static_cast<Duration::rep>(static_cast<double>(span.count()) * sane)};
  return std::min(share, std::max(max, Duration{0}));
}

Duration span_of(const LifeSpan& life) noexcept {
  return std::max(life.end - life.sent, Duration{0});
}

}  // namespace

Instant end_for_api(const LifeSpan& life, const Learned& learned) noexcept {
  return life.end - std::min(learned.lead, span_of(life) / 2);
}

Instant usable_until(const LifeSpan& life, const Margins& margins,
                     const Learned& learned) noexcept {
  const Duration span = span_of(life);
  const Duration wanted = margin(span, margins.use_part, margins.use_max);
  return end_for_api(life, learned) - std::max(wanted, margin(span, kLargestPart, kTruncation));
}

Instant refresh_at(const LifeSpan& life, const Margins& margins, const Learned& learned,
                   double jitter) noexcept {
  const Instant last_use = usable_until(life, margins, learned);
  const Duration full = margin(span_of(life), margins.refresh_part, margins.refresh_max);
  const double share = (3.0 + std::clamp(jitter, 0.0, 1.0)) / 4;
  const Duration spread{static_cast<Duration::rep>(static_cast<double>(full.count()) * share)};
  const Duration ahead = std::max(spread, std::min(life.took * 2, margins.refresh_max));
  const Duration usable = std::max(last_use - life.sent, Duration{0});
  return last_use - std::min(ahead + learned.lag, usable / 2);
}

Instant first_use(const Token& token, const Learned& learned) noexcept {
  if (learned.lag <= Duration{0}) return token.received;
  Duration ahead{0};  // of the begin, as the issuer itself saw it when it answered
  if (token.begins && token.issuer_date) {
    ahead = token.begins->since(*token.issuer_date).value_or(Duration{0});
  }
  return token.received +
         std::max(std::clamp(ahead, -kLongestLife, kLongestLife) + learned.lag, Duration{0});
}

Duration growing_pause(Duration first, Duration max, unsigned n) noexcept {
  Duration pause = std::min(first, max);
  while (n-- > 0 && pause < max) pause = pause > max / 2 ? max : pause * 2;
  return pause;
}

}  // namespace skewguard::oauth
