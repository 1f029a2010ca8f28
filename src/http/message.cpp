#include <algorithm>
#include <memory>
#include <utility>
#include <variant>

#include "base/strings.hpp"
#include "skewguard/http.hpp"
#include "skewguard/transport.hpp"

namespace skewguard {

void Headers::add(std::string name, std::string value) {
  fields_.push_back({std::move(name), std::move(value)});
}

std::optional<std::string_view> Headers::find(std::string_view name) const noexcept {
  const auto field = std::ranges::find_if(
      fields_, [name](const HeaderField& candidate) { return iequals(candidate.name, name); });
  if (field == fields_.end()) return std::nullopt;
  return field->value;
}

std::vector<std::string_view> Headers::all(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const auto& field : fields_) {
    if (iequals(field.name, name)) values.emplace_back(field.value);
  }
  return values;
}

std::size_t Headers::count(std::string_view name) const noexcept {
  return static_cast<std::size_t>(std::ranges::count_if(
      fields_, [name](const HeaderField& field) { return iequals(field.name, name); }));
}

std::string_view to_string(TransportFailure::Kind kind) noexcept {
  using Kind = TransportFailure::Kind;
  switch (kind) {
    case Kind::dns:
      return "dns";
    case Kind::refused:
      return "refused";
    case Kind::unreachable:
      return "unreachable";
    case Kind::tls_untrusted:
      return "tls_untrusted";
    case Kind::tls_time:
      return "tls_time";
    case Kind::tls_failed:
      return "tls_failed";
    case Kind::timeout:
      return "timeout";
    case Kind::reset:
      return "reset";
    case Kind::truncated:
      return "truncated";
    case Kind::malformed:
      return "malformed";
    case Kind::too_large:
      return "too_large";
    case Kind::proxy:
      return "proxy";
    case Kind::proxy_refused:
      return "proxy_refused";
    case Kind::cancelled:
      return "cancelled";
    case Kind::bad_request:
      return "bad_request";
  }
  return "reset";
}

Transport::Ticket Transport::send_into(std::shared_ptr<BodySink> sink, HttpRequest request,
                                       const SendOptions& options, Handler handler) {
  return send(std::move(request), options,
              [sink = std::move(sink), handler = std::move(handler)](SendResult result) {
                auto* exchange = std::get_if<Exchange>(&result);
                if (exchange == nullptr) return handler(std::move(result));
                const auto body = std::make_shared<std::string>(std::exchange(exchange->body, {}));
                sink->begin(*exchange);
                if (body->empty()) return handler(std::move(result));
                sink->take(*body,
                           [handler, body, held = std::make_shared<SendResult>(std::move(result))] {
                             handler(std::move(*held));
                           });
              });
}

}  // namespace skewguard
