#include "engine/store_access.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "skewguard/testing.hpp"
#include "store/record_text.hpp"

namespace skewguard::engine {
namespace {

using namespace std::chrono_literals;
using skewguard::testing::FakeMachine;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

/// Keeps its handlers until the test calls them.
class SlowStore final : public TokenStore {
 public:
  void read(const std::string& /*key*/, ReadHandler handler) override {
    if (throws) throw std::runtime_error("the disk is full");
    reads.push_back(std::move(handler));
  }
  void swap(const std::string& /*key*/, std::optional<std::string> /*expected*/, Secret /*text*/,
            SwapHandler handler) override {
    if (throws) throw std::runtime_error("the disk is full");
    swaps.push_back(std::move(handler));
  }
  bool throws = false;
  std::vector<ReadHandler> reads;
  std::vector<SwapHandler> swaps;
};

sharing::Record record_with(std::string token) {
  sharing::Record record;
  record.epoch = 7;
  record.generation = 1;
  record.token.emplace();
  record.token->id = 1;
  record.token->value = Secret(std::move(token));
  record.token->life = 300s;
  return record;
}

class AStoreAccess : public ::testing::Test {
 protected:
  void read(sharing::OperationId operation) {
    loop.enter([this, operation] { access->read({operation}); });
  }
  void swap(sharing::OperationId operation, sharing::Record record) {
    loop.enter([&] { access->swap({operation, "1", std::move(record)}); });
  }
  /// Operations that failed, in order.
  [[nodiscard]] std::vector<sharing::OperationId> failed() const {
    std::vector<sharing::OperationId> found;
    for (const auto& event : events) {
      if (const auto* one = std::get_if<sharing::event::StoreFailed>(&event))
        found.push_back(one->operation);
    }
    return found;
  }
  [[nodiscard]] const sharing::event::Stored& stored() const {
    return std::get<sharing::event::Stored>(events.at(0));
  }

  const std::string key = std::string(64, 'a');
  std::shared_ptr<FakeMachine> machine = std::make_shared<FakeMachine>();
  Loop loop{*machine, *machine};
  std::vector<std::string> lines;
  const Log log{[this](const LogLine& line) { lines.push_back(line.message); }, LogLevel::info};
  SlowStore store;
  std::vector<sharing::ShareEvent> events;
  std::optional<StoreAccess> access{
      std::in_place, loop, log, store, key, [this](const auto& event) { events.push_back(event); }};
};

TEST_F(AStoreAccess, ReportsAnAnswerInATurnOfItsOwn) {
  read(1);
  store.reads.at(0)(std::optional<TokenStore::Value>());
  EXPECT_TRUE(events.empty());
  machine->run();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(stored().operation, 1U);
  EXPECT_FALSE(stored().swapped);
  EXPECT_FALSE(stored().value);
}

TEST_F(AStoreAccess, ReportsAtOnceWhenItsInboxIsOpened) {
  read(1);
  read(2);
  store.reads.at(1)(std::optional<TokenStore::Value>());
  store.reads.at(0)(std::optional<TokenStore::Value>());
  loop.enter([this] { access->open_inbox(); });
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(stored().operation, 2U) << "in the order in which the store answered";
  machine->run();
  EXPECT_EQ(events.size(), 2U);
}

TEST_F(AStoreAccess, ReadsWhatAnotherProcessWrote) {
  swap(1, record_with("mine"));
  const auto text = store::to_text(key, record_with("theirs"));
  ASSERT_TRUE(text);
  store.swaps.at(0)(TokenStore::Swapped{true, TokenStore::Value{*text, "2"}});
  machine->run();
  EXPECT_TRUE(stored().swapped);
  ASSERT_TRUE(stored().value);
  EXPECT_EQ(stored().value->version, "2");
  ASSERT_TRUE(stored().value->record.token);
  EXPECT_EQ(stored().value->record.token->value.reveal(), "theirs");
  EXPECT_TRUE(lines.empty());
}

TEST_F(AStoreAccess, TreatsATextThatItCannotReadAsAnEmptyRecord) {
  read(1);
  store.reads.at(0)(std::optional(TokenStore::Value{Secret{std::string("garbage")}, "3"}));
  machine->run();
  ASSERT_TRUE(stored().value);
  EXPECT_EQ(stored().value->version, "3");
  EXPECT_FALSE(stored().value->record.token);
  EXPECT_THAT(lines, ElementsAre(HasSubstr("truncated, altered or from another program")));
}

TEST_F(AStoreAccess, ReportsAFailureOnceAndWithoutTheToken) {
  swap(1, record_with("secret-token"));
  store.swaps.at(0)(Error{ErrorKind::unavailable, "cannot write secret-token", ""});
  read(2);
  store.reads.at(0)(Error{ErrorKind::unavailable, "cannot read", ""});
  machine->run();
  EXPECT_THAT(failed(), ElementsAre(1, 2));
  EXPECT_THAT(lines, ElementsAre(HasSubstr("cannot write ")));
  EXPECT_THAT(lines, ElementsAre(Not(HasSubstr("secret-token"))));
}

TEST_F(AStoreAccess, QuotesFiveHundredCharactersOfAnErrorAtMost) {
  read(1);
  store.reads.at(0)(Error{ErrorKind::unavailable, std::string(600, 'x'), ""});
  machine->run();
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(std::ranges::count(lines[0], 'x'), 500);
}

TEST_F(AStoreAccess, ReportsAStoreThatThrowsAsFailed) {
  store.throws = true;
  read(1);
  EXPECT_TRUE(events.empty()) << "never from within the call";
  swap(2, record_with("secret-token"));
  machine->run();
  EXPECT_THAT(failed(), ElementsAre(1, 2));
  EXPECT_THAT(lines, ElementsAre(HasSubstr("the disk is full")));
}

TEST_F(AStoreAccess, ReportsWhatCannotBeWrittenAsFailed) {
  swap(1, record_with("not visible \x01"));
  machine->run();
  EXPECT_TRUE(store.swaps.empty());
  EXPECT_THAT(failed(), ElementsAre(1));
}

TEST_F(AStoreAccess, ReportsNothingOnceItIsDestroyed) {
  read(1);
  access.reset();
  store.reads.at(0)(std::optional<TokenStore::Value>());
  machine->run();
  EXPECT_TRUE(events.empty());
}

}  // namespace
}  // namespace skewguard::engine
