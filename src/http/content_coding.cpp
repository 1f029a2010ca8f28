#include "http/content_coding.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/strings.hpp"
#include "base/utf8.hpp"

namespace skewguard::http {
namespace {

constexpr std::size_t kMaxCodings = 3;  // who needs more means harm
constexpr std::size_t kPiece = std::size_t{16} * 1024;
/// The memory that zlib allocates: its state (10 KiB at most) and a window of 32 KiB.
constexpr std::size_t kWorkspace = std::size_t{64} * 1024;

/// The memory of one inflate stream. Its window contains the output, so it is wiped too.
class Workspace {
 public:
  Workspace() { bytes_.resize(kWorkspace); }

  static void* allocate(void* self, unsigned count, unsigned size) {
    return static_cast<Workspace*>(self)->take(std::size_t{count} * size);
  }
  static void release(void* /*self*/, void* /*block*/) {}

 private:
  void* take(std::size_t size) {
    constexpr std::size_t kAlign = alignof(std::max_align_t);
    size = (size + kAlign - 1) / kAlign * kAlign;
    if (size > bytes_.size() - used_) return nullptr;
    void* const block = bytes_.data() + used_;
    used_ += size;
    return block;
  }

  SecretText bytes_;
  std::size_t used_ = 0;
};

/// If `to` has to move, its old memory is wiped.
void append_wiping(std::string& to, std::string_view piece) {
  if (to.capacity() - to.size() < piece.size()) {
    std::string grown;
    grown.reserve(2 * to.size() + piece.size());
    grown.append(to);
    Secret::wipe(to);
    to.swap(grown);
  }
  to.append(piece);
}

constexpr int kGzip = 16 + MAX_WBITS, kZlib = MAX_WBITS, kRaw = -MAX_WBITS;

/// "deflate" is zlib's format (RFC 9110 section 8.4.1.2); some servers send raw deflate.
int window_bits(std::string_view coding, std::string_view body) {
  if (!iequals(coding, "deflate")) return kGzip;
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(body[i]); };
  const bool zlib =
      body.size() >= 2 && (at(0) & 0x0F) == Z_DEFLATED && (at(0) * 256 + at(1)) % 31 == 0;
  return zlib ? kZlib : kRaw;
}

/// How many bytes a body may still produce, and how many blocks may still be read.
struct Budget {
  std::size_t bytes;
  std::size_t blocks = kMaxBlocks;
};

class Inflation {
 public:
  explicit Inflation(int bits) {
    stream_.zalloc = Workspace::allocate;
    stream_.zfree = Workspace::release;
    stream_.opaque = &workspace_;
    ready_ = inflateInit2(&stream_, bits) == Z_OK;
  }
  ~Inflation() {
    if (ready_) inflateEnd(&stream_);
  }
  Inflation(const Inflation&) = delete;
  Inflation& operator=(const Inflation&) = delete;

  /// Appends to `out`. A gzip body may have several members; anything after the last one is
  /// padding.
  Decoding run(std::string_view in, Budget& budget, std::string& out) {
    if (!ready_) return Decoding::broken;
    if (in.size() / 2 > budget.bytes) return Decoding::too_large;
    SecretText piece;
    piece.resize(kPiece);
    // zlib takes its input by a pointer to mutable bytes, which it does not change.
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));  // NOLINT
    stream_.avail_in = static_cast<uInt>(in.size());
    for (;;) {
      stream_.next_out = reinterpret_cast<Bytef*>(piece.data());  // NOLINT
      stream_.avail_out = static_cast<uInt>(piece.size());
      const int said = inflate(&stream_, Z_BLOCK);
      const std::size_t size = piece.size() - stream_.avail_out;
      if (size > budget.bytes || (ended_block() && budget.blocks-- == 0))
        return Decoding::too_large;
      budget.bytes -= size;
      append_wiping(out, piece.view().substr(0, size));
      if (said == Z_STREAM_END) {
        if (!another_member()) return Decoding::decoded;
        if (inflateReset(&stream_) != Z_OK) return Decoding::broken;
        continue;
      }
      if (said != Z_OK) return Decoding::broken;  // Z_BUF_ERROR: it is cut off
    }
  }

 private:
  /// inflate() stopped behind a block, or behind the header of a member.
  [[nodiscard]] bool ended_block() const { return (stream_.data_type & 128) != 0; }

  [[nodiscard]] bool another_member() const {
    return stream_.avail_in >= 2 && stream_.next_in[0] == 0x1f && stream_.next_in[1] == 0x8b;
  }

  Workspace workspace_;
  z_stream stream_{};
  bool ready_ = false;
};

/// The codings in the order in which they were applied; empty if one is unknown, or there are too
/// many.
std::optional<std::vector<std::string_view>> codings(const Headers& headers) {
  constexpr std::array<std::string_view, 3> kKnown{"gzip", "x-gzip", "deflate"};
  std::vector<std::string_view> out;
  for (std::string_view rest : headers.all("Content-Encoding")) {
    while (!rest.empty()) {
      const auto end = std::min(rest.find(','), rest.size());
      const auto coding = trim(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
      if (coding.empty() || iequals(coding, "identity")) continue;
      const bool known =
          std::ranges::any_of(kKnown, [&](std::string_view name) { return iequals(name, coding); });
      if (!known || out.size() == kMaxCodings) return std::nullopt;
      out.push_back(coding);
    }
  }
  return out;
}

Headers without_coding(const Headers& headers) {
  Headers out;
  for (const HeaderField& field : headers.fields()) {
    if (iequals(field.name, "Content-Encoding") || iequals(field.name, "Content-Length")) continue;
    out.add(field.name, field.value);
  }
  return out;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto first = first_utf8_character(text);
    if (!first) return false;
    text.remove_prefix(first->size);
  }
  return true;
}

}  // namespace

Decoding decode_body(Exchange& exchange, std::size_t limit) {
  if (exchange.body.empty()) return Decoding::plain;
  const auto applied = codings(exchange.headers);
  if (!applied) return Decoding::unknown;
  if (applied->empty()) return Decoding::plain;
  std::string body;
  Budget budget{limit};
  for (auto coding = applied->rbegin(); coding != applied->rend(); ++coding) {
    const std::string& coded = coding == applied->rbegin() ? exchange.body : body;
    std::string out;
    const Decoding said = Inflation(window_bits(*coding, coded)).run(coded, budget, out);
    out.swap(body);
    Secret::wipe(out);
    if (said == Decoding::decoded) continue;
    Secret::wipe(body);
    return said;
  }
  Secret::wipe(exchange.body);
  exchange.body = std::move(body);
  exchange.headers = without_coding(exchange.headers);
  return Decoding::decoded;
}

bool is_coded(const Headers& headers) {
  const auto applied = codings(headers);
  return !applied || !applied->empty();
}

std::string_view as_utf8(std::string_view body, SecretText& held) {
  if (is_utf8(body)) return body;
  held = SecretText();
  held.reserve(2 * body.size());
  for (const char c : body) {
    const auto code = static_cast<unsigned char>(c);
    if (code >= 0x80) held.append(static_cast<char>(0xC0 | (code >> 6)));
    held.append(code >= 0x80 ? static_cast<char>(0x80 | (code & 0x3F)) : c);
  }
  return held.view();
}

}  // namespace skewguard::http
