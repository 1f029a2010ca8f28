#include "proxy/session.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <tuple>
#include <utility>
#include <vector>

#include "base/secret_text.hpp"
#include "base/strings.hpp"
#include "net/reason_phrase.hpp"
#include "net/request_head.hpp"
#include "oauth/echo.hpp"
#include "proxy/login.hpp"
#include "relay/head_codec.hpp"
#include "time/http_date.hpp"

namespace skewguard::proxy {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using net::RequestParser;

constexpr RequestParser::Limits kLimits{.head = std::size_t{32} * 1024,
                                        .body = std::size_t{1024} * 1024};
constexpr std::size_t kDrainLimit = std::size_t{16} * 1024 * 1024;  // of a body that was refused
constexpr std::chrono::seconds kIdleTime{65};  // longer than what upstream connections are kept
constexpr std::chrono::seconds kDrainTime{2};

int status_for(RequestParser::Outcome outcome) noexcept {
  if (outcome == RequestParser::Outcome::body_over) return 413;
  return outcome == RequestParser::Outcome::head_over ? 431 : 400;
}

/// An answer to HEAD tells the length that GET's would have, and 204 and 304 have no body at all
/// (RFC 9110 sections 9.3.2, 15.3.5, 15.4.5).
bool has_body(std::string_view method, int status) noexcept {
  return method != "HEAD" && status != 204 && status != 304;
}

struct Framing {
  int version;
  bool keep_alive;
  std::optional<std::string> length;  ///< of Content-Length; empty = it is not said
};

std::string head_of(int status, const Headers& headers, const Framing& framing) {
  std::string out = framing.version == 10 ? "HTTP/1.0 " : "HTTP/1.1 ";
  out.append(std::to_string(status)).append(" ").append(net::reason_phrase(status));
  const auto add = [&out](std::string_view name, std::string_view value) {
    out.append("\r\n").append(name).append(": ").append(value);
  };
  for (const auto& field : headers.fields()) add(field.name, field.value);
  if (framing.keep_alive == (framing.version == 10)) {
    add("Connection", framing.keep_alive ? "keep-alive" : "close");
  }
  if (framing.length) add("Content-Length", *framing.length);
  return out.append("\r\n\r\n");
}

/// The fields that are about one connection because its Connection field names them (RFC 9110
/// section 7.6.1).
bool named_by_connection(const Headers& headers, std::string_view name) {
  for (std::string_view value : headers.all("Connection")) {
    while (!value.empty()) {
      const std::string_view option = value.substr(0, value.find(','));
      value.remove_prefix(std::min(value.size(), option.size() + 1));
      if (iequals(trim(option), name)) return true;
    }
  }
  return false;
}

/// What goes on to the API: no credentials of the client's, and nothing about its connection.
Request forwarded(net::ReceivedRequest& received) {
  Request request;
  request.method = std::move(received.method);
  request.path = std::move(received.target);
  for (const auto& field : received.headers.fields()) {
    if (net::transport_field(field.name) || iequals(field.name, "Expect")) continue;
    if (named_by_connection(received.headers, field.name)) continue;
    request.headers.add(field.name, field.value);
  }
  request.body = std::move(received.body);
  return request;
}

/// What comes back from it. Its length is said anew.
Headers returned(const Headers& headers) {
  Headers kept;
  for (const auto& field : headers.fields()) {
    if (net::transport_field(field.name) || named_by_connection(headers, field.name)) continue;
    kept.add(field.name, field.value);
  }
  return kept;
}

int sends_to_api(const CallReport& report) {
  return static_cast<int>(
      std::ranges::count(report.attempts, HostRole::api, &ReportedAttempt::host));
}

/// The head as it came. It shows the client's bearer token.
SecretText head_text(const net::ReceivedRequest& request) {
  SecretText text;
  text.append(request.method).append(" ").append(request.target);
  text.append(request.version == 10 ? " HTTP/1.0" : " HTTP/1.1");
  for (const auto& field : request.headers.fields()) {
    text.append("\r\n").append(field.name).append(": ").append(field.value);
  }
  text.append("\r\n\r\n");
  return text;
}

Page denied_page(relay::Denial denial) {
  const auto text = relay::text_of(denial);
  Page page = error_page(text.status, text.code, text.message);
  if (denial == relay::Denial::bearer) {
    page.headers.add("WWW-Authenticate", "Bearer realm=\"skewguard\"");
  }
  return page;
}

/// Overwrites what an answer repeats of the token: in its fields, and in the body of an error.
void hide_token(Response& response, std::string_view token) {
  constexpr std::size_t kLargest = std::size_t{64} * 1024;
  constexpr int kFirstError = 400;
  const oauth::Echo echo(token);
  Headers headers;
  for (const auto& field : response.headers.fields()) {
    std::string value = field.value;
    echo.hide_in(value);
    headers.add(field.name, std::move(value));
  }
  response.headers = std::move(headers);
  if (response.status >= kFirstError && response.body.size() <= kLargest) {
    echo.hide_in(response.body);
  }
}

}  // namespace

