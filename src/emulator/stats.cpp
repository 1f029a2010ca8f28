#include "emulator/stats.hpp"

namespace skewguard::emulator {
namespace {

void keep(std::deque<RequestRecord>& kept, RequestRecord record) {
  if (kept.size() >= Stats::kRecent) kept.pop_front();
  kept.push_back(std::move(record));
}

}  // namespace

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
