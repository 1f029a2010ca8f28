#include "runtime/observations.hpp"

#include <mutex>
#include <utility>

#include "clocks/sample_of.hpp"
#include "http/url.hpp"

namespace skewguard::runtime {
namespace {

/// Answers that may be about the token, or that the platform words like errors that are: their
/// bodies tell.
bool needs_judgement(int status) noexcept {
  return status == 400 || status == 401 || status == 403 || status == 429 || status == 504;
}

/// Answers, beside a 2xx, that only one whose token was accepted gets.
bool shows_acceptance(const AnswerHead& head) noexcept {
  const bool depends = head.status == 404 || head.status == 409 || head.status == 422;
  return depends && !head.headers.find("WWW-Authenticate");
}

bool success(int status) noexcept {
  return status >= 200 && status < 300;
}

}  // namespace

Observations::Observations(const std::string& api_url, std::function<void()> wake)
    : origin_(http::origin_of(api_url)), wake_(std::move(wake)) {}

Observed Observations::observe(std::uint64_t generation, const AnswerHead& head) noexcept {
  const bool ours = head.origin.empty() || head.origin == origin_;
  if (success(head.status) && ours && generation <= accepted_.load(std::memory_order_relaxed) &&
      head.received.boot < next_date_.load(std::memory_order_relaxed)) [[likely]]
    return Observed::noted;
  return look_closer(generation, head);
}

Observed Observations::look_closer(std::uint64_t generation, const AnswerHead& head) noexcept {
  try {
    if (!head.origin.empty() && http::origin_of(head.origin) != origin_) return Observed::noted;
    if (needs_judgement(head.status)) return Observed::judge;
    const bool good = success(head.status);
    const bool accepted = (good || shows_acceptance(head)) && first_accepted(generation);
    const bool timed = head.sent.boot != Instant{} && head.received.boot != Instant{};
    const bool dated = timed && (!good || date_due(head.received.boot));
    if (accepted || dated) note(accepted ? generation : 0, head, dated);
  } catch (...) {  // no memory: the next answer says the same
    return Observed::noted;
  }
  return Observed::noted;
}

void Observations::note(std::uint64_t accepted, const AnswerHead& head, bool dated) {
  const engine::Observation seen{accepted, dated ? clocks::sample_of(head) : std::nullopt};
  if (seen.accepted == 0 && !seen.date) return;
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    // The acceptance of a token is told once, so it is never left out.
    if (pending_.size() >= kMaxPending && accepted == 0) return;
    pending_.push_back(seen);
    wake = !std::exchange(woken_, true);
  }
  if (wake) wake_();
}

std::vector<engine::Observation> Observations::take() {
  const std::lock_guard lock(mutex_);
  woken_ = false;
  return std::exchange(pending_, {});
}

void Observations::start_afresh() {
  const std::lock_guard lock(mutex_);
  woken_ = false;
  pending_.clear();
  accepted_ = 0;
  next_date_ = Instant::min();
}

/// Only one thread is told so within kDatesApart.
bool Observations::date_due(Instant received) noexcept {
  Instant next = next_date_.load(std::memory_order_relaxed);
  return received >= next && next_date_.compare_exchange_strong(next, received + kDatesApart,
                                                                std::memory_order_relaxed);
}

/// Only one thread is told so for each generation, and nobody for an older one.
bool Observations::first_accepted(std::uint64_t generation) noexcept {
  std::uint64_t told = accepted_.load(std::memory_order_relaxed);
  while (told < generation) {
    if (accepted_.compare_exchange_weak(told, generation, std::memory_order_relaxed)) return true;
  }
  return false;
}

}  // namespace skewguard::runtime
