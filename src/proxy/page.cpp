#include "proxy/page.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "skewguard/report.hpp"
#include "store/digest.hpp"
#include "system/seed.hpp"

namespace skewguard::proxy {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kRetryAfter = "5";  // seconds

/// Random, so that a user's report leads to the log line.
std::string context_id() {
  return store::hex_digits(system::hardware_seed()) + store::hex_digits(system::hardware_seed());
}

/// Bytes that are not UTF-8, which a server's words may have, are replaced.
std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

bool sent_to_api(const Error& error) {
  return error.report != nullptr &&
         std::ranges::any_of(error.report->attempts,
                             [](const auto& attempt) { return attempt.host == HostRole::api; });
}

std::string_view code_of(const Error& error) {
  const bool judged = error.report != nullptr && error.report->verdict != Verdict::ok;
  return judged ? to_string(error.report->verdict) : to_string(error.kind);
}

/// Whether the same request may succeed later although nobody does anything.
bool passes(ErrorKind kind) noexcept {
  return kind == ErrorKind::unavailable || kind == ErrorKind::timeout ||
         kind == ErrorKind::throttled || kind == ErrorKind::cancelled;
}

}  // namespace

Page json_page(int status, std::string_view body) {
  return {status, {{"Content-Type", "application/json"}}, Secret(body)};
}

Page text_page(int status, std::string_view body) {
  return {status, {{"Content-Type", "text/plain; charset=utf-8"}}, Secret(body)};
}

Page error_page(int status, std::string_view code, std::string_view message) {
  const Json body{{"message", message},       {"code", "skewguard." + std::string(code)},
                  {"status", status},         {"contextId", context_id()},
                  {"details", Json::array()}, {"errors", Json::array()}};
  return json_page(status, text_of(body));
}

Page failure_page(const Error& error) {
  constexpr int kBadGateway = 502;
  constexpr int kUnavailable = 503;
  constexpr int kTimedOut = 504;
  if (sent_to_api(error)) {
    const int status = error.kind == ErrorKind::timeout ? kTimedOut : kBadGateway;
    return error_page(status, code_of(error), describe(error));
  }
  if (!passes(error.kind)) return error_page(kBadGateway, code_of(error), describe(error));
  Page page = error_page(kUnavailable, code_of(error), describe(error));
  page.headers.add("Retry-After", kRetryAfter);
  return page;
}

}  // namespace skewguard::proxy
