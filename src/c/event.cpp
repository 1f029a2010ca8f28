// What a client's hooks were told, one event at a time.
#include <algorithm>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <variant>

#include "base/overloaded.hpp"
#include "c/client.hpp"
#include "c/error.hpp"
#include "c/queue.hpp"
#include "diagnosis/report_json.hpp"
#include "http/url.hpp"
#include "skewguard/event_queue.hpp"

/// An event with its texts in the form that C programs borrow.
struct skewguard_event {
  int32_t kind = 0;
  int32_t level = SKEWGUARD_WARN;
  std::uint64_t dropped = 0;
  std::string message{}, verdict{}, server{}, correlation_id{}, report{};
};

namespace skewguard::c {
namespace {

void fill_in(const LogLine& line, skewguard_event& into) {
  into.kind = SKEWGUARD_EVENT_LOG;
  into.level = static_cast<int32_t>(line.level);
  into.message = line.message;
  if (line.verdict) into.verdict = to_string(*line.verdict);
  into.server = line.server;
  into.correlation_id = line.correlation_id;
}

void fill_in(const Rejection& rejection, skewguard_event& into) {
  const ReportedAttempt& attempt = rejection.attempt;
  into.kind = SKEWGUARD_EVENT_REJECTION;
  into.message = attempt.explanation;
  if (attempt.verdict) into.verdict = to_string(*attempt.verdict);
  into.server = http::origin_of(rejection.url);
  into.correlation_id = attempt.correlation_id;
  // A server's words may not be UTF-8.
  into.report = diagnosis::json_of(attempt).dump(2, ' ', false,
                                                 nlohmann::ordered_json::error_handler_t::replace);
}

void fill_in(const CallReport& report, skewguard_event& into) {
  into.kind = SKEWGUARD_EVENT_RESOLVED;
  into.message = report.method + " " + report.url +
                 (report.failure ? " failed: " : " succeeded after ") +
                 std::string(to_string(report.verdict));
  into.verdict = to_string(report.verdict);
  into.server = http::origin_of(report.url);
  if (!report.attempts.empty()) into.correlation_id = report.attempts.back().correlation_id;
  into.report = to_json(report);
}

EventQueue::Wanted wanted_of(int32_t kinds, int32_t level) {
  EventQueue::Wanted wanted;
  wanted.log = (kinds & SKEWGUARD_EVENT_LOG) != 0;
  wanted.rejections = (kinds & SKEWGUARD_EVENT_REJECTION) != 0;
  wanted.resolved = (kinds & SKEWGUARD_EVENT_RESOLVED) != 0;
  wanted.level =
      static_cast<LogLevel>(std::clamp<int32_t>(level, SKEWGUARD_TRACE, SKEWGUARD_CRITICAL));
  return wanted;
}

}  // namespace
}  // namespace skewguard::c

void skewguard_client::listen(const skewguard::EventQueue::Wanted& wanted,
                              skewguard::c::Listener fresh) {
  const std::lock_guard lock(mutex_);
  events.want(wanted, {});
  listening_.withdraw();
  listening_ = {std::move(fresh), clock};
  if (listening_.listener.queue) {
    events.want(wanted, [to = listening_] { to.listener.tell(to.owner.get()); });
  }
}

skewguard_client::Listening skewguard_client::listening() const {
  const std::lock_guard lock(mutex_);
  return listening_;
}

void skewguard_listen(skewguard_client* client, int32_t kinds, int32_t level,
                      skewguard_queue* queue, uint64_t tag) {
  if (client == nullptr) return;
  try {
    client->listen(skewguard::c::wanted_of(kinds, level), {queue, tag});
  } catch (...) {  // no memory: events are kept as before
    return;
  }
}

skewguard_event* skewguard_event_next(skewguard_client* client) {
  return skewguard::c::without_exceptions(nullptr, nullptr, [&]() -> skewguard_event* {
    auto found = client == nullptr ? std::nullopt : client->events.next();
    if (!found) return nullptr;
    auto event = std::make_unique<skewguard_event>();
    event->dropped = found->dropped;
    std::visit([&](const auto& what) { skewguard::c::fill_in(what, *event); }, found->what);
    return event.release();
  });
}

int32_t skewguard_event_kind_of(const skewguard_event* event) {
  return event == nullptr ? 0 : event->kind;
}

int32_t skewguard_event_level(const skewguard_event* event) {
  return event == nullptr ? SKEWGUARD_TRACE : event->level;
}

uint64_t skewguard_event_dropped(const skewguard_event* event) {
  return event == nullptr ? 0 : event->dropped;
}

const char* skewguard_event_text_of(const skewguard_event* event, int32_t which) {
  if (event == nullptr) return "";
  switch (which) {
    case SKEWGUARD_EVENT_MESSAGE:
      return event->message.c_str();
    case SKEWGUARD_EVENT_VERDICT:
      return event->verdict.c_str();
    case SKEWGUARD_EVENT_SERVER:
      return event->server.c_str();
    case SKEWGUARD_EVENT_CORRELATION_ID:
      return event->correlation_id.c_str();
    case SKEWGUARD_EVENT_REPORT:
      return event->report.c_str();
    default:
      return "";
  }
}

void skewguard_event_free(skewguard_event* event) {
  const std::unique_ptr<skewguard_event> owner(event);
}
