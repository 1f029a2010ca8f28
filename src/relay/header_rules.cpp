#include "relay/header_rules.hpp"

#include <algorithm>

#include "base/strings.hpp"
#include "relay/characters.hpp"

namespace skewguard::relay {
namespace {

/// Appends pieces until one does not fit.
class HeadWriter {
 public:
  explicit HeadWriter(Buffer& out) noexcept : out_(out), before_(out.mark()) {}

  void text(std::initializer_list<std::string_view> parts) noexcept {
    fits_ = fits_ && out_.append(parts);
  }
  void field(std::string_view name, std::string_view value) noexcept {
    text({name, ": ", value, "\r\n"});
  }
  /// Ends the head. False if it did not fit, and then it is gone.
  bool finish() noexcept {
    text({"\r\n"});
    if (!fits_) out_.cut_back(before_);
    return fits_;
  }

 private:
  Buffer& out_;
  std::size_t before_;
  bool fits_ = true;
};

bool has_connection(const HeadFacts& head) noexcept {
  return head.fields.find(FieldName::connection).has_value();
}

/// Whether a field is about one connection only, whatever Connection names.
bool hop_by_hop(FieldName name) noexcept {
  switch (name) {
    case FieldName::connection:
    case FieldName::http2_settings:
    case FieldName::keep_alive:
    case FieldName::proxy_authenticate:
    case FieldName::proxy_authorization:
    case FieldName::proxy_connection:
    case FieldName::te:
    case FieldName::trailer:
    case FieldName::upgrade:
      return true;
    default:
      return false;
  }
}

bool has_no_length(int status) noexcept {
  return status < 200 || status == 204;
}

/// The framing fields of an answer, and where they stand.
class AnswerFraming {
 public:
  AnswerFraming(const AnswerHead& head, const OutgoingAnswer& outgoing) noexcept : head_(head) {
    const Framing upstream = answer_framing(head, outgoing.method);
    const bool described = outgoing.method == "HEAD" && !has_no_length(head.status);
    coded_ = client_framing(upstream, outgoing.client_version) == Framing::Kind::chunked ||
             (described && head.chunked && outgoing.client_version >= 11);
    sized_ = head.content_length && !has_no_length(head.status);
  }

  /// In the place of the upstream's own field.
  void replace(const Field& field, HeadWriter& writer) noexcept {
    if (field.known == FieldName::transfer_encoding) {
      if (coded_) writer.field(field.name, "chunked");
      coded_ = false;
    } else {
      if (sized_) writer.field(field.name, NumberText(*head_.content_length).view());
      sized_ = false;
    }
  }
  void add_missing(HeadWriter& writer) const noexcept {
    if (coded_) writer.field("Transfer-Encoding", "chunked");
  }

