#include "emulator/fault.hpp"

#include <algorithm>
#include <utility>

#include "base/strings.hpp"
#include "emulator/encoding.hpp"

namespace skewguard::emulator {
namespace {

template <typename T>
void lay_over(std::optional<T>& below, const std::optional<T>& above) {
  if (above) below = above;
}

bool befalls(const Fault& fault, Host host, std::string_view path, std::size_t backend) {
  return !fault.request_byte && fault.host == host && (!fault.path || *fault.path == path) &&
         (!fault.backend || *fault.backend == backend);
}

/// What a gateway in front of the host says: nothing of it is for programs.
std::string html_page(int status) {
  const auto title = "Status " + std::to_string(status);
  return "<html>\r\n<head><title>" + title + "</title></head>\r\n<body><h1>" + title +
         "</h1><hr>gateway</body>\r\n</html>\r\n";
}

std::chrono::seconds whole(HostTime time) {
  return std::chrono::floor<std::chrono::seconds>(time);
}

/// A day or more before the start, another one for each resource.
std::chrono::seconds modified(const StampAt& at) {
  return whole(at.reading_at_start) - std::chrono::hours{24 + at.path.size()};
}

}  // namespace

std::string_view to_string(DateFault::Kind kind) noexcept {
  using Kind = DateFault::Kind;
  switch (kind) {
    case Kind::two:
      return "two";
    case Kind::none:
      return "none";
    case Kind::malformed:
      return "malformed";
    case Kind::frozen:
      return "frozen";
    case Kind::cached:
      return "cached";
    case Kind::last_modified:
      return "last_modified";
    case Kind::text:
      return "text";
    case Kind::late:
      return "late";
  }
  return "none";
}

std::string_view to_string(BodyFault body) noexcept {
  switch (body) {
    case BodyFault::json:
      return "json";
    case BodyFault::html:
      return "html";
    case BodyFault::empty:
      return "empty";
    case BodyFault::truncated:
      return "truncated";
  }
  return "json";
}

void Effect::add(const Effect& other) {
  lay_over(status, other.status);
  lay_over(early, other.early);
  lay_over(code, other.code);
  lay_over(message, other.message);
  lay_over(location, other.location);
  lay_over(size, other.size);
  lay_over(body, other.body);
  lay_over(content_type, other.content_type);
  for (const auto& [name, value] : other.headers) headers[name] = value;
  lay_over(retry_after, other.retry_after);
  lay_over(access_token, other.access_token);
  lay_over(expires_in, other.expires_in);
  lay_over(date, other.date);
  lay_over(delivery, other.delivery);
}

std::vector<std::string> Effect::words() const {
  std::vector<std::string> out;
  const auto say = [&out](bool set, std::string_view word) {
    if (set) out.emplace_back(word);
  };
  say(status.has_value(), "status");
  say(early.has_value(), "early");
  say(location.has_value(), "redirect");
  say(size.has_value(), "huge");
  if (body) out.push_back("body_" + std::string(to_string(*body)));
  say(content_type.has_value(), "content_type");
  say(!headers.empty(), "headers");
  say(retry_after.has_value(), "retry_after");
  say(access_token.has_value(), "access_token");
  say(expires_in.has_value(), "expires_in");
  if (date) out.push_back("date_" + std::string(to_string(date->kind)));
  if (delivery) out.emplace_back(to_string(delivery->kind));
  return out;
}

bool FaultTable::add(Fault fault) {
  if (faults_.size() >= kMaxFaults) return false;
  faults_.push_back(std::move(fault));
  return true;
}

std::size_t FaultTable::clear(std::optional<Host> host) {
  return std::erase_if(faults_,
                       [host](const Fault& fault) { return !host || fault.host == *host; });
}

Effect FaultTable::take(Host host, std::string_view path, std::size_t backend) {
  Effect effect;
  for (auto& fault : faults_) {
    if (!befalls(fault, host, path, backend)) continue;
    effect.add(fault.effect);
    if (fault.left) --*fault.left;
  }
  drop_spent();
  return effect;
}

std::optional<std::uint64_t> FaultTable::early(Host host, std::string_view path) const {
  Effect effect;
  for (const auto& fault : faults_)
    if (!fault.backend && befalls(fault, host, path, 0)) effect.add(fault.effect);
  return effect.early;
}

std::optional<Delivery::Kind> FaultTable::take_cut(std::uint64_t bytes) {
  for (auto& fault : faults_) {
    if (!fault.request_byte || *fault.request_byte > bytes) continue;
    const auto kind = fault.effect.delivery->kind;
    if (fault.left) --*fault.left;
    drop_spent();
    return kind;
  }
  return std::nullopt;
}

void FaultTable::drop_spent() {
  std::erase_if(faults_, [](const Fault& fault) { return fault.left == 0U; });
}

void set_field(Headers& headers, std::string_view name, std::optional<std::string> value) {
  Headers out;
  for (const auto& field : headers.fields())
    if (!iequals(field.name, name)) out.add(field.name, field.value);
  if (value) out.add(std::string(name), *std::move(value));
  headers = std::move(out);
}

void set_retry_after(Headers& headers, const RetryAfter& how, HostTime reading) {
  std::optional<std::string> value;
  if (!how.text.empty()) value = how.text;
  if (how.date_in) value = http_date(whole(reading + *how.date_in));
  set_field(headers, "Retry-After", std::move(value));
}

void spoil(Reply& reply, const Effect& effect, HostTime reading) {
  if (effect.body == BodyFault::truncated && reply.download) {
    reply.download->size /= 2;
  } else if (effect.body) {
    reply.download.reset();
  }
  if (effect.body == BodyFault::html) {
    reply.body = html_page(reply.status);
    set_field(reply.headers, "Content-Type", "text/html");
  }
  if (effect.body == BodyFault::empty) reply.body.clear();
  if (effect.body == BodyFault::truncated) reply.body.resize(reply.body.size() / 2);
  if (effect.content_type) set_field(reply.headers, "Content-Type", effect.content_type);
  for (const auto& [name, value] : effect.headers) set_field(reply.headers, name, value);
  if (effect.retry_after) set_retry_after(reply.headers, *effect.retry_after, reading);
  if (effect.delivery) reply.delivery = *effect.delivery;
}

void stamp(Reply& reply, const std::optional<DateFault>& fault, const StampAt& at) {
  using Kind = DateFault::Kind;
  const auto add = [&reply](std::string text) { reply.headers.add("Date", std::move(text)); };
  if (!fault) return add(http_date(at.date));
  switch (fault->kind) {
    case Kind::none:
      return;
    case Kind::two:
      add(http_date(at.date));
      return add(http_date(at.date + std::chrono::hours{1}));
    case Kind::malformed:
      return add("yesterday, about noon");
    case Kind::text:
      return add(fault->text);
    case Kind::late:
      return add(http_date(whole(at.reading - fault->by)));
    case Kind::frozen:
      return add(http_date(fault->then.at(std::min(at.backend, fault->then.size() - 1))));
    case Kind::last_modified:
      reply.headers.add("Last-Modified", http_date(modified(at)));
      return add(http_date(modified(at)));
    case Kind::cached: {
      const auto copy_age = (at.age - fault->since) % fault->by;
      if (fault->age_header) reply.headers.add("Age", std::to_string(whole(copy_age).count()));
      return add(http_date(whole(at.reading - copy_age)));
    }
  }
}

}  // namespace skewguard::emulator
