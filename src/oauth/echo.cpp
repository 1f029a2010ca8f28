#include "oauth/echo.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <optional>

#include "base/secret_text.hpp"
#include "oauth/base64.hpp"

namespace skewguard::oauth {
namespace {

constexpr std::size_t kWindow = 8;  // characters that nobody writes by chance

std::uint64_t window_at(std::string_view text, std::size_t at) noexcept {
  std::uint64_t window = 0;
  std::memcpy(&window, text.data() + at, kWindow);
  return window;
}

template <typename Windows>
void add_windows(Windows& windows, std::string_view text) {
  for (std::size_t at = 0; at + kWindow <= text.size(); ++at)
    windows.push_back(window_at(text, at));
}

template <typename Windows>
void sort_windows(Windows& windows) {
  std::ranges::sort(windows);
  const auto repeated = std::ranges::unique(windows);
  windows.erase(repeated.begin(), repeated.end());
}

std::optional<unsigned> hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10U;
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10U;
  return std::nullopt;
}

/// The words without their percent-encoding.
struct Decoded {
  SecretText text;
  std::vector<std::size_t> from;  // where each character of `text` begins in the words; then an end
};

Decoded decode(std::string_view words) {
  Decoded out;
  out.text.reserve(words.size());
  out.from.reserve(words.size() + 1);
  for (std::size_t at = 0; at < words.size();) {
    out.from.push_back(at);
    const bool encoded = words[at] == '%' && at + 2 < words.size();
    const auto high = encoded ? hex_digit(words[at + 1]) : std::nullopt;
    const auto low = encoded ? hex_digit(words[at + 2]) : std::nullopt;
    out.text.append(high && low ? static_cast<char>(*high << 4U | *low) : words[at]);
    at += high && low ? 3 : 1;
  }
  out.from.push_back(words.size());
  return out;
}

template <typename Windows>
bool hide(std::span<char> words, const Decoded& decoded, const Windows& windows) {
  bool found = false;
  const auto text = decoded.text.view();
  for (std::size_t at = 0; at + kWindow <= text.size(); ++at) {
    if (!std::ranges::binary_search(windows, window_at(text, at))) continue;
    found = true;
    const auto begin = decoded.from[at];
    std::ranges::fill(words.subspan(begin, decoded.from[at + kWindow] - begin), '*');
  }
  return found;
}

}  // namespace

Echo::Echo(std::string_view secret) {
  add_windows(plain_, secret);
  sort_windows(plain_);
  // What stands before the secret decides where its bytes fall in groups of three. Characters that
  // also hold bits of a neighbor are left out (RFC 4648 section 4).
  for (std::size_t before = 0; before < 3; ++before) {
    SecretText bytes;
    bytes.append(std::string_view("\0\0", 2).substr(0, before)).append(secret);
    const auto encoded = base64_encode(bytes.view());
    const std::size_t begin = (before * 8 + 5) / 6;
    const std::size_t end = bytes.size() * 8 / 6;
    if (begin < end) add_windows(base64_, encoded.view().substr(begin, end - begin));
  }
  sort_windows(base64_);
}

bool Echo::hide_in(std::span<char> words) const {
  auto decoded = decode({words.data(), words.size()});
  const bool plain = hide(words, decoded, plain_);
  for (std::size_t i = 0; i < decoded.text.size(); ++i) {  // the alphabet of section 5
    char& c = decoded.text.data()[i];
    if (c == '-') c = '+';
    if (c == '_') c = '/';
  }
  return hide(words, decoded, base64_) || plain;
}

}  // namespace skewguard::oauth
