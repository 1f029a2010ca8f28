#include "net/message_head.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <vector>

#include "base/strings.hpp"
#include "http/url.hpp"

namespace skewguard::net {
namespace {

constexpr std::string_view kProtocol = "HTTP/1.";
constexpr std::size_t kVersionSize = kProtocol.size() + 1;

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

/// Of "HTTP/1.0" or "HTTP/1.1".
std::optional<int> parse_version(std::string_view text) {
  if (text.size() != kVersionSize || !text.starts_with(kProtocol)) return std::nullopt;
  if (text.back() != '0' && text.back() != '1') return std::nullopt;
  return 10 + (text.back() - '0');
}

/// Digits and nothing else, within 64 bits.
std::optional<std::uint64_t> parse_length(std::string_view text) {
  std::uint64_t number = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (text.empty() || !is_digit(text.front()) || error != std::errc{} || stop != end) {
    return std::nullopt;
  }
  return number;
}

/// The elements of all fields of this name, which are lists (RFC 9110 section 5.6.1).
std::vector<std::string_view> elements_of(const Headers& headers, std::string_view name) {
  std::vector<std::string_view> elements;
  for (auto rest : headers.all(name)) {
    while (true) {
      const auto comma = rest.find(',');
      elements.push_back(trim(rest.substr(0, comma)));
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
    }
  }
  return elements;
}

bool has_element(const Headers& headers, std::string_view name, std::string_view wanted) {
  return std::ranges::any_of(elements_of(headers, name), [wanted](std::string_view element) {
    return iequals(element, wanted);
  });
}

Fault codings_fault(const Headers& headers, int version) {
  if (headers.count("Content-Length") > 0) {
    return "it has both Content-Length and Transfer-Encoding";
  }
  const auto fields = headers.all("Transfer-Encoding");
  if (fields.size() > 1) {
    return "the field Transfer-Encoding occurs " + std::to_string(fields.size()) + " times";
  }
  if (!iequals(trim(fields.front()), "chunked")) {
    return "it uses a transfer coding that was not requested";
  }
  if (version < 11) return "HTTP/1.0 has no transfer coding";
  return std::nullopt;
}

Fault lengths_fault(const std::vector<std::string_view>& lengths) {
  for (const auto length : lengths) {
    if (!parse_length(length)) return "its Content-Length is not a number of bytes";
    if (parse_length(length) != parse_length(lengths.front())) {
      return "the field Content-Length has different values";
    }
  }
  return std::nullopt;
}

/// Where the fields say nothing, `otherwise` it is.
Fault framing_of(const Headers& headers, int version, Framing::Kind otherwise, Framing& framing) {
  framing = {};
  if (headers.count("Transfer-Encoding") > 0) {
    framing.kind = Framing::Kind::chunked;
    return codings_fault(headers, version);
  }
  const auto lengths = elements_of(headers, "Content-Length");
  framing.kind = lengths.empty() ? otherwise : Framing::Kind::length;
  if (auto fault = lengths_fault(lengths)) return fault;
  if (!lengths.empty()) framing.length = *parse_length(lengths.front());
  return std::nullopt;
}

/// `host[:port]`, as in a URL without user information.
bool valid_host(std::string_view host) {
  return host.find_first_of("/?#") == std::string_view::npos &&
         http::parse_url("http://" + std::string(host)).ok();
}

bool valid_target(std::string_view target) {
  return !target.empty() &&
         std::ranges::all_of(target, [](char c) { return c > ' ' && c <= '~' && c != '#'; });
}

}  // namespace

std::optional<StatusLine> parse_status_line(std::string_view line) {
  const auto version = parse_version(line.substr(0, kVersionSize));
  if (!version) return std::nullopt;
  const auto rest = line.substr(kVersionSize);
  const auto code = rest.substr(0, std::min<std::size_t>(rest.size(), 4));
  if (code.size() < 4 || code[0] != ' ' || !std::ranges::all_of(code.substr(1), is_digit)) {
    return std::nullopt;
  }
  if (rest.size() > 4 && rest[4] != ' ') return std::nullopt;
  return StatusLine{.status = static_cast<int>(*parse_length(code.substr(1))), .version = *version};
}

bool begins_like_answer(std::string_view text) noexcept {
  const auto known = std::min(text.size(), kProtocol.size());
  return text.substr(0, known) == kProtocol.substr(0, known);
}

std::optional<RequestLine> parse_request_line(std::string_view line) {
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return std::nullopt;
  const auto method = line.substr(0, first);
  const auto target = line.substr(first + 1, last - first - 1);
  const auto version = parse_version(line.substr(last + 1));
  if (!http::valid_token(method) || !valid_target(target) || !version) return std::nullopt;
  return RequestLine{std::string(method), std::string(target), *version};
}

std::optional<HeaderField> parse_field(std::string_view line) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || !http::valid_token(line.substr(0, colon))) {
    return std::nullopt;
  }
  return HeaderField{std::string(line.substr(0, colon)), std::string(trim(line.substr(colon + 1)))};
}

Fault answer_framing(const Headers& headers, int version, Framing& framing) {
  return framing_of(headers, version, Framing::Kind::until_close, framing);
}

Fault request_framing(const Headers& headers, int version, Framing& framing) {
  if (elements_of(headers, "Content-Length").size() > 1) {
    return "the field Content-Length occurs more than once";
  }
  return framing_of(headers, version, Framing::Kind::none, framing);
}

Fault check_host(const Headers& headers, int version) {
  const auto hosts = headers.all("Host");
  if (hosts.size() > 1) return "the field Host occurs more than once";
  if (hosts.empty()) return version < 11 ? Fault() : "the field Host is missing";
  if (!valid_host(hosts.front())) return "the field Host does not name a host";
  return std::nullopt;
}

bool wants_tls(int status, std::string_view body) noexcept {
  constexpr std::size_t kLongestPage = 4096;  // the message is at the start of a short page
  constexpr std::array<std::string_view, 3> kWords{
      "plain HTTP request was sent to HTTPS port",
      "speaking plain HTTP to an SSL-enabled server port",
      "Client sent an HTTP request to an HTTPS server"};
  if (status != 400 || body.size() > kLongestPage) return false;
  return std::ranges::any_of(kWords, [body](std::string_view words) {
    return body.find(words) != std::string_view::npos;
  });
}

bool keeps_alive(const Headers& headers, int version) {
  if (has_element(headers, "Connection", "close")) return false;
  return version >= 11 || has_element(headers, "Connection", "keep-alive");
}

}  // namespace skewguard::net
