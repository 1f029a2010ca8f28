#include "http/www_authenticate.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/strings.hpp"
#include "http/url.hpp"

namespace skewguard::http {
namespace {

constexpr std::string_view kSpace = " \t";

/// Reads one field's value from the left (RFC 9110 section 11.6.1):
///   challenge = auth-scheme [ 1*SP ( token68 / #auth-param ) ]
/// Commas separate both challenges and parameters, so a token without "=" after a comma starts a
/// new challenge. Looks at each byte a bounded number of times.
class ChallengeReader {
 public:
  explicit ChallengeReader(std::string_view text) noexcept : rest_(text) {}

  /// Adds the challenges. Malformed parts are skipped up to the next comma.
  void read_into(std::vector<Challenge>& out) {
    const std::size_t first = out.size();
    for (skip_separators(); !rest_.empty(); skip_element()) {
      const std::string_view name = take_token();
      if (name.empty()) continue;
      if (before_equals()) {
        if (out.size() > first) read_value_into(out.back(), name);
        continue;
      }
      Challenge& challenge = out.emplace_back();
      challenge.scheme = to_lower(name);
      if (take(' ')) read_first_into(challenge);
    }
  }

 private:
  /// What directly follows the scheme.
  void read_first_into(Challenge& challenge) {
    skip_space();
    if (take_token68()) return;
    if (const auto name = take_token(); !name.empty()) read_value_into(challenge, name);
  }

  void read_value_into(Challenge& challenge, std::string_view name) {
    skip_space();
    if (!take('=')) return;
    if (auto value = take_value())
      challenge.params.push_back({std::string(name), *std::move(value)});
  }

  [[nodiscard]] bool before_equals() const noexcept {
    const auto next = rest_.find_first_not_of(kSpace);
    return next != std::string_view::npos && rest_[next] == '=';
  }

  bool take(char c) noexcept {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  void skip_space() noexcept {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(kSpace), rest_.size()));
  }

  /// Skips commas with the spaces and empty list members between them.
  void skip_separators() noexcept {
    for (skip_space(); take(','); skip_space()) continue;
  }

  /// Skips the rest of a list member, whose quoted strings may contain commas.
  void skip_element() {
    while (!rest_.empty() && !rest_.starts_with(',')) {
      if (!take('"')) {
        rest_.remove_prefix(std::min(rest_.find_first_of(",\""), rest_.size()));
      } else {
        std::ignore = take_quoted();
      }
    }
    skip_separators();
  }

  std::string_view take_token() noexcept {
    std::size_t length = 0;
    while (length < rest_.size() && valid_token(rest_.substr(length, 1))) ++length;
    const std::string_view token = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return token;
  }

  /// A token68 that is all that follows the scheme; its value is not used.
  bool take_token68() noexcept {
    constexpr std::string_view kAlphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/";
    const auto data = std::min(rest_.find_first_not_of(kAlphabet), rest_.size());
    const auto end = std::min(rest_.find_first_not_of('=', data), rest_.size());
    const auto next = rest_.find_first_not_of(kSpace, end);
    if (data == 0 || (next < rest_.size() && rest_[next] != ',')) return false;
    rest_.remove_prefix(end);
    return true;
  }

  /// A token, or a quoted string without its quotes and backslashes.
  std::optional<std::string> take_value() {
    skip_space();
    if (take('"')) return take_quoted();
    const std::string_view token = take_token();
    if (token.empty()) return std::nullopt;
    return std::string(token);
  }

  /// Empty if the closing quote is missing, or there is a control character inside.
  std::optional<std::string> take_quoted() {
    std::string value;
    bool sound = true;
    while (!take('"')) {
      take('\\');
      if (rest_.empty()) return std::nullopt;
      sound = sound && !is_control(rest_.front());
      value += rest_.front();
      rest_.remove_prefix(1);
    }
    return sound ? std::optional(std::move(value)) : std::nullopt;
  }

  static constexpr bool is_control(char c) noexcept {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == '\x7f';
  }

  std::string_view rest_;
};

std::string copy_of(const Challenge& challenge, std::string_view name) {
  return std::string(challenge.param(name).value_or(std::string_view{}));
}

}  // namespace

std::optional<std::string_view> Challenge::param(std::string_view name) const {
  const auto found = std::ranges::find_if(
      params, [name](const HeaderField& param) { return iequals(param.name, name); });
  if (found == params.end()) return std::nullopt;
  return found->value;
}

std::vector<Challenge> challenges(const Headers& headers) {
  std::vector<Challenge> out;
  for (const auto value : headers.all("WWW-Authenticate")) ChallengeReader(value).read_into(out);
  return out;
}

std::optional<BearerError> bearer_error(const std::vector<Challenge>& challenges) {
  const Challenge* chosen = nullptr;
  const auto rank = [](const Challenge& challenge) {
    if (challenge.param("error") == "insufficient_scope") return 2;
    return challenge.param("error").value_or("").empty() ? 0 : 1;
  };
  for (const Challenge& challenge : challenges) {
    if (challenge.scheme != "bearer") continue;
    if (chosen == nullptr || rank(challenge) > rank(*chosen)) chosen = &challenge;
  }
  if (chosen == nullptr) return std::nullopt;
  return BearerError{.error = copy_of(*chosen, "error"),
                     .description = copy_of(*chosen, "error_description"),
                     .scope = copy_of(*chosen, "scope")};
}

}  // namespace skewguard::http
