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
#include "proxy/own_pages.hpp"
#include "relay/header_rules.hpp"
#include "time/http_date.hpp"

namespace skewguard::proxy {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::size_t kMaxBody = std::size_t{1024} * 1024;          // bytes
constexpr std::size_t kDrainLimit = std::size_t{16} * 1024 * 1024;  // of a body that was refused
constexpr std::chrono::seconds kIdleTime{65};  // longer than what upstream connections are kept
constexpr std::chrono::seconds kDrainTime{2};

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

/// What goes on to the API, without its body: no credentials of the client's, and nothing about its
/// connection.
Request forwarded(const relay::RequestHead& head, std::string_view target) {
  Request request;
  request.method = head.method;
  request.path = target;
  for (const relay::Field field : head.fields) {
    if (net::transport_field(field.name) || field.known == relay::FieldName::expect) continue;
    if (relay::named_by_connection(head, field.name)) continue;
    request.headers.add(std::string(field.name), std::string(field.value));
  }
  return request;
}

/// The fields that come back from it. The length is added later, a Location on the API's origin
/// leads here, and what repeats the token is overwritten.
Headers returned(const Headers& headers, std::string_view api_origin,
                 const std::optional<oauth::Echo>& echo) {
  Headers kept;
  for (const auto& field : headers.fields()) {
    if (net::transport_field(field.name) || named_by_connection(headers, field.name)) continue;
    const bool location = relay::field_name(field.name) == relay::FieldName::location;
    std::string value = field.value;
    if (echo) echo->hide_in(value);
    const auto path = location ? relay::path_on_origin(value, api_origin) : "";
    kept.add(field.name, path.empty() ? std::move(value) : std::string(path));
  }
  return kept;
}

int sends_to_api(const CallReport& report) {
  return static_cast<int>(
      std::ranges::count(report.attempts, HostRole::api, &ReportedAttempt::host));
}

/// Overwrites what the body of an error repeats of the token.
void hide_in_error(Response& response, const oauth::Echo& echo) {
  constexpr std::size_t kLargest = std::size_t{64} * 1024;
  constexpr int kFirstError = 400;
  if (response.status >= kFirstError && response.body.size() <= kLargest) {
    echo.hide_in(response.body);
  }
}

/// The fields that say what happened to the call.
void add_report(Headers& headers, Verdict verdict, int attempts) {
  headers.add("Skewguard-Verdict", std::string(to_string(verdict)));
  headers.add("Skewguard-Attempts", std::to_string(attempts));
}

/// What the call spent on waits for a token and between sends.
Duration waits_of(const CallReport& report) {
  Duration waits{0};
  for (const auto& attempt : report.attempts) waits += attempt.waited;
  return waits;
}

}  // namespace

Session::Session(Worker& worker, ClientSocket socket)
    : worker_(worker), socket_(std::move(socket)), limit_(worker.io()) {}

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
  socket_.async_read_some(asio::buffer(in_), next([this](std::size_t size) {
                            pending_.append({in_.data(), size});
                            look();
                          }));
}

void Session::look() {
  if (pending_.empty()) return read();
  if (!busy_) {
    busy_ = true;
    const Now now = worker_.service().clocks.now();
    began_ = now.boot;
    record_ = {};
    record_.time = now.wall;
  }
  if (head_taken_) return take_body();
  switch (head_reader_.read(pending_.view())) {
    case relay::ReadHead::more:
      return read();
    case relay::ReadHead::refused: {
      const auto fault = head_reader_.fault();
      return refuse(relay::status_for(fault), "bad.request", relay::words(fault));
    }
    case relay::ReadHead::whole:
      return take_head();
  }
}

/// Judges it before anything of the body is read.
void Session::take_head() {
  const relay::RequestHead& head = head_reader_.head();
  version_ = head.version;
  goes_on_ = head.version >= 11 && !head.close;
  request_.method = record_.method = head.method;
  record_.path = head.target.substr(0, head.target.find('?'));
  body_reader_ = relay::BodyReader(relay::request_framing(head));
  const relay::Admission admission = relay::admit(head, worker_.admission());
  if (admission.denial != relay::Denial::none) {
    const auto text = relay::text_of(admission.denial);
    return refuse(text.status, text.code, text.message);
  }
  if (head.content_length.value_or(0) > kMaxBody) {
    return refuse(413, "body.too.large", "The body has more than 1 MiB.");
  }
  route_ = admission.route;
  authorization_ = Secret(head.fields.find(relay::FieldName::authorization).value_or(""));
  if (route_ == relay::Route::api) request_ = forwarded(head, admission.target);
  expects_continue_ = head.expects_continue;
  head_taken_ = true;
  pending_ = SecretText(pending_.view().substr(head.size));
  take_body();
}

