#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "net/loop.hpp"

namespace skewguard::net {

/// What a name stands for: numeric addresses in order of preference, or why there are none.
struct LookupAnswer {
  std::vector<std::string> addresses;
  std::string why{};          ///< the resolver's words; set where `addresses` is empty
  bool no_such_name = false;  ///< and the resolver is sure of it: it was reached
};
/// Looks a host name up; blocks for as long as it takes. Called on a thread of its own, so it must
/// own all that it uses.
using Lookup = std::function<LookupAnswer(const std::string& host)>;

/// getaddrinfo: /etc/hosts, DNS and what else the host is set to.
LookupAnswer system_lookup(const std::string& host);

/// The addresses of a host that needs no look-up (a numeric address, localhost: RFC 6761 section
/// 6.3); empty for any other.
std::vector<std::string> known_addresses(const std::string& host);

/// The families by turns, the first one's family first, so that a dead family costs one attempt
/// and not all of its addresses (RFC 8305 section 4). At most `most` of them.
std::vector<std::string> by_turns(const std::vector<std::string>& addresses, std::size_t most);

/// One look-up under way. Destroying or cancelling it is immediate: a getaddrinfo that hangs is
/// left behind on its own detached thread, holding neither loop nor handler. (Asio's resolver
/// would keep its io_context from ending, and one slow name would hold up all others.)
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
