#include "emulator/stats.hpp"

namespace skewguard::emulator {
namespace {

void keep(std::deque<RequestRecord>& kept, RequestRecord record) {
  if (kept.size() >= Stats::kRecent) kept.pop_front();
  kept.push_back(std::move(record));
}

}  // namespace

void Effects::note(std::string_view key) {
  ++total_;
  const auto found = by_key_.find(key);
  if (found != by_key_.end()) {
    ++found->second;
  } else if (by_key_.size() < kMaxKeys && key.size() <= kMaxKey) {
    by_key_.emplace(key, 1);
  } else {
    ++not_kept_;
  }
}

void Stats::count(RequestRecord record) {
  if (record.host == Host::login && (record.path != kTokenPath || record.method != "POST")) {
    ++other;
  } else if (record.host == Host::login) {
    ++token_requests;
    ++token_requests_by_outcome[record.outcome];
  } else {
    ++api_requests;
    ++api_requests_by_status[record.status];
    ++api_requests_by_outcome[record.outcome];
    if (record.backend) ++api_requests_by_backend[*record.backend];
  }
  for (const auto& word : record.faults)
    ++(record.host == Host::login ? login_faults : api_faults)[word];
  record.n = token_requests + api_requests + other;
  const bool good = record.status >= 200 && record.status < 300 && record.faults.empty();
  if (!good) keep(failed, record);
  keep(recent, std::move(record));
}

}  // namespace skewguard::emulator
