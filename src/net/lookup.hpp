#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "net/loop.hpp"

namespace skewguard::net {

/// The result of a look-up: numeric addresses in order of preference, or why there are none.
struct LookupAnswer {
  std::vector<std::string> addresses;
  std::string why{};          ///< the resolver's message; set if `addresses` is empty
  bool no_such_name = false;  ///< and the resolver is sure of it: it was reached
};
/// Looks up a host name; blocks as long as it takes. Called on its own thread, so it must own
/// everything that it uses.
using Lookup = std::function<LookupAnswer(const std::string& host)>;

/// getaddrinfo: /etc/hosts, DNS and whatever else the machine is configured to use.
LookupAnswer system_lookup(const std::string& host);

/// The addresses of a host that needs no look-up (a numeric address, localhost: RFC 6761 section
/// 6.3); empty for any other.
std::vector<std::string> known_addresses(const std::string& host);

/// Alternates between address families, starting with that of the first address, so that a broken
/// family costs one attempt and not all of its addresses (RFC 8305 section 4). At most `most`
/// addresses.
std::vector<std::string> by_turns(const std::vector<std::string>& addresses, std::size_t most);

/// A look-up in progress. Destroying or cancelling it is immediate: a getaddrinfo that hangs is
/// left on its own detached thread, holding neither loop nor handler. (Asio's resolver would keep
/// its io_context from ending, and one slow name would block all others.)
class PendingLookup {
 public:
  using Handler = std::function<void(LookupAnswer)>;
  /// `handler` runs on the loop, never from within this call. The io_context must outlive this.
  PendingLookup(const Loop& io, Lookup lookup, std::string host, Handler handler);
  PendingLookup(const PendingLookup&) = delete;
  PendingLookup& operator=(const PendingLookup&) = delete;
  ~PendingLookup();

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

}  // namespace skewguard::net
