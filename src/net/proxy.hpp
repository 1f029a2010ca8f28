#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/url.hpp"
#include "skewguard/client.hpp"
#include "skewguard/result.hpp"
#include "skewguard/secret.hpp"

/// Which proxy a connection begins at, if any. No socket.
namespace skewguard::net {

/// The hosts that are reached directly: NO_PROXY, read as curl reads it. Elements stand between
/// commas or spaces: a name (with all names below it; a leading dot changes nothing), an address, a
/// block of addresses (10.0.0.0/8), or "*" for every host. Names and addresses may end in ":port".
/// Case does not matter; an element that is none of these names no host.
class NoProxy {
 public:
  explicit NoProxy(std::string_view text = {});
  [[nodiscard]] bool covers(const http::Url& url) const;

 private:
  struct Element {
    std::string host;                   ///< lower case; without dots at its ends, and brackets
    std::optional<std::uint16_t> port;  ///< none = any
  };
  std::vector<Element> elements_;
};

struct Proxy {
  std::string host;
  std::uint16_t port = 0;
  Secret authorization;  ///< the whole value of Proxy-Authorization; empty = none
  [[nodiscard]] std::string place() const;  ///< "host:port", for messages
};

class ProxyRule {
 public:
  ProxyRule() = default;  ///< no proxy
  /// Error (`config`): what is wrong with the URL or the credentials, without them.
  static Result<ProxyRule> make(const ProxyOptions& options);
  /// Null: `url` is reached directly. Lives as long as this.
  [[nodiscard]] const Proxy* proxy_for(const http::Url& url) const;

 private:
  std::optional<Proxy> proxy_;
  NoProxy no_proxy_;
  bool https_only_ = false;
};

}  // namespace skewguard::net
