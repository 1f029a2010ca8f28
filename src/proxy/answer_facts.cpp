#include "proxy/answer_facts.hpp"

#include <string>
#include <tuple>

namespace skewguard::proxy {
namespace {

bool is_good(int status) noexcept {
  return status >= 200 && status < 300;
}

}  // namespace

AnswerHead answer_head(const relay::AnswerHead& head, const Arrival& arrival) {
  AnswerHead out;
  out.status = head.status;
  for (const relay::Field field : head.fields)
    out.headers.add(std::string(field.name), std::string(field.value));
  out.sent = arrival.sent;
  out.received = arrival.received;
  out.connection = arrival.connection;
  out.early = arrival.early;
  return out;
}

bool AnswerObserver::wants(std::uint64_t generation, int status, Instant now) const noexcept {
  return !is_good(status) || generation > accepted_ || now >= next_;
}

void AnswerObserver::saw(std::uint64_t generation, const relay::AnswerHead& head,
                         const Arrival& arrival) {
  const Instant now = arrival.received.boot;
  if (!wants(generation, head.status, now)) return;
  if (is_good(head.status)) {
    accepted_ = generation;
    next_ = now + kApart;
  }
  std::ignore = client_.observe(generation, answer_head(head, arrival));
}

}  // namespace skewguard::proxy
