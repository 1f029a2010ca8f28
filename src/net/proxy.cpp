#include "net/proxy.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <charconv>
#include <utility>

#include "base/secret_text.hpp"
#include "base/strings.hpp"
#include "net/connector.hpp"

namespace skewguard::net {
namespace {

using boost::asio::ip::address;

std::optional<address> numeric_address(const std::string& text) {
  boost::system::error_code error;
  auto found = boost::asio::ip::make_address(text, error);
  if (error) return std::nullopt;
  return found;
}

template <typename Number>
std::optional<Number> whole_number(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

template <typename Bytes>
bool same_beginning(const Bytes& a, const Bytes& b, unsigned bits) {
  if (bits > a.size() * 8) return false;
  for (std::size_t i = 0; i < a.size() && bits > 0; ++i) {
    const unsigned here = std::min(bits, 8U);
    if (((a[i] ^ b[i]) >> (8U - here)) != 0) return false;
    bits -= here;
  }
  return true;
}

/// Whether `host` lies in "10.0.0.0/8", or is the address "10.0.0.1".
bool in_block(const address& host, const std::string& block) {
  const auto slash = block.find('/');
  const auto first = numeric_address(block.substr(0, slash));
  if (!first || first->is_v4() != host.is_v4()) return false;
  if (slash == std::string::npos) return *first == host;
  const auto bits = whole_number<unsigned>(std::string_view(block).substr(slash + 1));
  if (!bits) return false;
  return host.is_v4() ? same_beginning(host.to_v4().to_bytes(), first->to_v4().to_bytes(), *bits)
                      : same_beginning(host.to_v6().to_bytes(), first->to_v6().to_bytes(), *bits);
}

std::string_view without_dot_at_end(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return name;
}

/// `name` itself, or one below it.
bool in_domain(std::string_view host, std::string_view name) {
  host = without_dot_at_end(host);
  if (name.empty() || !host.ends_with(name)) return false;
  return host.size() == name.size() || host[host.size() - name.size() - 1] == '.';
}

/// RFC 7617 section 2.
Secret basic(const Secret& credentials) {
  const auto text = credentials.reveal();
  SecretText encoded;
  encoded.resize((text.size() + 2) / 3 * 4 + 1);  // and the NUL that is put at its end
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  return joined_secret({"Basic ", encoded.view().substr(0, static_cast<std::size_t>(size))});
}

Error unusable_proxy(std::string why, std::string remedy) {
  return {.kind = ErrorKind::config,
          .message = "the proxy is unusable: " + std::move(why),
          .remedy = std::move(remedy)};
}

constexpr std::size_t kMaxCredentials = std::size_t{8} * 1024;  // half of what servers' heads take

std::optional<Error> check_credentials(std::string_view text) {
  if (text.empty()) return std::nullopt;
  if (text.size() > kMaxCredentials) {
    return unusable_proxy("its credentials are over 8 KiB long",
                          "check that they are the right ones");
  }
  if (text.find(':') == std::string_view::npos) {
    return unusable_proxy("its credentials are not user:password",
                          "give both, separated by a colon");
  }
  const auto control = [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; };
  if (std::ranges::any_of(text, control)) {
    return unusable_proxy("its credentials contain a control character",
                          "use user and password exactly as they are");
  }
  return std::nullopt;
}

}  // namespace

NoProxy::NoProxy(std::string_view text) {
  constexpr std::string_view kBetween = ", \t";
  while (true) {
    const auto begin = text.find_first_not_of(kBetween);
    if (begin == std::string_view::npos) return;
    text.remove_prefix(begin);
    const auto end = std::min(text.find_first_of(kBetween), text.size());
    std::string host = to_lower(text.substr(0, end));
    text.remove_prefix(end);

    Element element;
    const auto colon = host.rfind(':');
    const auto bracket = host.rfind(']');
    const bool bare_ipv6 = bracket == std::string::npos && host.find(':') != colon;
    const bool after_host = bracket == std::string::npos || colon == bracket + 1;
    if (colon != std::string::npos && !bare_ipv6 && after_host) {
      element.port = whole_number<std::uint16_t>(std::string_view(host).substr(colon + 1));
      if (!element.port) continue;
      host.resize(colon);
    }
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    if (host.starts_with('.')) host.erase(0, 1);
    element.host = std::string(without_dot_at_end(host));
    if (!element.host.empty()) elements_.push_back(std::move(element));
  }
}

bool NoProxy::covers(const http::Url& url) const {
  const auto host = numeric_address(url.host);
  return std::ranges::any_of(elements_, [&](const Element& element) {
    if (element.port && *element.port != url.port) return false;
    if (element.host == "*") return true;
    return host ? in_block(*host, element.host) : in_domain(url.host, element.host);
  });
}

std::string Proxy::place() const {
  return http::endpoint_text(host, port);
}

Result<ProxyRule> ProxyRule::make(const ProxyOptions& options) {
  ProxyRule rule;
  if (options.url.empty()) return rule;
  const auto url = http::parse_url(options.url);
  if (!url) return unusable_proxy(url.error().message, "use http://host:port");
  if (url->tls()) {
    return unusable_proxy("it is reached over https://", "use a proxy that accepts plain http://");
  }
  if (url->target != "/") return unusable_proxy("its URL has a path", "use http://host:port");
  if (auto error = check_credentials(options.credentials.reveal())) return *std::move(error);
  rule.proxy_ = Proxy{.host = url->host, .port = url->port};
  if (!options.credentials.empty()) rule.proxy_->authorization = basic(options.credentials);
  rule.no_proxy_ = NoProxy(options.no_proxy);
  rule.https_only_ = options.https_only;
  return rule;
}

const Proxy* ProxyRule::proxy_for(const http::Url& url) const {
  if (!proxy_ || (https_only_ && !url.tls()) || no_proxy_.covers(url)) return nullptr;
  return &*proxy_;
}

}  // namespace skewguard::net
