#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/log.hpp"
#include "clocks/answer.hpp"
#include "clocks/clock_view.hpp"
#include "oauth/dialect.hpp"
#include "runtime/engine.hpp"
#include "runtime/told_time.hpp"
#include "runtime/turns.hpp"

namespace skewguard::runtime {

/// What the parts of an engine have in common: its settings, its loop, its hooks and what is known
/// of the clocks.
class Core {
 public:
  /// Gets every answer that a server gave, before anybody else.
  using Observer = std::function<void(ServerId, const clocks::Answer&)>;
  using Handler = std::function<void(clocks::AnswerResult)>;

  Core(ClientOptions with, Hooks hooks, EngineWorld in);
  ~Core() { *alive_ = false; }
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  ClientOptions options;
  EngineWorld world;
  std::shared_ptr<const oauth::Dialect> dialect;
  clocks::ClockBook book;
  ServerId login;
  ServerId api;
  Turns turns{world.clock};
  Observer observe;

  /// Both only within a turn.
  [[nodiscard]] const Now& now() const noexcept { return turns.now(); }
  [[nodiscard]] clocks::ClockView view() const { return {book, now()}; }
  [[nodiscard]] std::string token_url() const;
  /// Names one thing of this engine; never 0.
  std::uint64_t new_id() noexcept { return ++last_id_; }

  /// As a turn of its own, soon.
  void later(std::function<void()> function);
  /// As a turn of its own, at about `when`.
  Executor::Timer at(Instant when, std::function<void()> function);
  void cancel(Executor::Timer timer) { world.executor.cancel(timer); }
  /// `handler` runs within a turn, once the answer has been observed; never where the engine is
  /// gone by then. A certificate that fails on its time is held back until it is known what time it
  /// is, for some seconds at most and never until `wanted`.
  Transport::Ticket send(HttpRequest request, const SendOptions& with, ServerId server,
                         Instant wanted, Handler handler);
  /// The same for an answer that comes by another way: to be called once, on any thread.
  Transport::Handler outside(ServerId server, Instant wanted, Handler handler);
  /// One answer of the login host, asked for without credentials, says what time it is there.
  void look_at_login(Instant deadline, Handler then);

  void log(const LogLine& line) const { log_.write(line); }
  [[nodiscard]] const Log& log() const noexcept { return log_; }
  void tell_rejection(const Rejection& rejection) const { tell(hooks_.on_rejection, rejection); }
  /// Of a call that came off without any rejection nothing is told.
  void tell_resolved(const CallReport& report) const;

 private:
  // Hooks are the user's: one that throws is the user's loss alone.
  template <typename Hook, typename What>
  static void tell(const Hook& hook, const What& what) noexcept {
    if (!hook) return;
    try {
      hook(what);
    } catch (...) {
      return;
    }
  }

  void receive(ServerId server, Instant wanted, clocks::AnswerResult result, Handler handler);
  void ask_for_time(ServerId server, Instant wanted, const TransportFailure& failure,
                    const Handler& handler);
  void hand_on(ServerId server, clocks::AnswerResult result, const Handler& handler);
  /// By the clock of the other host.
  [[nodiscard]] std::optional<TimeTold> told_by_other(ServerId server) const;

  Hooks hooks_;
  Log log_;
  std::shared_ptr<ToldTime> time_;  // null: nobody is asked
  std::uint64_t last_id_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

/// A look at a Date alone: one that takes longer tells too little.
inline constexpr Duration kLookTimeout = std::chrono::seconds{5};

template <typename... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <typename... F>
Overloaded(F...) -> Overloaded<F...>;

}  // namespace skewguard::runtime
