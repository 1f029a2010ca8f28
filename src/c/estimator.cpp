// One server's clock by itself, for programs that know its Dates but need no client.
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "base/fork_mutex.hpp"
#include "c/answer.hpp"
#include "c/error.hpp"
#include "clocks/clock_book.hpp"
#include "clocks/sample_of.hpp"

using skewguard::Duration;
using skewguard::clocks::ClockBook;

struct skewguard_estimator {
  explicit skewguard_estimator(Duration staleness)
      : book({.staleness = staleness}), server(book.id("server")) {}

  mutable skewguard::ForkMutex mutex;  // over book
  ClockBook book;
  const skewguard::ServerId server;
};

namespace skewguard::c {
namespace {

constexpr Duration kDefaultStaleness = std::chrono::seconds{1};
constexpr Duration kMaxStaleness = std::chrono::hours{1};

int32_t observe(skewguard_estimator& estimator, const AnswerHead& head, skewguard_error** error) {
  std::string why;
  const auto sample = clocks::sample_of(head, &why);
  if (!sample) return report_error(error, wrong_argument("this answer shows no clock: " + why));
  const std::lock_guard lock(estimator.mutex);
  estimator.book.observe(estimator.server, *sample);
  return 0;
}

}  // namespace
}  // namespace skewguard::c

skewguard_estimator* skewguard_estimator_new(int64_t staleness) {
  const Duration late = staleness == -1 ? skewguard::c::kDefaultStaleness : Duration{staleness};
  if (late < Duration{0} || late > skewguard::c::kMaxStaleness) return nullptr;
  return skewguard::c::without_exceptions(nullptr, nullptr, [&]() -> skewguard_estimator* {
    return std::make_unique<skewguard_estimator>(late).release();
  });
}

int32_t skewguard_estimator_observe(skewguard_estimator* estimator, const char* date,
                                    const skewguard_moment* sent, const skewguard_moment* received,
                                    skewguard_error** error) {
  using skewguard::c::wrong_argument;
  return skewguard::c::without_exceptions(error, SKEWGUARD_UNAVAILABLE, [&]() -> int32_t {
    if (estimator == nullptr || date == nullptr || sent == nullptr || received == nullptr) {
      return skewguard::c::report_error(
          error, wrong_argument("the estimator, the Date or a moment is NULL"));
    }
    skewguard::AnswerHead head;
    head.status = 200;
    head.headers.add("Date", date);
    head.sent = skewguard::c::now_of(*sent);
    head.received = skewguard::c::now_of(*received);
    return skewguard::c::observe(*estimator, head, error);
  });
}

int32_t skewguard_estimator_bounds(const skewguard_estimator* estimator,
                                   const skewguard_moment* now, int64_t* low, int64_t* high) {
  if (estimator == nullptr || now == nullptr || low == nullptr || high == nullptr) return 0;
  const std::lock_guard lock(estimator->mutex);
  const auto bounds = estimator->book.to_wall(estimator->server, skewguard::c::now_of(*now));
  if (!bounds) return 0;
  *low = bounds->low.count();
  *high = bounds->high.count();
  return 1;
}

void skewguard_estimator_free(skewguard_estimator* estimator) {
  const std::unique_ptr<skewguard_estimator> owner(estimator);
}
