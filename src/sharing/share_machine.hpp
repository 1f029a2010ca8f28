#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "sharing/record.hpp"
#include "skewguard/time.hpp"

namespace skewguard::sharing {

/// What the issuer's clock reads now, since 1970: it surely lies between these two.
struct IssuerReading {
  Duration earliest{0};
  Duration latest{0};
  Duration age{0};  ///< how long ago the issuer's newest answer was received
};

/// All that a step may know of time.
struct View {
  Instant now{};                          ///< boot clock
  std::optional<IssuerReading> issuer{};  ///< absent = no usable Date so far
};

/// What the register held, and under which version: a swap names the version that it replaces.
struct Value {
  std::string version;
  Record record;  ///< of a text that cannot be read: an empty one
};

/// What was found out about a token and the API host that judges it.
struct Facts {
  std::string api;             ///< the origin of that host
  std::uint64_t accepted = 0;  ///< the id of a token that it accepted; 0 = none
  std::optional<Duration> lag{};
  std::optional<Duration> lead{};
};

using NeedId = std::uint64_t;
using OperationId = std::uint64_t;

namespace event {
/// This process needs a token, its own or another process's. One need at a time.
struct Need {
  NeedId need = 0;
  Duration min_life{0};              ///< must be left
  bool anew = false;                 ///< another process's token will not do
  bool pays = false;                 ///< out of the bucket of evidence rule 8
  std::vector<std::uint64_t> had{};  ///< ids of tokens that will not do
};
/// Nobody needs a token any more. A request that was sent goes on.
struct Cancel {
  NeedId need = 0;
};
/// What came of action::Ask.
struct Answered {
  NeedId need = 0;
  std::optional<SharedToken> token{};  ///< absent: none
  /// Why, if others would fare alike; else its verdict is `ok`. `failures` is counted here.
  Trouble trouble{};
};
/// What came of action::Read, and of action::Swap: the content of the register now.
struct Stored {
  OperationId operation = 0;
  bool swapped = false;
  std::optional<Value> value{};
};
/// The register did not do it; a swap may have happened nevertheless.
struct StoreFailed {
  OperationId operation = 0;
};
/// What came of action::Look: the view holds a new reading, unless the issuer did not answer.
struct Looked {};
struct Tick {};
struct Learned {
  Facts facts;
};
/// The API refuses this token. `instead`: an older one that it accepts.
struct Refused {
  std::uint64_t token = 0;
  std::optional<SharedToken> instead{};
};
}  // namespace event

using ShareEvent =
    std::variant<event::Need, event::Cancel, event::Answered, event::Stored, event::StoreFailed,
                 event::Looked, event::Tick, event::Learned, event::Refused>;

namespace action {
struct Read {
  OperationId operation = 0;
};
/// Replace the value with this version (absent: nothing is there) by `record`.
struct Swap {
  OperationId operation = 0;
  std::optional<std::string> version;
  Record record;
};
/// Send a token request; answer with Answered.
struct Ask {
  NeedId need = 0;
};
/// Ends a need: another process's token will do. `age`: at most, now.
struct Found {
  NeedId need = 0;
  Record record;
  Duration age{0};
};
/// Ends a need: the processes together have spent what evidence rule 8 allows until about then.
struct TooSoon {
  NeedId need = 0;
  Instant until{};
};
/// One answer of the issuer, asked for without credentials, shows what its clock reads.
struct Look {};
/// Other processes' facts: they came with the last value that was read.
struct Tell {
  Facts facts;
};
/// Step me with Tick at about this time. Replaces the last one.
struct WakeAt {
  Instant at{};
};
/// The register has the token that this process brought.
struct Kept {};
/// The holder's beat stands still (it is frozen, or was killed): its claim is taken over.
struct TookOver {
  Duration after{0};
};
}  // namespace action

using ShareAction =
    std::variant<action::Read, action::Swap, action::Ask, action::Found, action::TooSoon,
                 action::Look, action::Tell, action::WakeAt, action::Kept, action::TookOver>;
using ShareActions = std::vector<ShareAction>;

struct ShareOptions {
  std::string boot_id;         ///< of this machine; empty = unknown
  std::string time_namespace;  ///< of this process; empty = unknown
  std::string api;             ///< the origin of this client's API host
  std::uint64_t seed = 1;      ///< for ids; must differ between processes
  Duration beat_every = std::chrono::milliseconds{500};
  /// A beat that stood still for so long is a dead holder's.
  Duration dead_after = std::chrono::seconds{2};
  Duration poll_every = std::chrono::milliseconds{100};
  /// An observer that looked less often than this may have been frozen itself: it starts anew.
  /// More than a poll of a register that is just fast enough takes.
  Duration longest_gap = std::chrono::milliseconds{1500};
  /// Before a token request, an older reading of the issuer's clock is renewed.
  Duration stale_reading = std::chrono::minutes{5};
  /// A register that has not answered for so long does not work.
  Duration operation_timeout = std::chrono::seconds{1};
};

/// Shares one token between processes and machines through one register with compare-and-swap
/// (docs/adr/0011-sharing.md): one of them asks, the others take what it got. Depends on no clock
/// but the process's own boot clock and the issuer's. Pure: step() is a function of its arguments
/// and of the steps before. Not thread-safe.
class ShareMachine {
 public:
  explicit ShareMachine(ShareOptions options);
  [[nodiscard]] ShareActions step(const ShareEvent& event, const View& view);

