#include "proxy/answer_facts.hpp"

#include <string>
#include <tuple>

namespace skewguard::proxy {

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

void AnswerObserver::saw(std::uint64_t generation, const relay::AnswerHead& head,
                         const Arrival& arrival) {
  const bool good = head.status >= 200 && head.status < 300;
  const Instant now = arrival.received.boot;
  if (good && generation <= accepted_ && now < next_) return;
  if (good) {
    accepted_ = generation;
    next_ = now + kApart;
  }
  std::ignore = client_.observe(generation, answer_head(head, arrival));
}

}  // namespace skewguard::proxy
