#pragma once

#include <string>
#include <vector>

#include "base/log.hpp"
#include "clocks/answer.hpp"
#include "oauth/dialect.hpp"

namespace skewguard::engine {

/// Logs the answer to one request, as `curl -v` would: the status at level debug, header fields at
/// level trace. No body, no token and no secret, even if the server repeats what it was sent or has
/// just issued. The transport logs the request.
class WireLog {
 public:
  /// `log` must outlive it. `issuer` reads the answer to a token request, and is null for all
  /// others; it must outlive the answer.
  WireLog(const Log& log, const HttpRequest& request, const oauth::Dialect* issuer = nullptr);
  void answer(const clocks::AnswerResult& result) const;

 private:
  /// The secrets to withhold from the log of this answer.
  [[nodiscard]] std::vector<Secret> secrets_of(const clocks::Answer& answer) const;
  void write(LogLevel level, std::string message) const;

  const Log* log_;
  const oauth::Dialect* issuer_;
  std::string origin_;           // of the request's URL; empty where nothing is told
  std::vector<Secret> secrets_;  // that were sent; none where nothing is told
};

}  // namespace skewguard::engine
