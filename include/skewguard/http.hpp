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

/// One field as received or to be sent: the case of the name is kept, the value is not split at
/// commas.
struct HeaderField {
  std::string name;
  std::string value;
  friend bool operator==(const HeaderField&, const HeaderField&) = default;
};

/// Header fields in the order of arrival. Names are compared ignoring case (RFC 9110 section 5.1).
/// Nothing is validated here: a field that cannot be sent makes the request fail with
/// `bad_request`.
class Headers {
 public:
  Headers() = default;
  Headers(std::initializer_list<HeaderField> fields) : fields_(fields) {}
  /// Appends a field after all others, including those of the same name. Invalidates views into
  /// this object.
  void add(std::string name, std::string value);
  /// The first field of that name, if any. The view is valid as long as this object.
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

/// The head of an HTTP answer, and how it arrived.
struct AnswerHead {
  int status = 0;  ///< 200..999 from our own transport, which skips interim answers (1xx)
  Headers headers{};
  Now sent{};      ///< read just before the first byte of the request went to the socket
  Now received{};  ///< read as soon as the first bytes of the answer came from the socket
  /// The connection: the same number = the same connection = evidence for one clock.
  std::uint64_t connection = 0;
  /// The answer was readable before the request was sent: not a sample of a clock.
  bool early = false;
  /// Where the request was sent (scheme://host:port): the host whose clock the Date shows.
  std::string origin{};
};

/// A complete HTTP answer. Any status is a successful exchange; only the absence of an answer is an
/// error.
struct Exchange : AnswerHead {
  std::string body{};  ///< without chunked framing, but still in its Content-Encoding
};

}  // namespace skewguard
