#pragma once

#include <string>

#include "base/log.hpp"
#include "skewguard/transport.hpp"

namespace skewguard::runtime {

/// Tells the log of the answer to one request, as `curl -v` would: the status at level debug,
/// header fields at level trace. No body, no token and no secret. Of the request the transport
/// tells.
class WireLog {
 public:
  /// `log` must outlive it.
  WireLog(const Log& log, const HttpRequest& request);
  void answer(const SendResult& result) const;

 private:
  void tell(const HeaderField& field) const;

  const Log* log_;
  std::string origin_;  // of the request's URL; empty where nothing is told
  Secret
      authorization_;  // that was sent, since an answer may echo it; empty unless fields are told
};

}  // namespace skewguard::runtime
