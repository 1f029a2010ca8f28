#include "store/token_text.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <system_error>
#include <utility>
#include <vector>

#include "base/secret_text.hpp"
#include "oauth/lifetime.hpp"
#include "store/digest.hpp"

namespace skewguard::store {
namespace {

constexpr std::string_view kBegin = "{\n  \"schema\": \"skewguard.token/1\"";
constexpr std::string_view kDigest = ",\n  \"digest\": \"";
constexpr std::string_view kEnd = "\"\n}\n";
constexpr std::size_t kDigestBytes = 64;
constexpr std::size_t kMostNameBytes = 256;    // of all strings but the token
constexpr std::size_t kMostOriginBytes = 512;  // a host name alone may have 253
// 2169: what a JWT's claims may name too; sums of such times stay far from overflow.
constexpr Duration kLatestTime = std::chrono::hours{24 * 365 * 199};

bool visible_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}
bool name_like(std::string_view text) {
  return text.size() <= kMostNameBytes && visible_ascii(text);
}
bool within(Duration time) {
  return time >= Duration{0} && time <= kLatestTime;
}

bool can_be_kept(const StoredToken& token) {
  return !token.access_token.empty() && visible_ascii(token.access_token.reveal()) &&
         !token.token_type.empty() && name_like(token.token_type) && within(token.issued) &&
         token.expires_in > Duration{0} && token.expires_in <= oauth::kLongestLife &&
         name_like(token.boot_id) && name_like(token.time_namespace) &&
         within(token.sent.time_since_epoch()) && token.api.size() <= kMostOriginBytes &&
         visible_ascii(token.api) && within(token.lag) && within(token.lead);
}

void add_name(SecretText& text, std::string_view name) {
  text.append(",\n  \"").append(name).append("\": ");
}
void add_string(SecretText& text, std::string_view name, std::string_view value) {
  add_name(text, name);
  text.append('"');
  for (const char c : value) {
    if (c == '"' || c == '\\') text.append('\\');
    text.append(c);
  }
  text.append('"');
}
void add_number(SecretText& text, std::string_view name, Duration value) {
  add_name(text, name);
  text.append(std::to_string(value.count()));
}

void add_flag(SecretText& text, std::string_view name, bool value) {
  add_name(text, name);
  text.append(value ? "true" : "false");
}

/// The members of a text, in any order: those that nobody asks for are of a later version.
class Members {
 public:
  /// Between two members stands kNext, and nowhere else: a JSON string has no line break.
  explicit Members(std::string_view text) {
    while (text.starts_with(kNext)) {
      text.remove_prefix(kNext.size());
      const auto end = std::min(text.find(kNext), text.size());
      members_.push_back(text.substr(0, end));
      text.remove_prefix(end);
    }
    whole_ = text.empty();
  }

  bool string(std::string_view name, std::string& value) const {
    SecretText text;
    if (!string(name, text)) return false;
    value = text.view();
    return true;
  }
  bool string(std::string_view name, SecretText& value) const {
    auto rest = find(name);
    if (!rest || !rest->starts_with('"')) return false;
    for (rest->remove_prefix(1); !rest->empty() && rest->front() != '"'; rest->remove_prefix(1)) {
      if (rest->front() == '\\') rest->remove_prefix(1);
      if (rest->empty()) return false;
      value.append(rest->front());
    }
    return rest == "\"";
  }
  bool number(std::string_view name, Duration& value) const {
    const auto text = find(name);
    if (!text) return false;
    std::int64_t read = 0;
    const char* const last = text->data() + text->size();
    const auto [end, error] = std::from_chars(text->data(), last, read);
    if (error != std::errc{} || end != last) return false;
    value = Duration{read};
    return true;
  }
  bool flag(std::string_view name, bool& value) const {
    const auto text = find(name);
    value = text == "true";
    return value || text == "false";
  }
  [[nodiscard]] bool has(std::string_view name) const { return find(name).has_value(); }
  [[nodiscard]] bool whole() const { return whole_; }

 private:
  static constexpr std::string_view kNext = ",\n  \"", kColon = "\": ";

  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const {
    for (std::string_view member : members_) {
      if (!member.starts_with(name)) continue;
      member.remove_prefix(name.size());
      if (member.starts_with(kColon)) return member.substr(kColon.size());
    }
    return std::nullopt;
  }

  std::vector<std::string_view> members_;
  bool whole_ = false;
};

/// Files of earlier versions have nothing of this.
bool read_learned(const Members& members, StoredToken& token) {
  if (!members.has("api")) return true;
  return members.string("api", token.api) && members.flag("accepted", token.accepted) &&
         members.number("lag_ns", token.lag) && members.number("lead_ns", token.lead);
}

/// What stands before the digest, where the digest is right.
std::optional<std::string_view> sealed(std::string_view text) {
  constexpr std::size_t kTail = kDigest.size() + kDigestBytes + kEnd.size();
  if (text.size() > kMostTextBytes || text.size() < kTail || !text.ends_with(kEnd))
    return std::nullopt;
  const auto content = text.substr(0, text.size() - kTail);
  const auto tail = text.substr(content.size());
  if (!tail.starts_with(kDigest) ||
      tail.substr(kDigest.size(), kDigestBytes) != sha256_hex(content)) {
    return std::nullopt;
  }
  return content;
}

}  // namespace

std::optional<Secret> to_text(std::string_view key, const StoredToken& token) {
  if (!can_be_kept(token)) return std::nullopt;
  SecretText text;
  text.reserve(2 * token.access_token.size() + 16 * kMostNameBytes);
  text.append(kBegin);
  add_string(text, "key", key);
  add_string(text, "access_token", token.access_token.reveal());
  add_string(text, "token_type", token.token_type);
  add_number(text, "issued_ns", token.issued);
  add_number(text, "expires_in_ns", token.expires_in);
  add_string(text, "boot_id", token.boot_id);
  add_string(text, "time_namespace", token.time_namespace);
  add_number(text, "sent_ns", token.sent.time_since_epoch());
  add_string(text, "api", token.api);
  add_flag(text, "accepted", token.accepted);
  add_number(text, "lag_ns", token.lag);
  add_number(text, "lead_ns", token.lead);
  const std::string digest = sha256_hex(text.view());
  text.append(kDigest).append(digest).append(kEnd);
  if (text.size() > kMostTextBytes) return std::nullopt;
  return std::move(text).secret();
}

std::optional<StoredToken> from_text(std::string_view key, std::string_view text) {
  const auto content = sealed(text);
  if (!content) return std::nullopt;
  if (!content->starts_with(kBegin)) return std::nullopt;
  const Members members(content->substr(kBegin.size()));
  StoredToken token;
  token.token_type.clear();
  SecretText value;
  std::string told_key;
  Duration sent{0};
  const bool whole = members.whole() && members.string("key", told_key) && told_key == key &&
                     members.string("access_token", value) &&
                     members.string("token_type", token.token_type) &&
                     members.number("issued_ns", token.issued) &&
                     members.number("expires_in_ns", token.expires_in) &&
                     members.string("boot_id", token.boot_id) &&
                     members.string("time_namespace", token.time_namespace) &&
                     members.number("sent_ns", sent) && read_learned(members, token);
  if (!whole) return std::nullopt;
  token.access_token = std::move(value).secret();
  token.sent = Instant{sent};
  if (!can_be_kept(token)) return std::nullopt;
  return token;
}

}  // namespace skewguard::store
