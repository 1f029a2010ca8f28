#include "store/sealed_text.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <system_error>
#include <utility>

#include "store/digest.hpp"

namespace skewguard::store {
namespace {

constexpr std::string_view kBegin = "{\n  \"";
constexpr std::string_view kNext = ",\n  \"";
constexpr std::string_view kColon = "\": ";
constexpr std::string_view kDigest = ",\n  \"digest\": \"";
constexpr std::string_view kEnd = "\"\n}\n";
constexpr std::size_t kDigestChars = 64;
constexpr std::size_t kMaxNameBytes = 256;
constexpr std::size_t kMaxOriginBytes = 512;
// 2169 as a moment: what a JWT's claims may name too.
constexpr Duration kLatestTime = std::chrono::hours{24 * 365 * 199};

/// The text before the digest, if the digest is correct.
std::optional<std::string_view> sealed(std::string_view text) {
  constexpr std::size_t kTail = kDigest.size() + kDigestChars + kEnd.size();
  if (text.size() > kMaxTextBytes || text.size() < kTail || !text.ends_with(kEnd))
    return std::nullopt;
  const auto content = text.substr(0, text.size() - kTail);
  const auto tail = text.substr(content.size());
  if (!tail.starts_with(kDigest) ||
      tail.substr(kDigest.size(), kDigestChars) != sha256_hex(content)) {
    return std::nullopt;
  }
  return content;
}

template <typename T>
bool read_number(std::optional<std::string_view> text, T& value, int base = 10) {
  if (!text) return false;
  const char* const last = text->data() + text->size();
  const auto [end, error] = std::from_chars(text->data(), last, value, base);
  return error == std::errc{} && end == last;
}

}  // namespace

bool visible_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

bool is_name(std::string_view text) {
  return text.size() <= kMaxNameBytes && visible_ascii(text);
}

bool is_origin(std::string_view text) {
  return text.size() <= kMaxOriginBytes && visible_ascii(text);
}

bool in_range(Duration time) {
  return time >= Duration{0} && time <= kLatestTime;
}

SealedWriter::SealedWriter(std::string_view schema, std::string_view key,
                           std::size_t secret_bytes) {
  text_.reserve(2 * secret_bytes + 16 * kMaxNameBytes);
  text_.append(kBegin).append("schema").append(kColon).append("\"").append(schema).append("\"");
  string("key", key);
}

void SealedWriter::name(std::string_view name) {
  text_.append(kNext).append(name).append(kColon);
}

void SealedWriter::string(std::string_view name, std::string_view value) {
  this->name(name);
  text_.append('"');
  for (const char c : value) {
    if (c == '"' || c == '\\') text_.append('\\');
    text_.append(c);
  }
  text_.append('"');
}

void SealedWriter::number(std::string_view name, std::uint64_t value) {
  this->name(name);
  text_.append(std::to_string(value));
}

void SealedWriter::duration(std::string_view name, Duration value) {
  this->name(name);
  text_.append(std::to_string(value.count()));
}

void SealedWriter::flag(std::string_view name, bool value) {
  this->name(name);
  text_.append(value ? "true" : "false");
}

void SealedWriter::id(std::string_view name, std::uint64_t value) {
  string(name, hex_digits(value));
}

std::optional<Secret> SealedWriter::seal() && {
  const std::string digest = sha256_hex(text_.view());
  text_.append(kDigest).append(digest).append(kEnd);
  if (text_.size() > kMaxTextBytes) return std::nullopt;
  return std::move(text_).secret();
}

std::optional<SealedReader> SealedReader::open(std::string_view text) {
  auto content = sealed(text);
  if (!content || !content->starts_with(kBegin)) return std::nullopt;
  SealedReader reader;
  // kNext occurs only between two members: a JSON string has no line breaks.
  std::size_t skipped = kBegin.size();
  while (content->size() > skipped) {
    content->remove_prefix(skipped);
    const auto end = std::min(content->find(kNext), content->size());
    reader.members_.push_back(content->substr(0, end));
    content->remove_prefix(end);
    skipped = kNext.size();
  }
  return reader;
}

bool SealedReader::string(std::string_view name, std::string& value) const {
  SecretText text;
  if (!string(name, text)) return false;
  value = text.view();
  return true;
}

bool SealedReader::string(std::string_view name, SecretText& value) const {
  auto rest = find(name);
  if (!rest || !rest->starts_with('"')) return false;
  for (rest->remove_prefix(1); !rest->empty() && rest->front() != '"'; rest->remove_prefix(1)) {
    if (rest->front() == '\\') rest->remove_prefix(1);
    if (rest->empty()) return false;
    value.append(rest->front());
  }
  return rest == "\"";
}

bool SealedReader::number(std::string_view name, std::uint64_t& value) const {
  return read_number(find(name), value);
}

bool SealedReader::duration(std::string_view name, Duration& value) const {
  Duration::rep nanoseconds = 0;
  if (!read_number(find(name), nanoseconds)) return false;
  value = Duration{nanoseconds};
  return true;
}

bool SealedReader::flag(std::string_view name, bool& value) const {
  const auto text = find(name);
  value = text == "true";
  return value || text == "false";
}

bool SealedReader::id(std::string_view name, std::uint64_t& value) const {
  std::string digits;
  return string(name, digits) && read_number(std::optional<std::string_view>(digits), value, 16) &&
         digits == hex_digits(value);
}

std::optional<std::string_view> SealedReader::find(std::string_view name) const {
  for (std::string_view member : members_) {
    if (!member.starts_with(name)) continue;
    member.remove_prefix(name.size());
    if (member.starts_with(kColon)) return member.substr(kColon.size());
  }
  return std::nullopt;
}

}  // namespace skewguard::store
