#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "emulator/limits.hpp"
#include "emulator/order.hpp"

namespace skewguard::emulator {
namespace {

constexpr Duration kMaxRule = std::chrono::hours{24 * 366};

/// One duration for every backend, or an array by backend.
std::optional<std::vector<Duration>> propagation_of(Fields& fields) {
  const auto value = fields.any("propagation");
  if (!value) return std::nullopt;
  std::vector<Duration> out;
  for (const auto& one : value->is_array() ? *value : nlohmann::json::array({*value})) {
    const auto duration = duration_from(one);
    if (!duration || *duration < Duration::zero() || *duration > kMaxRule ||
        out.size() >= CloudEmulator::kMaxBackends) {
      fields.complain("propagation", "must be a duration, or an array of them by backend");
      return std::nullopt;
    }
    out.push_back(*duration);
  }
  return out;
}

std::optional<SameToken> same_token_of(Fields& fields) {
  const auto text = fields.text("same_token");
  if (!text) return std::nullopt;
  for (const auto same : {SameToken::never, SameToken::live, SameToken::always})
    if (to_string(same) == *text) return same;
  fields.complain("same_token", "must be \"never\", \"live\" or \"always\"");
  return std::nullopt;
}

/// The rules as the order leaves them; nothing where it names none.
std::optional<TokenRules> rules_of(Fields& fields, TokenRules rules) {
  auto propagation = propagation_of(fields);
  const auto most_live = fields.count("most_live", TokenTable::kMaxTokens);
  const auto contention = fields.flag("contention");
  const auto same_token = same_token_of(fields);
  const auto idle = fields.duration("idle_timeout", Duration::zero(), kMaxRule);
  const auto rival = fields.duration("rival", Duration::zero(), kMaxRule);
  if (rival && *rival != Duration::zero() && *rival < CloudEmulator::kMinRival)
    fields.complain("rival", "must be at least 10 ms, or 0");
  if (!propagation && !most_live && !contention && !same_token && !idle && !rival)
    return std::nullopt;
  if (propagation) rules.propagation = *std::move(propagation);
  if (most_live) rules.most_live = static_cast<std::size_t>(*most_live);
  rules.contention = contention.value_or(rules.contention);
  rules.same_token = same_token.value_or(rules.same_token);
  rules.idle_timeout = idle.value_or(rules.idle_timeout);
  rules.rival = rival.value_or(rules.rival);
  return rules;
}

}  // namespace

std::string_view to_string(SameToken same) noexcept {
  switch (same) {
    case SameToken::never:
      return "never";
    case SameToken::live:
      return "live";
    case SameToken::always:
      return "always";
  }
  return "never";
}

Reply order_token(Order& order) {
  auto& fields = order.fields;
  auto& settings = order.cloud.settings();
  const auto name = fields.text("format");
  const auto format = name ? parse_token_format(*name) : Result<TokenFormat>(settings.token);
  if (!format) fields.complain("format", "must be \"opaque\" or \"jwt\"");
  const auto lifetime = fields.duration("lifetime", kMinLifetime, kMaxLifetime);
  const auto nbf_offset = fields.duration("nbf_offset", -kMaxOffset, kMaxOffset);
  const auto strict_nbf = fields.flag("strict_nbf");
  const auto strict_iat = fields.flag("strict_iat");
  auto rules = rules_of(fields, settings.token_rules);
  if (!name && !lifetime && !nbf_offset && !strict_nbf && !strict_iat && !rules)
    fields.complain("format", "or 'lifetime' or another field is needed");
  if (auto why = fields.complaint()) return order_refused(*why);
  settings.token = *format;
  settings.lifetime = lifetime.value_or(settings.lifetime);
  settings.nbf_offset = nbf_offset.value_or(settings.nbf_offset);
  settings.strict_nbf = strict_nbf.value_or(settings.strict_nbf);
  settings.strict_iat = strict_iat.value_or(settings.strict_iat);
  if (rules) order.cloud.set_token_rules(*std::move(rules), order.now);
  return order_state(order);
}

OrderedJson token_state(const Settings& settings) {
  const auto& rules = settings.token_rules;
  OrderedJson out{{"format", to_string(settings.token)},
                  {"lifetime_s", seconds_number(settings.lifetime)},
                  {"nbf_offset_s", seconds_number(settings.nbf_offset)},
                  {"strict_nbf", settings.strict_nbf},
                  {"strict_iat", settings.strict_iat},
                  {"propagation_s", OrderedJson::array()},
                  {"most_live", rules.most_live},
                  {"contention", rules.contention},
                  {"same_token", to_string(rules.same_token)},
                  {"idle_timeout_s", seconds_number(rules.idle_timeout)},
                  {"rival_s", seconds_number(rules.rival)}};
  for (const auto one : rules.propagation) out["propagation_s"].emplace_back(seconds_number(one));
  return out;
}

}  // namespace skewguard::emulator
