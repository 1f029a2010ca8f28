#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "sharing/record.hpp"
#include "skewguard/time.hpp"

namespace skewguard::sharing {

/// The current time by the issuer's clock, since 1970: certainly between `earliest` and `latest`.
struct IssuerReading {
  Duration earliest{0};
  Duration latest{0};
  Duration age{0};  ///< how long ago the issuer's newest answer was received
};

/// Everything that a step knows about time.
struct View {
  Instant now{};                          ///< boot clock
  std::optional<IssuerReading> issuer{};  ///< absent = no usable Date so far
};

/// The content of the register and its version. A swap names the version that it replaces.
struct Value {
  std::string version;
  Record record;  ///< of a text that cannot be read: an empty one
};

/// What was learned about a token and the API host that judges it.
struct Facts {
  std::string api;             ///< the origin of that host
  std::uint64_t accepted = 0;  ///< the id of a token that it accepted; 0 = none
  std::optional<Duration> lag{};
  std::optional<Duration> lead{};
};

using NeedId = std::uint64_t;
using OperationId = std::uint64_t;

namespace event {
/// This process needs a token, requested by itself or by another process. One need at a time.
struct Need {
  NeedId need = 0;
  Duration min_life{0};               ///< must be left
  bool anew = false;                  ///< another process's token will not do
  bool pays = false;                  ///< out of the bucket of evidence rule 8
  std::vector<std::uint64_t> used{};  ///< ids of tokens already used here: they will not do
  /// Identifies the id and secrets that this process would send, in every process; 0 = unknown.
  std::uint64_t credentials = 0;
};
/// The token is no longer needed. A request already sent continues.
struct Cancel {
  NeedId need = 0;
};
/// The result of action::Ask.
struct Answered {
  NeedId need = 0;
  std::optional<SharedToken> token{};  ///< absent: none
  /// The reason, if other processes would fail in the same way; otherwise its verdict is `ok`. The
  /// machine fills in `failures`.
  Trouble trouble{};
  /// Not 0: there is no token because the login host rejects these credentials (Need::credentials).
  std::uint64_t rejected = 0;
};
/// The result of action::Read or action::Swap: the current content of the register.
struct Stored {
  OperationId operation = 0;
  bool swapped = false;
  std::optional<Value> value{};
};
/// The register reports that the operation failed; a swap may have happened nevertheless.
struct StoreFailed {
  OperationId operation = 0;
};
/// The result of action::Look: the view has a new reading, unless the issuer did not answer.
struct Looked {};
struct Tick {};
struct Learned {
  Facts facts;
};
/// The API refused this token. `instead`: an older one that it accepts.
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
/// Replace the value of this version (absent: there is none) with `record`.
struct Swap {
  OperationId operation = 0;
  std::optional<std::string> version;
  Record record;
};
/// Send a token request; answer with Answered.
struct Ask {
  NeedId need = 0;
};
/// Ends a need: another process's token can be used. `age`: its greatest possible age now.
struct Found {
  NeedId need = 0;
  Record record;
  Duration age{0};
};
/// Ends a need: together, the processes have used up what evidence rule 8 allows until about
/// `until`.
struct TooSoon {
  NeedId need = 0;
  Instant until{};
};
/// Ends a need: another process, for which this one waited, had these credentials rejected.
struct Rejected {
  NeedId need = 0;
};
/// Send the issuer a request without credentials, to read its clock.
struct Look {};
/// Facts from other processes, found in the last value that was read.
struct Tell {
  Facts facts;
};
/// Call step() with Tick at about this time. Replaces the previous one.
struct WakeAt {
  Instant at{};
};
/// The register now has this process's token.
struct Kept {};
/// The holder's beat stopped (it was frozen or killed), so this process took over its claim.
struct TookOver {
  Duration after{0};
};
}  // namespace action

using ShareAction = std::variant<action::Read, action::Swap, action::Ask, action::Found,
                                 action::TooSoon, action::Rejected, action::Look, action::Tell,
                                 action::WakeAt, action::Kept, action::TookOver>;
using ShareActions = std::vector<ShareAction>;

struct ShareOptions {
  std::string boot_id;         ///< of this machine; empty = unknown
  std::string time_namespace;  ///< of this process; empty = unknown
  std::string api;             ///< the origin of this client's API host
  std::uint64_t seed = 1;      ///< for ids; must differ between processes
  Duration beat_every = std::chrono::milliseconds{500};
  /// A holder whose beat stops for this long is considered dead.
  Duration dead_after = std::chrono::seconds{2};
  Duration poll_every = std::chrono::milliseconds{100};
  /// An observer with a longer gap between looks may have been frozen itself, so it starts counting
  /// again. Longer than a poll of the slowest usable register.
  Duration longest_gap = std::chrono::milliseconds{1500};
  /// A reading of the issuer's clock older than this is renewed before a token request.
  Duration stale_reading = std::chrono::minutes{5};
  /// A register that does not answer within this time has failed.
  Duration operation_timeout = std::chrono::seconds{1};
};

/// Shares one token between processes and machines through one register with compare-and-swap
/// (docs/adr/0011-sharing.md): one of them requests it, the others use it. Depends only on the
/// process's own boot clock and the issuer's clock. Pure: step() depends only on its arguments and
/// the previous steps. Not thread-safe.
class ShareMachine {
 public:
  explicit ShareMachine(ShareOptions options);
  [[nodiscard]] ShareActions step(const ShareEvent& event, const View& view);

 private:
  /// The request that this process is sending.
  struct Asking {
    NeedId need = 0;
    std::optional<Claim> claim;  ///< absent: without the register, which does not work
    std::uint64_t epoch = 0;
    Instant next_beat{};
    std::optional<event::Answered> answer{};  ///< to be written
    int failed_writes = 0;                    ///< of it
    bool unstorable = false;                  ///< the register does not take the token
  };
  /// What else to write: kept until a swap has written it.
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
  /// Distinguishes a failure from earlier and later ones, including those after a token.
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
  /// A claim, and how long it has been observed.
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
  void operation_failed(bool silent);
  void answer_unwritten(bool silent);
  bool written(const Record& record) const;
  bool waited_in_vain(const Record& record);
  bool waited_for_rejection(const Record& record) const;
  [[nodiscard]] Duration stillness(const Claim& claim) const;
  bool wait_for_trouble(const Trouble& trouble);
  void claim_and_ask();
  bool pay(Record& record);
  void write_answer();
  void ask_alone(const Operation& failed);
  void ask(const std::optional<Record>& claimed);
  void won(const Operation& done);
  void restore_lost();
  void heed_refusals(const Record& record);
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
  View view_;             // of the current step
  ShareActions actions_;  // likewise

  std::optional<event::Need> need_;
  std::optional<Asking> asking_;
  Pending pending_;
  std::optional<Operation> operation_;
  OperationId last_operation_ = 0;
  std::optional<Value> seen_;                 ///< the register's content as last heard
  bool known_ = false;                        ///< seen_ says something, be it that nothing is there
  bool fresh_ = false;                        ///< heard for this need, or since the last poll
  bool looked_ = false;                       ///< for this need
  std::optional<std::uint64_t> first_fence_;  ///< of the first claim that this need waited for
  bool looking_ = false;
  // Both outlive a need: callers who give up soon would else wait for ever, each from the start.
  std::optional<Watched> watched_;
  Awaited awaited_;             ///< the trouble in the register
  std::optional<Record> live_;  ///< the newest record with a token that this process has used
  std::optional<Instant> wake_;
};

}  // namespace skewguard::sharing
