#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <unordered_set>

#include "proxy/answer_facts.hpp"
#include "proxy/api_dialer.hpp"
#include "proxy/descriptor.hpp"
#include "proxy/desk.hpp"
#include "proxy/event_loop.hpp"
#include "proxy/sent_tokens.hpp"
#include "proxy/service.hpp"
#include "proxy/token_gate.hpp"
#include "proxy/upstream_pool.hpp"
#include "relay/session_machine.hpp"

namespace skewguard::proxy {

class Session;

/// The connections of one thread. All functions are for that thread.
class Worker {
 public:
  /// All must outlive it.
  Worker(EventLoop& loop, ApiDialer& dialer, Service& service);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// One more connection is coming: what load() says includes it. Thread-safe.
  void expect() noexcept { coming_.fetch_add(1, std::memory_order_relaxed); }
  /// After expect(). `room`: otherwise it is told that there are too many.
  void serve(Descriptor socket, bool room);
  /// Takes the local secret anew.
  void reload();
  /// How many connections it has. Thread-safe.
  [[nodiscard]] std::int64_t load() const noexcept {
    return metrics_.connections.value() + coming_.load(std::memory_order_relaxed);
  }
  /// Every connection ends after the answer that is under way, or once it has been idle for a
  /// moment, in which a request that has been sent already still arrives. `done` is called once all
  /// have ended.
  void drain(std::function<void()> done);
  /// Ends all connections at once, with what answers there are, and takes no more.
  void stop();

  // For its sessions.
  [[nodiscard]] EventLoop& loop() noexcept { return loop_; }
  [[nodiscard]] Service& service() noexcept { return service_; }
  [[nodiscard]] WorkerMetrics& metrics() noexcept { return metrics_; }
  [[nodiscard]] Instant now() const { return service_.client.now(); }
  [[nodiscard]] TokenGate& gate() noexcept { return *gate_; }
  [[nodiscard]] UpstreamPool& pool() noexcept { return pool_; }
  [[nodiscard]] Desks& desks() noexcept { return desks_; }
  [[nodiscard]] SentTokens& sent_tokens() noexcept { return sent_tokens_; }
  [[nodiscard]] AnswerObserver& observer() noexcept { return observer_; }
  [[nodiscard]] const relay::SessionRules& rules() const noexcept { return rules_; }
  [[nodiscard]] relay::ReplayMemory& replay_memory() noexcept { return replay_memory_; }
  /// The stack may hold some of a token: it is wiped before the worker waits.
  void token_passed() noexcept { token_passed_ = true; }
  void ended(const std::shared_ptr<Session>& session);

 private:
  void tick_later();
  void tick();

  EventLoop& loop_;
  Service& service_;
  WorkerMetrics& metrics_;
  SentTokens sent_tokens_;
  relay::SessionRules rules_;
  relay::ReplayMemory replay_memory_;
  UpstreamPool pool_;
  Desks desks_;
  AnswerObserver observer_;
  std::shared_ptr<TokenGate> gate_;
  LoopTimer grace_;
  LoopTimer ticks_;
  bool ticking_ = false;
  bool stopped_ = false;
  bool token_passed_ = false;
  std::atomic<std::int64_t> coming_{0};  // connections that serve() has not got yet
  std::unordered_set<std::shared_ptr<Session>> sessions_;
  std::function<void()> drained_;
};

}  // namespace skewguard::proxy
