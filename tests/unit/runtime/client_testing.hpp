#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "skewguard/client.hpp"
#include "time/http_date.hpp"

/// What the tests of the client's API share: a loop whose time a test moves, and hosts in memory.
namespace skewguard::runtime {

using namespace std::chrono_literals;

/// All clocks are right and show the same; they move by hand alone. Thread-safe.
class HandClock : public ClockSource {
 public:
  Now now() override {
    const Duration shown{shown_.load()};
    Now now;
    now.boot = Instant{shown};
    now.mono = MonotonicTime{shown};
    now.raw = RawTime{shown};
    now.wall = WallTime{kEpoch + shown};
    return now;
  }
  /// What a right clock writes into a Date.
  std::string date() {
    return time::format_http_date(
        std::chrono::floor<std::chrono::seconds>(now().wall.time_since_epoch()));
  }
  void show(Instant at) { shown_ = at.time_since_epoch().count(); }

 private:
  static constexpr std::chrono::seconds kEpoch{1'767'225'600};  // 2026-01-01
  std::atomic<Duration::rep> shown_{Duration{1h}.count()};
};

/// A loop that runs where and when the test says so. post() is thread-safe.
class HandLoop final : public Executor, public HandClock {
 public:
  void post(std::function<void()> function) override {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(function));
    posted_.notify_all();
  }
  Timer call_at(Instant at, std::function<void()> function) override {
    timers_.emplace(++last_, Due{at, std::move(function)});
    return last_;
  }
  void cancel(Timer timer) override { timers_.erase(timer); }
  [[nodiscard]] bool inside() const noexcept override {
    return runner_.load() == std::this_thread::get_id();
  }

  /// All that is due now.
  void run() {
    const auto outside = runner_.exchange(std::this_thread::get_id());
    while (run_posted() || run_timer(now().boot)) continue;
    runner_ = outside;
  }
  /// All that becomes due within `span` from now.
  void run_for(Duration span) {
    const Instant end = now().boot + span;
    run();
    for (auto next = next_timer(); next <= end; next = next_timer()) {
      show(std::max(next, now().boot));
      run();
    }
    show(end);
    run();
  }
  /// What other threads post, until `done`; false where nothing came for some seconds.
  bool run_until(const std::function<bool()>& done) {
    for (run(); !done(); run()) {
      std::unique_lock lock(mutex_);
      if (!posted_.wait_for(lock, 4s, [this] { return !queue_.empty(); })) return done();
    }
    return true;
  }

 private:
  struct Due {
    Instant at;
    std::function<void()> function;
  };

  bool run_posted() {
    std::function<void()> function;
    {
      const std::lock_guard lock(mutex_);
      if (queue_.empty()) return false;
      function = std::move(queue_.front());
      queue_.pop_front();
    }
    function();
    return true;
  }
  bool run_timer(Instant until) {
    const auto first = std::min_element(timers_.begin(), timers_.end(),
                                        [](auto& a, auto& b) { return a.second.at < b.second.at; });
    if (first == timers_.end() || first->second.at > until) return false;
    const auto function = std::move(first->second.function);
    timers_.erase(first);
    function();
    return true;
  }
  [[nodiscard]] Instant next_timer() const {
    Instant next = Instant::max();
    for (const auto& [id, due] : timers_) next = std::min(next, due.at);
    return next;
  }

  std::mutex mutex_;
  std::condition_variable posted_;
  std::deque<std::function<void()>> queue_;
  std::map<Timer, Due> timers_;
  Timer last_ = 0;
  std::atomic<std::thread::id> runner_{};
};

inline Exchange answer(int status, std::string body, HandClock& clock) {
  Exchange exchange;
  exchange.status = status;
  exchange.headers.add("Date", clock.date());
  exchange.body = std::move(body);
  exchange.sent = exchange.received = clock.now();
  return exchange;
}
inline Exchange refusal(HandClock& clock) {
  return answer(401, R"({"message":"Invalid login credentials.","code":"bad.credentials"})", clock);
}
inline TransportFailure broken() {
  return {TransportFailure::Kind::reset, "it broke", true};
}

/// What the hosts do. The login host gives "token-1", "token-2", ...; the API host says 200.
struct Script {
  std::atomic<int> token_requests{0};
  std::atomic<int> api_requests{0};
  std::atomic<bool> login_silent{false};  ///< it never answers
  std::string wrong_authorization;  ///< that the login host refuses; "first": what it sees first
  std::atomic<bool> api_silent{false};
  std::atomic<bool> overlapped{false};  ///< two functions of the loop ran at once
};

class MemoryHosts final : public Transport {
 public:
  MemoryHosts(Executor& loop, HandClock& clock, Script& script)
      : loop_(loop), clock_(clock), script_(script) {}

