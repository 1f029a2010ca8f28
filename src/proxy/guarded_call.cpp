#include "proxy/guarded_call.hpp"

#include <utility>

namespace skewguard::proxy {

void GuardedCall::start(GuardOptions options) {
  auto send = [weak = weak_from_this(), &loop = loop_](Bearer bearer, Answer answer) {
    Secret::wipe(bearer.token);
    const auto authorization = std::make_shared<Secret>(std::move(bearer.authorization));
    loop.post([weak, authorization, answer = std::move(answer)] {
      const auto self = weak.lock();
      if (!self) return;  // it has been cancelled
      self->authorization_ = std::move(*authorization);
      self->answer_ = answer;
      self->user_.send_again();
    });
  };
  auto ended = [weak = weak_from_this(), &loop = loop_](Result<Response> result) {
    const CallReport* report = result ? &result->report : result.error().report.get();
    const Verdict verdict = report != nullptr ? report->verdict : Verdict::unknown;
    loop.post([weak, verdict] {
      const auto self = weak.lock();
      if (self) self->user_.judged(verdict);
    });
  };
  operation_ = client_.async_guard(std::move(send), std::move(options), std::move(ended));
}

void GuardedCall::answer(SendResult result) {
  authorization_ = Secret();
  std::exchange(answer_, nullptr)(std::move(result));
}

}  // namespace skewguard::proxy
