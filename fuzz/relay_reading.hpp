#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/strings.hpp"
#include "relay/framing.hpp"
#include "relay/head_codec.hpp"

/// How the relay's codec reads a whole message, for comparison with other parsers.
namespace skewguard::fuzz {

/// A message as one of the parsers read it.
struct Message {
  std::string start;  ///< method and target, or the status
  std::vector<std::string> fields{};
  std::string body{};
  std::size_t size = 0;  ///< bytes

  friend bool operator==(const Message&, const Message&) = default;
};

inline std::string line(std::string_view name, std::string_view value) {
  return std::string(name) + ':' + std::string(value);
}

/// Reads the body behind a head; false if it is not complete.
inline bool read_body(relay::Framing framing, std::string_view bytes, Message& message) {
  using relay::BodyReader;
  BodyReader reader(framing);
  const std::size_t before = bytes.size();
  while (true) {
    const auto piece = reader.take(bytes);
    message.body += piece.data;
    if (piece.found == BodyReader::Found::data) continue;
    message.size += before - bytes.size();
    return piece.found == BodyReader::Found::whole;
  }
}

/// Beast reads such fields even in a trailer; the relay drops the whole trailer.
inline bool may_have_framing_in_trailer(std::string_view body) {
  const std::string text = to_lower(body);
  return text.find("transfer-encoding") != std::string::npos ||
         text.find("content-length") != std::string::npos ||
         text.find("connection") != std::string::npos || text.find("upgrade") != std::string::npos;
}

/// What the relay takes; nothing if it takes none or other parsers may differ.
inline std::optional<Message> ours(std::string_view bytes, bool request) {
  using namespace relay;
  RequestReader requests;
  AnswerReader answers;
  const ReadHead found = request ? requests.read(bytes) : answers.read(bytes);
  if (found != ReadHead::whole) return std::nullopt;
  const HeadFacts& head = request ? static_cast<const HeadFacts&>(requests.head()) : answers.head();
  Message message;
  message.start =
      request ? std::string(requests.head().method) + ' ' + std::string(requests.head().target)
              : std::to_string(answers.head().status);
  for (const Field field : head.fields) message.fields.push_back(line(field.name, field.value));
  message.size = head.size;
  const Framing framing =
      request ? request_framing(requests.head()) : answer_framing(answers.head(), "GET");
  // Without a length there is nothing to compare; 1xx and 204 must have none (RFC 9110
  // section 8.6).
  const int status = request ? 200 : answers.head().status;
  if ((status < 200 || status == 204) && (head.chunked || head.content_length)) return std::nullopt;
  if (framing.kind == Framing::Kind::until_close) return std::nullopt;
  if (framing.length > 1024UL * 1024) return std::nullopt;
  if (head.chunked && may_have_framing_in_trailer(bytes.substr(head.size))) return std::nullopt;
  if (!read_body(framing, bytes.substr(head.size), message)) return std::nullopt;
  return message;
}

}  // namespace skewguard::fuzz
