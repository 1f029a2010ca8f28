#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "emulator/message.hpp"

namespace skewguard::emulator {

/// An answered request, without credentials.
struct RequestRecord {
  std::uint64_t n = 0;  ///< over both hosts, from 1
  Host host = Host::login;
  std::string method;
  std::string path;  ///< cut at 200 characters; without the query
  int status = 0;
  std::string outcome;
  std::vector<std::string> faults{};     ///< words for what befell the answer
  std::optional<std::uint64_t> token{};  ///< the number of the token sent or issued
  std::optional<std::size_t> backend{};  ///< of the API host
  std::chrono::seconds date{};           ///< by the host's clock: the answer's Date without a fault
  Duration at{};                         ///< true time since the emulator's start
  std::string correlation{};             ///< the answer's ININ-Correlation-Id
  /// For an API request's token: whether it had expired, although it was younger than its lifetime
  /// in true time. Only a difference between the hosts' clocks can cause that.
  bool ended_early = false;
  std::uint64_t body_length = 0;
  std::string body_sha256;  ///< hex; of an API request's body, empty if it had none
};

constexpr std::string_view kTokenPath = "/oauth/token";

/// Which requests to the API host took effect, and how often: those with an Idempotency-Key whose
/// method is not safe (RFC 9110 section 9.2.1) and which the host itself answered with 2xx, whether
/// or not that answer arrived.
class Effects {
 public:
  static constexpr std::size_t kMaxKeys = 100'000;
  static constexpr std::size_t kMaxKey = 200;  ///< characters; a longer key counts as not kept

  void note(std::string_view key);
  [[nodiscard]] const std::map<std::string, std::uint64_t, std::less<>>& by_key() const noexcept {
    return by_key_;
  }
  [[nodiscard]] std::uint64_t total() const noexcept { return total_; }
  [[nodiscard]] std::uint64_t not_kept() const noexcept { return not_kept_; }  ///< of `total`

 private:
  std::map<std::string, std::uint64_t, std::less<>> by_key_;
  std::uint64_t total_ = 0;
  std::uint64_t not_kept_ = 0;
};

/// Counts the requests to both hosts, except control requests.
struct Stats {
  static constexpr std::size_t kRecent = 200;

  std::uint64_t token_requests = 0;  ///< POSTs to /oauth/token; the login host's others: `other`
  std::uint64_t other = 0;
  std::uint64_t unreadable = 0;  ///< malformed or too large, either host; counted nowhere else
  std::map<std::string, std::uint64_t> token_requests_by_outcome;
  std::uint64_t api_requests = 0;
  std::map<int, std::uint64_t> api_requests_by_status;
  std::map<std::string, std::uint64_t> api_requests_by_outcome;
  std::map<std::size_t, std::uint64_t> api_requests_by_backend;
  std::map<std::string, std::uint64_t> login_faults;  ///< by word; one answer may have several
  std::map<std::string, std::uint64_t> api_faults;
  std::map<std::string, std::uint64_t> requests_cut;  ///< by wire fault; counted nowhere else
  Effects effects;
  std::deque<RequestRecord> recent;  ///< the last kRecent, oldest first
  std::deque<RequestRecord> failed;  ///< likewise of those that were not 2xx or met a fault

  void count(RequestRecord record);
};

}  // namespace skewguard::emulator
