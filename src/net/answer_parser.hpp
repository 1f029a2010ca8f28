#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/secret_text.hpp"
#include "skewguard/http.hpp"

namespace skewguard::net {

/// Parses one complete HTTP/1.1 answer from the bytes of a connection. Interim answers (1xx) are
/// skipped. The result depends only on the bytes, not on how they were split. Not thread-safe.
class AnswerParser {
 public:
  static constexpr std::size_t kHeadLimit = std::size_t{32} * 1024;  ///< bytes; one more is refused
  static constexpr int kMaxInterim = 16;  ///< 1xx answers before the final one

  enum class Outcome {
    more,       ///< feed on
    complete,   ///< the answer is whole: take it
    malformed,  ///< not HTTP/1.1, or its end is ambiguous: why()
    too_large,  ///< head or body over the limit: why()
    truncated,  ///< the connection ended in the middle of it
  };

  /// `method`: of the request. An answer to HEAD has no body, and only the head of an answer to
  /// CONNECT is read (RFC 9110 section 9.3.6). `body_limit` in bytes.
  AnswerParser(std::string_view method, std::size_t body_limit);
  AnswerParser(AnswerParser&&) noexcept;
  AnswerParser& operator=(AnswerParser&&) noexcept;
  ~AnswerParser();

  /// Parses bytes. Do not call it again after it returned anything but `more`.
  Outcome feed(std::string_view bytes);
  /// The connection was closed properly: the end of some answers, `truncated` for others.
  Outcome end();

  [[nodiscard]] bool begun() const noexcept;      ///< any byte has come
  [[nodiscard]] bool head_done() const noexcept;  ///< the final answer's head is whole
  /// Whether the connection may be used for another request: the server keeps it open, and sent
  /// nothing after this answer. Only after `complete`.
  [[nodiscard]] bool reusable() const noexcept;
  /// Whether there are bytes after the answer. Only after `complete`.
  [[nodiscard]] bool surplus() const noexcept;
  [[nodiscard]] const std::string& why() const noexcept;

  /// Moves status and headers over. Only where head_done(); once.
  void take_head(AnswerHead& head);
  /// What has come of the body since the last piece, for who does not collect it.
  [[nodiscard]] SecretText take_piece();
  /// Moves status, headers and body over. Only after `complete`, or `too_large` where head_done():
  /// the body is not whole then; once.
  void take(Exchange& exchange);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace skewguard::net
