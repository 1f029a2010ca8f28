#include "engine/shared_tokens.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../runtime/client_testing.hpp"
#include "parts.hpp"
#include "store/digest.hpp"

namespace skewguard::engine {
namespace {

using runtime::OpenStore;

class SharedTokensTest : public ::testing::Test {
 protected:
  SharedTokensTest() { make(); }
  void make() {
    shared.emplace(
        SharedTokens::Uses{parts.loop, parts.sender, parts.clocks, parts.listeners.log(), store},
        SharedTokens::Options{std::string(64, 'a'), {"boot", "time"}, 1},
        SharedTokens::Callbacks{
            [this] { ++asked; }, [this](const oauth::TokenEvent& event) { told.push_back(event); },
            [this](const sharing::Facts& facts) { learned.push_back(facts); },
            [this](const oauth::Token& /*token*/, Duration /*min_life*/) { return serves; }});
  }
  void need(oauth::FetchId fetch = 1) {
    parts.loop.enter([&] { shared->need({.fetch = fetch}); });
    parts.machine->run();
  }
  void answered(const oauth::TokenPtr& token,
                const std::optional<oauth::TokenMachine::Pause>& pause = {}) {
    parts.loop.enter([&] { shared->answered(token, true, pause); });
    parts.machine->run();
  }
  [[nodiscard]] oauth::TokenPtr own_token(const char* value) const {
    oauth::Token token;
    token.value = Secret{value};
    token.sent = parts.machine->now().boot;
    token.life = 300s;
    return std::make_shared<const oauth::Token>(std::move(token));
  }
  /// Another process has stored this token, requested now on that boot.
  void stored(const char* value, std::string boot = "boot") {
    sharing::Record record;
    record.epoch = 7;
    record.generation = store.record ? store.record->generation + 1 : 1;
    sharing::SharedToken& token = record.token.emplace();
    token.id = store::id_of_text(value);
    token.value = Secret{value};
    token.life = 300s;
    token.boot_id = std::move(boot);
    token.time_namespace = "time";
    token.sent = parts.machine->now().boot;
    token.date = token.issued_from = parts.machine->true_time().time_since_epoch();
    record.api = "https://api.example.com";
    store.record = std::move(record);
    store.changed();
  }
  [[nodiscard]] std::vector<std::string> found() const {
    std::vector<std::string> out;
    for (const auto& event : told) {
      if (const auto* one = std::get_if<oauth::event::Found>(&event))
        out.emplace_back(one->token->value.reveal());
    }
    return out;
  }

