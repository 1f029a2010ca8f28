#include "net/request_head.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "base/secret_text.hpp"
#include "base/strings.hpp"

namespace skewguard::net {
namespace {

/// With no content the length is said all the same where the method expects some (RFC 9110
/// section 8.6).
bool says_length(const HttpRequest& request) {
  return !request.body.empty() || request.method == "POST" || request.method == "PUT" ||
         request.method == "PATCH";
}

}  // namespace

bool transport_field(std::string_view name) noexcept {
  static constexpr std::array<std::string_view, 11> kNames{
      "Authorization",       "Host",       "Content-Length",
      "Connection",          "Keep-Alive", "Proxy-Connection",
      "Proxy-Authorization", "TE",         "Trailer",
      "Transfer-Encoding",   "Upgrade"};
  return std::ranges::any_of(kNames, [&](std::string_view own) { return iequals(own, name); });
}

std::optional<std::string> why_invalid(const HttpRequest& request) {
  if (!http::valid_token(request.method)) return "the method is not an HTTP token";
  if (request.method == "CONNECT") return "CONNECT is not a request to a resource";
  for (const auto& field : request.headers.fields()) {
    if (!http::valid_token(field.name)) return "a header field's name is not an HTTP token";
    if (transport_field(field.name)) {
      return "the header field " + field.name + " is the transport's own";
    }
    if (!http::valid_field_value(field.value)) {
      return "the value of the header field " + field.name +
             " contains bytes that are not allowed in a header";
    }
  }
  if (!http::valid_field_value(request.authorization.reveal())) {
    return "the value of Authorization contains bytes that a header must not contain";
  }
  return std::nullopt;
}

Secret wire_head(const HttpRequest& request, const http::Url& url) {
  const std::string authority = url.authority();
  const std::string length = std::to_string(request.body.size());
  std::vector<std::string_view> parts{request.method,        " ",       url.target,
                                      " HTTP/1.1\r\nHost: ", authority, "\r\n"};
  const auto add = [&](std::string_view name, std::string_view value) {
    parts.insert(parts.end(), {name, ": ", value, "\r\n"});
  };
  if (!request.headers.find("User-Agent")) add("User-Agent", "skewguard/" SKEWGUARD_VERSION);
  if (!request.headers.find("Accept-Encoding")) add("Accept-Encoding", "identity");
  for (const auto& field : request.headers.fields()) add(field.name, field.value);
  if (!request.authorization.empty()) add("Authorization", request.authorization.reveal());
  if (says_length(request)) add("Content-Length", length);
  parts.emplace_back("\r\n");
  return joined_secret(parts);
}

Secret connect_head(std::string_view target, const Secret& authorization) {
  constexpr std::string_view kAgent = "\r\nUser-Agent: skewguard/" SKEWGUARD_VERSION "\r\n";
  std::vector<std::string_view> parts{"CONNECT ", target, " HTTP/1.1\r\nHost: ", target, kAgent};
  if (!authorization.empty()) {
    parts.insert(parts.end(), {"Proxy-Authorization: ", authorization.reveal(), "\r\n"});
  }
  parts.emplace_back("\r\n");
  return joined_secret(parts);
}

}  // namespace skewguard::net
