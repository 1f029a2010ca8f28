#include "genesys/error_details.hpp"

#include <algorithm>
#include <charconv>

#include "base/strings.hpp"
#include "http/retry_after.hpp"
#include "oauth/json.hpp"
#include "oauth/visible.hpp"

namespace skewguard::genesys {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxPermissions = 20;  // more help nobody
constexpr std::size_t kMaxPermissionBytes = 128;
constexpr std::size_t kMaxDepth = 16;  // errors nest in errors

constexpr bool letter(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
constexpr bool permission_character(char c) noexcept {
  return letter(c) || (c >= '0' && c <= '9') || c == ':' || c == '*' || c == '_' || c == '-';
}

/// domain:entity:action, the domain beginning with a letter ("12:30:45" is a time) and no URN.
bool is_permission(std::string_view word) noexcept {
  if (word.size() > kMaxPermissionBytes || !letter(word.front())) return false;
  if (iequals(word.substr(0, 4), "urn:")) return false;
  return std::ranges::count(word, ':') == 2 && word.find("::") == std::string_view::npos &&
         word.back() != ':';
}

void add_permissions(std::string_view text, std::vector<std::string>& into) {
  while (!text.empty() && into.size() < kMaxPermissions) {
    const auto* const first = std::ranges::find_if(text, permission_character);
    const auto* const last =
        std::find_if_not(first, text.end(), [](char c) { return permission_character(c); });
    std::string_view word(first, last);
    text = std::string_view(last, text.end());
    while (word.ends_with(':')) word.remove_suffix(1);  // "permission(s): a:b:c"
    if (word.empty() || !is_permission(word)) continue;
    if (std::ranges::find(into, word) == into.end()) into.emplace_back(word);
  }
}

/// Every text below `node`: messageParams and details vary in form.
void scan(const json& node, std::size_t depth, std::vector<std::string>& into) {
  if (node.is_string()) return add_permissions(node.get_ref<const std::string&>(), into);
  if (!node.is_structured() || depth == kMaxDepth) return;
  for (const auto& child : node) scan(child, depth + 1, into);
}

/// docs/platform.md section 2.2, the 429 row.
std::optional<Duration> retry_after(std::string_view message) {
  constexpr std::string_view kBefore = "Retry the request in [";
  constexpr std::string_view kAfter = "] seconds";
  const auto start = message.find(kBefore);
  if (start == std::string_view::npos) return std::nullopt;
  message.remove_prefix(start + kBefore.size());
  int seconds = 0;
  const auto [end, error] =
      std::from_chars(message.data(), message.data() + message.size(), seconds);
  if (error != std::errc{} || seconds < 0) return std::nullopt;
  message.remove_prefix(static_cast<std::size_t>(end - message.data()));
  if (!message.starts_with(kAfter)) return std::nullopt;
  return std::min(std::chrono::seconds{seconds}, http::kLongestWait);
}

}  // namespace

ErrorDetails read_error_details(const json& object) {
  ErrorDetails out;
  if (const auto* id = oauth::string_member(object, "contextId"))
    out.context_id = oauth::visible(*id);
  for (const char* name : {"message", "messageWithParams", "messageParams", "details", "errors"}) {
    const auto found = object.find(name);
    if (found != object.end()) scan(*found, 0, out.permissions);
  }
  if (const auto* message = oauth::string_member(object, "message"))
    out.retry_after = retry_after(*message);
  return out;
}

}  // namespace skewguard::genesys
