#pragma once

#include <optional>
#include <ostream>
#include <string>
#include <string_view>

#include "relay/head_codec.hpp"

/// Heads as text, for the tests of this folder.
namespace skewguard::relay::testing {

/// A request head: "GET /x HTTP/1.1", Host, then `fields` ("A: 1\r\n").
inline std::string request_with(std::string_view fields,
                                std::string_view start = "GET /x HTTP/1.1") {
  return std::string(start) + "\r\nHost: api\r\n" + std::string(fields) + "\r\n";
}

/// An answer head with these fields.
inline std::string answer_with(std::string_view fields,
                               std::string_view start = "HTTP/1.1 200 OK") {
  return std::string(start) + "\r\n" + std::string(fields) + "\r\n";
}

/// Reads a head that comes in two parts, the second in other memory than the first.
template <typename Reader>
ReadHead read_in_two(Reader& reader, std::string_view bytes, std::size_t first,
                     std::string& memory) {
  memory = std::string(bytes.substr(0, first));
  const ReadHead found = reader.read(memory);
  if (found != ReadHead::more) return found;
  memory = std::string(bytes);
  return reader.read(memory);
}

/// All that a head says, as text; empty if there is none.
inline std::string text_of(const HeadFacts& head, std::string_view first) {
  std::string text(first);
  text += " v" + std::to_string(head.version);
  if (head.content_length) text += " length=" + std::to_string(*head.content_length);
  if (head.chunked) text += " chunked";
  if (head.close) text += " close";
  for (const Field field : head.fields)
    text += "\n" + std::string(field.name) + "=" + std::string(field.value);
  return text + "\n" + std::to_string(head.size);
}

inline std::string text_of(const RequestHead& head) {
  return text_of(head, std::string(head.method) + ' ' + std::string(head.target) + ' ' +
                           std::string(head.host) + (head.expects_continue ? " continue" : ""));
}

inline std::string text_of(const AnswerHead& head) {
  return text_of(head, std::to_string(head.status) + ' ' + std::string(head.reason));
}

/// What a reader finds in these bytes: the head, "more", or the words of the fault.
template <typename Reader>
std::string outcome(std::string_view bytes, std::optional<std::size_t> first = std::nullopt) {
  Reader reader;
  std::string memory;
  const ReadHead found = read_in_two(reader, bytes, first.value_or(bytes.size()), memory);
  if (found == ReadHead::more) return "more";
  return found == ReadHead::whole ? text_of(reader.head()) : std::string(words(reader.fault()));
}

/// The fault of a whole head; `none` if it is accepted.
template <typename Reader>
HeadFault fault_of(std::string_view bytes) {
  Reader reader;
  return reader.read(bytes) == ReadHead::refused ? reader.fault() : HeadFault::none;
}

}  // namespace skewguard::relay::testing
