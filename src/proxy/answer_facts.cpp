#include "proxy/answer_facts.hpp"

#include <string>
#include <tuple>

namespace skewguard::proxy {

AnswerHead answer_head(const relay::AnswerHead& head, const Upstream& upstream) {
  AnswerHead out;
  out.status = head.status;
  for (const relay::Field field : head.fields)
    out.headers.add(std::string(field.name), std::string(field.value));
  out.sent = upstream.sent();
  out.received = upstream.received();
  out.connection = upstream.id();
  out.early = upstream.early();
  return out;
}

void AnswerObserver::saw(std::uint64_t generation, const relay::AnswerHead& head,
                         const Upstream& upstream) {
  const bool good = head.status >= 200 && head.status < 300;
  const Instant now = upstream.received().boot;
  if (good && generation <= accepted_ && now < next_) return;
  if (good) {
    accepted_ = generation;
    next_ = now + kApart;
  }
  std::ignore = client_.observe(generation, answer_head(head, upstream));
}

}  // namespace skewguard::proxy
