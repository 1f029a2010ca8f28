#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "relay/session_machine.hpp"
#include "skewguard/time.hpp"
#include "skewguard/verdict.hpp"

namespace skewguard::proxy {

/// One request that was answered, or whose client left. Its views need not outlast write().
struct AccessRecord {
  WallTime time{};                    ///< when its head had arrived
  std::string_view method;            ///< empty: it could not be read
  std::string_view path;              ///< without the query, which may hold secrets; visible ASCII
  int status = 0;                     ///< 0 = it got no answer
  relay::Cut cut = relay::Cut::none;  ///< why the client did not get all of it
  std::optional<Verdict> verdict{};   ///< of a forwarded request
  int attempts = 0;                   ///< sends to the API
  Duration held{0};                   ///< waited for a token or its turn before the first send
  Duration upstream{0};               ///< from the last send to the head of its answer
  Duration added{0};                  ///< what passed before that head and is not `upstream`
  Duration total{0};                  ///< from its head to the end of the answer
};

/// Writes one line for each request, on a thread of its own: a reader that is slow, or hangs,
/// holds nobody up. What it has not taken is kept up to 1 MiB; beyond that lines are left out, and
/// a line says how many. Thread-safe.
class AccessLog {
 public:
  enum class Format { text, json };
  using Writer = std::function<void(std::string_view lines)>;

  AccessLog() = default;  ///< writes nothing
  AccessLog(Writer writer, Format format);
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;
  ~AccessLog();  ///< Waits for a second at most until all is written.

  void write(const AccessRecord& record);
  [[nodiscard]] bool writes() const noexcept { return state_ != nullptr; }
  /// Continues elsewhere: its file was rotated.
  void reopen(Writer writer);

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with its thread, which may hang in a write
  Format format_ = Format::text;
};

/// With its line end.
std::string access_line(const AccessRecord& record, AccessLog::Format format);

}  // namespace skewguard::proxy
