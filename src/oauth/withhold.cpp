#include "oauth/withhold.hpp"

#include <algorithm>
#include <utility>

namespace skewguard::oauth {
namespace {

constexpr std::size_t kTelling = 8;  // characters that nobody writes by chance
constexpr std::size_t kLeast = 4;
constexpr std::string_view kHidden = "***";
constexpr std::string_view kCut = "...";

bool holds(std::string_view secret, std::string_view part) {
  return secret.find(part) != std::string_view::npos;
}

void hide(std::string& words, std::string_view secret) {
  const std::size_t telling = std::min(kTelling, secret.size());
  for (std::size_t at = 0; at + telling <= words.size(); ++at) {
    const std::string_view rest = std::string_view(words).substr(at);
    if (!holds(secret, rest.substr(0, telling))) continue;
    std::size_t length = telling;
    while (length < rest.size() && holds(secret, rest.substr(0, length + 1))) ++length;
    words.replace(at, length, kHidden);
    at += kHidden.size() - 1;
  }
}

void hide_what_was_cut(std::string& words, std::string_view secret) {
  if (!words.ends_with(kCut)) return;
  const std::size_t end = words.size() - kCut.size();
  for (std::size_t length = std::min(kTelling, secret.size()); length >= kLeast; --length) {
    if (!std::string_view(words).substr(0, end).ends_with(secret.substr(0, length))) continue;
    words.replace(end - length, length, kHidden);
    return;
  }
}

}  // namespace

std::string withhold(std::string words, std::initializer_list<std::string_view> secrets) {
  for (const auto secret : secrets) {
    if (secret.size() < kLeast) continue;
    hide(words, secret);
    hide_what_was_cut(words, secret);
  }
  std::string hidden = words;  // what was moved up follows the end of `words`
  Secret::wipe(words);
  return hidden;
}

std::string withhold(std::string words, std::span<const Secret> secrets) {
  for (const Secret& secret : secrets) words = withhold(std::move(words), {secret.reveal()});
  return words;
}

}  // namespace skewguard::oauth
