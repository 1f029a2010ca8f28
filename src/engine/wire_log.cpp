#include "engine/wire_log.hpp"

#include <string_view>
#include <utility>

#include "base/strings.hpp"
#include "http/content_coding.hpp"
#include "http/url.hpp"
#include "net/reason_phrase.hpp"
#include "oauth/echo.hpp"
#include "oauth/refusals.hpp"
#include "oauth/sent_secrets.hpp"
#include "oauth/token_answer.hpp"
#include "oauth/withhold.hpp"
#include "time/duration_text.hpp"

namespace skewguard::engine {
namespace {

std::string visible(std::string_view words, const std::vector<Secret>& secrets) {
  auto text = oauth::withhold(std::string(words), secrets);
  for (const Secret& secret : secrets) oauth::Echo(secret.reveal()).hide_in(text);
  return oauth::visible(text);
}

/// A redirect may hold a secret that nobody here knows.
std::string shown_part(const HeaderField& field) {
  return iequals(field.name, "Location") ? http::without_secrets(field.value) : field.value;
}

std::string shown(const HeaderField& field, const std::vector<Secret>& secrets) {
  const std::string name = "< " + visible(field.name, secrets) + ": ";
  if (http::confidential_field(field.name)) return name + "(not shown)";
  const auto part = shown_part(field);
  return name + visible(part, secrets) + (part.size() < field.value.size() ? " (cut)" : "");
}

}  // namespace

WireLog::WireLog(const Log& log, const HttpRequest& request, const oauth::Dialect* issuer)
    : log_(&log), issuer_(issuer) {
  if (!log.takes(LogLevel::debug)) return;
  origin_ = http::origin_of(request.url);
  secrets_ = oauth::secrets_in(request);
}

void WireLog::write(LogLevel level, std::string message) const {
  log_->write({.level = level, .message = std::move(message), .server = origin_});
}

std::vector<Secret> WireLog::secrets_of(const clocks::Answer& answer) const {
  std::vector<Secret> secrets = secrets_;
  if (issuer_ == nullptr || answer.body.empty()) return secrets;
  clocks::Answer readable = answer;
  http::decode_body(readable, oauth::kMaxTokenAnswerBytes);
  auto token = issuer_->token(readable);
  Secret::wipe(readable.body);
  if (token) secrets.push_back(std::move(token->access_token));
  return secrets;
}

void WireLog::answer(const clocks::AnswerResult& result) const {
  if (origin_.empty()) return;
  const auto* answer = std::get_if<clocks::Answer>(&result);
  if (answer == nullptr) {
    const auto& failure = std::get<TransportFailure>(result);
    return write(LogLevel::debug, oauth::withhold("no answer: " + failure.detail, secrets_));
  }
  const auto secrets = secrets_of(*answer);
  std::string text = "< " + std::to_string(answer->status) + " " +
                     std::string(net::reason_phrase(answer->status)) + ", " +
                     counted(answer->body.size(), "byte") + ", after " +
                     time::human(answer->received.boot - answer->sent.boot);
  const auto date = answer->headers.find("Date");
  text.append(date ? "; Date: " + visible(*date, secrets) : "; without a Date");
  write(LogLevel::debug, std::move(text));
  if (!log_->takes(LogLevel::trace)) return;
  for (const HeaderField& each : answer->headers.fields())
    write(LogLevel::trace, shown(each, secrets));
}

}  // namespace skewguard::engine