Session::Session(Worker& worker, ClientSocket socket)
    : worker_(worker), socket_(std::move(socket)), limit_(worker.io()), parser_(kLimits) {}

void Session::start() {
  limit(kIdleTime);
  read();
}

void Session::close() {
  if (closed_) return;
  closed_ = true;
  const auto self = shared_from_this();
  if (busy_) note_end();
  if (ticket_) worker_.gate().leave(*ticket_);
  call_.cancel();
  limit_.cancel();
  error_code ignored;
  std::ignore = socket_.close(ignored);
  worker_.ended(self);
}

/// Ends the connection if what comes next takes longer than this.
void Session::limit(std::chrono::seconds time) {
  limit_.expires_after(time);
  limit_.async_wait([weak = weak_from_this()](const error_code& why) {
    const auto self = weak.lock();
    if (!why && self) self->close();
  });
}

/// Keeps this session alive until `handler` has run.
template <typename Handler>
auto Session::next(Handler handler) {
  return [self = shared_from_this(), handler = std::move(handler)](error_code why,
                                                                   std::size_t size) mutable {
    if (self->closed_) return;
    if (why) return self->close();
    handler(size);
  };
}

void Session::read() {
  socket_.async_read_some(asio::buffer(in_),
                          next([this](std::size_t size) { look({in_.data(), size}); }));
}

void Session::look(std::string_view bytes) {
  if (!bytes.empty() && !busy_) {
    busy_ = true;
    const Now now = worker_.service().clocks.now();
    began_ = now.boot;
    record_ = {.time = now.wall};
  }
  switch (const auto outcome = parser_.feed(bytes)) {
    case RequestParser::Outcome::more:
      if (!invited_ && parser_.awaits_continue()) return invite();
      return read();
    case RequestParser::Outcome::complete:
      return arrived();
    default:
      return refuse(status_for(outcome));
  }
}

void Session::invite() {
  invited_ = true;
  asio::async_write(socket_, asio::buffer(std::string_view("HTTP/1.1 100 Continue\r\n\r\n")),
                    next([this](std::size_t) { read(); }));
}

void Session::arrived() {
  limit_.cancel();
  invited_ = false;
  request_ = parser_.take();
  goes_on_ = request_.keep_alive;
  record_.method = request_.method;
  record_.path = request_.target.substr(0, request_.target.find('?'));
  const SecretText head = head_text(request_);
  relay::RequestReader reader;
  if (reader.read(head.view()) != relay::ReadHead::whole) {
    return refuse(relay::status_for(reader.fault()));
  }
  const auto admission = relay::admit(reader.head(), worker_.service().admission);
  if (admission.denial != relay::Denial::none) return reply(denied_page(admission.denial));
  if (admission.route != relay::Route::api) return reply(page_of(admission.route));
  request_.target = admission.target;
  forward();
}

/// Of everything that does not go to the API.
Page Session::page_of(relay::Route route) {
  const auto& service = worker_.service();
  switch (route) {
    case relay::Route::login:
      return login_page(service.local, request_.method, request_.headers, request_.body);
    case relay::Route::healthz:
      return text_page(200, "ok\n");
    case relay::Route::readyz: {
      const std::string why_not =
          worker_.draining() ? "shutting down" : service.readiness.why_not();
      return why_not.empty() ? text_page(200, "ready\n") : text_page(503, why_not + "\n");
    }
    case relay::Route::end_token:
      return {.status = 204};
    case relay::Route::api:
    case relay::Route::metrics:
    case relay::Route::status:
      break;
  }
  return denied_page(relay::Denial::not_found);
}

