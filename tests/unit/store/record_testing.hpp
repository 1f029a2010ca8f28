#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sharing/record.hpp"
#include "skewguard/token_store.hpp"
#include "store/file_store.hpp"
#include "store/record_text.hpp"
#include "store_testing.hpp"

namespace skewguard::store {

/// With a token of that value.
inline sharing::Record record_named(std::string_view name) {
  using std::chrono::seconds;
  sharing::Record record;
  record.epoch = 7;
  record.generation = 1;
  record.token =
      sharing::SharedToken{.id = 42,
                           .value = Secret(name),
                           .issued_from = seconds{1'767'225'600},  // 2026-01-01T00:00:00Z
                           .life = seconds{86'400},
                           .boot_id = "0f5a1c9e-2f43-4c0a-9f3c-4c1a5d0e7b11",
                           .time_namespace = "time:[4026531834]",
                           .sent = Instant{seconds{1234} + std::chrono::nanoseconds{567'890'123}}};
  return record;
}

/// Names the first field that differs; empty where none does.
inline std::string same_fields(const sharing::Record& a, const sharing::Record& b) {
  if (a.epoch != b.epoch) return "epoch";
  if (a.generation != b.generation) return "generation";
  if (a.refused != b.refused) return "refused";
  if (a.unstored != b.unstored) return "unstored";
  if (a.rejected != b.rejected) return "rejected";
  if (a.rejected_credentials != b.rejected_credentials) return "rejected_credentials";
  if (a.claim != b.claim) return "claim";
  if (a.trouble.failures != b.trouble.failures) return "failures";
  if (a.trouble.pause != b.trouble.pause) return "pause";
  if (a.trouble.not_before != b.trouble.not_before) return "not_before";
  if (a.trouble.verdict != b.trouble.verdict) return "verdict";
  if (a.bucket_full_at != b.bucket_full_at) return "bucket_full_at";
  if (a.api != b.api) return "api";
  if (a.lag != b.lag) return "lag";
  if (a.lead != b.lead) return "lead";
  if (a.token.has_value() != b.token.has_value()) return "token";
  if (!a.token) return "";
  if (a.token->id != b.token->id) return "token id";
  if (!(a.token->value == b.token->value)) return "token value";
  if (a.token->token_type != b.token->token_type) return "token_type";
  if (a.token->issued_from != b.token->issued_from) return "issued_from";
  if (a.token->date != b.token->date) return "date";
  if (a.token->life != b.token->life) return "life";
  if (a.token->boot_id != b.token->boot_id) return "boot_id";
  if (a.token->time_namespace != b.token->time_namespace) return "time_namespace";
  if (a.token->sent != b.token->sent) return "sent";
  return a.token->accepted == b.token->accepted ? "" : "accepted";
}

/// As earlier versions wrote it, but for the digest. `learned`: further members.
inline std::string earlier_token_text(const std::string& key, std::string_view value,
                                      std::string_view learned = "") {
  return R"({
  "schema": "skewguard.token/1",
  "key": ")" +
         key + R"(",
  "access_token": ")" +
         std::string(value) + R"(",
  "token_type": "Bearer",
  "issued_ns": 1767225600000000000,
  "expires_in_ns": 86400000000000,
  "boot_id": "0f5a1c9e-2f43-4c0a-9f3c-4c1a5d0e7b11",
  "time_namespace": "time:[4026531834]",
  "sent_ns": 1234567890123)" +
         std::string(learned) + R"(,
  "digest": "")";
}

// Registers ---------------------------------------------------------------------------------------

using Read = Result<std::optional<TokenStore::Value>>;
using Swapped = Result<TokenStore::Swapped>;

inline Swapped swap(const FileStore& store, const std::optional<std::string>& expected,
                    std::string_view text) {
  return store.swap(kKey, expected, Secret(text));
}

/// The text under kKey; "none", or "error: " and what it is.
inline std::string text_in(const FileStore& store) {
  const auto value = store.read(kKey);
  if (!value) return "error: " + describe(value.error());
  return *value ? std::string((*value)->text.reveal()) : "none";
}

/// Nothing where there is no value.
inline std::optional<std::string> version_in(const FileStore& store,
                                             const std::string& key = kKey) {
  const auto value = store.read(key);
  if (!value.ok() || !*value) return std::nullopt;
  return (*value)->version;
}

/// Replaces what is there.
inline bool replace(const FileStore& store, std::string_view text, const std::string& key = kKey) {
  const auto swapped = store.swap(key, version_in(store, key), Secret(text));
  return swapped.ok() && swapped->swapped;
}

}  // namespace skewguard::store
