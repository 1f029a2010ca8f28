#include "sharing/share_machine.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <ranges>
#include <utility>

namespace skewguard::sharing {
namespace {

using namespace std::chrono_literals;

constexpr Duration kDate = std::chrono::seconds{1'767'225'600};  // the issuer's clock at the start

/// A register as a store would offer it.
class Register {
 public:
  std::optional<Value> value;

  void put(Record record) { value = Value{std::to_string(++versions_), std::move(record)}; }
  bool swap(const action::Swap& swap) {
    const auto there = value ? std::optional(value->version) : std::nullopt;
    if (there != swap.version) return false;
    put(swap.record);
    return true;
  }
  [[nodiscard]] const Record& record() const { return value->record; }

 private:
  int versions_ = 0;
};

/// A machine on a register that answers at once; it keeps the actions that are not for the
/// register.
class Process {
 public:
  explicit Process(Register& shared, std::uint64_t seed = 1, std::string boot = "boot",
                   std::string time_namespace = "time")
      : shared_(shared), machine_(options(seed, std::move(boot), std::move(time_namespace))) {}

  View view{Instant{1h}, IssuerReading{kDate, kDate + 1s, 0s}};

  void step(const ShareEvent& event) {
    std::optional<ShareAction> operation;
    for (auto& action : machine_.step(event, view)) {
      const bool of_register = std::holds_alternative<action::Read>(action) ||
                               std::holds_alternative<action::Swap>(action);
      if (const auto* wake = std::get_if<action::WakeAt>(&action)) wakes = wake->at;
      if (of_register) {
        operation = std::move(action);
      } else {
        actions.push_back(std::move(action));
      }
    }
    if (operation) perform(*operation);
  }
  void pass(Duration time) {
    view.now += time;
    if (view.issuer) {
      view.issuer->earliest += time;
      view.issuer->latest += time;
      view.issuer->age += time;
    }
  }
  /// Time passes, with the ticks that the machine asks for.
  void wait(Duration time) {
    const Instant end = view.now + time;
    while (wakes <= end && view.now < end) {
      pass(std::max(wakes - view.now, Duration{1ms}));
      wakes = Instant::max();
      step(event::Tick{});
    }
    pass(std::max(end - view.now, Duration{0}));
  }
  template <typename Action>
  [[nodiscard]] std::optional<Action> last() const {
    for (const ShareAction& action : std::views::reverse(actions))
      if (const auto* found = std::get_if<Action>(&action)) return *found;
    return std::nullopt;
  }
  template <typename Action>
  [[nodiscard]] long count() const {
    return std::count_if(actions.begin(), actions.end(), [](const ShareAction& action) {
      return std::holds_alternative<Action>(action);
    });
  }
  [[nodiscard]] bool asks() const { return count<action::Ask>() > 0; }

  ShareActions actions;
  Instant wakes = Instant::max();
  int operations = 0;
  bool deaf = false;             ///< the register does not answer
  bool broken = false;           ///< every operation fails at once
  bool full = false;             ///< it can be read but not written
  int failures = 0;              ///< so many operations fail
  bool mute = false;             ///< operations are done, but not answered
  std::uint64_t not_stored = 0;  ///< it rejects records with this token
  Duration delay{0};             ///< a read takes so long
  std::function<void()> before_swap;

 private:
  void perform(const ShareAction& operation) {
    ++operations;
    const auto* swap = std::get_if<action::Swap>(&operation);
    if (swap != nullptr && before_swap) std::exchange(before_swap, nullptr)();
    if (deaf) return;
    if (swap == nullptr) pass(delay);
    if (fails(swap)) return step(event::StoreFailed{id_of(operation)});
    const bool swapped = swap != nullptr && shared_.swap(*swap);
    if (!mute) step(event::Stored{id_of(operation), swapped, shared_.value});
  }
  bool fails(const action::Swap* swap) {
    if (failures > 0) return failures-- > 0;
    if (broken || swap == nullptr) return broken;
    return full || (swap->record.token && swap->record.token->id == not_stored);
  }
  static OperationId id_of(const ShareAction& operation) {
    const auto* swap = std::get_if<action::Swap>(&operation);
    return swap != nullptr ? swap->operation : std::get<action::Read>(operation).operation;
  }
  static ShareOptions options(std::uint64_t seed, std::string boot, std::string time_namespace) {
    ShareOptions options;
    options.seed = seed;
    options.boot_id = std::move(boot);
    options.time_namespace = std::move(time_namespace);
    options.api = "https://api.example";
    return options;
  }

  Register& shared_;
  ShareMachine machine_;
};

SharedToken token(std::uint64_t id, Duration life = 300s) {
  SharedToken token;
  token.id = id;
  token.value = Secret("token" + std::to_string(id));
  token.issued_from = kDate;
  token.life = life;
  token.boot_id = "boot";
  token.time_namespace = "time";
  token.sent = Instant{1h};
  return token;
}

Record record_with(SharedToken token, std::uint64_t generation = 1) {
  Record record;
  record.epoch = 7;
  record.generation = generation;
  record.token = std::move(token);
  record.api = "https://api.example";
  return record;
}

event::Answered brings(NeedId need, std::uint64_t id) {
  return {.need = need, .token = token(id)};
}

event::Answered fails(NeedId need, Duration pause, Duration not_before) {
  return {.need = need, .trouble = {0, pause, not_before, Verdict::auth_backend_unavailable}};
}

class Share : public testing::Test {
 protected:
  /// The register loses its newest state, and another process claims with the same fence.
  Claim claim_of_another() {
    Record record = shared.record();
    record.claim->id = 999;
    shared.put(record);
    return *record.claim;
  }

  Register shared;
  Process one{shared, 1};
  Process two{shared, 2};
};

// One requests, the others use its token ----------------------------------------------------------

TEST_F(Share, AsksOnAnEmptyRegisterUnderAClaim) {
  one.step(event::Need{.need = 1});
  EXPECT_TRUE(one.asks());
  ASSERT_TRUE(shared.record().claim);
  EXPECT_EQ(shared.record().claim->fence, 1U);
  EXPECT_NE(shared.record().epoch, 0U);
}

TEST_F(Share, TheAnswerReplacesTheClaim) {
  one.step(event::Need{.need = 1});
  one.step(brings(1, 50));
  EXPECT_FALSE(shared.record().claim);
  ASSERT_TRUE(shared.record().token);
  EXPECT_EQ(shared.record().token->id, 50U);
  EXPECT_EQ(shared.record().generation, 1U);
}

TEST_F(Share, TheSecondToComeWaitsAndUsesTheSameToken) {
  one.step(event::Need{.need = 1});
  two.step(event::Need{.need = 1});
  EXPECT_FALSE(two.asks());
  one.step(brings(1, 50));
  two.wait(1s);
  ASSERT_TRUE(two.last<action::Found>());
  EXPECT_EQ(two.last<action::Found>()->record.token->id, 50U);
  EXPECT_FALSE(two.asks());
}

TEST_F(Share, AWaitingProcessLooksAgainAfterThePollInterval) {
  one.step(event::Need{.need = 1});
  two.step(event::Need{.need = 1});
  EXPECT_EQ(two.wakes, two.view.now + ShareOptions{}.poll_every);
}

TEST_F(Share, OfTwoProcessesThatSawNoClaimOneRequests) {
  two.before_swap = [this] { one.step(event::Need{.need = 1}); };
  two.step(event::Need{.need = 1});
  EXPECT_TRUE(one.asks());
  EXPECT_FALSE(two.asks());
}

TEST_F(Share, AForcedRefreshTakesNobodysToken) {
  shared.put(record_with(token(50)));
  one.step(event::Need{.need = 1, .anew = true});
  EXPECT_TRUE(one.asks());
}

TEST_F(Share, ATokenThatThisProcessHasHadIsNotTakenAgain) {
  shared.put(record_with(token(50)));
  one.step(event::Need{.need = 1, .used = {50}});
  EXPECT_TRUE(one.asks());
  EXPECT_EQ(shared.record().claim->fence, 2U);
}

TEST_F(Share, ATokenNeedsTheLifeThatIsWanted) {
  shared.put(record_with(token(50)));
  one.pass(200s);
  one.step(event::Need{.need = 1, .min_life = 100s});
  EXPECT_TRUE(one.last<action::Found>());
  two.pass(200s);
  two.step(event::Need{.need = 1, .min_life = 100s + 1ns});
  EXPECT_TRUE(two.asks());
}

TEST_F(Share, NobodyWaitsOnceTheNeedIsCancelled) {
  one.step(event::Need{.need = 1});
  two.step(event::Need{.need = 1});
  two.step(event::Cancel{1});
  one.step(brings(1, 50));
  two.wait(5s);
  EXPECT_FALSE(two.last<action::Found>());
}

TEST_F(Share, TheEndOfAnotherNeedCancelsNothing) {
  one.step(event::Need{.need = 1});
  two.step(event::Need{.need = 2});
  two.step(event::Cancel{1});
  one.step(brings(1, 50));
  two.wait(1s);
  EXPECT_TRUE(two.last<action::Found>());
}

TEST_F(Share, AClaimThatNobodyNeedsAnyMoreIsGivenBack) {
  one.before_swap = [this] { one.step(event::Cancel{1}); };
  one.step(event::Need{.need = 1});
  EXPECT_FALSE(one.asks());
  ASSERT_TRUE(shared.value);
  EXPECT_FALSE(shared.record().claim);
  EXPECT_EQ(shared.record().trouble.failures, 0U);
}

TEST_F(Share, AFailureOfThisProcessAloneMakesNobodyWait) {
  one.step(event::Need{.need = 1});
  one.step(event::Answered{.need = 1});
  EXPECT_FALSE(shared.record().claim);
  two.step(event::Need{.need = 1});
  EXPECT_TRUE(two.asks());
}

// The age of a token ------------------------------------------------------------------------------

TEST_F(Share, OnTheSameBootTheAgeCountsFromTheSending) {
  shared.put(record_with(token(50)));
  one.view.issuer.reset();
  one.pass(299s);
  one.step(event::Need{.need = 1});
  ASSERT_TRUE(one.last<action::Found>());
  EXPECT_EQ(one.last<action::Found>()->age, 299s);
  two.view.issuer.reset();
  two.pass(300s);
  two.step(event::Need{.need = 1});
  EXPECT_TRUE(two.asks());
}

TEST_F(Share, ABootClockIsKnownByBootAndTimeNamespace) {
  const auto trusts = [this](const std::string& boot, const std::string& time_namespace) {
    SharedToken stored = token(50);
    stored.boot_id = boot;
    stored.time_namespace = time_namespace;
    shared.put(record_with(stored));
    Process process(shared, 3, boot.empty() ? boot : "boot",
                    time_namespace.empty() ? time_namespace : "time");
    process.view.issuer.reset();
    process.step(event::Need{.need = 1});
    return process.count<action::Look>() == 0 && process.last<action::Found>();
  };
  EXPECT_TRUE(trusts("boot", "time"));
  EXPECT_FALSE(trusts("another boot", "time"));
  EXPECT_FALSE(trusts("boot", "another time"));  // in a time namespace of its own
  EXPECT_FALSE(trusts("", "time"));              // unknown is not equal
  EXPECT_FALSE(trusts("boot", ""));
}

// Clones of a virtual machine can have the same boot id.
TEST_F(Share, ATokenThatWasSentInTheFutureIsOfAnotherClock) {
  SharedToken stored = token(50);
  stored.sent = one.view.now + 1ns;
  shared.put(record_with(stored));
  one.pass(-1s);
  one.view.issuer = IssuerReading{kDate + 250s, kDate + 251s, 0s};
  one.step(event::Need{.need = 1});
  ASSERT_TRUE(one.last<action::Found>());
  EXPECT_EQ(one.last<action::Found>()->age, 251s);
}

TEST_F(Share, OnAnotherBootTheIssuersClockTells) {
  shared.put(record_with(token(50)));
  Process other(shared, 3, "another boot");
  other.pass(250s);
  other.view.issuer->age = 0s;
  other.step(event::Need{.need = 1});
  ASSERT_TRUE(other.last<action::Found>());
  EXPECT_EQ(other.last<action::Found>()->age, 251s);  // by the latest possible Date
}

TEST_F(Share, OnlyWhatIsCertainlyOfAnotherClockIsRefused) {
  shared.put(record_with(token(50)));
  Process other(shared, 3, "another boot");
  other.view.issuer = IssuerReading{kDate - 5s, kDate, 0s};
  other.step(event::Need{.need = 1});
  ASSERT_TRUE(other.last<action::Found>());
  EXPECT_EQ(other.last<action::Found>()->age, 0s);
  Process wrong(shared, 4, "another boot");
  wrong.view.issuer = IssuerReading{kDate - 5s, kDate - 1ns, 0s};
  wrong.step(event::Need{.need = 1});
  EXPECT_TRUE(wrong.asks());
}

TEST_F(Share, AForeignTokenIsLookedAtOnceBeforeAnyRequest) {
  shared.put(record_with(token(50)));
  Process other(shared, 3, "another boot");
  other.view.issuer.reset();
  other.step(event::Need{.need = 1});
  EXPECT_EQ(other.count<action::Look>(), 1);
  EXPECT_FALSE(other.asks());
  other.wait(3s);  // the look takes some time
  EXPECT_FALSE(other.asks());
  other.view.issuer = IssuerReading{kDate + 10s, kDate + 11s, 0s};
  other.step(event::Looked{});
  EXPECT_TRUE(other.last<action::Found>());
}

TEST_F(Share, NobodyLooksWhereThisBootsClockTellsOrNoneDoes) {
  shared.put(record_with(token(50)));
  one.view.issuer.reset();
  one.pass(301s);  // the token has expired
  one.step(event::Need{.need = 1});
  EXPECT_EQ(one.count<action::Look>(), 0);
  Process other(shared, 3, "another boot");
  SharedToken undated = token(51);
  undated.issued_from = {};
  shared.put(record_with(undated));
  other.view.issuer.reset();
  other.step(event::Need{.need = 1});
  EXPECT_EQ(other.count<action::Look>(), 0);
  EXPECT_TRUE(other.asks());
}

TEST_F(Share, WithoutAReadingThatALookBroughtAForeignTokenIsNotUsed) {
  shared.put(record_with(token(50)));
  Process other(shared, 3, "another boot");
  other.view.issuer.reset();
  other.step(event::Need{.need = 1});
  other.step(event::Looked{});
  EXPECT_TRUE(other.asks());
  EXPECT_EQ(other.count<action::Look>(), 1);
}

TEST_F(Share, AnOldReadingIsRenewedBeforeARequest) {
  shared.put(record_with(token(50, 600s)));
  Process other(shared, 3, "another boot");
  other.view.issuer = IssuerReading{kDate, kDate + 600s, 5min + 1ns};
  other.step(event::Need{.need = 1});
  EXPECT_EQ(other.count<action::Look>(), 1);
  Process recent(shared, 4, "another boot");
  recent.view.issuer = IssuerReading{kDate, kDate + 600s, 5min};
  recent.step(event::Need{.need = 1});
  EXPECT_EQ(recent.count<action::Look>(), 0);
  EXPECT_TRUE(recent.asks());
}

// Holders that die --------------------------------------------------------------------------------

TEST_F(Share, TheHolderRaisesItsBeat) {
  one.step(event::Need{.need = 1});
  one.wait(2s);
  EXPECT_EQ(shared.record().claim->beat, 4U);
}

TEST_F(Share, ABeatThatLostItsSwapIsRaisedAtOnce) {
  one.step(event::Need{.need = 1});
  one.before_swap = [this] { shared.put(shared.record()); };
  one.wait(500ms);
  EXPECT_EQ(shared.record().claim->beat, 1U);
}

TEST_F(Share, ALivingHolderIsWaitedForForAsLongAsItTakes) {
  one.step(event::Need{.need = 1});
  two.step(event::Need{.need = 1});
  for (int i = 0; i < 200; ++i) {
    one.wait(100ms);
    two.wait(100ms);
  }
  EXPECT_FALSE(two.asks());
}

TEST_F(Share, ABeatThatStandsStillForTwoSecondsIsTakenOver) {
  one.step(event::Need{.need = 1});
  two.step(event::Need{.need = 1});
  two.wait(1900ms);
  EXPECT_FALSE(two.asks());
  two.wait(300ms);
  EXPECT_TRUE(two.asks());
  EXPECT_TRUE(two.last<action::TookOver>());
  EXPECT_EQ(shared.record().claim->fence, 2U);
}

TEST_F(Share, ABeatIsMeasuredAgainOnceItMoved) {
  one.step(event::Need{.need = 1});
  two.step(event::Need{.need = 1});
  two.wait(1900ms);
  one.wait(500ms);  // it was only slow
  two.wait(1900ms);
  EXPECT_FALSE(two.asks());
}

TEST_F(Share, AnObserverThatWasFrozenMeasuresAgain) {
  one.step(event::Need{.need = 1});
  two.step(event::Need{.need = 1});
  two.pass(1h);  // suspended, together with the holder
  two.step(event::Tick{});
  two.wait(1900ms);
  EXPECT_FALSE(two.asks());
  two.wait(300ms);
  EXPECT_TRUE(two.asks());
}

TEST_F(Share, AHolderIsOvertakenThroughARegisterThatIsAlmostTooSlow) {
  one.step(event::Need{.need = 1});
  two.delay = 990ms;
  two.step(event::Need{.need = 1});
  two.wait(6s);
  EXPECT_TRUE(two.asks());
  EXPECT_TRUE(two.last<action::TookOver>());
}

TEST_F(Share, CallersWhoGiveUpSoonOvertakeADeadHolderTogether) {
  one.step(event::Need{.need = 1});
  NeedId need = 0;
  for (int i = 0; i < 5; ++i) {
    two.step(event::Need{.need = ++need});
    two.wait(600ms);
    two.step(event::Cancel{need});
  }
  EXPECT_TRUE(two.asks());
}

TEST_F(Share, OneOfAllWaitingProcessesTakesOver) {
  Process three{shared, 3};
  one.step(event::Need{.need = 1});
  two.step(event::Need{.need = 1});
  three.step(event::Need{.need = 1});
  for (int i = 0; i < 30; ++i) {
    two.wait(100ms);
    if (two.asks() && i % 5 == 0) two.step(event::Tick{});
    three.wait(100ms);
  }
  EXPECT_EQ(two.count<action::Ask>() + three.count<action::Ask>(), 1);
}

TEST_F(Share, TheLateAnswerOfAnOvertakenHolderReplacesNothingNewer) {
  one.step(event::Need{.need = 1});
  two.step(event::Need{.need = 1});
  two.wait(3s);
  two.step(brings(1, 60));
  one.pass(10s);
  one.step(brings(1, 50));
  EXPECT_EQ(shared.record().token->id, 60U);
  EXPECT_EQ(shared.record().generation, 2U);
}

TEST_F(Share, TheLateAnswerLeavesTheClaimOfTheSuccessor) {
  one.step(event::Need{.need = 1});
  two.step(event::Need{.need = 1});
  two.wait(3s);
  one.pass(10s);
  one.step(brings(1, 50));
  EXPECT_EQ(shared.record().token->id, 50U);  // it is the newest so far
  ASSERT_TRUE(shared.record().claim);
  EXPECT_EQ(shared.record().claim->fence, 2U);
  two.step(brings(1, 60));
  EXPECT_EQ(shared.record().token->id, 60U);
  EXPECT_FALSE(shared.record().claim);
}

// After a failover two claims can have the same fence: the random id tells them apart.
TEST_F(Share, AClaimOfTheSameFenceIsNotReleasedByAnotherHolder) {
  one.step(event::Need{.need = 1});
  const Claim others = claim_of_another();
  one.wait(2s);
  EXPECT_EQ(shared.record().claim, others) << "nor is its beat raised";
  one.step(brings(1, 50));
  EXPECT_EQ(shared.record().claim, others);
  EXPECT_EQ(shared.record().token->id, 50U);
}

TEST_F(Share, AFailureDoesNotReleaseAnothersClaimOfTheSameFence) {
  one.step(event::Need{.need = 1});
  const Claim others = claim_of_another();
  one.step(fails(1, 4s, kDate + 4s));
  EXPECT_EQ(shared.record().claim, others);
  EXPECT_EQ(shared.record().trouble.failures, 0U);
}

TEST_F(Share, EachClaimHasAnIdOfItsOwn) {
  one.step(event::Need{.need = 1});
  const std::uint64_t first = shared.record().claim->id;
  one.step(event::Answered{.need = 1});
  one.step(event::Need{.need = 2});
  EXPECT_NE(shared.record().claim->id, first);
}

TEST_F(Share, AnAnswerOfTheSameGenerationReplacesNothing) {
  one.step(event::Need{.need = 1});
  Record other = record_with(token(70));
  other.epoch = shared.record().epoch;
  shared.put(other);
  one.step(brings(1, 50));
  EXPECT_EQ(shared.record().token->id, 70U);
}

TEST_F(Share, AnOvertakenHolderDoesNotBeatForItsSuccessor) {
  one.step(event::Need{.need = 1});
  two.step(event::Need{.need = 1});
  two.wait(2500ms);
  ASSERT_TRUE(two.asks());
  const auto beat = shared.record().claim->beat;
  one.pass(3s);
  one.wait(3s);
  EXPECT_EQ(shared.record().claim->beat, beat);
}

TEST_F(Share, AnswersOfAnotherEpochAreNotWritten) {
  one.step(event::Need{.need = 1});
  Record other = record_with(token(70), 0);
  other.epoch = 999;
  shared.put(other);
  one.step(brings(1, 50));
  EXPECT_EQ(shared.record().token->id, 70U);
}

// A register that fails or forgets ----------------------------------------------------------------

TEST_F(Share, ARegisterThatIsSilentIsGivenUpAfterASecond) {
  one.deaf = true;
  one.step(event::Need{.need = 1});
  EXPECT_FALSE(one.asks());
  one.wait(1s);
  EXPECT_TRUE(one.asks());
}

TEST_F(Share, AClaimWhoseAnswerWasLostIsStillMine) {
  one.before_swap = [this] { one.deaf = true; };
  one.step(event::Need{.need = 1});
  Record written;
  written.epoch = 7;
  one.wait(1s);
  EXPECT_TRUE(one.asks());
  one.deaf = false;
  one.step(brings(1, 50));
  ASSERT_TRUE(shared.value);
  EXPECT_EQ(shared.record().token->id, 50U);
}

TEST_F(Share, LateAnswersOfTheRegisterAreIgnored) {
  one.deaf = true;
  one.step(event::Need{.need = 1});
  one.wait(1s);
  one.step(event::Answered{.need = 1});
  one.step(event::Need{.need = 2});
  ASSERT_EQ(one.operations, 2);
  one.step(event::Stored{.operation = 1});
  one.step(event::StoreFailed{.operation = 1});
  EXPECT_EQ(one.operations, 2);
  EXPECT_EQ(one.count<action::Ask>(), 1);
}

TEST_F(Share, OnlyTheAnswerToItsRequestEndsIt) {
  one.step(event::Need{.need = 1});
  one.step(brings(2, 50));
  EXPECT_TRUE(shared.record().claim);
  EXPECT_FALSE(shared.record().token);
}

TEST_F(Share, AnAnswerThatCannotBeWrittenIsGivenUp) {
  one.step(event::Need{.need = 1});
  one.broken = true;
  one.step(brings(1, 50));
  EXPECT_EQ(one.operations, 5) << "it is tried again twice";
  one.broken = false;
  one.step(event::Need{.need = 2, .used = {50}});
  one.wait(3s);
  EXPECT_EQ(one.count<action::Ask>(), 2) << "its own claim is overtaken like any other";
}

TEST_F(Share, AnAnswerThatTheRegisterFailedToTakeOnceIsWrittenAgain) {
  one.step(event::Need{.need = 1});
  one.failures = 1;
  one.step(brings(1, 50));
  EXPECT_EQ(shared.record().token->id, 50U);
  EXPECT_EQ(one.count<action::Kept>(), 1);
}

TEST_F(Share, AnAnswerThatWasWrittenThoughNobodySaidSoIsNotWrittenAgain) {
  one.step(event::Need{.need = 1});
  one.mute = true;
  one.step(brings(1, 50));
  ASSERT_EQ(shared.record().token->id, 50U);
  one.mute = false;
  const std::string version = shared.value->version;
  one.wait(2s);
  EXPECT_EQ(one.count<action::Kept>(), 1);
  EXPECT_EQ(shared.value->version, version);
  one.step(event::Need{.need = 2});
  EXPECT_TRUE(one.last<action::Found>());
}

TEST_F(Share, ATokenThatCannotBeStoredLeavesNoClaimBehind) {
  shared.put(record_with(token(40)));
  one.not_stored = 50;
  one.step(event::Need{.need = 1, .used = {40}});
  one.step(brings(1, 50));
  EXPECT_FALSE(shared.record().claim);
  EXPECT_EQ(shared.record().unstored, 2U);
  EXPECT_EQ(shared.record().token->id, 40U);
  EXPECT_EQ(one.count<action::Kept>(), 0);
}

TEST_F(Share, AfterWaitingForATokenThatCannotBeStoredAProcessRequestsItsOwnAtOnce) {
  one.not_stored = 50;
  Process three{shared, 3};
  one.step(event::Need{.need = 1});
  two.step(event::Need{.need = 1});
  three.step(event::Need{.need = 1});
  one.step(brings(1, 50));
  two.wait(100ms);
  EXPECT_TRUE(two.asks());
  three.wait(100ms);
  EXPECT_TRUE(three.asks()) << "not after the second has its token";
}

TEST_F(Share, AfterWaitingForATokenThatCannotBeStoredAProcessWaitsForNoLaterClaim) {
  one.not_stored = 50;
  Process three{shared, 3};
  one.step(event::Need{.need = 1});
  two.step(event::Need{.need = 1});
  one.step(brings(1, 50));
  three.step(event::Need{.need = 1});
  ASSERT_TRUE(three.asks());
  EXPECT_EQ(shared.record().claim->fence, 2U) << "which no waiter confuses with the first";
  two.wait(100ms);
  EXPECT_TRUE(two.asks());
}

TEST_F(Share, WhoWaitedForARejectionWithTheSameCredentialsLearnsOfIt) {
  Process three{shared, 3};
  one.step(event::Need{.need = 1, .credentials = 9});
  two.step(event::Need{.need = 1, .credentials = 9});
  three.step(event::Need{.need = 1, .credentials = 8});
  one.step(event::Answered{.need = 1, .rejected = 9});
  EXPECT_FALSE(shared.record().claim);
  two.wait(100ms);
  EXPECT_FALSE(two.asks());
  EXPECT_TRUE(two.last<action::Rejected>());
  three.wait(100ms);
  EXPECT_TRUE(three.asks()) << "with other ones";
}

TEST_F(Share, WhoComesAfterARejectionAsks) {
  one.step(event::Need{.need = 1, .credentials = 9});
  one.step(event::Answered{.need = 1, .rejected = 9});
  Process three{shared, 3};
  three.step(event::Need{.need = 1, .credentials = 9});
  ASSERT_TRUE(three.asks()) << "they may have been put right";
  EXPECT_EQ(shared.record().claim->fence, 2U) << "which no waiter confuses with the first";
  two.step(event::Need{.need = 1, .credentials = 9});
  three.step(brings(1, 50));
  two.wait(100ms);
  EXPECT_TRUE(two.last<action::Found>());
  EXPECT_EQ(shared.record().rejected, 0U);
}

TEST_F(Share, WhereNothingIsKnownOfTheCredentialsEachAsks) {
  one.step(event::Need{.need = 1});
  two.step(event::Need{.need = 1});
  one.step(event::Answered{.need = 1});
  two.wait(100ms);
  EXPECT_TRUE(two.asks());
  EXPECT_FALSE(two.last<action::Rejected>());
}

TEST_F(Share, AfterATokenThatCouldNotBeStoredTheNextOneIsShared) {
  one.not_stored = 50;
  one.step(event::Need{.need = 1});
  one.step(brings(1, 50));
  one.step(event::Need{.need = 2, .used = {50}});
  two.step(event::Need{.need = 1});
  one.step(brings(2, 51));
  two.wait(1s);
  EXPECT_FALSE(two.asks());
  ASSERT_TRUE(two.last<action::Found>());
  EXPECT_EQ(two.last<action::Found>()->record.token->id, 51U);
  EXPECT_EQ(shared.record().unstored, 0U);
}

TEST_F(Share, AnOvertakenHolderDoesNotSayThatItsTokenCannotBeStored) {
  one.not_stored = 50;
  one.step(event::Need{.need = 1});
  const Claim other = claim_of_another();
  one.step(brings(1, 50));
  EXPECT_EQ(shared.record().claim, other);
  EXPECT_EQ(shared.record().unstored, 0U);
}

TEST_F(Share, WhereNothingCanBeWrittenAnyMoreAllWhoWaitGoOnTogether) {
  Process three{shared, 3};
  one.step(event::Need{.need = 1});
  two.step(event::Need{.need = 1});
  three.step(event::Need{.need = 1});
  one.full = two.full = three.full = true;
  one.step(brings(1, 50));
  EXPECT_TRUE(shared.record().claim);
  two.wait(2200ms);
  three.wait(2200ms);
  EXPECT_TRUE(two.asks());
  EXPECT_TRUE(three.asks());
}

TEST_F(Share, AFactThatCannotBeWrittenIsGivenUp) {
  one.broken = true;
  one.step(event::Learned{{.api = "https://api.example", .lag = 3s}});
  EXPECT_EQ(one.operations, 1);
}

TEST_F(Share, AnEmptiedRegisterGetsTheLivingTokenBack) {
  one.step(event::Need{.need = 1});
  one.step(brings(1, 50));
  const std::uint64_t epoch = shared.record().epoch;
  shared.value.reset();
  one.pass(10s);
  one.step(event::Learned{{.api = "https://api.example", .accepted = 50}});
  ASSERT_TRUE(shared.value);
  EXPECT_EQ(shared.record().epoch, epoch);
  EXPECT_EQ(shared.record().token->id, 50U);
}

TEST_F(Share, ALivingTokenIsWrittenBackOnce) {
  one.step(event::Need{.need = 1});
  one.step(brings(1, 50));
  shared.value.reset();
  one.before_swap = [this] { one.deaf = true; };
  one.step(event::Need{.need = 2, .used = {50}});
  const int before = one.operations;
  one.step(event::Learned{{.api = "https://api.example", .accepted = 50}});
  EXPECT_EQ(one.operations, before) << "one operation at a time";
}

TEST_F(Share, AnOlderStateOfTheSameEpochIsReplaced) {
  one.step(event::Need{.need = 1});
  one.step(brings(1, 50));
  const Value older = *shared.value;
  one.step(event::Need{.need = 2, .used = {50}});
  one.step(brings(2, 51));
  shared.value = older;  // a failover
  one.step(event::Learned{{.api = "https://api.example", .accepted = 51}});
  EXPECT_EQ(shared.record().token->id, 51U);
  EXPECT_EQ(shared.record().generation, 2U);
}

TEST_F(Share, AnotherEpochIsLeftAlone) {
  one.step(event::Need{.need = 1});
  one.step(brings(1, 50));
  Record other = record_with(token(70), 0);
  other.epoch = 999;
  shared.put(other);
  one.step(event::Learned{{.api = "https://api.example", .accepted = 50}});
  EXPECT_EQ(shared.record().token->id, 70U);
}

TEST_F(Share, ATokenIsTakenForItsIdWhateverItsGeneration) {
  one.step(event::Need{.need = 1});
  one.step(brings(1, 50));
  one.step(event::Need{.need = 2, .used = {50}});
  one.step(brings(2, 51));
  Record other = record_with(token(70));
  other.epoch = 999;  // the register was created again
  shared.put(other);
  one.step(event::Need{.need = 3, .used = {50, 51}});
  ASSERT_TRUE(one.last<action::Found>());
  EXPECT_EQ(one.last<action::Found>()->record.token->id, 70U);
}

TEST_F(Share, ARegisterThatWasEmptiedBeginsANewEpoch) {
  one.step(event::Need{.need = 1});
  const std::uint64_t first = shared.record().epoch;
  shared.value.reset();
  two.step(event::Need{.need = 1});
  ASSERT_TRUE(two.asks());
  EXPECT_NE(shared.record().epoch, first);
  two.step(brings(1, 60));
  one.step(brings(1, 50));
  EXPECT_EQ(shared.record().token->id, 60U) << "numbers of two epochs cannot be compared";
}

TEST_F(Share, ATokenOfTheSameEpochIsAskedForUnderIt) {
  shared.put(record_with(token(50)));
  one.step(event::Need{.need = 1, .used = {50}});
  EXPECT_EQ(shared.record().epoch, 7U);
}

TEST_F(Share, AClaimOfThatTimeIsNotWrittenBack) {
  shared.put(record_with(token(50)));
  two.step(event::Need{.need = 1, .used = {50}});
  one.step(event::Need{.need = 1});
  ASSERT_TRUE(one.last<action::Found>());
  shared.value.reset();
  one.step(event::Learned{{.api = "https://api.example", .accepted = 50}});
  one.step(event::Need{.need = 2});
  ASSERT_TRUE(shared.value);
  EXPECT_EQ(shared.record().token->id, 50U);
  EXPECT_FALSE(shared.record().claim);
}

TEST_F(Share, ARefusedTokenIsNotWrittenBack) {
  one.step(event::Need{.need = 1});
  one.step(brings(1, 50));
  one.step(event::Refused{50});
  shared.value.reset();
  two.step(event::Need{.need = 1});
  two.step(event::Answered{.need = 1});
  shared.value.reset();
  one.step(event::Need{.need = 2, .anew = true});
  EXPECT_FALSE(shared.record().token);
}

TEST_F(Share, ATokenThatAnotherProcessFoundRefusedIsNotWrittenBack) {
  for (const bool older : {false, true}) {
    shared.put(record_with(token(60), 2));
    Process used(shared, 3);
    used.step(event::Need{.need = 1});
    ASSERT_TRUE(used.last<action::Found>());
    Process refused(shared, 4);
    refused.step(event::Refused{60, older ? std::optional(token(50)) : std::nullopt});
    used.step(event::Need{.need = 2, .used = {50, 60}});  // sees that
    used.step(event::Answered{.need = 2});
    shared.value.reset();
    used.step(event::Need{.need = 3, .anew = true});
    EXPECT_FALSE(shared.record().token) << older;
  }
}

TEST_F(Share, TheOlderTokenThatTookARefusedOnesPlaceIsWrittenBack) {
  shared.put(record_with(token(60), 2));
  one.step(event::Need{.need = 1});
  one.step(event::Refused{60, token(50)});
  shared.value.reset();
  one.step(event::Need{.need = 2, .used = {50, 60}});
  ASSERT_TRUE(shared.value && shared.record().token);
  EXPECT_EQ(shared.record().token->id, 50U);
  two.step(event::Need{.need = 1});
  EXPECT_TRUE(two.last<action::Found>()) << "for who has not used it";
}

TEST_F(Share, ATokenThatHasEndedIsNotWrittenBack) {
  one.step(event::Need{.need = 1});
  one.step(brings(1, 50));
  shared.value.reset();
  one.pass(300s);
  one.step(event::Need{.need = 2});
  ASSERT_TRUE(shared.value);
  EXPECT_FALSE(shared.record().token);
}

// A folder that has become unreadable, for example, reports that at once.
TEST_F(Share, AHolderDoesNotTryAFailingRegisterAgainAtOnce) {
  one.before_swap = [this] { one.broken = true; };
  one.step(event::Need{.need = 1});
  ASSERT_TRUE(one.asks());
  const int before = one.operations;
  one.wait(10s);
  EXPECT_LE(one.operations - before, 20);
  EXPECT_GE(one.operations - before, 10);
}

// Refusals and what was learned -------------------------------------------------------------------

TEST_F(Share, ARefusedTokenIsTakenByNobody) {
  shared.put(record_with(token(50)));
  one.step(event::Refused{50});
  two.step(event::Need{.need = 1});
  EXPECT_TRUE(two.asks());
  EXPECT_EQ(shared.record().claim->fence, 2U);
}

TEST_F(Share, ATokenOfARefusedGenerationIsTakenByNobody) {
  Record record = record_with(token(50));
  record.refused = 5;
  shared.put(record);
  one.step(event::Need{.need = 1});
  EXPECT_TRUE(one.asks());
  EXPECT_EQ(shared.record().claim->fence, 6U) << "the new one is of none";
}

TEST_F(Share, ARefusalDoesNotHitANewerToken) {
  shared.put(record_with(token(60), 2));
  one.step(event::Refused{50});
  two.step(event::Need{.need = 1});
  EXPECT_TRUE(two.last<action::Found>());
}

TEST_F(Share, ARefusalLeavesTheClaimOfWhoeverAsks) {
  shared.put(record_with(token(50)));
  two.step(event::Need{.need = 1, .used = {50}});
  const auto claim = shared.record().claim;
  one.step(event::Refused{50});
  EXPECT_EQ(shared.record().refused, 1U);
  EXPECT_EQ(shared.record().claim, claim);
}

TEST_F(Share, ATokenThatIsRefusedBeforeItIsWrittenIsTakenByNobody) {
  one.step(event::Need{.need = 1});
  one.before_swap = [this] {  // the beat
    one.step(brings(1, 50));
    one.step(event::Refused{50});
  };
  one.wait(600ms);
  EXPECT_FALSE(shared.record().token);
  two.step(event::Need{.need = 1});
  EXPECT_TRUE(two.asks());
}

TEST_F(Share, ATokenThatIsAcceptedBeforeItIsWrittenIsWrittenAsAccepted) {
  one.step(event::Need{.need = 1});
  one.before_swap = [this] {
    one.step(brings(1, 50));
    one.step(event::Learned{{.api = "https://api.example", .accepted = 50}});
  };
  one.wait(600ms);
  ASSERT_TRUE(shared.record().token);
  EXPECT_TRUE(shared.record().token->accepted);
}

TEST_F(Share, WhatIsLearnedOfATokenIsNotSaidOfAnother) {
  shared.put(record_with(token(60), 2));
  one.step(event::Learned{{.api = "https://api.example", .accepted = 50, .lag = 3s}});
  EXPECT_EQ(shared.record().lag, 3s);
  EXPECT_FALSE(shared.record().token->accepted);
}

TEST_F(Share, RefusalAndClaimAreOneSwap) {
  shared.put(record_with(token(50)));
  one.step(event::Need{.need = 1, .used = {50}});  // reads
  one.step(brings(1, 51));
  const int before = one.operations;
  one.step(event::Need{.need = 2, .used = {51}});
  EXPECT_EQ(one.operations - before, 2);  // a read, and the claim
}

TEST_F(Share, AnOlderTokenThatIsAcceptedTakesTheRefusedOnesPlace) {
  shared.put(record_with(token(60), 2));
  one.step(event::Refused{60, token(50)});
  two.step(event::Need{.need = 1});
  ASSERT_TRUE(two.last<action::Found>());
  EXPECT_EQ(two.last<action::Found>()->record.token->id, 50U);
}

TEST_F(Share, AcceptedLagAndLeadAreSharedByApiHost) {
  shared.put(record_with(token(50)));
  one.step(event::Learned{{.api = "https://api.example", .accepted = 50, .lag = 3s, .lead = 0s}});
  EXPECT_TRUE(shared.record().token->accepted);
  EXPECT_EQ(shared.record().lag, 3s);
  two.step(event::Need{.need = 1});
  ASSERT_TRUE(two.last<action::Tell>());
  EXPECT_EQ(two.last<action::Tell>()->facts.lag, 3s);
  one.step(event::Learned{{.api = "https://other.example", .lead = 2s}});
  EXPECT_FALSE(shared.record().token->accepted);
  EXPECT_EQ(shared.record().lag, 0s);
  EXPECT_EQ(shared.record().lead, 2s);
}

TEST_F(Share, FactsOfAnotherApiHostAreNotTold) {
  Record record = record_with(token(50));
  record.api = "https://other.example";
  record.lag = 3s;
  shared.put(record);
  one.step(event::Need{.need = 1});
  EXPECT_FALSE(one.last<action::Tell>());
}

TEST_F(Share, WhatIsKnownAlreadyIsNotWrittenAgain) {
  shared.put(record_with(token(50)));
  one.step(event::Learned{{.api = "https://api.example", .accepted = 50}});
  const std::string version = shared.value->version;
  one.step(event::Learned{{.api = "https://api.example", .accepted = 50}});
  EXPECT_EQ(shared.value->version, version);
}

TEST_F(Share, AFactThatComesWhileASwapIsInProgressIsWrittenAfterIt) {
  one.step(event::Need{.need = 1});
  one.before_swap = [this] { one.step(event::Learned{{.api = "https://api.example", .lag = 3s}}); };
  one.step(brings(1, 50));
  EXPECT_EQ(shared.record().lag, 3s);
}

TEST_F(Share, AFactThatComesDuringAWaitIsWrittenAfterIt) {
  one.step(event::Need{.need = 1});
  two.step(event::Need{.need = 1});
  two.step(event::Learned{{.api = "https://api.example", .lag = 3s}});
  one.step(brings(1, 50));
  two.wait(1s);
  ASSERT_TRUE(two.last<action::Found>());
  EXPECT_EQ(shared.record().lag, 3s);
}

TEST_F(Share, AFactThatComesDuringAWaitInVainIsWrittenAfterIt) {
  Record spent;
  spent.epoch = 7;
  spent.bucket_full_at = kDate + 30s;
  shared.put(spent);
  one.step(event::Need{.need = 1});
  two.step(event::Need{.need = 1, .pays = true});
  two.step(event::Learned{{.api = "https://api.example", .lag = 3s}});
  one.step(event::Answered{.need = 1});
  two.wait(200ms);
  ASSERT_TRUE(two.last<action::TooSoon>());
  EXPECT_EQ(shared.record().lag, 3s);
}

TEST_F(Share, ATokenThatAnotherApiHostAcceptedIsNewToThisOne) {
  Record record = record_with(token(50));
  record.api = "https://other.example";
  record.token->accepted = true;
  shared.put(record);
  one.step(event::Need{.need = 1});
  ASSERT_TRUE(one.last<action::Found>());
  EXPECT_FALSE(one.last<action::Found>()->record.token->accepted);
}

TEST_F(Share, AFactSurvivesALostSwap) {
  shared.put(record_with(token(50)));
  one.step(event::Need{.need = 1});
  one.before_swap = [this] { shared.put(shared.record()); };
  one.step(event::Learned{{.api = "https://api.example", .accepted = 50}});
  EXPECT_TRUE(shared.record().token->accepted);
}

// Failures and the bucket -------------------------------------------------------------------------

TEST_F(Share, AFailureGivesTheClaimBackAndAllWaitTheSamePause) {
  one.step(event::Need{.need = 1});
  two.step(event::Need{.need = 1});
  one.step(fails(1, 4s, kDate + 4s));
  EXPECT_FALSE(shared.record().claim);
  EXPECT_EQ(shared.record().trouble.failures, 1U);
  two.wait(3900ms);
  EXPECT_FALSE(two.asks());
  two.wait(700ms);
  EXPECT_TRUE(two.asks());
}

TEST_F(Share, APauseIsNeverLongerThanItWasMeant) {
  one.step(event::Need{.need = 1});
  two.step(event::Need{.need = 1});
  one.step(fails(1, 4s, kDate + 24h));  // the issuer's clock was wrong
  two.wait(5s);
  EXPECT_TRUE(two.asks());
}

TEST_F(Share, CallersWhoGiveUpSoonWaitForAPauseTogether) {
  one.step(event::Need{.need = 1});
  one.step(fails(1, 4s, 0s));
  NeedId need = 0;
  for (int i = 0; i < 5; ++i) {
    EXPECT_FALSE(two.asks());
    two.step(event::Need{.need = ++need});
    two.wait(900ms);
    two.step(event::Cancel{need});
  }
  EXPECT_TRUE(two.asks());
}

// It waits before its next request anyway, so it must not wait twice.
TEST_F(Share, AProcessThatFailedCountsThePauseFromItsFailure) {
  one.step(event::Need{.need = 1});
  one.step(fails(1, 4s, 0s));
  one.pass(4s);
  one.step(event::Need{.need = 2});
  EXPECT_EQ(one.count<action::Ask>(), 2);
}

TEST_F(Share, EachFailureHasAPauseOfItsOwn) {
  one.step(event::Need{.need = 1});
  one.step(fails(1, 4s, 0s));
  one.pass(4s);
  one.step(event::Need{.need = 2});
  one.step(fails(2, 4s, 0s));
  one.step(event::Need{.need = 3});
  one.wait(3s);
  EXPECT_EQ(one.count<action::Ask>(), 2);
  Record anew = shared.record();
  anew.epoch = 999;
  shared.put(anew);
  one.wait(3s);
  EXPECT_EQ(one.count<action::Ask>(), 2) << "of another epoch";
  one.wait(2s);
  EXPECT_EQ(one.count<action::Ask>(), 3);
}

TEST_F(Share, APauseAfterATokenIsAnotherOneThanThatBeforeIt) {
  one.step(event::Need{.need = 1});
  one.step(fails(1, 4s, 0s));
  two.step(event::Need{.need = 1});
  two.wait(3s);
  two.step(event::Cancel{1});
  two.pass(1h);
  one.pass(1h);
  one.step(event::Need{.need = 2});
  one.wait(5s);
  one.step(brings(2, 50));
  one.step(event::Need{.need = 3, .used = {50}});
  one.step(fails(3, 4s, 0s));
  ASSERT_EQ(shared.record().trouble.failures, 1U);
  two.step(event::Need{.need = 2, .anew = true});
  two.wait(3s);
  EXPECT_FALSE(two.asks());
}

// The pause is written by the issuer's clock. If that was read late, the pause has begun already.
TEST_F(Share, APauseCountsAsOverOnlyWhereItSurelyIs) {
  Record record;
  record.epoch = 7;
  record.trouble = {1, 10s, kDate + 1s, Verdict::auth_backend_unavailable};
  shared.put(record);
  one.step(event::Need{.need = 1});  // the issuer's clock: kDate to kDate + 1 s
  EXPECT_FALSE(one.asks());
  one.wait(1500ms);
  EXPECT_TRUE(one.asks());
}

TEST_F(Share, APauseOfUnknownEndIsWaitedFor) {
  Record record;
  record.epoch = 7;
  record.trouble = {1, 10s, 0s, Verdict::auth_backend_unavailable};
  shared.put(record);
  one.step(event::Need{.need = 1});
  one.wait(9s);
  EXPECT_FALSE(one.asks());
  one.wait(2s);
  EXPECT_TRUE(one.asks());
}

TEST_F(Share, APauseThatIsOverByTheIssuersClockIsNotWaitedForAgain) {
  Record record;
  record.epoch = 7;
  record.trouble = {1, 10s, kDate - 1h, Verdict::auth_backend_unavailable};
  shared.put(record);
  one.step(event::Need{.need = 1});
  EXPECT_TRUE(one.asks());
  two.view.issuer.reset();
  shared.put(record);
  two.step(event::Need{.need = 1});
  EXPECT_EQ(two.count<action::Look>(), 1);  // is it over?
}

TEST_F(Share, FailuresAreCountedUntilATokenComes) {
  one.step(event::Need{.need = 1});
  one.step(fails(1, 1s, kDate));
  one.step(event::Need{.need = 2});
  one.step(fails(2, 1s, kDate));
  EXPECT_EQ(shared.record().trouble.failures, 2U);
  one.step(event::Need{.need = 3});
  one.step(brings(3, 50));
  EXPECT_EQ(shared.record().trouble.failures, 0U);
}

TEST_F(Share, ProcessesTogetherKeepToTheBucketOfRule8) {
  NeedId need = 0;
  for (int i = 0; i < 6; ++i) {
    Process& process = i % 2 == 0 ? one : two;
    process.step(event::Need{.need = ++need, .pays = true});
    ASSERT_TRUE(process.last<action::Ask>());
    ASSERT_EQ(process.last<action::Ask>()->need, need) << i;
    process.step(event::Answered{.need = need});
    Record record = shared.record();
    record.trouble = {};
    shared.put(record);
  }
  one.step(event::Need{.need = ++need, .pays = true});
  ASSERT_TRUE(one.last<action::TooSoon>());
  EXPECT_GT(one.last<action::TooSoon>()->until, one.view.now);
  EXPECT_LE(one.last<action::TooSoon>()->until, one.view.now + 7s);
  one.pass(7s);
  one.step(event::Need{.need = ++need, .pays = true});
  EXPECT_EQ(one.last<action::Ask>()->need, need);
}

TEST_F(Share, OrdinaryRenewalsAreFree) {
  NeedId need = 0;
  for (int i = 0; i < 20; ++i) {
    one.step(event::Need{.need = ++need, .anew = true});
    ASSERT_EQ(one.last<action::Ask>()->need, need);
    one.step(brings(need, 100 + need));
  }
  EXPECT_EQ(shared.record().bucket_full_at, 0s);
}

TEST_F(Share, WithoutTheIssuersClockNobodyPays) {
  Record record;
  record.epoch = 7;
  record.bucket_full_at = kDate + 60s;
  shared.put(record);
  one.view.issuer.reset();
  one.step(event::Need{.need = 1, .pays = true});
  EXPECT_TRUE(one.asks());
  EXPECT_EQ(shared.record().bucket_full_at, kDate + 60s);
}

TEST_F(Share, ABucketThatCannotBeReadIsFull) {
  Record record;
  record.epoch = 7;
  record.bucket_full_at = kDate + 24h;
  shared.put(record);
  one.step(event::Need{.need = 1, .pays = true});
  EXPECT_TRUE(one.asks());
}

}  // namespace
}  // namespace skewguard::sharing