  Ticket send(HttpRequest request, const SendOptions& /*options*/, Handler handler) override {
    if (busy_.exchange(true)) script_.overlapped = true;
    const bool login = request.url.starts_with("https://login.test/");
    const int n = login ? ++script_.token_requests : ++script_.api_requests;
    handlers_.emplace(++last_, std::move(handler));
    if (!(login ? script_.login_silent : script_.api_silent)) {
      const std::string token = R"({"access_token":"token-)" + std::to_string(n) +
                                R"(","token_type":"bearer","expires_in":300})";
      const bool wrong = login && is_wrong(request.authorization);
      loop_.post([this, alive = std::weak_ptr(alive_), ticket = last_,
                  exchange = wrong   ? answer(401, R"({"error":"invalid_client"})", clock_)
                             : login ? answer(200, token, clock_)
                                     : answer(200, "{}", clock_)] {
        if (alive.lock()) tell(ticket, exchange);
      });
    }
    busy_ = false;
    return last_;
  }
  void cancel(Ticket ticket) override {
    loop_.post([this, alive = std::weak_ptr(alive_), ticket] {
      if (alive.lock()) tell(ticket, TransportFailure{TransportFailure::Kind::cancelled, "", true});
    });
  }

 private:
  bool is_wrong(const Secret& authorization) {
    auto& wrong = script_.wrong_authorization;
    if (wrong == "first") wrong = authorization.reveal();
    return wrong == authorization.reveal();
  }
  void tell(Ticket ticket, SendResult result) {
    auto found = handlers_.extract(ticket);
    if (!found.empty()) found.mapped()(std::move(result));
  }

  Executor& loop_;
  HandClock& clock_;
  Script& script_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::atomic<bool> busy_{false};
  std::map<Ticket, Handler> handlers_;
  Ticket last_ = 0;
};

inline ClientOptions options_in_memory() {
  ClientOptions options;
  options.login_url = "https://login.test";
  options.api_url = "https://api.test";
  options.client_id = "id";
  options.client_secret = Secret{"secret"};
  return options;
}
inline Dependencies hosts_in_memory(const std::shared_ptr<HandClock>& clock, Script& script) {
  Dependencies dependencies;
  dependencies.clock = clock;
  dependencies.transport = [clock, &script](Executor& loop) {
    return std::make_unique<MemoryHosts>(loop, *clock, script);
  };
  return dependencies;
}

/// How often a handler was called, and with what.
template <typename T>
struct Told {
  std::function<void(Result<T>)> handler() const {
    return [results = results](Result<T> result) { results->push_back(std::move(result)); };
  }
  [[nodiscard]] std::size_t times() const { return results->size(); }
  [[nodiscard]] const Result<T>& last() const { return results->back(); }
  /// Told once, of this error.
  [[nodiscard]] bool once(ErrorKind kind) const {
    return times() == 1 && !last() && last().error().kind == kind;
  }
  [[nodiscard]] bool once_ok() const { return times() == 1 && last(); }

  std::shared_ptr<std::vector<Result<T>>> results = std::make_shared<std::vector<Result<T>>>();
};

inline Request get(std::string path = "/api/v2/x") {
  Request request;
  request.path = std::move(path);
  return request;
}
inline GuardOptions guarded(std::string method) {
  GuardOptions options;
  options.method = std::move(method);
  return options;
}

}  // namespace skewguard::runtime
