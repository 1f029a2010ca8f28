#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "emulator/message.hpp"
#include "emulator/skewed_clock.hpp"

/// What can go wrong with an answer, as data. Pure: session.cpp turns a Delivery into bytes.
namespace skewguard::emulator {

/// How a Retry-After is worded.
struct RetryAfter {
  std::string text;                   ///< as it stands on the wire; empty = no such field
  std::optional<Duration> date_in{};  ///< else an HTTP date: the host's own clock plus so much
};

enum class BodyFault { json, html, empty, truncated };

/// What an answer's Date says in place of the host's clock. Tokens are judged by the clock itself.
struct DateFault {
  enum class Kind {
    two,            ///< the true one, and another an hour ahead
    none,           ///< no Date
    malformed,      ///< no HTTP date
    frozen,         ///< what the clock said when the fault was ordered
    cached,         ///< of a copy that is made anew every `by`; with `Age` or without
    last_modified,  ///< the day the resource was changed, as Last-Modified says it
    text,           ///< this text
    late,           ///< what the clock said `by` ago: a date string that is renewed too seldom
  };
  Kind kind = Kind::none;
  Duration by{0};
  bool age_header = true;
  std::string text;
  Duration since{0};                       ///< when it was ordered: true time since the start
  std::vector<std::chrono::seconds> then;  ///< what the host's clocks said then, by backend
};

/// Where and when an answer is stamped.
struct StampAt {
  std::chrono::seconds date;  ///< the host's clock, whole seconds
  HostTime reading;           ///< the same, as it stands
  HostTime reading_at_start;  ///< about what it said when the emulator started
  Duration age;               ///< true time since then
  std::size_t backend = 0;    ///< 0 for the login host
  std::string_view path;
};

/// What a fault does to an answer: what is not set stays as it is.
struct Effect {
  // In place of the host's own answer; the host is not asked, so no token is made or judged.
  std::optional<int> status{};
  std::optional<std::string> code{};      ///< of the error body; default: what fits the status
  std::optional<std::string> message{};   ///< likewise
  std::optional<std::string> location{};  ///< a redirect to there
  std::optional<std::size_t> size{};      ///< of a JSON body, bytes
  // Changes to the answer, whoever gave it.
  std::optional<BodyFault> body{};
  std::optional<std::string> content_type{};
  std::map<std::string, std::string> headers;  ///< in place of those of the same name
  std::optional<RetryAfter> retry_after{};
  std::optional<std::string> access_token{};  ///< an issued token's value; the host knows it by it
  std::optional<std::string> expires_in{};    ///< JSON text; empty = left out
  std::optional<DateFault> date{};
  std::optional<Delivery> delivery{};

  [[nodiscard]] bool replaces() const noexcept { return status || location || size; }
  /// Lays `other` over it: what that sets wins.
  void add(const Effect& other);
  /// One word for each aspect that is set, for the counters.
  [[nodiscard]] std::vector<std::string> words() const;
};

/// One standing fault: the answers it is for, and what it does to them.
struct Fault {
  Host host = Host::login;
  std::optional<std::string> path{};     ///< of the request; absent = all
  std::optional<std::size_t> backend{};  ///< of the API host; absent = all
  std::optional<std::uint64_t> left{};   ///< so many answers more; absent = until cleared
  Effect effect;
};

/// The faults that stand, in the order in which they were ordered.
class FaultTable {
 public:
  static constexpr std::size_t kMaxFaults = 100;

  /// False where kMaxFaults stand.
  bool add(Fault fault);
  /// How many went; of one host, or of both.
  std::size_t clear(std::optional<Host> host);
  /// What befalls this answer: every fault for it, a later one over an earlier. Counts them down.
  Effect take(Host host, std::string_view path, std::size_t backend);
  [[nodiscard]] const std::vector<Fault>& all() const noexcept { return faults_; }

 private:
  std::vector<Fault> faults_;
};

std::string_view to_string(DateFault::Kind kind) noexcept;
std::string_view to_string(BodyFault body) noexcept;

/// Takes every field of that name away and, where there is a value, adds one.
void set_field(Headers& headers, std::string_view name, std::optional<std::string> value);
void set_retry_after(Headers& headers, const RetryAfter& how, HostTime reading);
/// Body, type, fields, and how the bytes go out; not the Date, not the token.
void spoil(Reply& reply, const Effect& effect, HostTime reading);
/// Adds what the fault makes of the Date.
void stamp(Reply& reply, const std::optional<DateFault>& fault, const StampAt& at);

}  // namespace skewguard::emulator
