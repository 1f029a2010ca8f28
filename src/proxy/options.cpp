#include "proxy/options.hpp"

#include <sys/un.h>

#include <boost/asio/ip/address.hpp>
#include <charconv>
#include <optional>
#include <utility>

#include "http/url.hpp"

namespace skewguard::proxy {
namespace {

constexpr std::string_view kUnix = "unix:";

Error unusable(std::string_view text, const char* why) {
  return {ErrorKind::config, "--listen " + std::string(text) + ": " + why,
          "write 127.0.0.1:8484, [::1]:8484 or unix:PATH"};
}

Result<ListenAddress> parse_path(std::string_view text) {
  const std::string_view path = text.substr(kUnix.size());
  if (path.empty()) return unusable(text, "the path is missing");
  if (path.size() >= sizeof(sockaddr_un::sun_path) || path.find('\0') != std::string_view::npos) {
    return unusable(text, "the path is longer than that of a Unix socket may be");
  }
  return ListenAddress{.path = std::string(path)};
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return port;
}

}  // namespace

std::string ListenAddress::text() const {
  if (unix_socket()) return std::string(kUnix) + path;
  return "http://" + http::endpoint_text(host, port);
}

bool ListenAddress::remote() const {
  return !unix_socket() && !boost::asio::ip::make_address(host).is_loopback();
}

Result<ListenAddress> parse_listen_address(std::string_view text) {
  if (text.starts_with(kUnix)) return parse_path(text);
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return unusable(text, "the port is missing");
  const auto port = parse_port(text.substr(colon + 1));
  if (!port) return unusable(text, "the port is not a number from 0 to 65535");
  std::string_view host = text.substr(0, colon);
  const bool brackets = host.starts_with('[') && host.ends_with(']');
  if (brackets) host = host.substr(1, host.size() - 2);
  boost::system::error_code why;
  const auto address = boost::asio::ip::make_address(std::string(host), why);
  if (why || address.is_v6() != brackets) return unusable(text, "this is not an IP address");
  return ListenAddress{.host = address.to_string(), .port = *port};
}

}  // namespace skewguard::proxy