 private:
  const AnswerHead& head_;
  bool coded_ = false;  // Transfer-Encoding is still to be written
  bool sized_ = false;  // Content-Length is still to be written
};

bool about_pages(const Field& field) noexcept {
  constexpr std::string_view kPrefix = "Access-Control-";
  return iequals(field.name.substr(0, kPrefix.size()), kPrefix);
}

/// Lets the page of this origin read the answer, and keeps caches from giving it to others.
void write_origin(std::string_view origin, HeadWriter& writer) noexcept {
  writer.field("Access-Control-Allow-Origin", origin);
  writer.field("Vary", "Origin");
}

/// All fields, since a page needs those about its request: no credentials of the browser's are
/// used.
void write_readable(std::string_view origin, HeadWriter& writer) noexcept {
  if (origin.empty()) return;
  write_origin(origin, writer);
  writer.field("Access-Control-Expose-Headers", "*");
}

void write_location(const Field& field, const OutgoingAnswer& outgoing,
                    HeadWriter& writer) noexcept {
  const std::string_view path = path_on_origin(field.value, outgoing.api_origin);
  if (path.empty()) return writer.field(field.name, field.value);
  writer.text({field.name, ": http://", outgoing.client_host, path, "\r\n"});
}

}  // namespace

std::optional<std::chrono::seconds> keep_alive_time(const HeadFacts& head) noexcept {
  constexpr std::string_view kName = "timeout=";
  constexpr std::size_t kMaxDigits = 6;
  std::optional<std::chrono::seconds> time;
  const auto value = head.fields.find(FieldName::keep_alive);
  for_each_element(value.value_or(""), [&](std::string_view element) {
    const std::string_view digits = element.substr(std::min(element.size(), kName.size()));
    if (!iequals(element.substr(0, kName.size()), kName)) return;
    if (digits.empty() || digits.size() > kMaxDigits || !std::ranges::all_of(digits, digit)) return;
    int seconds = 0;
    for (const char c : digits) seconds = seconds * 10 + (c - '0');
    time = std::chrono::seconds{seconds};
  });
  return time;
}

bool named_by_connection(const HeadFacts& head, std::string_view name) noexcept {
  bool named = false;
  for (const Field field : head.fields) {
    if (field.known != FieldName::connection) continue;
    for_each_element(field.value,
                     [&](std::string_view option) { named = named || iequals(option, name); });
  }
  return named;
}

bool append_request_head(const RequestHead& head, const OutgoingRequest& outgoing,
                         Buffer& out) noexcept {
  HeadWriter writer(out);
  writer.text({head.method, " ", outgoing.target, " HTTP/1.1\r\n"});
  const bool some_named = has_connection(head);
  bool authorized = false;
  for (const Field field : head.fields) {
    switch (field.known) {
      case FieldName::host:
        writer.field(field.name, outgoing.authority);
        break;
      case FieldName::authorization:
        writer.field(field.name, outgoing.authorization);
        authorized = true;
        break;
      case FieldName::content_length:
        writer.field(field.name, NumberText(*head.content_length).view());
        break;
      case FieldName::transfer_encoding:
        writer.field(field.name, "chunked");
        break;
      case FieldName::other:
        if (some_named && named_by_connection(head, field.name)) break;
        writer.field(field.name, field.value);
        break;
      case FieldName::expect:
        break;
      default:
        if (!hop_by_hop(field.known)) writer.field(field.name, field.value);
    }
  }
  if (!authorized) writer.field("Authorization", outgoing.authorization);
  return writer.finish();
}

bool append_answer_head(const AnswerHead& head, const OutgoingAnswer& outgoing,
                        Buffer& out) noexcept {
  HeadWriter writer(out);
  writer.text({"HTTP/1.1 ", NumberText(static_cast<std::uint64_t>(head.status)).view(), " ",
               head.reason, "\r\n"});
  AnswerFraming framing(head, outgoing);
  const bool some_named = has_connection(head);
  for (const Field field : head.fields) {
    switch (field.known) {
      case FieldName::content_length:
      case FieldName::transfer_encoding:
        framing.replace(field, writer);
        break;
      case FieldName::location:
        write_location(field, outgoing, writer);
        break;
      case FieldName::skewguard_attempts:
      case FieldName::skewguard_verdict:
        break;
      case FieldName::other:
        if (some_named && named_by_connection(head, field.name)) break;
        if (!outgoing.origin.empty() && about_pages(field)) break;
        writer.field(field.name, field.value);
        break;
      default:
        if (!hop_by_hop(field.known)) writer.field(field.name, field.value);
    }
  }
  framing.add_missing(writer);
  write_readable(outgoing.origin, writer);
  writer.field("Skewguard-Verdict", outgoing.verdict);
  writer.field("Skewguard-Attempts", NumberText(outgoing.attempts).view());
  if (outgoing.close) writer.field("Connection", "close");
  return writer.finish();
}

bool append_interim_head(const AnswerHead& head, Buffer& out) noexcept {
  HeadWriter writer(out);
  writer.text({"HTTP/1.1 ", NumberText(static_cast<std::uint64_t>(head.status)).view(), " ",
               head.reason, "\r\n"});
  for (const Field field : head.fields) {
    const bool framing =
        field.known == FieldName::content_length || field.known == FieldName::transfer_encoding;
    if (framing || hop_by_hop(field.known)) continue;
    if (field.known == FieldName::other && named_by_connection(head, field.name)) continue;
    writer.field(field.name, field.value);
  }
  return writer.finish();
}

bool append_page_head(const OutgoingPage& page, Buffer& out) noexcept {
  HeadWriter writer(out);
  writer.text({"HTTP/1.1 ", NumberText(static_cast<std::uint64_t>(page.status)).view(), " ",
               page.reason, "\r\n", page.fields});
  if (!has_no_length(page.status)) writer.field("Content-Length", NumberText(page.length).view());
  write_readable(page.origin, writer);
  if (page.close) writer.field("Connection", "close");
  return writer.finish();
}

bool append_preflight_answer(const RequestHead& head, std::string_view origin, bool close,
                             Buffer& out) noexcept {
  HeadWriter writer(out);
  writer.text({"HTTP/1.1 204 No Content\r\n"});
  write_origin(origin, writer);
  writer.field("Access-Control-Allow-Methods", head.fields.find(kAskedMethod).value_or(""));
  const auto asked = head.fields.find("Access-Control-Request-Headers");
  if (asked) writer.field("Access-Control-Allow-Headers", *asked);
  writer.field("Access-Control-Max-Age", "600");
  if (close) writer.field("Connection", "close");
  return writer.finish();
}

std::string_view path_on_origin(std::string_view location, std::string_view origin) noexcept {
  if (origin.empty() || !iequals(location.substr(0, origin.size()), origin)) return {};
  std::string_view rest = location.substr(origin.size());
  const bool tls = origin.starts_with("https:");
  const std::string_view port = tls ? ":443" : ":80";
  const bool names_port = origin.rfind(':') > origin.find("://") && !origin.ends_with(']');
  if (!names_port && rest.starts_with(port)) rest.remove_prefix(port.size());
  if (rest.empty()) return "/";
  return std::string_view("/?#").find(rest[0]) == std::string_view::npos ? std::string_view()
                                                                         : rest;
}

}  // namespace skewguard::relay