void Session::forward() {
  if (worker_.gate().open()) return send_to_api();
  ticket_ = worker_.gate().wait([this, self = shared_from_this()](const Error* why_not) {
    ticket_.reset();
    if (closed_) return;
    record_.held = worker_.service().client.now() - began_;
    if (why_not == nullptr) return send_to_api();
    reply(failure_page(*why_not));
  });
  if (ticket_) return;
  Page page = error_page(503, "too_many_waiting", "too many requests wait for a token already");
  page.headers.add("Retry-After", "1");
  reply(std::move(page));
}

void Session::send_to_api() {
  auto handler = [self = shared_from_this()](Result<Response> result) {
    asio::post(self->worker_.io(), [self, result = std::move(result)]() mutable {
      if (!self->closed_) self->answered(std::move(result));
    });
  };
  net::ReceivedRequest received = request_;
  call_ = worker_.service().client.async_call(forwarded(received), std::move(handler));
}

void Session::answered(Result<Response> result) {
  goes_on_ = goes_on_ && !worker_.draining();
  if (!result) {
    const Error& error = result.error();
    record_.verdict = error.report ? error.report->verdict : Verdict::unknown;
    record_.attempts = error.report ? sends_to_api(*error.report) : 0;
    return reply(failure_page(error));
  }
  Client& client = worker_.service().client;
  if (const Lease* lease = client.lease(client.now())) hide_token(*result, lease->token);
  record_.verdict = result->report.verdict;
  record_.attempts = sends_to_api(result->report);
  record_.status = result->status;
  Headers headers = returned(result->headers);
  headers.add("Skewguard-Verdict", std::string(to_string(*record_.verdict)));
  headers.add("Skewguard-Attempts", std::to_string(record_.attempts));
  const bool with_body = has_body(request_.method, result->status);
  std::optional<std::string> length;
  if (with_body) {
    length = std::to_string(result->body.size());
  } else if (const auto told = result->headers.find("Content-Length")) {
    length = std::string(*told);
  }
  if (result->status == 204) length.reset();
  write(head_of(result->status, headers, {request_.version, goes_on_, std::move(length)}),
        with_body ? Secret(std::move(result->body)) : Secret());
}

void Session::reply(Page page) {
  goes_on_ = goes_on_ && !worker_.draining();
  record_.status = page.status;
  const Now now = worker_.service().clocks.now();
  page.headers.add("Date", time::format_http_date(std::chrono::floor<std::chrono::seconds>(
                               now.wall.time_since_epoch())));
  if (record_.verdict) {
    page.headers.add("Skewguard-Verdict", std::string(to_string(*record_.verdict)));
    page.headers.add("Skewguard-Attempts", std::to_string(record_.attempts));
  }
  std::optional<std::string> length = std::to_string(page.body.size());
  if (page.status == 204) length.reset();
  if (!has_body(request_.method, page.status)) page.body = Secret();
  write(head_of(page.status, page.headers, {request_.version, goes_on_, std::move(length)}),
        std::move(page.body));
}

void Session::write(std::string head, Secret body) {
  head_ = std::move(head);
  body_ = std::move(body);
  limit(kIdleTime);
  const std::array<asio::const_buffer, 2> both{asio::buffer(head_), asio::buffer(body_.reveal())};
  asio::async_write(socket_, both, next([this](std::size_t) { written(); }));
}

void Session::written() {
  note_end();
  busy_ = false;
  body_ = Secret();
  request_ = {};
  if (!goes_on_) return drain();
  limit(kIdleTime);
  look("");
}

void Session::note_end() {
  record_.total = worker_.service().client.now() - began_;
  worker_.service().access_log.write(record_);
}

/// Answers what cannot be read, and ends.
void Session::refuse(int status) {
  goes_on_ = false;
  request_.version = 11;
  reply(error_page(status, "bad_request", "the request cannot be read beyond doubt"));
}

/// Reads on for a while: closing with bytes unread would reset the answer away.
void Session::drain() {
  error_code ignored;
  std::ignore = socket_.shutdown(asio::socket_base::shutdown_send, ignored);
  limit(kDrainTime);
  drain_more();
}

void Session::drain_more() {
  socket_.async_read_some(asio::buffer(in_), next([this](std::size_t size) {
                            drained_ += size;
                            drained_ < kDrainLimit ? drain_more() : close();
                          }));
}

}  // namespace skewguard::proxy
