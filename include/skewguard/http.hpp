#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "skewguard/export.hpp"
#include "skewguard/secret.hpp"
#include "skewguard/time.hpp"

namespace SKEWGUARD_API skewguard {

/// One field as it came or is to be sent: the name's case is kept, the value is not split at
/// commas.
struct HeaderField {
  std::string name;
  std::string value;
  friend bool operator==(const HeaderField&, const HeaderField&) = default;
};

/// Header fields in the order of arrival. Names compare without case (RFC 9110 section 5.1).
/// Nothing is checked here: a field that cannot be sent makes its request `bad_request`.
class Headers {
 public:
  Headers() = default;
  Headers(std::initializer_list<HeaderField> fields) : fields_(fields) {}
  /// After all others, also those of the same name. Views into this object end with it.
  void add(std::string name, std::string value);
  /// The first field of that name, if any. The view dies with this object.
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const noexcept;
  /// The fields of that name, in order.
  [[nodiscard]] std::vector<std::string_view> all(std::string_view name) const;
  [[nodiscard]] std::size_t count(std::string_view name) const noexcept;
  [[nodiscard]] const std::vector<HeaderField>& fields() const noexcept { return fields_; }
  [[nodiscard]] bool empty() const noexcept { return fields_.empty(); }

 private:
  std::vector<HeaderField> fields_;
};

/// One HTTP request to an absolute URL.
struct HttpRequest {
  std::string method = "GET";  ///< RFC 9110 section 9, upper case
  std::string url;             ///< absolute; http or https
  Headers headers;             ///< without those that are the transport's: Authorization, Host,
                               ///< Content-Length, and those of one connection (Connection,
                               ///< Keep-Alive, Proxy-Connection, Proxy-Authorization, TE, Trailer,
                               ///< Transfer-Encoding, Upgrade)
  Secret authorization;        ///< the whole value of Authorization; empty = none. Never logged.
  Secret body;                 ///< may hold credentials, so never logged
};

/// The head of an HTTP answer, and how the answer came.
struct AnswerHead {
  int status = 0;  ///< 200..999 from our own transport, which skips interim answers (1xx)
  Headers headers{};
  Now sent{};      ///< read just before the first byte of the request went to the socket
  Now received{};  ///< read as soon as the first bytes of the answer came from the socket
  /// The connection it came over: the same number = the same connection = evidence for one clock.
  std::uint64_t connection = 0;
  /// The answer was readable before the request had gone out: not a sample of a clock.
  bool early = false;
  /// Where the request went (scheme://host:port): whose clock the Date header shows.
  std::string origin{};
};

/// One whole HTTP answer. Any status is a successful exchange; only its absence is an error.
struct Exchange : AnswerHead {
  std::string body{};  ///< without chunked framing, but still in its Content-Encoding
};

}  // namespace skewguard
