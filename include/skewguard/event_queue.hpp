#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <variant>

#include "skewguard/client.hpp"
#include "skewguard/export.hpp"
#include "skewguard/log.hpp"
#include "skewguard/report.hpp"

namespace SKEWGUARD_API skewguard {

/// What a hook was told.
struct Event {
  std::variant<LogLine, Rejection, CallReport> what;
  /// How many events were dropped just before this one, because nobody had asked in time.
  std::uint64_t dropped = 0;
};

/// Keeps what hooks are told until the program asks: for programs that must not be called from the
/// client's loop, such as other languages'. A copy refers to the same queue. Thread-safe. A forked
/// process starts with an empty queue and the same wishes, but without `on_news`.
class EventQueue {
 public:
  /// More than that are not kept: the oldest are dropped.
  static constexpr std::size_t kCapacity = 1024;

  /// Which events are kept.
  struct Wanted {
    bool log = true;
    bool rejections = true;
    bool resolved = true;
    LogLevel level = LogLevel::info;  ///< log lines of this level and above
  };

  explicit EventQueue(const Wanted& wanted);
  EventQueue() : EventQueue(Wanted{}) {}

  /// Hooks that fill this queue, for a Client.
  [[nodiscard]] Hooks hooks() const;
  /// From now on these are kept; what is in the queue stays, unless nothing is wanted any more.
  /// `on_news` is called when there is an event and the last next() found none, and at once if
  /// there is one now: on the client's loop or here. It must not block or call back; empty = none.
  void want(const Wanted& wanted, std::function<void()> on_news = {});
  /// The oldest event, which is taken out; empty if there is none.
  [[nodiscard]] std::optional<Event> next();

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace skewguard
