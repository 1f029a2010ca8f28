#include <algorithm>

#include "skewguard/testing.hpp"
#include "time/http_date.hpp"

namespace skewguard::testing {

Host::Host(std::shared_ptr<FakeMachine> machine, std::string url, Behavior behavior)
    : machine_(std::move(machine)), url_(std::move(url)), behavior_(std::move(behavior)) {}
Host::~Host() = default;

void Host::set_offset(Duration offset) {
  const std::lock_guard lock(mutex_);
  offset_ = offset;
}
void Host::set_date_late(Duration late) {
  const std::lock_guard lock(mutex_);
  date_late_ = late;
}
void Host::set_delays(Duration up, Duration down) {
  const std::lock_guard lock(mutex_);
  delays_ = {up, down};
}
void Host::next(Answer answer) {
  const std::lock_guard lock(mutex_);
  queue_.push_back(std::move(answer));
}
void Host::set_script(Script script) {
  const std::lock_guard lock(mutex_);
  script_ = script ? std::make_shared<Script>(std::move(script)) : nullptr;
}

WallTime Host::now() const {
  const std::lock_guard lock(mutex_);
  return machine_->true_time() + offset_;
}
std::vector<Asked> Host::asked() const {
  const std::lock_guard lock(mutex_);
  return asked_;
}
std::size_t Host::requests() const {
  const std::lock_guard lock(mutex_);
  return asked_.size();
}
Host::Delays Host::delays() const {
  const std::lock_guard lock(mutex_);
  return delays_;
}

/// The request has arrived.
Answer Host::receive(const HttpRequest& request, Instant sent) {
  Asked asked{request, sent, now()};
  std::optional<Answer> answer;
  std::shared_ptr<Script> script;
  {
    const std::lock_guard lock(mutex_);
    script = script_;
    if (!queue_.empty()) {
      answer = std::move(queue_.front());
      queue_.pop_front();
    }
  }
  if (!answer && script) answer = (*script)(asked);
  if (!answer) answer = behavior_(asked);
  if (!answer->never && !answer->failure) asked.status = answer->status;
  const std::lock_guard lock(mutex_);
  asked_.push_back(std::move(asked));
  return *std::move(answer);
}

/// The answer leaves: it gets its Date.
SendResult Host::written(Answer answer, const Now& sent) const {
  if (answer.failure) {
    if (answer.failure->detail.empty()) answer.failure->detail = url_ + ": as the script says";
    return *std::move(answer.failure);
  }
  Exchange exchange;
  exchange.status = answer.status;
  exchange.headers = std::move(answer.headers);
  exchange.body = std::move(answer.body);
  exchange.sent = sent;
  exchange.origin = url_;
  if (answer.dated && !exchange.headers.find("Date")) {
    const WallTime clock = now();
    const std::lock_guard lock(mutex_);
    exchange.headers.add("Date", time::format_http_date(std::chrono::floor<std::chrono::seconds>(
                                     (clock - date_late_).time_since_epoch())));
  }
  return exchange;
}

SendResult Host::send(const HttpRequest& request, Instant deadline) {
  const Now sent = machine_->now();
  const auto in_time = [&](Duration span) {
    const Duration left = deadline - machine_->now().boot;
    machine_->advance(std::min(span, left));
    return span < left;
  };
  const auto late = [this] {
    return TransportFailure{TransportFailure::Kind::timeout, url_ + ": no answer in time", true};
  };
  const Delays delays = this->delays();
  if (!in_time(delays.up)) return late();
  Answer answer = receive(request, sent.boot);
  if (!in_time(answer.never ? Duration::max() : answer.up)) return late();
  const Duration down = delays.down + answer.down;
  SendResult result = written(std::move(answer), sent);
  if (!in_time(down)) return late();
  if (auto* exchange = std::get_if<Exchange>(&result)) exchange->received = machine_->now();
  return result;
}

}  // namespace skewguard::testing
