#pragma once

#include <boost/beast/http/basic_parser.hpp>
#include <string>
#include <string_view>

#include "base/secret_text.hpp"
#include "skewguard/http.hpp"

namespace skewguard::net {

inline constexpr std::string_view kEndOfHead = "\r\n\r\n";

/// Beast knows the grammar of HTTP/1; what it finds in one request or answer is kept here. Its own
/// container throws at a field of 64 KiB, puts fields of one name side by side, and adds a
/// trailer's fields to the header's, where a second Date would pass for a measurement (RFC 9110
/// section 6.5.1).
template <bool kRequest>
class MessageParser final : public boost::beast::http::basic_parser<kRequest> {
 public:
  std::string method;  ///< of a request
  std::string target;  ///< of a request
  int status = 0;      ///< of an answer
  int version = 0;     ///< 11 = HTTP/1.1
  Headers headers;
  std::string body;  ///< may hold a token: nothing is left where it has grown

  /// Bytes that it must be given at least at a time. The shortest chunked body has five ("0 CRLF
  /// CRLF"); with three or four of them alone Beast 1.81 runs into an assertion of its own.
  [[nodiscard]] std::size_t least() const {
    return this->is_header_done() && this->chunked() && !chunk_seen_ ? 5 : 1;
  }

 private:
  using Error = boost::system::error_code;
  using Text = boost::beast::string_view;

  void on_request_impl(boost::beast::http::verb /*known*/, Text name, Text where, int http_version,
                       Error& /*error*/) override {
    method = std::string(name);
    target = std::string(where);
    version = http_version;
  }
  void on_response_impl(int code, Text /*reason*/, int http_version, Error& /*error*/) override {
    status = code;
    version = http_version;
  }
  void on_field_impl(boost::beast::http::field /*known*/, Text name, Text value,
                     Error& /*error*/) override {
    if (!this->is_header_done()) headers.add(std::string(name), std::string(value));
  }
  void on_header_impl(Error& /*error*/) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>& /*length*/,
                         Error& /*error*/) override {}
  std::size_t on_body_impl(Text bytes, Error& /*error*/) override {
    append_wiping(body, bytes);
    return bytes.size();
  }
  void on_chunk_header_impl(std::uint64_t /*size*/, Text /*extensions*/,
                            Error& /*error*/) override {
    chunk_seen_ = true;
  }
  std::size_t on_chunk_body_impl(std::uint64_t /*remain*/, Text bytes, Error& error) override {
    return on_body_impl(bytes, error);
  }
  void on_finish_impl(Error& /*error*/) override {}

  bool chunk_seen_ = false;
};

}  // namespace skewguard::net
