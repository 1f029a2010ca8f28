#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "relay/fields.hpp"

/// Reads the heads of HTTP/1.1 messages in place and strictly (RFC 9110 and 9112): what two readers
/// could understand differently is refused. Nothing is copied, allocated or scanned twice. The
/// result depends on the bytes alone, never on how they arrived.
namespace skewguard::relay {

/// Bytes of a head, including its last empty line and one before it.
inline constexpr std::size_t kMaxHead = std::size_t{32} * 1024;
/// The options in all Connection fields of a head together.
inline constexpr std::size_t kMaxConnectionOptions = 32;

/// Why a head is refused.
enum class HeadFault : std::uint8_t {
  none,
  not_http,
  head_too_large,
  too_many_fields,
  too_many_connection_options,
  bad_connection_option,
  bare_line_feed,
  bare_carriage_return,
  bad_request_line,
  bad_status_line,
  unsupported_version,
  connect_method,
  bad_target,
  not_origin_form,
  folded_field,
  bad_field_name,
  control_character,
  host_missing,
  host_repeated,
  bad_host,
  authorization_repeated,
  bad_content_length,
  content_length_repeated,
  length_and_coding,
  disguised_framing,
  bad_transfer_coding,
  coding_in_http_1_0,
};
/// What is wrong, in plain words: a clause such as "the field Host is missing".
std::string_view words(HeadFault fault) noexcept;
/// The status that answers a request with this fault: 400, 431, 501 or 505.
int status_for(HeadFault fault) noexcept;

/// What a head says about its message and its connection.
struct HeadFacts {
  int version = 11;  ///< 10 = HTTP/1.0, 11 = HTTP/1.1
  std::optional<std::uint64_t> content_length;
  bool chunked = false;  ///< `Transfer-Encoding: chunked`, and then no content_length
  bool close = false;    ///< the sender ends the connection: `Connection: close`, or HTTP/1.0
  Fields fields;
  std::size_t size = 0;  ///< bytes of the head, including an empty line before it
};

/// A request whose meaning is beyond doubt. It has exactly one Host and at most one Authorization.
struct RequestHead : HeadFacts {
  std::string_view method;        ///< any token but CONNECT
  std::string_view target;        ///< begins with '/'; visible ASCII without '#'
  std::string_view host;          ///< host[:port] as received
  bool expects_continue = false;  ///< `Expect: 100-continue`
};

/// An answer, interim or final, but not 101: the relay asks for no upgrade.
struct AnswerHead : HeadFacts {
  int status = 0;           ///< 100..999
  std::string_view reason;  ///< may be empty
};

/// Reads the lines of a head; the two readers below use it.
class HeadLines {
 public:
  /// How often Content-Length may occur. Equal values in an answer harm nobody.
  enum class Lengths { one, equal };
  enum class Found {
    more,   ///< the line is not complete
    line,   ///< line() is complete
    fault,  ///< see fault()
  };

  explicit HeadLines(Lengths lengths) noexcept : lengths_(lengths) {}

  /// Finds the next line in `bytes`, which are all bytes of the head so far.
  Found next(std::string_view bytes) noexcept;
  /// The line without its CRLF. Valid until the bytes move.
  [[nodiscard]] std::string_view line() const noexcept { return line_; }
  /// The offset of line().
  [[nodiscard]] std::size_t line_at() const noexcept { return line_at_; }
  /// The offset behind line().
  [[nodiscard]] std::size_t next_at() const noexcept { return next_at_; }
  /// Adds the field that is on line(). Empty if it is at fault.
  std::optional<Field> add_field(HeadFacts& head) noexcept;
  /// The head ends with line(), which is empty. False if it is at fault.
  bool finish(HeadFacts& head, std::string_view bytes) noexcept;

  bool fail(HeadFault fault) noexcept {
    fault_ = fault;
    return false;
  }
  [[nodiscard]] HeadFault fault() const noexcept { return fault_; }

 private:
  bool note(const Field& field, HeadFacts& head) noexcept;
  bool note_length(std::string_view value, HeadFacts& head) noexcept;
  bool note_coding(std::string_view value, HeadFacts& head) noexcept;
  bool note_options(std::string_view value, HeadFacts& head) noexcept;
  [[nodiscard]] bool has_tab() const noexcept { return line_.find('\t') != std::string_view::npos; }

  std::string_view line_;
  std::size_t line_at_ = 0;
  std::size_t next_at_ = 0;
  std::size_t scanned_ = 0;  // up to here there is no LF behind next_at_
  std::size_t options_ = 0;  // of all Connection fields
  Lengths lengths_;
  HeadFault fault_ = HeadFault::none;
};

enum class ReadHead {
  more,     ///< call again with more bytes
  whole,    ///< head() is complete
  refused,  ///< fault() says why; nothing further can be read from this connection
};

/// Reads one request head. Not thread-safe. About 1 KiB.
class RequestReader {
 public:
  /// `bytes`: everything since this head began. The bytes of earlier calls may have moved, but not
  /// changed. After `whole` or `refused` use a new reader, or restart().
  ReadHead read(std::string_view bytes) noexcept;
  /// As if it were new. A temporary one would be filled with zeros first.
  void restart() noexcept {
    const RequestReader fresh;
    *this = fresh;
  }
  /// After `whole`. Its views are valid until the bytes move.
  [[nodiscard]] const RequestHead& head() const noexcept { return head_; }
  /// After `refused`.
  [[nodiscard]] HeadFault fault() const noexcept { return lines_.fault(); }

 private:
  bool starts_well(std::string_view bytes) noexcept;
  bool start_line() noexcept;
  bool field_line() noexcept;
  bool finish(std::string_view bytes) noexcept;

  HeadLines lines_{HeadLines::Lengths::one};
  RequestHead head_;
  std::size_t line_at_ = 0;  // of the request line
  std::size_t method_size_ = 0;
  std::size_t target_size_ = 0;
  bool started_ = false;      // the request line has been read
  bool after_empty_ = false;  // an empty line came before it
  bool host_seen_ = false;
  bool authorization_seen_ = false;
};

/// Reads one answer head, interim or final. Not thread-safe. About 1 KiB.
class AnswerReader {
 public:
  /// As RequestReader::read.
  ReadHead read(std::string_view bytes) noexcept;
  /// As RequestReader::restart.
  void restart() noexcept {
    const AnswerReader fresh;
    *this = fresh;
  }
  [[nodiscard]] const AnswerHead& head() const noexcept { return head_; }
  [[nodiscard]] HeadFault fault() const noexcept { return lines_.fault(); }

 private:
  bool start_line() noexcept;

  HeadLines lines_{HeadLines::Lengths::equal};
  AnswerHead head_;
  std::size_t reason_at_ = 0;
  std::size_t reason_size_ = 0;
  bool started_ = false;  // the status line has been read
};

}  // namespace skewguard::relay
