#include "relay/admission.hpp"

#include <algorithm>
#include <array>

#include "base/same_secret.hpp"
#include "base/strings.hpp"
#include "http/url.hpp"
#include "relay/characters.hpp"
#include "relay/header_rules.hpp"

namespace skewguard::relay {
namespace {

constexpr std::string_view kApi = "/api/v2/";
constexpr std::string_view kGatewayApi = "/api/api/v2/";  // of the platform's sample gateway

std::string_view without_port(std::string_view host) noexcept {
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
  return host.substr(0, host.find(':'));
}

/// An address of 127.0.0.0/8, four decimal numbers.
bool loopback_address(std::string_view name) noexcept {
  if (!name.starts_with("127.")) return false;
  std::size_t dots = 0;
  std::size_t digits = 0;
  for (const char c : name) {
    if (c == '.') {
      if (digits == 0) return false;
      ++dots;
      digits = 0;
    } else if (!digit(c) || ++digits > 3) {
      return false;
    }
  }
  return dots == 3 && digits > 0;
}

bool host_is_ours(std::string_view host, const AdmissionRules& rules) noexcept {
  const std::string_view name = without_port(host);
  return iequals(name, "localhost") || name == "[::1]" || loopback_address(name) ||
         std::ranges::any_of(rules.hosts, [&](const auto& ours) { return iequals(name, ours); });
}

/// Browsers say where a request comes from. Programs do not.
Admission judge_page(const Fields& fields, const AdmissionRules& rules) noexcept {
  Admission page;
  for (const Field field : fields) {
    if (field.known != FieldName::origin) continue;
    const auto same = [&](const auto& origin) { return iequals(field.value, origin); };
    if (std::ranges::none_of(rules.origins, same)) return {.denial = Denial::origin};
    page.origin = field.value;
  }
  if (!page.origin.empty()) return page;
  for (const Field field : fields) {
    const bool ours = field.value == "same-origin" || field.value == "none";
    if (field.known == FieldName::sec_fetch_site && !ours) return {.denial = Denial::cross_site};
  }
  return page;
}

/// Of a page that is served.
bool is_preflight(const RequestHead& head) noexcept {
  return head.method == "OPTIONS" && head.fields.find(kAskedMethod).has_value();
}

bool shows_bearer(const Fields& fields, const AdmissionRules& rules) noexcept {
  if (rules.bearers.empty()) return true;
  constexpr std::string_view kScheme = "Bearer ";
  const std::string_view value = fields.find(FieldName::authorization).value_or("");
  if (!iequals(value.substr(0, kScheme.size()), kScheme)) return false;
  const std::string_view shown = trim(value.substr(kScheme.size()));
  bool found = false;
  for (const auto& bearer : rules.bearers) found = same_secret(shown, bearer.reveal()) || found;
  return found && !shown.empty();
}

/// One character of a path, percent-decoded once.
struct Decoded {
  char value = 0;
  bool encoded = false;
};

/// Calls `use(Decoded)` for each character until it returns false. False if a percent sign is not
/// followed by two hexadecimal digits.
template <typename Use>
bool for_each_decoded(std::string_view path, Use use) noexcept {
  for (std::size_t at = 0; at < path.size(); ++at) {
    Decoded next{path[at], path[at] == '%'};
    if (next.encoded) {
      const int high = at + 1 < path.size() ? hex_value(path[at + 1]) : -1;
      const int low = at + 2 < path.size() ? hex_value(path[at + 2]) : -1;
      if (high < 0 || low < 0) return false;
      next.value = static_cast<char>(high * 16 + low);
      at += 2;
    }
    if (!use(next)) return true;
  }
  return true;
}

bool separates(char c) noexcept {
  return c == '/' || c == '\\';
}

/// Whether every server understands the path alike: without a raw backslash, a broken percent
/// encoding or a segment of dots. Encoded slashes and backslashes count as slashes here, and path
/// parameters (`..;x`) are not part of a segment.
bool beyond_doubt(std::string_view path) noexcept {
  std::size_t dots = 0;
  bool only_dots = true;  // in this segment so far
  bool clear = true;
  const auto ends_dots = [&] { return only_dots && (dots == 1 || dots == 2); };
  const bool decoded = for_each_decoded(path, [&](Decoded next) {
    if (next.value == '\\' && !next.encoded) clear = false;
    if (separates(next.value)) {
      clear = clear && !ends_dots();
      dots = 0;
      only_dots = true;
    } else if (next.value == ';') {
      clear = clear && !ends_dots();
      only_dots = false;
    } else if (next.value == '.') {
      ++dots;
    } else {
      only_dots = false;
    }
    return clear;
  });
  return decoded && clear && !ends_dots();
}

/// Whether some server might take this for /api/v2/tokens/me. The path is beyond doubt.
bool is_own_token(std::string_view path) noexcept {
  std::array<char, 32> plain{};  // lower case, single slashes, no parameters
  std::size_t size = 0;
  bool parameter = false;
  bool fits = true;
  for_each_decoded(path, [&](Decoded next) {
    const char c = separates(next.value) ? '/' : ascii_lower(next.value);
    if (c == '/') parameter = false;
    if (c == ';') parameter = true;
    if (parameter || (c == '/' && size > 0 && plain[size - 1] == '/')) return true;
    fits = size < plain.size();
    if (fits) plain[size++] = c;
    return fits;
  });
  const std::string_view text(plain.data(), size);
  return fits && (text == "/api/v2/tokens/me" || text == "/api/v2/tokens/me/");
}

struct OwnPage {
  std::string_view path;
  Route route;
  bool open;  // without the bearer
};
constexpr std::array<OwnPage, 6> kOwnPages{{{"/healthz", Route::healthz, true},
                                            {"/readyz", Route::readyz, true},
                                            {"/oauth/token", Route::login, true},
                                            {"/login/oauth/token", Route::login, true},
                                            {"/metrics", Route::metrics, false},
                                            {"/status.json", Route::status, false}}};

bool serves_method(Route route, std::string_view method) noexcept {
  return route == Route::login ? method == "POST" : method == "GET" || method == "HEAD";
}

/// Of a request whose sender may be served: is what it wants?
Admission judge_target(const RequestHead& head, const AdmissionRules& rules) noexcept {
  std::string_view target = head.target;
  if (target.starts_with(kGatewayApi)) target.remove_prefix(kGatewayApi.size() - kApi.size());
  const std::string_view path = path_of(target);
  if (!beyond_doubt(path)) return {.denial = Denial::path_form};
  if (!path.starts_with(kApi)) return {.denial = Denial::not_found};
  const auto allows = [&](const AllowRule& rule) { return rule.allows(head.method, path); };
  if (!rules.allow.empty() && std::ranges::none_of(rules.allow, allows))
    return {.denial = Denial::not_allowed};
  const bool ends = iequals(head.method, "DELETE") && is_own_token(path);
  return {.route = ends ? Route::end_token : Route::api, .target = target};
}

/// After the judgement of the page that sent it, if one did.
Admission judge_request(const RequestHead& head, const AdmissionRules& rules) noexcept {
  const std::string_view path = path_of(head.target);
  const auto* page = std::ranges::find(kOwnPages, path, &OwnPage::path);
  const bool own = page != kOwnPages.end();
  if (!own || !page->open) {
    if (!shows_bearer(head.fields, rules)) return {.denial = Denial::bearer};
    const auto lacks = [&](const auto& name) { return !head.fields.find(std::string_view(name)); };
    if (std::ranges::any_of(rules.required_fields, lacks))
      return {.denial = Denial::required_field};
  }
  if (!own) return judge_target(head, rules);
  if (!serves_method(page->route, head.method)) return {.denial = Denial::method};
  return {.route = page->route, .target = head.target};
}

}  // namespace

bool AllowRule::allows(std::string_view request_method, std::string_view request_path) const {
  return method == request_method &&
         (prefix ? request_path.starts_with(path) : request_path == path);
}

std::optional<AllowRule> parse_allow_rule(std::string_view text) {
  const std::size_t space = text.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  AllowRule rule{std::string(text.substr(0, space)), std::string(trim(text.substr(space)))};
  rule.prefix = rule.path.ends_with('*');
  if (rule.prefix) rule.path.pop_back();
  const bool whole = std::ranges::all_of(
      rule.path, [](char c) { return target_character(c) && c != '*' && c != '?'; });
  if (!http::valid_token(rule.method) || !rule.path.starts_with('/') || !whole) return std::nullopt;
  return rule;
}

DenialText text_of(Denial denial) noexcept {
  switch (denial) {
    case Denial::none:
      return {200, "none", "The request is served."};
    case Denial::host:
      return {403, "host.refused", "The name in the field Host is not one of this sidecar."};
    case Denial::origin:
      return {403, "origin.refused", "Web pages of this origin are not served."};
    case Denial::cross_site:
      return {403, "cross.site.refused", "Web pages of other sites are not served."};
    case Denial::bearer:
      return {401, "handle.refused",
              "The request does not show the handle or the local secret as bearer token."};
    case Denial::required_field:
      return {403, "header.missing", "The request lacks a field that this sidecar requires."};
    case Denial::path_form:
      return {403, "path.refused",
              "The path contains a dot segment, a backslash or a malformed percent-encoding."};
    case Denial::not_found:
      return {404, "not.found", "Only paths that begin with /api/v2/ are forwarded."};
    case Denial::method:
      return {405, "method.refused", "This page does not support the method."};
    case Denial::not_allowed:
      return {403, "not.allowed", "The allow-list of this sidecar does not contain the request."};
  }
  return {};
}

Admission admit(const RequestHead& head, const AdmissionRules& rules) noexcept {
  if (!host_is_ours(head.host, rules)) return {.denial = Denial::host};
  Admission admission = judge_page(head.fields, rules);
  if (admission.denial != Denial::none) return admission;
  const std::string_view origin = admission.origin;
  if (!origin.empty() && is_preflight(head))
    return {.route = Route::preflight, .target = head.target, .origin = origin};
  admission = judge_request(head, rules);
  admission.origin = origin;
  return admission;
}

}  // namespace skewguard::relay