void Session::take_body() {
  using Found = relay::BodyReader::Found;
  std::string_view bytes = pending_.view();
  expects_continue_ = expects_continue_ && bytes.empty();
  auto piece = body_reader_.take(bytes, kMaxBody);
  for (; piece.found == Found::data; piece = body_reader_.take(bytes, kMaxBody)) {
    request_.body.append(piece.data);
    if (request_.body.size() > kMaxBody) {
      return refuse(413, "body.too.large", "The body has more than 1 MiB.");
    }
  }
  pending_ = SecretText(bytes);
  if (piece.found == Found::malformed) {
    return refuse(400, "bad.request", "The chunks of the request are malformed.");
  }
  if (piece.found == Found::whole) return arrived();
  expects_continue_ ? invite() : read();
}

void Session::invite() {
  expects_continue_ = false;
  asio::async_write(socket_, asio::buffer(std::string_view("HTTP/1.1 100 Continue\r\n\r\n")),
                    next([this](std::size_t) { read(); }));
}

void Session::arrived() {
  limit_.cancel();
  if (route_ == relay::Route::api) return forward();
  own_page(worker_.io(), route_, authorization_.reveal(), request_.body, worker_.service(),
           worker_.draining(), [self = shared_from_this()](Page page) {
             if (!self->closed_) self->reply(std::move(page));
           });
}

void Session::forward() {
  if (worker_.gate().lease() != nullptr) return send_to_api();
  ticket_ = worker_.gate().wait([this, self = shared_from_this()](const Error* why_not) {
    ticket_.reset();
    if (closed_) return;
    record_.held = worker_.service().client.now() - began_;
    if (why_not == nullptr) return send_to_api();
    reply(failure_page(*why_not));
  });
  if (ticket_) return;
  Page page = error_page(503, "too.many.waiting", "too many requests wait for a token already");
  page.headers.add("Retry-After", "1");
  reply(std::move(page));
}

void Session::send_to_api() {
  auto handler = [self = shared_from_this()](Result<Response> result) {
    asio::post(self->worker_.io(), [self, result = std::move(result)]() mutable {
      if (!self->closed_) self->answered(std::move(result));
    });
  };
  call_ = worker_.service().client.async_call(request_, std::move(handler));
}

void Session::answered(Result<Response> result) {
  goes_on_ = goes_on_ && !worker_.draining();
  if (!result) {
    const Error& error = result.error();
    record_.verdict = error.report ? error.report->verdict : Verdict::unknown;
    record_.attempts = error.report ? sends_to_api(*error.report) : 0;
    return reply(failure_page(error));
  }
  std::optional<oauth::Echo> echo;
  if (const Lease* lease = worker_.gate().lease()) echo.emplace(lease->token);
  if (echo) hide_in_error(*result, *echo);
  record_.verdict = result->report.verdict;
  record_.attempts = sends_to_api(result->report);
  record_.status = result->status;
  record_.added = record_.held + waits_of(result->report);
  record_.upstream = result->report.elapsed - waits_of(result->report);
  Headers headers = returned(result->headers, worker_.api_origin(), echo);
  add_report(headers, *record_.verdict, record_.attempts);
  const bool with_body = has_body(request_.method, result->status);
  std::optional<std::string> length;
  if (with_body) {
    length = std::to_string(result->body.size());
  } else if (const auto told = result->headers.find("Content-Length")) {
    length = std::string(*told);
  }
  if (result->status == 204) length.reset();
  write(head_of(result->status, headers, {version_, goes_on_, std::move(length)}),
        with_body ? Secret(std::move(result->body)) : Secret());
}

void Session::reply(Page page) {
  goes_on_ = goes_on_ && !worker_.draining();
  record_.status = page.status;
  const Now now = worker_.service().clocks.now();
  page.headers.add("Date", time::format_http_date(std::chrono::floor<std::chrono::seconds>(
                               now.wall.time_since_epoch())));
  if (record_.verdict) add_report(page.headers, *record_.verdict, record_.attempts);
  std::optional<std::string> length = std::to_string(page.body.size());
  if (page.status == 204) length.reset();
  if (!has_body(request_.method, page.status)) page.body = Secret();
  write(head_of(page.status, page.headers, {version_, goes_on_, std::move(length)}),
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
  authorization_ = Secret();
  head_reader_ = {};
  head_taken_ = false;
  if (!goes_on_) return drain();
  limit(kIdleTime);
  look();
}

void Session::note_end() {
  record_.total = worker_.service().client.now() - began_;
  worker_.service().access_log.write(record_);
  worker_.service().metrics.answered(record_);
}

/// Answers what is not served. What follows cannot be read unless this request is whole.
void Session::refuse(int status, std::string_view code, std::string_view why) {
  const bool whole = head_reader_.head().size > 0 && !head_taken_ && body_reader_.whole();
  goes_on_ = goes_on_ && whole;
  if (whole) pending_ = SecretText(pending_.view().substr(head_reader_.head().size));
  Page page = error_page(status, code, why);
  if (status == 401) page.headers.add("WWW-Authenticate", "Bearer realm=\"skewguard\"");
  if (status == 405) page.headers.add("Allow", "GET, HEAD, POST");
  reply(std::move(page));
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
