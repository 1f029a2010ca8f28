#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "emulator/limits.hpp"
#include "emulator/order.hpp"
#include "http/url.hpp"

namespace skewguard::emulator {
namespace {

constexpr std::size_t kMaxText = std::size_t{128} * 1024;  // a token of 64 KiB, with its escapes
constexpr std::size_t kMaxHeaders = 20;
constexpr std::size_t kMinHuge = 32;
constexpr std::size_t kMaxHuge = std::size_t{256} * 1024 * 1024;
constexpr std::uint64_t kMaxPlace = std::uint64_t{1} << 50U;  // a byte of a request or an answer
constexpr Duration kMaxWindow = std::chrono::hours{24};

/// Text that goes into a header field.
std::optional<std::string> field_value(Fields& fields, std::string_view name) {
  auto text = fields.text(name);
  if (!text || (text->size() <= kMaxText && http::valid_field_value(*text))) return text;
  fields.complain(name, "must be visible ASCII");
  return std::nullopt;
}

template <typename Kind, std::size_t n>
std::optional<Kind> one_of(Fields& fields, std::string_view name,
                           const std::array<Kind, n>& kinds) {
  const auto text = fields.text(name);
  if (!text) return std::nullopt;
  std::string known;
  for (const auto kind : kinds) {
    if (to_string(kind) == *text) return kind;
    known.append(known.empty() ? "" : ", ").append(to_string(kind));
  }
  fields.complain(name, "must be one of " + known);
  return std::nullopt;
}

/// A number, or text as it shall stand ("none" = no such field); or a date by the host's clock.
std::optional<RetryAfter> retry_after_of(Fields& fields) {
  RetryAfter out;
  const auto value = fields.any("retry_after");
  const auto date = fields.duration("retry_after_date", -kMaxOffset / 2, kMaxOffset / 2);
  if (!value && !date) return std::nullopt;
  if (value && date) fields.complain("retry_after_date", "or 'retry_after', not both");
  out.date_in = date;
  if (!value) return out;
  if (value->is_number_unsigned()) {
    out.text = to_text(*value);
  } else if (auto text = field_value(fields, "retry_after")) {
    if (*text != "none") out.text = *std::move(text);
  }
  return out;
}

std::map<std::string, std::string> headers_of(Fields& fields) {
  std::map<std::string, std::string> out;
  const auto value = fields.any("headers");
  if (!value) return out;
  if (!value->is_object() || value->size() > kMaxHeaders) {
    fields.complain("headers", "must be an object of at most 20 names and texts");
    return out;
  }
  for (const auto& [name, text] : value->items()) {
    const bool good = http::valid_token(name) && text.is_string() &&
                      http::valid_field_value(text.get_ref<const std::string&>());
    if (!good) fields.complain("headers", "must be an object of names and texts");
    if (good) out.emplace(name, text.get<std::string>());
  }
  return out;
}

std::optional<DateFault> date_of_fault(Fields& fields) {
  using Kind = DateFault::Kind;
  constexpr std::array kKinds{Kind::two,    Kind::none,          Kind::malformed, Kind::frozen,
                              Kind::cached, Kind::last_modified, Kind::text,      Kind::late};
  const auto kind = one_of(fields, "date", kKinds);
  const auto by = fields.duration("date_by", std::chrono::milliseconds{1}, kMaxOffset / 2);
  const auto age = fields.flag("age_header");
  auto text = field_value(fields, "date_text");
  const bool timed = kind == Kind::cached || kind == Kind::late;
  if (timed != by.has_value()) fields.complain("date_by", "goes with a 'date' cached or late");
  if ((kind == Kind::text) != text.has_value())
    fields.complain("date_text", "goes with a 'date' text");
  if (age && kind != Kind::cached) fields.complain("age_header", "goes with a 'date' cached");
  if (!kind) return std::nullopt;
  DateFault out;
  out.kind = *kind;
  out.by = by.value_or(Duration::zero());
  out.age_header = age.value_or(true);
  out.text = std::move(text).value_or("");
  return out;
}

std::optional<Delivery> delivery_of(Fields& fields) {
  using Kind = Delivery::Kind;
  constexpr std::array kKinds{Kind::cut, Kind::reset, Kind::slow, Kind::silence, Kind::drop};
  const auto kind = one_of(fields, "wire", kKinds);
  const auto after = fields.count("after", kMaxPlace);
  const auto answer_byte = fields.count("answer_byte", kMaxPlace);
  const auto piece = fields.count("piece", Pace::kMax);
  const auto pause = fields.duration("pause", std::chrono::microseconds{100}, kMaxLatency);
  const bool ends = kind == Kind::cut || kind == Kind::reset || kind == Kind::silence;
  for (const auto& [name, set] : {std::pair{"after", after}, {"answer_byte", answer_byte}})
    if (set && !ends) fields.complain(name, "goes with a 'wire' cut, reset or silence");
  if (after && answer_byte) fields.complain("after", "or 'answer_byte', not both");
  if (piece == 0U) fields.complain("piece", "must not be 0");
  if (piece && kind != Kind::slow) fields.complain("piece", "goes with a 'wire' slow");
  if ((kind == Kind::slow) != pause.has_value())
    fields.complain("pause", "goes with a 'wire' slow, which needs it");
  if (!kind) return std::nullopt;
  Delivery out;
  out.kind = *kind;
  out.after = after;
  out.answer_byte = answer_byte;
  if (kind == Kind::slow)
    out.pace = {static_cast<std::size_t>(piece.value_or(1)), pause.value_or(Duration::zero())};
  return out;
}

/// What a token answer says in place of a number of seconds: any JSON; "none" = nothing.
std::optional<std::string> expires_in_of(Fields& fields) {
  const auto value = fields.any("expires_in");
  if (!value) return std::nullopt;
  return *value == "none" ? std::string{} : to_text(*value);
}

/// What stands in place of the host's own answer.
void read_replacement(Fields& fields, Effect& to) {
  constexpr std::array kBodies{BodyFault::json, BodyFault::html, BodyFault::empty,
                               BodyFault::truncated};
  if (const auto status = fields.count("status", 599)) {
    if (*status < 200) fields.complain("status", "must be from 200 to 599");
    to.status = static_cast<int>(*status);
  }
  to.early = fields.count("early", kMaxPlace);
  if (to.early && !to.status) fields.complain("early", "needs 'status'");
  to.code = fields.text("code");
  to.message = fields.text("message");
  to.location = field_value(fields, "location");
  to.body = one_of(fields, "body", kBodies);
  if (const auto size = fields.count("size", kMaxHuge)) {
    if (*size < kMinHuge) fields.complain("size", "must be at least 32");
    to.size = static_cast<std::size_t>(*size);
  }
  if (to.body == BodyFault::json && !to.status) fields.complain("body", "json needs 'status'");
  if ((to.code || to.message) && !to.status)
    fields.complain(to.code ? "code" : "message", "needs 'status'");
}

void read_changes(Fields& fields, Effect& to) {
  to.content_type = field_value(fields, "content_type");
  to.headers = headers_of(fields);
  to.retry_after = retry_after_of(fields);
  to.access_token = fields.text("access_token");
  if (to.access_token && to.access_token->size() > kMaxText)
    fields.complain("access_token", "must have at most 128 KiB");
  to.expires_in = expires_in_of(fields);
  to.date = date_of_fault(fields);
  to.delivery = delivery_of(fields);
}

/// A fault that befalls requests. The head may not be there yet, so there is nothing to choose by;
/// the login host must remain open to control requests.
void check_cut(Fields& fields, const Fault& fault) {
  const auto words = fault.effect.words();
  const bool ends = words == std::vector<std::string>{"cut"} ||
                    words == std::vector<std::string>{"reset"} ||
                    words == std::vector<std::string>{"silence"};
  if (!ends || fault.effect.delivery->after || fault.effect.delivery->answer_byte)
    fields.complain("request_byte", "goes with a 'wire' cut, reset or silence alone");
  if (fault.host == Host::login || fault.path || fault.backend)
    fields.complain("request_byte", "is for all requests of the API host");
}

Fault fault_of(Fields& fields, std::size_t backends) {
  Fault out;
  const auto host = host_field(fields);
  if (!host) fields.complain("host", "is missing");
  out.host = host.value_or(Host::login);
  out.path = fields.text("path");
  if (const auto backend = fields.count("backend", backends - 1)) {
    if (host == Host::login) fields.complain("backend", "the login host has none");
    out.backend = static_cast<std::size_t>(*backend);
  }
  out.left = fields.count("times", 1'000'000'000);
  if (out.left == 0U) fields.complain("times", "must not be 0");
  read_replacement(fields, out.effect);
  read_changes(fields, out.effect);
  if (out.backend && out.effect.early) fields.complain("early", "does not go with 'backend'");
  out.request_byte = fields.count("request_byte", kMaxPlace);
  if (out.request_byte) check_cut(fields, out);
  if (host == Host::api && (out.effect.access_token || out.effect.expires_in))
    fields.complain("access_token", "and 'expires_in' are the login host's");
  if (out.effect.words().empty()) fields.complain("status", "or another fault is needed");
  return out;
}

Reply clear_faults(Order& order) {
  const auto host = host_field(order.fields);
  if (auto why = order.fields.complaint()) return order_refused(*why);
  order.cloud.faults().clear(host);
  return order_state(order);
}

}  // namespace

Reply order_fault(Order& order) {
  auto& fields = order.fields;
  if (fields.flag("clear").value_or(false)) return clear_faults(order);
  auto fault = fault_of(fields, order.cloud.api_clocks().size());
  if (order.cloud.faults().all().size() >= FaultTable::kMaxFaults)
    fields.complain("host", "too many faults stand already");
  if (auto why = fields.complaint()) return order_refused(*why);
  order.cloud.add_fault(std::move(fault), order.now);
  return order_state(order);
}

Reply order_limit(Order& order) {
  auto& fields = order.fields;
  const auto host = host_field(fields);
  const auto requests = fields.count("requests", 1'000'000'000);
  const auto window = fields.duration("window", std::chrono::milliseconds{1}, kMaxWindow);
  auto retry_after = retry_after_of(fields);
  if (!host) fields.complain("host", "is missing");
  if (host == Host::login && retry_after)
    fields.complain("retry_after", "is the API host's: the login host's refusal has none");
  if (!requests && !window && !retry_after)
    fields.complain("requests", "or 'window' or 'retry_after' is needed");
  if (auto why = fields.complaint()) return order_refused(*why);
  auto& settings = order.cloud.settings();
  auto& limit = *host == Host::login ? settings.login_limit : settings.api_limit;
  if (requests) limit.requests = *requests == 0 ? std::nullopt : requests;
  limit.window = window.value_or(limit.window);
  if (retry_after) limit.retry_after = std::move(retry_after);
  return order_state(order);
}

OrderedJson faults_state(const CloudEmulator& cloud) {
  auto out = OrderedJson::array();
  for (const auto& fault : cloud.faults().all()) {
    OrderedJson one{{"host", to_string(fault.host)}, {"does", fault.effect.words()}};
    if (fault.request_byte) one["request_byte"] = *fault.request_byte;
    one["path"] = fault.path ? OrderedJson(*fault.path) : OrderedJson();
    one["backend"] = fault.backend ? OrderedJson(*fault.backend) : OrderedJson();
    one["left"] = fault.left ? OrderedJson(*fault.left) : OrderedJson();
    out.push_back(std::move(one));
  }
  return out;
}

OrderedJson limit_state(const RateLimit& limit) {
  return {{"requests", limit.requests.value_or(0)}, {"window_s", seconds_number(limit.window)}};
}

}  // namespace skewguard::emulator
