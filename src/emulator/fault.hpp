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

/// What can go wrong with an answer, as data. Pure: session.cpp carries out a Delivery.
namespace skewguard::emulator {

/// The value of a Retry-After field.
struct RetryAfter {
  std::string text;                   ///< as on the wire; empty = no such field
  std::optional<Duration> date_in{};  ///< else an HTTP date: the host's own clock plus so much
};

enum class BodyFault { json, html, empty, truncated };

/// What an answer's Date says instead of the host's clock. Tokens are judged by the actual clock.
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

/// Where and when an answer gets its Date.
struct StampAt {
  std::chrono::seconds date;  ///< the host's clock, whole seconds
  HostTime reading;           ///< the same, not rounded
  HostTime reading_at_start;  ///< about what it said when the emulator started
  Duration age;               ///< true time since then
  std::size_t backend = 0;    ///< 0 for the login host
  std::string_view path;
};

/// What a fault does to an answer: fields that are not set change nothing.
struct Effect {
  // Replaces the host's own answer; the host does not see the request, so no token is issued or
  // judged.
  std::optional<int> status{};
  /// It is sent once so many bytes of the request's body have come; the rest is not read.
  std::optional<std::uint64_t> early{};
  std::optional<std::string> code{};      ///< of the error body; default: what fits the status
  std::optional<std::string> message{};   ///< likewise
  std::optional<std::string> location{};  ///< a redirect to there
  std::optional<std::size_t> size{};      ///< of a JSON body, bytes
  // Changes to the answer, wherever it came from.
  std::optional<BodyFault> body{};
  std::optional<std::string> content_type{};
  std::map<std::string, std::string> headers;  ///< in place of those of the same name
  std::optional<RetryAfter> retry_after{};
  std::optional<std::string> access_token{};  ///< an issued token's value; the host knows it by it
  std::optional<std::string> expires_in{};    ///< JSON text; empty = left out
  std::optional<DateFault> date{};
  std::optional<Delivery> delivery{};

  [[nodiscard]] bool replaces() const noexcept { return status || location || size; }
  /// Merges `other` into this one; its fields take precedence.
  void add(const Effect& other);
  /// One word for each aspect that is set, for the counters.
  [[nodiscard]] std::vector<std::string> words() const;
};

/// An active fault: the answers it applies to, and what it does to them. With `request_byte`
/// instead the requests, which the API host then neither sees nor answers.
struct Fault {
  Host host = Host::login;
  std::optional<std::string> path{};     ///< of the request; absent = all
  std::optional<std::size_t> backend{};  ///< of the API host; absent = all
  std::optional<std::uint64_t> left{};   ///< so many answers more; absent = until cleared
  /// `effect.delivery` ends the connection once so many bytes of a request, head included, have
  /// come to the API host, whatever `path` and `backend`.
  std::optional<std::uint64_t> request_byte{};
  Effect effect;
};

/// The active faults, in the order in which they were requested.
class FaultTable {
 public:
  static constexpr std::size_t kMaxFaults = 100;

  /// False if there are kMaxFaults already.
  bool add(Fault fault);
  /// Removes the faults of one host, or of both; returns how many.
  std::size_t clear(std::optional<Host> host);
  /// The combined effect of all faults that apply to this answer; a later one overrides an earlier
  /// one. Counts them down.
  Effect take(Host host, std::string_view path, std::size_t backend);
  /// After how many bytes of its body a request for this path is answered, if early.
  [[nodiscard]] std::optional<std::uint64_t> early(Host host, std::string_view path) const;
  /// How the connection ends now that `bytes` of a request to the API host have come, if it does.
  /// Counts that fault down.
  std::optional<Delivery::Kind> take_cut(std::uint64_t bytes);
  [[nodiscard]] const std::vector<Fault>& all() const noexcept { return faults_; }

 private:
  void drop_spent();

  std::vector<Fault> faults_;
};

std::string_view to_string(DateFault::Kind kind) noexcept;
std::string_view to_string(BodyFault body) noexcept;

/// Removes every field of that name and, if there is a value, adds one.
void set_field(Headers& headers, std::string_view name, std::optional<std::string> value);
void set_retry_after(Headers& headers, const RetryAfter& how, HostTime reading);
/// Applies body, type, fields and delivery; not the Date or the token.
void spoil(Reply& reply, const Effect& effect, HostTime reading);
/// Adds the Date, as changed by the fault.
void stamp(Reply& reply, const std::optional<DateFault>& fault, const StampAt& at);

}  // namespace skewguard::emulator
