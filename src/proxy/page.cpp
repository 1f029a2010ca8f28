#include "proxy/page.hpp"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "store/digest.hpp"
#include "system/seed.hpp"
#include "time/http_date.hpp"

namespace skewguard::proxy {
namespace {

using Json = nlohmann::ordered_json;

/// Whole seconds. Not 0, and not for so long that a cause which is removed meanwhile is not
/// noticed.
std::string retry_after_text(Duration wait) {
  using std::chrono::seconds;
  constexpr seconds kLeast{1};
  constexpr seconds kMost{60};
  return std::to_string(std::clamp(std::chrono::ceil<seconds>(wait), kLeast, kMost).count());
}

/// Random, so that a user's report leads to the log line.
std::string context_id() {
  return store::hex_digits(system::hardware_seed()) + store::hex_digits(system::hardware_seed());
}

/// Bytes that are not UTF-8, which a server's words may have, are replaced.
std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
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

Page problem_page(const relay::Problem& problem) {
  constexpr int kUnauthorized = 401;
  constexpr int kMethodNotAllowed = 405;
  Page page = error_page(problem.status, problem.code, problem.message);
  if (problem.retry) page.headers.add("Retry-After", retry_after_text(problem.retry_after));
  if (problem.code == relay::kCutAnswer) return page;  // the status is the API's
  if (problem.status == kUnauthorized)
    page.headers.add("WWW-Authenticate", "Bearer realm=\"skewguard\"");
  if (problem.status == kMethodNotAllowed) page.headers.add("Allow", "GET, HEAD, POST");
  return page;
}

std::string fields_text(const Page& page, WallTime now) {
  std::string text;
  for (const auto& field : page.headers.fields())
    text.append(field.name).append(": ").append(field.value).append("\r\n");
  const auto date = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch());
  return text.append("Date: ").append(time::format_http_date(date)).append("\r\n");
}

}  // namespace skewguard::proxy
