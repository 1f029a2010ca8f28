#include "emulator/stats.hpp"

namespace skewguard::emulator {

void Stats::count(RequestRecord record) {
  if (record.host == Host::login && record.path != kTokenPath) {
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
  if (recent.size() >= kRecent) recent.pop_front();
  recent.push_back(std::move(record));
}

}  // namespace skewguard::emulator
