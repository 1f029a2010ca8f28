#include "oauth/echo.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "base/secret_text.hpp"
#include "oauth/base64.hpp"

namespace skewguard::oauth {
namespace {

constexpr std::size_t kWindow = 8;  // characters that nobody writes by chance
constexpr std::size_t kGram = 4;
/// Each window contains a gram at one of so many offsets in a row.
constexpr std::size_t kStride = kWindow - kGram + 1;
constexpr unsigned kSieveBits = 16;

std::uint32_t gram_at(std::string_view text, std::size_t at) noexcept {
  std::uint32_t gram = 0;
  std::memcpy(&gram, text.data() + at, kGram);
  return gram;
}

/// The window one character further.
std::uint64_t pushed(std::uint64_t window, char c) noexcept {
  constexpr unsigned kLast = 8 * (kWindow - 1);
  return window >> 8U | static_cast<std::uint64_t>(static_cast<unsigned char>(c)) << kLast;
}

/// Both alphabets of base64 become that of section 4.
char in_base64(char c) noexcept {
  if (c == '-') return '+';
  return c == '_' ? '/' : c;
}

std::optional<unsigned> hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10U;
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10U;
  return std::nullopt;
}

/// A character without its percent-encoding.
struct Decoded {
  char value = 0;
  std::size_t size = 1;  // in the words
};

Decoded decode_at(std::span<const char> words, std::size_t at) noexcept {
  const bool encoded = words[at] == '%' && at + 2 < words.size();
  const auto high = encoded ? hex_digit(words[at + 1]) : std::nullopt;
  const auto low = encoded ? hex_digit(words[at + 2]) : std::nullopt;
  if (!high || !low) return {words[at]};
  return {static_cast<char>(*high << 4U | *low), 3};
}

template <typename Windows>
void sort_windows(Windows& windows) {
  std::ranges::sort(windows);
  const auto repeated = std::ranges::unique(windows);
  windows.erase(repeated.begin(), repeated.end());
}

/// Calls `use` with each window of the text.
template <typename Use>
void for_each_window(std::string_view text, Use use) {
  std::uint64_t window = 0;
  for (std::size_t n = 0; n < text.size(); ++n) {
    window = pushed(window, text[n]);
    if (n + 1 >= kWindow) use(window);
  }
}

}  // namespace

void Echo::Sieve::add(std::uint64_t value) {
  bits_.resize((std::size_t{1} << kSieveBits) / 64);
  const std::uint64_t bit = value * 0x9e3779b97f4a7c15U >> (64 - kSieveBits);
  bits_[bit / 64] |= std::uint64_t{1} << bit % 64;
}

bool Echo::Sieve::has(std::uint64_t value) const noexcept {
  const std::uint64_t bit = value * 0x9e3779b97f4a7c15U >> (64 - kSieveBits);
  return (bits_[bit / 64] >> bit % 64 & 1U) != 0;
}

void Echo::add(std::string_view secret) {
  if (secret.size() < kWindow) return;
  add_plain(secret);
  sort_windows(plain_);
  // What stands before the secret decides where its bytes fall in groups of three. Characters that
  // also hold bits of a neighbor are left out (RFC 4648 section 4).
  for (std::size_t before = 0; before < 3; ++before) {
    SecretText bytes;
    bytes.append(std::string_view("\0\0", 2).substr(0, before)).append(secret);
    const auto encoded = base64_encode(bytes.view());
    const std::size_t begin = (before * 8 + 5) / 6;
    const std::size_t end = bytes.size() * 8 / 6;
    add_base64(encoded.view().substr(begin, end - begin));
  }
  sort_windows(base64_);
}

void Echo::add_plain(std::string_view text) {
  for_each_window(text, [this](Window window) {
    plain_.push_back(window);
    windows_.add(window);
  });
  add_grams(text);
}

void Echo::add_base64(std::string_view text) {
  for_each_window(text, [this](Window window) {
    base64_.push_back(window);
    windows_.add(window);
  });
  add_grams(text);
  SecretText other(text);
  for (std::size_t n = 0; n < other.size(); ++n) {
    char& c = other.data()[n];
    if (c == '+') c = '-';
    if (c == '/') c = '_';
  }
  add_grams(other.view());
}

void Echo::add_grams(std::string_view text) {
  for (std::size_t at = 0; at + kGram <= text.size(); ++at) grams_.add(gram_at(text, at));
}

bool Echo::known(Window plain, Window base64) const noexcept {
  return (windows_.has(plain) && std::ranges::binary_search(plain_, plain)) ||
         (windows_.has(base64) && std::ranges::binary_search(base64_, base64));
}

/// Looks at four characters of five. False only if nothing occurs.
bool Echo::may_occur_in(std::string_view words) const noexcept {
  if (words.find('%') != std::string_view::npos) return true;
  for (std::size_t at = 0; at + kGram <= words.size(); at += kStride)
    if (grams_.has(gram_at(words, at)) && occurs_around(words, at)) return true;
  return false;
}

/// Whether one of the windows that contain the gram there is known.
bool Echo::occurs_around(std::string_view words, std::size_t at) const noexcept {
  const std::size_t first = at - std::min(at, kStride - 1);
  Window plain = 0;
  Window base64 = 0;
  for (std::size_t n = first; n < std::min(words.size(), at + kWindow); ++n) {
    plain = pushed(plain, words[n]);
    base64 = pushed(base64, in_base64(words[n]));
    if (n + 1 >= first + kWindow && known(plain, base64)) return true;
  }
  return false;
}

bool Echo::hide_in(std::span<char> words) const noexcept {
  if (plain_.empty() || !may_occur_in({words.data(), words.size()})) return false;
  bool found = false;
  Window plain = 0;
  Window base64 = 0;
  std::array<std::size_t, kWindow> begins{};  // of the last characters
  std::size_t count = 0;                      // characters so far
  for (std::size_t at = 0; at < words.size();) {
    const Decoded next = decode_at(words, at);
    begins.at(count++ % kWindow) = at;
    at += next.size;
    plain = pushed(plain, next.value);
    base64 = pushed(base64, in_base64(next.value));
    if (count < kWindow || !known(plain, base64)) continue;
    found = true;
    const std::size_t begin = begins.at(count % kWindow);
    std::ranges::fill(words.subspan(begin, at - begin), '*');
  }
  return found;
}

}  // namespace skewguard::oauth
