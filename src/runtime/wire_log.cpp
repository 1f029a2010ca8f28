#include "runtime/wire_log.hpp"

#include <algorithm>
#include <string_view>

#include "base/strings.hpp"
#include "http/url.hpp"
#include "net/reason_phrase.hpp"
#include "oauth/refusals.hpp"
#include "oauth/withhold.hpp"
#include "time/duration_text.hpp"

namespace skewguard::runtime {
WireLog::WireLog(const Log& log, const HttpRequest& request) : log_(&log) {
  if (!log.takes(LogLevel::debug)) return;
  origin_ = http::origin_of(request.url);
  if (log.takes(LogLevel::trace)) authorization_ = request.authorization;
}

void WireLog::answer(const SendResult& result) const {
  if (origin_.empty()) return;
  const auto* exchange = std::get_if<Exchange>(&result);
  if (exchange == nullptr) {
    const auto& failure = std::get<TransportFailure>(result);
    log_->write(
        {.level = LogLevel::debug, .message = "no answer: " + failure.detail, .server = origin_});
    return;
  }
  std::string text = "< " + std::to_string(exchange->status) + " " +
                     std::string(net::reason_phrase(exchange->status)) + ", " +
                     counted(exchange->body.size(), "byte") + ", after " +
                     time::human(exchange->received.boot - exchange->sent.boot);
  const auto date = exchange->headers.find("Date");
  text.append(date ? "; Date: " + oauth::visible(*date) : "; without a Date");
  log_->write({.level = LogLevel::debug, .message = std::move(text), .server = origin_});
  if (!log_->takes(LogLevel::trace)) return;
  for (const HeaderField& each : exchange->headers.fields()) tell(each);
}

void WireLog::tell(const HeaderField& field) const {
  const std::string_view sent = authorization_.reveal();
  const auto credentials = sent.substr(std::min(sent.find(' ') + 1, sent.size()));
  const std::string value = http::confidential_field(field.name)
                                ? "(not shown)"
                                : oauth::visible(oauth::withhold(field.value, {credentials}));
  log_->write({.level = LogLevel::trace,
               .message = "< " + oauth::visible(field.name) + ": " + value,
               .server = origin_});
}

}  // namespace skewguard::runtime
