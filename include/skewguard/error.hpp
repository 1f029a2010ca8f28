#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "skewguard/export.hpp"

namespace SKEWGUARD_API skewguard {

struct CallReport;

/// What the caller should do next; every error is one of these (docs/adr/0002-result.md). For exit
/// codes see docs/guide/exit-codes.md.
enum class ErrorKind {
  config,       ///< wrong usage or settings; nothing was sent: correct them
  credentials,  ///< the login host or the API rejects our identity: a person must act; do not retry
  clock,        ///< only correcting a clock cures it: the message says whose and by how much
  forbidden,    ///< the token is good but may not do this: ask for the permission
  throttled,    ///< rate limited past the deadline: wait and try later
  unavailable,  ///< no answer, or the login host stays down: try later
  timeout,      ///< the deadline passed before an answer arrived
  protocol,     ///< an answer came that cannot be used
  cancelled,    ///< the caller cancelled, or the client is shutting down
};

/// The name of the enumerator ("config", "credentials" ...).
std::string_view to_string(ErrorKind kind) noexcept;

/// Why there is no value. Never contains a secret or a token.
struct Error {
  ErrorKind kind = ErrorKind::protocol;
  std::string message;  ///< one plain sentence that names the thing
  std::string remedy;   ///< what a person can do; may be empty
  /// Set if a call was made: its attempts, verdict and clocks. Immutable.
  std::shared_ptr<const CallReport> report = nullptr;
};

/// On one line: "message: remedy", "Message. Remedy." if the message ends with a period, or only
/// the message if there is no remedy.
std::string describe(const Error& error);

/// What Result::or_throw() throws, for those who prefer exceptions; nothing else throws it. what()
/// is describe() of the error.
class Exception : public std::runtime_error {
 public:
  explicit Exception(Error error);
  Exception(const Exception&) noexcept = default;
  Exception& operator=(const Exception&) noexcept = default;
  ~Exception() override;  ///< in the library, and so are its type's name and table

  /// Valid as long as this object or a copy of it exists.
  [[nodiscard]] const Error& error() const noexcept { return *error_; }
  /// Throws one, so that the headers need no exceptions.
  [[noreturn]] static void raise(Error error);
  /// Ends the process like an uncaught exception, with what() on standard error.
  [[noreturn]] static void end_process(const Error& error) noexcept;

 private:
  std::shared_ptr<const Error> error_;  // shared, so that a copy cannot fail
};

}  // namespace skewguard
