#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/strings.hpp"
#include "cli/commands.hpp"
#include "cli/conclude.hpp"
#include "http/url.hpp"
#include "net/reason_phrase.hpp"
#include "net/request_head.hpp"

namespace skewguard::cli {
namespace {

Result<std::string> method_of(std::string_view typed) {
  std::string method(typed);
  std::ranges::transform(method, method.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  // CONNECT opens a tunnel, and TRACE shows the token to intermediaries (RFC 9110 9.3.8).
  constexpr std::array<std::string_view, 6> kMethods{"GET", "HEAD",  "POST",
                                                     "PUT", "PATCH", "DELETE"};
  if (std::ranges::find(kMethods, method) != kMethods.end()) return method;
  return usage_error("METHOD is not an HTTP method that APIs use",
                     "give GET, HEAD, POST, PUT, PATCH or DELETE");
}

/// `path` relative to `base`; a full URL loses the base. The token must not be sent anywhere else.
Result<std::string> path_of(std::string_view path, const std::string& base) {
  if (path.starts_with('/')) {
    if (const auto url = http::parse_url(http::join_url(base, path)); !url) {
      return usage_error("PATH: " + url.error().message,
                         "percent-encode what a URL cannot contain");
    }
    return std::string(path);
  }
  if (path.find("://") == std::string_view::npos) {
    return usage_error("PATH does not begin with a slash", "use a path such as /api/v2/tokens/me");
  }
  const auto url = http::parse_url(path);
  if (!url) return usage_error("PATH: " + url.error().message, url.error().remedy);
  const auto root = http::parse_url(base);
  const std::string_view below = root && root->target != "/" ? std::string_view(root->target) : "";
  const bool inside = root && url->origin() == root->origin() && url->target.starts_with(below) &&
                      url->target.substr(below.size()).starts_with('/');
  if (inside) return url->target.substr(below.size());
  return usage_error("PATH is not below the API base URL " + base,
                     "the token is sent nowhere else: use a path, or set --api-url");
}

/// The value is never repeated: it may be a secret.
Result<HeaderField> header_of(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  if (colon == std::string_view::npos || !http::valid_token(name)) {
    return usage_error("a header (-H) is not NAME: VALUE", "write -H 'Accept: text/csv'");
  }
  if (net::transport_field(name)) {
    return usage_error("the header " + std::string(name) + " (-H) is set by skewguard itself",
                       "leave it out");
  }
  const std::string_view value = trim(text.substr(colon + 1));
  if (!http::valid_field_value(value)) {
    return usage_error("the header " + std::string(name) +
                           " (-H) contains a control character or a non-ASCII character",
                       "leave it out, or encode it");
  }
  return HeaderField{.name = std::string(name), .value = std::string(value)};
}

Result<std::string> body_of(const std::string& data, const Session& session) {
  if (data != "-" && !data.starts_with('@')) return data;
  const std::string file = data == "-" ? data : data.substr(1);
  if (settings::is_stdin(file) && !session.from_stdin.empty()) {
    return usage_error("standard input cannot be both the request body (-d " + data + ") and " +
                           session.from_stdin,
                       "name a file for one of them");
  }
  const auto content = session.process.surroundings.read_file(file);
  if (!content) return content.error();
  return std::string(content->view());
}

Result<Request> request_of(const CallArguments& arguments, const Session& session) {
  Request request;
  auto method = method_of(arguments.method);
  if (!method) return std::move(method).error();
  request.method = *std::move(method);
  auto path = path_of(arguments.path, session.options.api_url);
  if (!path) return std::move(path).error();
  request.path = *std::move(path);
  for (const std::string& text : arguments.headers) {
    auto header = header_of(text);
    if (!header) return std::move(header).error();
    request.headers.add(std::move(header->name), std::move(header->value));
  }
  if (!arguments.data) return request;
  auto body = body_of(*arguments.data, session);
  if (!body) return std::move(body).error();
  request.body = *std::move(body);
  if (!request.headers.find("Content-Type")) {
    request.headers.add("Content-Type", "application/json");
  }
  return request;
}

/// The head as on the wire, with the usual reason phrase.
std::string head_of(const Response& response) {
  std::string head = "HTTP/1.1 " + std::to_string(response.status) + " ";
  head.append(net::reason_phrase(response.status)).append("\r\n");
  for (const HeaderField& field : response.headers.fields()) {
    head.append(field.name).append(": ").append(field.value).append("\r\n");
  }
  return head.append("\r\n");
}

int conclude(const Response& response, bool include, const ReportFile& report, Session& session) {
  // One write, so that a body is complete or absent.
  std::string text = include ? head_of(response) + response.body : response.body;
  // On a terminal, end the line, so that a prompt or a message starts on a new one.
  if (session.screen.terminal && !text.empty() && !text.ends_with('\n')) text += '\n';
  const bool printed = print(text, session);
  const bool reported = report.write(response.report, session);
  alert(response.report, session);
  tell_mitigation(response.report, session);
  if (const auto error = failure(response)) return fail(*error, session);
  return printed && reported ? 0 : 1;
}

}  // namespace

int run_call(const CallArguments& arguments, Session& session) {
  auto request = request_of(arguments, session);
  if (!request) return fail(request.error(), session);
  const auto report = ReportFile::open(arguments.report, session.process);
  if (!report) return fail(report.error(), session);
  auto api = session.process.make_api(session.release_options(), session.logger.hooks(),
                                      session.token_store);
  if (!api) return fail(api.error(), session);

  const auto response = (*api)->call(*std::move(request));
  if (response) return conclude(*response, arguments.include, *report, session);
  if (response.error().report) {
    report->write(*response.error().report, session);
    alert(*response.error().report, session);
  }
  return fail(response.error(), session);
}

}  // namespace skewguard::cli
