#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "clocks/answer.hpp"
#include "clocks/clock_view.hpp"
#include "diagnosis/evidence.hpp"
#include "guard/call_machine.hpp"
#include "guard/call_record.hpp"

namespace skewguard::guard {

/// The token that a call uses, and what was known about it when it was delivered.
struct TokenInUse {
  oauth::TokenPtr token;
  bool accepted = false;  ///< the API has accepted it, before this call or in it
  unsigned early_ends_before = 0;
  bool begins_ignored = false;
  Instant older_until = Instant::min();
};

/// What the API did with the tokens of one call: all that a diagnosis rests on. Not thread-safe.
class CallTrials {
 public:
  explicit CallTrials(Hosts hosts) : hosts_(hosts) {}

  void begin(Instant now) noexcept { started_ = now; }
  /// An answer that judged the token. `refusal`: null if it was accepted. `attempt`: its index in
  /// the report.
  void note(const clocks::Answer& answer, const TokenInUse& token, const oauth::Refusal* refusal,
            std::size_t attempt, const clocks::ClockView& view);
  /// A look at the API's Date without a token (evidence rule 5); null if it got no answer.
  void note_look(const clocks::Answer* answer, Instant now);
  /// There is no new token. `next_request`: when there may be one, if evidence rule 8 is the
  /// reason.
  void note_no_token(Verdict why, std::optional<Instant> next_request) noexcept {
    no_token_ = why;
    next_request_ = next_request;
  }

  [[nodiscard]] const std::vector<diagnosis::Trial>& all() const noexcept { return trials_; }
  /// The last answer that judged a token refused it.
  [[nodiscard]] bool refused() const noexcept { return !trials_.empty() && trials_.back().refused; }
  /// The same, and it was a token other than this one.
  [[nodiscard]] bool refused_other_than(std::uint64_t generation) const noexcept {
    return refused() && last().token.generation != generation;
  }
  // These three need a trial.
  [[nodiscard]] const diagnosis::Trial& last() const { return trials_.back(); }
  [[nodiscard]] std::size_t last_attempt() const { return attempts_.back(); }
  [[nodiscard]] std::size_t attempt_of(std::size_t trial) const { return attempts_.at(trial); }
  /// The newest generation that was refused; 0 = none.
  [[nodiscard]] std::uint64_t newest_refused() const noexcept;

  /// What follows the last one, and why no more than that.
  void follow_with(Action action) { trials_.back().followed = action; }
  void hinder(diagnosis::Hindrance why) { trials_.back().hindrance = why; }
  /// The call has waited after that attempt.
  void add_wait(std::size_t attempt, Duration waited);

  /// All that is known now.
  [[nodiscard]] diagnosis::Evidence evidence(const TokenInUse& token, const CallOptions& options,
                                             const clocks::ClockView& view) const;

 private:
  Hosts hosts_;
  Instant started_{};
  std::vector<diagnosis::Trial> trials_;
  std::vector<std::size_t> attempts_;  ///< of each trial
  std::vector<diagnosis::Look> looks_;
  std::optional<Verdict> no_token_;
  std::optional<Instant> next_request_;
};

}  // namespace skewguard::guard