 private:
  /// A request that this process sends.
  struct Asking {
    NeedId need = 0;
    std::optional<Claim> claim;  ///< absent: without the register, which does not work
    std::uint64_t epoch = 0;
    Instant next_beat{};
    std::optional<event::Answered> answer{};  ///< to be written
  };
  /// What is to be written besides: kept until a swap has carried it.
  struct Pending {
    std::optional<Facts> facts;
    std::optional<event::Refused> refused;
    std::uint64_t changes = 0;  ///< so many facts and refusals have come
    [[nodiscard]] bool any() const { return facts || refused; }
  };
  struct Operation {
    OperationId id = 0;
    Instant deadline{};
    std::optional<Record> writes{};  ///< a swap
    bool claims = false;
    bool beats = false;
    std::uint64_t carries = 0;  ///< Pending::changes up to here; 0 = nothing pending
    bool ends_request = false;
    Duration still{0};  ///< the claim that it replaces had no beat for so long
  };
  /// Tells a failure from those before and after it, also those after a token.
  struct TroubleId {
    std::uint64_t epoch = 0;
    std::uint64_t generation = 0;
    std::uint32_t failures = 0;
    Duration not_before{0};
    friend bool operator==(const TroubleId&, const TroubleId&) = default;
  };
  struct Awaited {
    TroubleId trouble;
    Instant since{};
  };
  /// A claim, as seen for how long.
  struct Watched {
    Claim claim;
    Instant since{};
    Instant last{};
  };

  void take(const event::Need& need);
  void take(const event::Cancel& cancel);
  void take(const event::Answered& answered);
  void take(const event::Stored& stored);
  void take(const event::StoreFailed& failed);
  void take(const event::Looked&);
  void take(const event::Tick&);
  void take(const event::Learned& learned);
  void take(const event::Refused& refused);

  void decide();
  void seek();
  [[nodiscard]] Duration stillness(const Claim& claim) const;
  bool wait_for_trouble(const Trouble& trouble);
  void claim_and_ask();
  bool pay(Record& record);
  void write_answer();
  void ask_alone(const Operation& failed);
  void ask(const std::optional<Record>& claimed);
  void won(const Operation& done);
  void restore_lost();
  void watch(const Record& record);
  void note_trouble(const Record& record);

  void read();
  void swap(Record record, Operation operation);
  void forget_pending();
  [[nodiscard]] Record base() const;
  [[nodiscard]] Record with_pending(Record record) const;
  [[nodiscard]] std::optional<Duration> age_of(const SharedToken& token) const;
  [[nodiscard]] bool of_this_boot(const SharedToken& token) const;
  [[nodiscard]] bool could_do(const Record& record) const;
  [[nodiscard]] bool will_do(const Record& record) const;
  [[nodiscard]] bool needs_look(const Record& record) const;
  [[nodiscard]] bool lives(const Record& record) const;
  [[nodiscard]] std::uint64_t random();
  void wake_at(Instant when);

  ShareOptions options_;
  std::uint64_t random_state_;
  View view_;             // of the step that is under way
  ShareActions actions_;  // likewise

  std::optional<event::Need> need_;
  std::optional<Asking> asking_;
  Pending pending_;
  std::optional<Operation> operation_;
  OperationId last_operation_ = 0;
  std::optional<Value> seen_;  ///< the register's content as last heard
  bool known_ = false;         ///< seen_ says something, be it that nothing is there
  bool fresh_ = false;         ///< heard for this need, or since the last poll
  bool looked_ = false;        ///< for this need
  bool looking_ = false;
  // Both outlive a need: callers who give up soon would else wait for ever, each from the start.
  std::optional<Watched> watched_;
  Awaited awaited_;             ///< the trouble in the register
  std::optional<Record> live_;  ///< the newest record with a token that this process has used
  std::optional<Instant> wake_;
};

}  // namespace skewguard::sharing
