// Processes that share a token store: two clients of one world stand for them.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "client_testing.hpp"
#include "store/key.hpp"
#include "store/memory.hpp"

namespace skewguard::runtime {
namespace {

class SharedStore : public ::testing::Test {
 protected:
  Client process(Hooks hooks = {}) {
    Dependencies dependencies = world.dependencies();
    dependencies.store = store;
    return Client::make(world.options(), std::move(hooks), std::move(dependencies)).value();
  }
  int call(Client& client, std::string path = "/api/v2/x") {
    Told<Response> told;
    const Operation operation = client.async_call(get(std::move(path)), told.handler());
    EXPECT_TRUE(world.machine().run_until([&] { return told.times() > 0; }));
    world.machine().run();
    return told.last() ? told.last()->status : 0;
  }
  [[nodiscard]] std::optional<StoredToken> stored() { return store->load(key).value(); }
  void save(const StoredToken& token) { ASSERT_TRUE(store->save(key, token)); }
  /// Another process has learned this of the clocks.
  void learn_meanwhile(Duration lag, Duration lead) {
    StoredToken known = stored().value();
    known.api = world.api().url();
    known.lag = lag;
    known.lead = lead;
    save(known);
  }
  static Answer refused() {
    return {.status = 401,
            .body = R"({"message":"Invalid login credentials.","code":"bad.credentials"})"};
  }
  /// What another process does as soon as the second token of this one is refused.
  void refuse_all(const std::function<void()>& meanwhile) {
    world.api().set_script([this, meanwhile](const Asked&) {
      if (world.token_requests() == 2) meanwhile();
      return refused();
    });
  }

  MemoryWorld world;
  std::shared_ptr<store::Memory> store = std::make_shared<store::Memory>();
  std::string key = store::key_of(world.options());
};

TEST_F(SharedStore, LosesATokenThatIsRefusedForGood) {
  Client client = process();
  refuse_all([] {});
  EXPECT_EQ(call(client), 401);
  EXPECT_EQ(world.token_requests(), 2U);
  EXPECT_FALSE(stored());
  EXPECT_TRUE(store->claim(key).value()) << "the claim was given back";
}

TEST_F(SharedStore, KeepsATokenThatTheApiTookWhenAGatewayRefusesItAndItsSuccessor) {
  world.api().set_script([](const Asked& asked) -> std::optional<Answer> {
    if (!asked.request.url.ends_with("/waf")) return std::nullopt;
    Answer page{.status = 401, .body = "<html><body>Access denied</body></html>"};
    page.headers.add("Content-Type", "text/html");
    return page;
  });
  std::size_t logins = 0;
  for (int i = 0; i < 3; ++i) {
    Client works = process();
    EXPECT_EQ(call(works, "/ok"), 200);
    EXPECT_LE(world.token_requests(), logins + (i == 0 ? 1 : 0)) << i;
    Client blocked = process();
    EXPECT_EQ(call(blocked, "/waf"), 401);
    logins = world.token_requests();
    ASSERT_TRUE(stored());
    EXPECT_EQ(stored()->access_token.reveal(), "token-1");
    EXPECT_TRUE(stored()->accepted);
  }
}

TEST_F(SharedStore, KeepsTheOnlyTokenThatAGatewayRefuses) {
  world.api().set_script([](const Asked&) {
    Answer page{.status = 401, .body = "<html><body>Access denied</body></html>"};
    page.headers.add("Content-Type", "text/html");
    return page;
  });
  Client client = process();
  EXPECT_EQ(call(client), 401);
  EXPECT_TRUE(stored());
}

TEST_F(SharedStore, KeepsTheNewerTokenOfAnotherProcess) {
  Client client = process();
  refuse_all([this] {
    StoredToken newer = stored().value();
    newer.access_token = Secret("newer");
    save(newer);
  });
  EXPECT_EQ(call(client), 401);
  ASSERT_TRUE(stored());
  EXPECT_EQ(stored()->access_token.reveal(), "newer");
}

TEST_F(SharedStore, IsLeftToTheProcessThatAsksForTheSuccessor) {
  Client client = process();
  refuse_all([this] { EXPECT_TRUE(store->claim(key).value()); });
  EXPECT_EQ(call(client), 401);
  ASSERT_TRUE(stored());
  EXPECT_EQ(stored()->access_token.reveal(), "token-2");
}

TEST_F(SharedStore, KeepsWhatAnotherProcessLearnedWhenThisOneHasItsTokenAccepted) {
  Client client = process();
  world.api().set_script([this](const Asked&) {
    learn_meanwhile(5s, 0s);
    return std::nullopt;
  });
  call(client);
  ASSERT_TRUE(stored());
  EXPECT_TRUE(stored()->accepted);
  EXPECT_EQ(stored()->lag, Duration{5s});
}

TEST_F(SharedStore, KeepsWhatAnotherProcessLearnedWhenThisOneSavesANewToken) {
  Client client = process();
  call(client);
  world.revoke_all();
  world.login().set_script([this](const Asked&) {
    learn_meanwhile(5s, 7s);
    return std::nullopt;
  });
  call(client);
  ASSERT_TRUE(stored());
  EXPECT_EQ(stored()->access_token.reveal(), "token-2");
  EXPECT_EQ(stored()->lag, Duration{5s});
  EXPECT_EQ(stored()->lead, Duration{7s});
}

TEST_F(SharedStore, TellsARunningProcessWhatAnotherOneLearned) {
  world.login().set_offset(5s);  // the API refuses new tokens for so long
  Client first = process();
  call(first);
  world.machine().advance(60s);
  learn_meanwhile(0s, 0s);
  Client client = process();
  call(client);
  learn_meanwhile(5s, 0s);
  world.revoke_all();
  const std::size_t before = world.refused_requests();
  EXPECT_EQ(call(client), 200);
  EXPECT_EQ(world.token_requests(), 2U);
  EXPECT_EQ(world.refused_requests() - before, 1U) << "the new token was sent too early";
}

TEST_F(SharedStore, IsSaidOnceToHaveNoTokenHoweverOftenItIsLookedAt) {
  ASSERT_TRUE(store->claim(key).value());  // another process asks, and takes its time
  int told = 0;
  Hooks hooks;
  hooks.log_level = LogLevel::debug;
  hooks.log = [&told](const LogLine& line) {
    told += line.message == "token store: no token of this client" ? 1 : 0;
  };
  Client client = process(std::move(hooks));
  EXPECT_EQ(call(client), 200);
  EXPECT_EQ(told, 1);
}

TEST_F(SharedStore, TellsARunningProcessWhatAnotherOneUnlearned) {
  world.login().set_offset(5s);
  Client client = process();
  call(client);
  ASSERT_GE(stored()->lag, Duration{5s});
  learn_meanwhile(0s, 0s);
  world.revoke_all();
  // No Date tells this process by itself.
  world.login().set_script([](const Asked&) {
    return Answer{.body = R"({"access_token":"t2","token_type":"bearer","expires_in":300})",
                  .dated = false};
  });
  world.api().set_script([](const Asked& asked) -> std::optional<Answer> {
    if (asked.request.authorization.reveal() != "Bearer t2") return std::nullopt;
    return Answer{};
  });
  const Instant before = client.now();
  EXPECT_EQ(call(client), 200);
  EXPECT_LT(client.now() - before, Duration{1s}) << "it waited for a begin";
}

}  // namespace
}  // namespace skewguard::runtime
