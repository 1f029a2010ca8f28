#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "simulation/virtual_world.hpp"

namespace skewguard::simulation {

/// Stands between a client and its world, for what befalls the client's process or its connections
/// alone.
class Between final : public Executor, public Transport {
 public:
  explicit Between(VirtualWorld& world) : world_(world) {}

  /// Asked for each request as it leaves: how it fails, or nothing.
  std::function<std::optional<TransportFailure::Kind>(const HttpRequest&)> breaks;
  bool deaf = false;                ///< no timer fires any more
  std::vector<std::string> broken;  ///< the methods of the requests that failed so

  /// The process stands still while all clocks and the network run on (SIGSTOP, cgroup freezer).
  void freeze_for(Duration span) {
    frozen_ = true;
    world_.run_for(span);
    frozen_ = false;
    for (auto& function : std::exchange(backlog_, {})) world_.post(std::move(function));
  }

  void post(std::function<void()> function) override {
    world_.post([this, function = std::move(function)] { when_awake(function); });
  }
  Timer call_at(Instant at, std::function<void()> function) override {
    const Timer timer = ++last_;
    if (deaf) return timer;
    inner_[timer] = world_.call_at(at, [this, timer, function = std::move(function)] {
      when_awake([this, timer, function] {
        if (inner_.erase(timer) > 0) function();
      });
    });
    return timer;
  }
  void cancel(Timer timer) override {
    const auto found = inner_.find(timer);
    if (found == inner_.end()) return;
    world_.cancel(found->second);
    inner_.erase(found);
  }

  Ticket send(HttpRequest request, const SendOptions& options, Handler handler) override {
    const auto kind = breaks ? breaks(request) : std::nullopt;
    if (!kind) {
      return world_.transport().send(
          std::move(request), options, [this, handler = std::move(handler)](SendResult result) {
            if (!frozen_) return handler(std::move(result));
            when_awake([this, handler, result = std::move(result)]() mutable {
              if (auto* late = std::get_if<Exchange>(&result)) late->received = world_.now();
              handler(std::move(result));
            });
          });
    }
    broken.push_back(request.method);
    const TransportFailure failure{*kind, "ordered", *kind == TransportFailure::Kind::reset};
    world_.post([handler = std::move(handler), failure] { handler(failure); });
    return kBrokenTicket;
  }

 private:
  static constexpr Ticket kBrokenTicket = ~Ticket{0};  // it has ended as good as begun

  void when_awake(std::function<void()> function) {
    if (!frozen_) return function();
    backlog_.push_back(std::move(function));
  }

  VirtualWorld& world_;
  bool frozen_ = false;
  std::vector<std::function<void()>> backlog_;
  std::map<Timer, Timer> inner_;
  Timer last_ = 0;
};

/// A client of ours without hooks, whose process and connections can fail.
class BareClient {
 public:
  using Outcome = VirtualClient::Outcome;

  explicit BareClient(VirtualWorld& world)
      : between(world),
        world_(world),
        engine_(VirtualClient::default_options(), {},
                runtime::EngineWorld{between, world, between, nullptr, 1, &world}) {}

  VirtualClient::Pending start(const Request& request) {
    auto pending = std::make_shared<std::optional<Outcome>>();
    const Instant deadline = world_.boot() + request.timeout.value_or(std::chrono::seconds{30});
    engine_.call(request, deadline, [this, pending](guard::action::Finish finished) {
      Outcome outcome;
      if (finished.answer) outcome.status = finished.answer->status;
      outcome.error = std::move(finished.error);
      outcome.report = std::move(finished.report);
      outcome.ended = world_.boot();
      *pending = std::move(outcome);
    });
    return pending;
  }
  /// One call from start to end, at most an hour of virtual time.
  Outcome call(const Request& request) {
    const auto pending = start(request);
    world_.run_while([&pending] { return !pending->has_value(); }, std::chrono::hours{1});
    return pending->value_or(Outcome{});
  }
  Outcome call(const std::string& method = "GET") {
    Request request;
    request.method = method;
    request.path = "/api/v2/tokens/me";
    return call(request);
  }

  Between between;

 private:
  VirtualWorld& world_;
  runtime::Engine engine_;
};

}  // namespace skewguard::simulation
