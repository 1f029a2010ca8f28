#include "store/record_text.hpp"

#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "base/secret_text.hpp"
#include "oauth/lifetime.hpp"
#include "store/digest.hpp"
#include "store/sealed_text.hpp"

namespace skewguard::store {
namespace {

using sharing::Claim;
using sharing::Record;
using sharing::SharedToken;
using sharing::Trouble;

constexpr std::string_view kRecordSchema = "skewguard.token/2";
constexpr std::string_view kEarlierSchema = "skewguard.token/1";
// Counters that go up by one do not come near it.
constexpr std::uint64_t kMaxCount = std::uint64_t{1} << 62U;

bool can_be_kept(const SharedToken& token) {
  return !token.value.empty() && visible_ascii(token.value.reveal()) && !token.token_type.empty() &&
         is_name(token.token_type) && in_range(token.issued_from) && in_range(token.date) &&
         token.life > Duration{0} && token.life <= oauth::kLongestLife && is_name(token.boot_id) &&
         is_name(token.time_namespace) && in_range(token.sent.time_since_epoch());
}

bool can_be_kept(const Claim& claim) {
  return claim.fence <= kMaxCount && claim.beat <= kMaxCount;
}

bool can_be_kept(const Record& record) {
  return record.generation <= kMaxCount && record.refused <= kMaxCount &&
         record.unstored <= kMaxCount && record.rejected <= kMaxCount &&
         (!record.token || can_be_kept(*record.token)) &&
         (!record.claim || can_be_kept(*record.claim)) && in_range(record.trouble.pause) &&
         in_range(record.trouble.not_before) && in_range(record.bucket_full_at) &&
         is_origin(record.api) && in_range(record.lag) && in_range(record.lead);
}

void write(SealedWriter& text, const SharedToken& token) {
  text.id("token_id", token.id);
  text.string("access_token", token.value.reveal());
  text.string("token_type", token.token_type);
  text.duration("issued_from_ns", token.issued_from);
  text.duration("date_ns", token.date);
  text.duration("expires_in_ns", token.life);
  text.string("boot_id", token.boot_id);
  text.string("time_namespace", token.time_namespace);
  text.duration("sent_ns", token.sent.time_since_epoch());
  text.flag("accepted", token.accepted);
}

void write(SealedWriter& text, const Claim& claim) {
  text.id("claim_id", claim.id);
  text.number("claim_fence", claim.fence);
  text.number("claim_beat", claim.beat);
}

void write(SealedWriter& text, const Trouble& trouble) {
  text.number("failures", trouble.failures);
  text.duration("pause_ns", trouble.pause);
  text.duration("not_before_ns", trouble.not_before);
  text.string("verdict", to_string(trouble.verdict));
}

/// The members of a token that both schemas have in common.
bool read_common(const SealedReader& text, SharedToken& token) {
  SecretText value;
  Duration sent{0};
  const bool whole =
      text.string("access_token", value) && text.string("token_type", token.token_type) &&
      text.duration("expires_in_ns", token.life) && text.string("boot_id", token.boot_id) &&
      text.string("time_namespace", token.time_namespace) && text.duration("sent_ns", sent);
  token.value = std::move(value).secret();
  token.sent = Instant{sent};
  return whole;
}

bool read(const SealedReader& text, std::optional<SharedToken>& token) {
  if (!text.has("access_token")) return true;
  token.emplace();
  return read_common(text, *token) && text.id("token_id", token->id) &&
         text.duration("issued_from_ns", token->issued_from) &&
         text.duration("date_ns", token->date) && text.flag("accepted", token->accepted);
}

bool read(const SealedReader& text, std::optional<Claim>& claim) {
  if (!text.has("claim_id")) return true;
  claim.emplace();
  return text.id("claim_id", claim->id) && text.number("claim_fence", claim->fence) &&
         text.number("claim_beat", claim->beat);
}

Verdict verdict_named(std::string_view name) {
  for (int i = 0; i < static_cast<int>(Verdict::unknown); ++i) {
    const auto verdict = static_cast<Verdict>(i);
    if (to_string(verdict) == name) return verdict;
  }
  return Verdict::unknown;  // a later version's, too
}

bool read(const SealedReader& text, Trouble& trouble) {
  std::uint64_t failures = 0;
  std::string verdict;
  const bool whole =
      text.number("failures", failures) && text.duration("pause_ns", trouble.pause) &&
      text.duration("not_before_ns", trouble.not_before) && text.string("verdict", verdict);
  if (!whole || failures > std::numeric_limits<std::uint32_t>::max()) return false;
  trouble.failures = static_cast<std::uint32_t>(failures);
  trouble.verdict = verdict_named(verdict);
  return true;
}

std::optional<Record> read_current(const SealedReader& text) {
  Record record;
  const bool whole =
      text.id("epoch", record.epoch) && text.number("generation", record.generation) &&
      text.number("refused", record.refused) &&
      (!text.has("unstored") || text.number("unstored", record.unstored)) &&
      (!text.has("rejected") || (text.number("rejected", record.rejected) &&
                                 text.id("rejected_credentials", record.rejected_credentials))) &&
      read(text, record.token) && read(text, record.claim) && read(text, record.trouble) &&
      text.duration("bucket_full_at_ns", record.bucket_full_at) && text.string("api", record.api) &&
      text.duration("lag_ns", record.lag) && text.duration("lead_ns", record.lead);
  if (!whole) return std::nullopt;
  return record;
}

/// The ids are derived from the text, so that every reader gets the same record.
std::optional<Record> read_earlier(const SealedReader& text, std::string_view key) {
  // Those versions wrote only the Date of the answer; their requests took at most this long.
  constexpr Duration kLongestRequest = std::chrono::seconds{14};
  Record record;
  record.epoch = id_of_text(key);
  record.generation = 1;
  SharedToken& token = record.token.emplace();
  Duration issued{0};
  if (!read_common(text, token) || !text.duration("issued_ns", issued)) return std::nullopt;
  if (!in_range(issued)) return std::nullopt;
  token.date = issued;
  token.id = id_of_text(token.value.reveal());
  token.issued_from = issued > kLongestRequest ? issued - kLongestRequest : Duration{0};
  if (!text.has("api")) return record;  // older still
  const bool whole = text.string("api", record.api) && text.flag("accepted", token.accepted) &&
                     text.duration("lag_ns", record.lag) && text.duration("lead_ns", record.lead);
  if (!whole) return std::nullopt;
  return record;
}

std::optional<Record> read(const SealedReader& text, std::string_view key) {
  std::string schema;
  std::string text_key;
  if (!text.string("schema", schema) || !text.string("key", text_key) || text_key != key)
    return std::nullopt;
  if (schema == kRecordSchema) return read_current(text);
  if (schema == kEarlierSchema) return read_earlier(text, key);
  return std::nullopt;
}

}  // namespace

std::optional<Secret> to_text(std::string_view key, const Record& record) {
  if (!can_be_kept(record)) return std::nullopt;
  SealedWriter text(kRecordSchema, key, record.token ? record.token->value.size() : 0);
  text.id("epoch", record.epoch);
  text.number("generation", record.generation);
  text.number("refused", record.refused);
  if (record.unstored != 0) text.number("unstored", record.unstored);
  if (record.rejected != 0) {
    text.number("rejected", record.rejected);
    text.id("rejected_credentials", record.rejected_credentials);
  }
  if (record.token) write(text, *record.token);
  if (record.claim) write(text, *record.claim);
  write(text, record.trouble);
  text.duration("bucket_full_at_ns", record.bucket_full_at);
  text.string("api", record.api);
  text.duration("lag_ns", record.lag);
  text.duration("lead_ns", record.lead);
  return std::move(text).seal();
}

std::optional<Record> record_of(std::string_view key, std::string_view text) {
  const auto members = SealedReader::open(text);
  if (!members) return std::nullopt;
  auto record = read(*members, key);
  if (!record || !can_be_kept(*record)) return std::nullopt;
  return record;
}

}  // namespace skewguard::store