  Parts parts;
  OpenStore store;
  int asked = 0;
  std::vector<oauth::TokenEvent> told;
  std::vector<sharing::Facts> learned;
  bool serves = true;
  std::optional<SharedTokens> shared;
};

TEST_F(SharedTokensTest, AsksUnderAClaimAndStoresTheToken) {
  need();
  EXPECT_EQ(asked, 1);
  ASSERT_TRUE(store.record && store.record->claim);
  answered(own_token("mine"));
  EXPECT_FALSE(store.record->claim);
  ASSERT_TRUE(store.record->token);
  EXPECT_EQ(store.record->token->value, Secret{"mine"});
  EXPECT_TRUE(store.record->token->accepted);
  EXPECT_EQ(store.record->token->boot_id, "boot");
}

TEST_F(SharedTokensTest, TakesAnotherProcesssToken) {
  stored("theirs");
  need(5);
  EXPECT_EQ(asked, 0);
  EXPECT_EQ(found(), std::vector<std::string>{"theirs"});
  EXPECT_EQ(std::get<oauth::event::Found>(told.at(0)).fetch, 5U);
}

TEST_F(SharedTokensTest, AsksIfTheStoredTokenWouldNotServe) {
  stored("theirs");
  serves = false;
  need();
  EXPECT_EQ(asked, 1);
  EXPECT_TRUE(found().empty());
}

TEST_F(SharedTokensTest, TakesNoTokenTwice) {
  stored("theirs");
  need(1);
  need(2);
  EXPECT_EQ(asked, 1) << "whoever needs another one has had the first";
  answered(own_token("mine"));
  need(3);
  EXPECT_EQ(asked, 2);
  EXPECT_EQ(found().size(), 1U);
}

TEST_F(SharedTokensTest, LooksAtTheIssuersClockBeforeItTakesATokenOfAnotherBoot) {
  stored("theirs", "another-boot");
  need();
  EXPECT_TRUE(found().empty());
  ASSERT_EQ(parts.transport.sent.size(), 1U);
  EXPECT_EQ(parts.transport.sent[0].request.method, "HEAD");
  EXPECT_TRUE(parts.transport.sent[0].request.authorization.empty());
  parts.transport.sent[0].handler(parts.answer(404));
  parts.machine->run();
  EXPECT_EQ(found().size(), 1U);
  EXPECT_EQ(asked, 0);
}

TEST_F(SharedTokensTest, AsksIfNobodySaysWhatTheIssuersClockReads) {
  stored("theirs", "another-boot");
  need();
  parts.transport.sent.at(0).handler(TransportFailure{});
  parts.machine->run();
  EXPECT_EQ(asked, 1);
}

TEST_F(SharedTokensTest, SharesAPauseOfTheLoginHost) {
  parts.loop.enter(
      [this] { parts.observe(parts.clocks.login(), clocks::Answer(parts.answer(503))); });
  need();
  const Instant until = parts.machine->now().boot + 10s;
  answered(nullptr, oauth::TokenMachine::Pause{until, Verdict::login_rate_limited});
  const sharing::Trouble& trouble = store.record->trouble;
  EXPECT_FALSE(store.record->claim);
  EXPECT_EQ(trouble.verdict, Verdict::login_rate_limited);
  EXPECT_EQ(trouble.pause, 10s);
  EXPECT_GE(trouble.not_before, parts.machine->true_time().time_since_epoch() + 10s);
}

TEST_F(SharedTokensTest, SharesNoFailureOfItsOwn) {
  need();
  answered(nullptr);
  EXPECT_FALSE(store.record->claim);
  EXPECT_EQ(store.record->trouble.failures, 0U);
}

TEST_F(SharedTokensTest, SharesARejectionOfTheCredentials) {
  parts.loop.enter([this] { shared->need({.fetch = 1}, 9); });
  parts.machine->run();
  answered(nullptr, oauth::TokenMachine::Pause{parts.machine->now().boot + 5s,
                                               Verdict::credentials_rejected, true});
  EXPECT_EQ(store.record->rejected, 1U);
  EXPECT_EQ(store.record->rejected_credentials, 9U);
  EXPECT_EQ(store.record->trouble.failures, 0U) << "whoever comes later asks";
}

TEST_F(SharedTokensTest, TellsThatAnotherProcessWasRejected) {
  sharing::Record record;
  record.epoch = 7;
  record.claim = sharing::Claim{.id = 1, .fence = 1, .beat = 1};
  store.record = record;
  store.changed();
  parts.loop.enter([this] { shared->need({.fetch = 1}, 9); });
  parts.machine->run();
  record.claim.reset();
  record.rejected = 1;
  record.rejected_credentials = 9;
  store.record = record;
  store.changed();
  parts.machine->advance(200ms);
  EXPECT_EQ(asked, 0);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<oauth::event::RejectedElsewhere>(told[0]));
}

TEST_F(SharedTokensTest, IsNotAskedForATokenThatIsNoLongerNeeded) {
  parts.loop.enter([this] {
    shared->need({.fetch = 1});
    shared->cancel(1);
  });
  parts.machine->run();
  EXPECT_EQ(asked, 0);
  EXPECT_FALSE(store.record && store.record->claim);
}

TEST_F(SharedTokensTest, ReportsTheHolderThatItTookOverFrom) {
  sharing::Record record;
  record.epoch = 7;
  record.claim = sharing::Claim{.id = 1, .fence = 1, .beat = 1};
  store.record = record;
  store.changed();
  need();
  EXPECT_EQ(asked, 0);
  for (int i = 0; i < 25; ++i) {
    parts.machine->advance(100ms);
    parts.machine->run();
  }
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(parts.lines_with("shown no sign of life for 2"), 1U);
}

TEST_F(SharedTokensTest, WritesAndTellsLagAndLeadOnceEach) {
  stored("theirs");
  store.record->lag = 3s;
  need();
  ASSERT_EQ(learned.size(), 1U);
  EXPECT_EQ(learned[0].lag, Duration{3s});
  const auto note = [this](Duration lag, Duration lead) {
    parts.loop.enter(
        [&] { shared->learned({.token = own_token("theirs"), .lag = lag, .lead = lead}); });
    parts.machine->run();
  };
  note(3s, 0s);
  EXPECT_EQ(store.record->lag, 3s);
  note(3s, 4s);
  EXPECT_EQ(store.record->lead, 4s);
  need(2);
  EXPECT_EQ(learned.size(), 1U) << "this process knows it already";
}

TEST_F(SharedTokensTest, TakesARefusedTokenOutOfTheStore) {
  stored("theirs");
  need();
  parts.loop.enter([this] { shared->refused({.refused = own_token("theirs")}); });
  parts.machine->run();
  EXPECT_FALSE(store.record->token);
}

TEST_F(SharedTokensTest, PutsAnOlderTokenInThePlaceOfARefusedOne) {
  stored("theirs");
  need();
  parts.loop.enter([this] { shared->refused({own_token("theirs"), own_token("older")}); });
  parts.machine->run();
  EXPECT_EQ(store.record->token->value, Secret{"older"});
}

TEST_F(SharedTokensTest, GivesItsClaimBackWhenItEnds) {
  need();
  ASSERT_TRUE(store.record->claim);
  parts.loop.within([this] { shared.reset(); });
  EXPECT_FALSE(store.record->claim);
}

}  // namespace
}  // namespace skewguard::engine
