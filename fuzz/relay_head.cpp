#include <string>
#include <vector>

#include "fuzz.hpp"
#include "relay/framing.hpp"
#include "relay/head_codec.hpp"
#include "relay/header_rules.hpp"

namespace {

using namespace skewguard::relay;
using skewguard::fuzz::require;

std::string fields_of(const HeadFacts& head) {
  std::string text = std::to_string(head.version) + (head.chunked ? 'c' : '-') +
                     (head.close ? 'x' : '-') +
                     std::to_string(head.content_length.value_or(UINT64_MAX)) + '\n';
  for (const Field field : head.fields)
    text += std::string(field.name) + ':' + std::string(field.value) + '\n';
  return text;
}

/// What goes to the API is a request that we would take ourselves, with one Authorization.
void require_good_request(const RequestHead& head) {
  static std::vector<char> memory(4 * kMaxHead);
  Buffer out(memory);
  const OutgoingRequest outgoing{head.target, "api.test", "Bearer token"};
  require(append_request_head(head, outgoing, out), "the head fits");
  RequestReader reader;
  const auto found = reader.read(out.bytes());
  // Ours may be longer than what we take.
  if (found == ReadHead::refused &&
      (reader.fault() == HeadFault::head_too_large || reader.fault() == HeadFault::too_many_fields))
    return;
  require(found == ReadHead::whole && reader.head().size == out.size(), "one whole head is sent");
  const RequestHead& sent = reader.head();
  require(sent.method == head.method && sent.target == head.target, "the request line stays");
  require(sent.host == "api.test", "the Host is the API's");
  require(sent.fields.find(FieldName::authorization) == "Bearer token", "the token is ours");
  require(request_framing(sent) == request_framing(head), "the framing stays");
  require(!sent.fields.find(FieldName::connection) && !sent.fields.find(FieldName::upgrade) &&
              !sent.fields.find(FieldName::proxy_authorization),
          "fields of the connection end here");
}

/// What a reader finds, fed in pieces, each time in other memory.
template <typename Reader>
std::string found_in(std::string_view bytes, std::size_t piece) {
  Reader reader;
  std::string memory;
  for (std::size_t end = std::min(piece, bytes.size());;
       end = std::min(end + piece, bytes.size())) {
    memory = std::string(bytes.substr(0, end));
    const ReadHead found = reader.read(memory);
    if (found == ReadHead::refused) return std::string(words(reader.fault()));
    if (found == ReadHead::whole) {
      if constexpr (std::is_same_v<Reader, RequestReader>) require_good_request(reader.head());
      return fields_of(reader.head()) + std::to_string(reader.head().size);
    }
    if (end == bytes.size()) return "more";
  }
}

std::string body_in(std::string_view bytes, std::size_t piece) {
  BodyReader reader({Framing::Kind::chunked});
  std::string body;
  std::string_view rest;
  while (true) {
    const auto part = reader.take(rest);
    body += part.data;
    if (part.found == BodyReader::Found::malformed) return "malformed";
    if (part.found == BodyReader::Found::whole)
      return body + '|' + std::to_string(rest.size() + bytes.size());
    if (part.found == BodyReader::Found::data) continue;
    if (bytes.empty()) return body + "...";
    rest = bytes.substr(0, piece);
    bytes.remove_prefix(rest.size());
  }
}

}  // namespace

/// First byte: the size of the pieces. The rest: a request, an answer and a chunked body.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return skewguard::fuzz::require_same_in_pieces(
      data, size, [](std::string_view bytes, std::size_t piece) {
        return found_in<RequestReader>(bytes, piece) + found_in<AnswerReader>(bytes, piece) +
               body_in(bytes, piece);
      });
}
