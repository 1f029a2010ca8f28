// Whatever the relay takes, Boost.Beast and http_parser take alike.
#include <http_parser.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cctype>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "base/strings.hpp"
#include "fuzz.hpp"
#include "relay_reading.hpp"

namespace {

using namespace skewguard::relay;
using skewguard::fuzz::line;
using skewguard::fuzz::Message;
using skewguard::fuzz::require;
namespace beast = boost::beast::http;

std::vector<std::string> lines_of(const beast::fields& fields) {
  std::vector<std::string> lines;
  for (const auto& field : fields)
    lines.push_back(line(std::string_view(field.name_string()), std::string_view(field.value())));
  return lines;
}

template <bool kRequest>
std::optional<Message> beasts(std::string_view bytes) {
  beast::parser<kRequest, beast::string_body> parser;
  parser.header_limit(64 * 1024);
  parser.body_limit(boost::none);
  boost::beast::error_code error;
  Message message;
  while (!parser.is_done() && message.size < bytes.size()) {
    const auto rest = bytes.substr(message.size);
    message.size += parser.put(boost::asio::buffer(rest.data(), rest.size()), error);
    if (error) return std::nullopt;
    if (!parser.is_header_done() || parser.eager()) continue;
    message.fields = lines_of(parser.get());  // later it adds the trailer's
    parser.eager(true);
  }
  if (!parser.is_done()) return std::nullopt;
  const auto& got = parser.get();
  if constexpr (kRequest) {
    message.start = std::string(got.method_string()) + ' ' + std::string(got.target());
  } else {
    message.start = std::to_string(got.result_int());
  }
  message.body = got.body();
  return message;
}

/// What http_parser reports.
struct Reported {
  Message message;
  std::string target;
  std::string name;
  std::string value;
  bool in_value = false;
  bool whole = false;
  bool in_body = false;  // what follows is a trailer

  void end_field() {
    while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.pop_back();
    if (in_value && !in_body) message.fields.push_back(line(name, value));
    if (in_value) name.clear();
    value.clear();
    in_value = false;
  }
};

Reported& of(http_parser* parser) {
  return *static_cast<Reported*>(parser->data);
}

http_parser_settings callbacks() {
  http_parser_settings settings;
  http_parser_settings_init(&settings);
  settings.on_url = [](http_parser* p, const char* at, std::size_t size) {
    of(p).target.append(at, size);
    return 0;
  };
  settings.on_header_field = [](http_parser* p, const char* at, std::size_t size) {
    of(p).end_field();
    of(p).name.append(at, size);
    return 0;
  };
  settings.on_header_value = [](http_parser* p, const char* at, std::size_t size) {
    of(p).in_value = true;
    of(p).value.append(at, size);
    return 0;
  };
  settings.on_headers_complete = [](http_parser* p) {
    of(p).end_field();
    of(p).in_body = true;
    p->upgrade = 0;                                                    // the relay asks for none
    return p->type == HTTP_RESPONSE && p->status_code == 304 ? 1 : 0;  // 1: no body follows
  };
  settings.on_body = [](http_parser* p, const char* at, std::size_t size) {
    of(p).message.body.append(at, size);
    return 0;
  };
  settings.on_message_complete = [](http_parser* p) {
    of(p).whole = true;
    http_parser_pause(p, 1);
    return 0;
  };
  return settings;
}

std::optional<Message> http_parsers(std::string_view bytes, bool request) {
  Reported reported;
  http_parser parser;
  http_parser_init(&parser, request ? HTTP_REQUEST : HTTP_RESPONSE);
  parser.data = &reported;
  const auto settings = callbacks();
  const std::size_t size = http_parser_execute(&parser, &settings, bytes.data(), bytes.size());
  if (!reported.whole) return std::nullopt;
  reported.message.start =
      request ? http_method_str(static_cast<http_method>(parser.method)) + (' ' + reported.target)
              : std::to_string(parser.status_code);
  reported.message.size = size;
  return reported.message;
}

bool known_method(std::string_view start) {
  const auto method = start.substr(0, start.find(' '));
  for (int n = HTTP_DELETE; n <= HTTP_SOURCE; ++n) {
    if (n != HTTP_CONNECT && method == http_method_str(static_cast<http_method>(n))) return true;
  }
  return false;
}

/// It takes the name "Transfer-EncodingX" for the one that it begins with.
bool misread_by_http_parser(const Message& message) {
  constexpr std::string_view kName = "transfer-encoding";
  return std::ranges::any_of(message.fields, [&](std::string_view field) {
    return skewguard::iequals(field.substr(0, kName.size()), kName) &&
           !field.substr(kName.size()).starts_with(':');
  });
}

/// It takes no equal lengths, which harm nobody in an answer.
std::ptrdiff_t lengths_in(const Message& message) {
  return std::ranges::count_if(message.fields, [](std::string_view field) {
    return field_name(field.substr(0, field.find(':'))) == FieldName::content_length;
  });
}

/// For the finder of a difference.
std::string text_of(const std::optional<Message>& message) {
  if (!message) return "nothing\n";
  std::string text = message->start + '\n';
  for (const auto& field : message->fields) text += field + '\n';
  return text + '[' + message->body + "] " + std::to_string(message->size) + '\n';
}

void require_alike(std::optional<Message> peer, Message message, const char* claim) {
  std::ranges::sort(message.fields);  // Beast groups those of one name
  if (peer) std::ranges::sort(peer->fields);
  if (peer == message) return;
  (void)std::fprintf(stderr, "ours: %s\ntheirs: %s", text_of(message).c_str(),
                     text_of(peer).c_str());
  require(false, claim);
}

}  // namespace

/// First byte: odd = a request, even = an answer. The rest: its bytes, and what follows them.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const bool request = data[0] % 2 == 1;
  const std::string_view bytes = skewguard::fuzz::as_text(data + 1, size - 1);
  if (bytes.starts_with("\r\n")) return 0;  // Beast takes no empty line before a request
  // Nor a status line without the space before a missing reason phrase.
  constexpr std::size_t kStatusSize = std::string_view("HTTP/1.1 200").size();
  if (!request && bytes.substr(0, kStatusSize + 1).ends_with('\r')) return 0;
  const auto message = skewguard::fuzz::ours(bytes, request);
  if (!message) return 0;
  require_alike(request ? beasts<true>(bytes) : beasts<false>(bytes), *message,
                "Beast reads the same");
  const bool known = request ? known_method(message->start) : lengths_in(*message) < 2;
  if (known && !misread_by_http_parser(*message))
    require_alike(http_parsers(bytes, request), *message, "http_parser reads the same");
  return 0;
}
