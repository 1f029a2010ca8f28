#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "skewguard/http.hpp"

namespace skewguard::net {

/// Bytes of a connection -> one whole HTTP/1.1 answer. Interim answers (1xx) are skipped. The
/// outcome depends on the bytes alone, never on how they were cut into pieces. Not thread-safe.
class AnswerParser {
 public:
  static constexpr std::size_t kHeadLimit = std::size_t{32} * 1024;  ///< bytes; one more is refused
  static constexpr int kMostInterim = 16;  ///< 1xx answers before the final one

  enum class Outcome {
    more,       ///< feed on
    complete,   ///< the answer is whole: take it
    malformed,  ///< not HTTP/1.1, or nobody could say where it ends: why()
    too_large,  ///< head or body over the limit: why()
    truncated,  ///< the connection ended in the middle of it
  };

  /// `method` is the request's: an answer to HEAD has no body, and of one to CONNECT the head alone
  /// is read (RFC 9110 section 9.3.6). `body_limit` in bytes.
  AnswerParser(std::string_view method, std::size_t body_limit);
  AnswerParser(AnswerParser&&) noexcept;
  AnswerParser& operator=(AnswerParser&&) noexcept;
  ~AnswerParser();

  /// Takes bytes; not to be called again once it said anything but `more`.
  Outcome feed(std::string_view bytes);
  /// The connection was closed in good order: the end of some answers, `truncated` for the others.
  Outcome end();

  [[nodiscard]] bool begun() const noexcept;      ///< any byte has come
  [[nodiscard]] bool head_done() const noexcept;  ///< the final answer's head is whole
  /// The connection may carry another request: the server keeps it open, and sent nothing more
  /// than this answer. Only after `complete`.
  [[nodiscard]] bool reusable() const noexcept;
  /// More came than the answer. Only after `complete`.
  [[nodiscard]] bool surplus() const noexcept;
  [[nodiscard]] const std::string& why() const noexcept;

  /// Moves status, headers and body over. Only after `complete`, or `too_large` where head_done():
  /// the body is not whole then; once.
  void take(Exchange& exchange);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace skewguard::net
