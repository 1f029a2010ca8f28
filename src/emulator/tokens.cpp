#include "emulator/tokens.hpp"

#include <algorithm>

#include "emulator/encoding.hpp"

namespace skewguard::emulator {

std::string_view to_string(Standing standing) noexcept {
  switch (standing) {
    case Standing::good:
      return "ok";
    case Standing::unknown:
      return "unknown_token";
    case Standing::revoked:
      return "revoked";
    case Standing::evicted:
      return "evicted";
    case Standing::replaced:
      return "replaced";
    case Standing::idle:
      return "idle";
    case Standing::client_disabled:
      return "client_disabled";
    case Standing::expired:
      return "expired";
    case Standing::not_yet_valid:
      return "not_yet_valid";
    case Standing::not_spread:
      return "not_spread";
  }
  return "unknown_token";
}

Standing standing(const TokenRecord& token, std::chrono::seconds date,
                  const Checks& checks) noexcept {
  if (token.revoked) return token.death;
  if (date >= token.ends) return Standing::expired;
  if (checks.nbf && date < token.nbf) return Standing::not_yet_valid;
  if (checks.iat && date < token.iat) return Standing::not_yet_valid;
  return Standing::good;
}

TokenRecord& TokenTable::add(const Secret& value, TokenRecord record) {
  if (entries_.size() >= kMaxTokens) {
    forget_key(entries_.front());
    entries_.pop_front();
  }
  record.n = ++issued_;
  auto& entry = entries_.emplace_back(Entry{sha256(value.reveal()), std::move(record)});
  by_key_[entry.key] = &entry.record;
  return entry.record;
}

TokenRecord* TokenTable::find(std::string_view value) {
  const auto found = by_key_.find(sha256(value));
  return found == by_key_.end() ? nullptr : found->second;
}

TokenRecord* TokenTable::by_number(std::uint64_t n) {
  if (entries_.empty() || n < entries_.front().record.n || n > issued_) return nullptr;
  return &entries_[n - entries_.front().record.n].record;
}

std::size_t TokenTable::revoke_all() {
  std::size_t revoked = 0;
  for (auto& entry : entries_) {
    revoked += entry.record.revoked ? 0 : 1;
    entry.record.revoked = true;
  }
  return revoked;
}

bool TokenTable::rename(std::uint64_t n, std::string_view value) {
  if (by_number(n) == nullptr) return false;
  auto& entry = entries_[n - entries_.front().record.n];
  forget_key(entry);
  entry.key = sha256(value);
  by_key_[entry.key] = &entry.record;
  return true;
}

/// Two tokens may have been given one value: it then names the newer.
void TokenTable::forget_key(const Entry& entry) {
  const auto found = by_key_.find(entry.key);
  if (found != by_key_.end() && found->second == &entry.record) by_key_.erase(found);
}

void TokenTable::evict(std::string_view client, std::size_t max, HostTime date) {
  const auto lives = [&](const Entry& entry) {
    return entry.record.client == client && !entry.record.revoked && entry.record.ends > date;
  };
  auto live = static_cast<std::size_t>(std::count_if(entries_.begin(), entries_.end(), lives));
  for (auto entry = entries_.begin(); live > max && entry != entries_.end(); ++entry) {
    if (!lives(*entry)) continue;
    entry->record.revoked = true;
    entry->record.death = Standing::evicted;
    --live;
  }
}

std::size_t TokenTable::revoke_client(std::string_view client, Standing why) {
  std::size_t revoked = 0;
  for (auto& entry : entries_) {
    if (entry.record.client != client || entry.record.revoked) continue;
    ++revoked;
    entry.record.revoked = true;
    entry.record.death = why;
  }
  return revoked;
}

std::vector<const TokenRecord*> TokenTable::newest(std::size_t max) const {
  const auto skip = entries_.size() > max ? entries_.size() - max : 0;
  std::vector<const TokenRecord*> out;
  for (std::size_t i = skip; i < entries_.size(); ++i) out.push_back(&entries_[i].record);
  return out;
}

}  // namespace skewguard::emulator
