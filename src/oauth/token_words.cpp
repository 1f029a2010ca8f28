#include "oauth/token_words.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/strings.hpp"

namespace skewguard::oauth {
namespace {

struct Word {
  std::string text;     ///< lower case
  bool joined = false;  ///< no punctuation parts it from the word before it
};

constexpr bool is_upper(char c) noexcept {
  return c >= 'A' && c <= 'Z';
}
constexpr bool is_letter(char c) noexcept {
  return is_upper(c) || (c >= 'a' && c <= 'z');
}
constexpr bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

bool one_of(std::string_view word, std::span<const std::string_view> known) {
  return std::ranges::find(known, word) != known.end();
}

/// "tokenexpired" is two words; "unexpired" is one.
std::vector<std::string_view> unglued(std::string_view word) {
  constexpr std::array<std::string_view, 6> kGlued{"access",  "token",   "jwt",
                                                   "session", "expired", "invalid"};
  std::vector<std::string_view> parts;
  for (std::string_view rest = word; !rest.empty(); rest.remove_prefix(parts.back().size())) {
    const auto* const part =
        std::ranges::find_if(kGlued, [&](auto known) { return rest.starts_with(known); });
    if (part == kGlued.end()) return {word};
    parts.push_back(*part);
  }
  return parts;
}

/// Whether a word begins at `i` that no blank parts from the one before: "pageToken", "JWTExpired".
bool hump(std::string_view text, std::size_t i) {
  if (i == 0 || !is_upper(text[i]) || !is_letter(text[i - 1])) return false;
  const bool word_follows = i + 1 < text.size() && is_letter(text[i + 1]) && !is_upper(text[i + 1]);
  return !is_upper(text[i - 1]) || word_follows;
}

std::vector<Word> words_of(std::string_view text) {
  std::vector<Word> out;
  bool joined = false;
  for (std::size_t i = 0; i < text.size();) {
    if (!is_letter(text[i]) && !is_digit(text[i])) {
      joined = joined && std::string_view(" _-'\"`").find(text[i]) != std::string_view::npos;
      ++i;
      continue;
    }
    std::size_t end = i + 1;
    while (end < text.size() && (is_letter(text[end]) || is_digit(text[end])) && !hump(text, end))
      ++end;
    const std::string word = to_lower(text.substr(i, end - i));
    for (const auto part : unglued(word)) {
      out.push_back({std::string(part), joined});
      joined = true;
    }
    i = end;
  }
  return out;
}

/// Whose token (session, credentials) it is, by the word before it; the later, the surer.
enum class Whose { anothers, unknown, unsaid, ours };

Whose said_by(std::string_view word) {
  static constexpr std::array<std::string_view, 11> kOurs{
      "access", "auth", "authentication", "authorization", "authorisation",
      "bearer", "jwt",  "oauth",          "oauth2",        "security",
      "web"};
  static constexpr std::array<std::string_view, 28> kSilent{
      "a",    "an",    "and",  "client",    "current",  "error",   "expired",
      "for",  "given", "has",  "id",        "invalid",  "is",      "malformed",
      "of",   "or",    "our",  "presented", "provided", "revoked", "supplied",
      "that", "the",   "this", "used",      "user",     "with",    "your"};
  static constexpr std::array<std::string_view, 30> kAnothers{
      "activation", "captcha", "card",  "chat",      "confirmation", "continuation",
      "csrf",       "cursor",  "delta", "device",    "download",     "forgery",
      "invitation", "invite",  "next",  "otp",       "page",         "pagination",
      "paging",     "payment", "push",  "recaptcha", "refresh",      "registration",
      "reset",      "sync",    "time",  "upload",    "verification", "xsrf"};
  if (one_of(word, kOurs)) return Whose::ours;
  if (one_of(word, kSilent)) return Whose::unsaid;
  return one_of(word, kAnothers) ? Whose::anothers : Whose::unknown;
}

using Words = std::span<const Word>;

/// The last of `words`, if that is what may be bad.
std::optional<Whose> subject(Words words, bool expires) {
  const std::string& word = words.back().text;
  if (word == "jwt" || word == "bearer") return Whose::ours;
  const bool login = word == "session" || word == "credentials";
  if (word != "token" && !(expires && login)) return std::nullopt;
  if (words.size() == 1 || !words.back().joined) return Whose::unsaid;
  const Whose whose = said_by(words[words.size() - 2].text);
  return login ? std::min(whose, Whose::unsaid) : whose;
}

/// "invalid scope": it speaks of what follows.
bool describes_next(Words words, std::size_t at) {
  return at + 1 < words.size() && words[at + 1].joined &&
         said_by(words[at + 1].text) < Whose::unsaid;
}

/// Whose token the word at `at` speaks of: the nearest one before it, else the one that it stands
/// before ("expired or invalid access token").
Whose whose_is_bad(Words words, std::size_t at) {
  const bool expires = words[at].text == "expired";
  std::size_t furthest = 12;
  if (!expires) furthest = describes_next(words, at) ? 0 : 3;
  for (std::size_t back = 1; back <= std::min(furthest, at); ++back)
    if (const auto whose = subject(words.first(at - back + 1), expires)) return *whose;
  for (std::size_t i = at + 1; i < words.size() && words[i].joined; ++i) {
    if (const auto whose = subject(words.first(i + 1), expires)) return *whose;
    if (said_by(words[i].text) < Whose::unsaid) break;
  }
  return Whose::anothers;
}

}  // namespace

bool names_bad_token(std::string_view text, int status) {
  const auto words = words_of(text);
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool expired = words[i].text == "expired";
    if (!expired && words[i].text != "invalid" && words[i].text != "revoked") continue;
    Whose threshold = expired ? Whose::unknown : Whose::unsaid;
    if (status == 400) threshold = expired ? Whose::unsaid : Whose::ours;
    if (whose_is_bad(words, i) >= threshold) return true;
  }
  return false;
}

}  // namespace skewguard::oauth
