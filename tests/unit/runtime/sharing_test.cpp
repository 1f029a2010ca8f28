// Processes that share a token store, played by two clients in one environment.
#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "client_testing.hpp"

namespace skewguard::runtime {
namespace {

/// A store whose error quotes what it was to write.
class QuotingStore final : public TokenStore {
 public:
  void read(const std::string& key, ReadHandler handler) override { kept_.read(key, handler); }
  void swap(const std::string& key, std::optional<std::string> expected, Secret text,
            SwapHandler handler) override {
    if (text.reveal().find("token-1") != std::string_view::npos)
      throw std::runtime_error("cannot SET\n" + std::string(text.reveal()));
    kept_.swap(key, std::move(expected), std::move(text), std::move(handler));
  }

 private:
  OpenStore kept_;
};

class SharedStore : public ::testing::Test {
 protected:
  Client process(Hooks hooks = {}) {
    Dependencies dependencies = environment.dependencies();
    dependencies.store = store;
    return Client::make(environment.options(), std::move(hooks), std::move(dependencies)).value();
  }
  int call(Client& client, std::string path = "/api/v2/x") {
    Recorder<Response> recorder;
    const Operation operation = client.async_call(get(std::move(path)), recorder.handler());
    EXPECT_TRUE(environment.machine().run_until([&] { return recorder.times() > 0; }));
    environment.machine().run();
    return recorder.last() ? recorder.last()->status : 0;
  }
  [[nodiscard]] std::string stored_token() const {
    return store->record && store->record->token ? std::string(store->record->token->value.reveal())
                                                 : "";
  }
  void store_newer_token() {
    store->record->token->value = Secret("newer");
    store->record->token->id = 999;
    ++store->record->generation;
    store->changed();
  }
  /// Another process has learned this about the clocks.
  void learn_meanwhile(Duration lag, Duration lead) {
    store->record->api = environment.api().url();
    store->record->lag = lag;
    store->record->lead = lead;
    store->changed();
  }
  static Answer refused() {
    return {.status = 401,
            .body = R"({"message":"Invalid login credentials.","code":"bad.credentials"})"};
  }
  /// What another process does as soon as the second token of this process is refused.
  void refuse_all(const std::function<void()>& meanwhile) {
    environment.api().set_script([this, meanwhile](const Asked&) {
      if (environment.token_requests() == 2) meanwhile();
      return refused();
    });
  }

  MemoryEnvironment environment;
  std::shared_ptr<OpenStore> store = std::make_shared<OpenStore>();
};

TEST_F(SharedStore, LosesATokenThatIsRefusedForGood) {
  Client client = process();
  refuse_all([] {});
  EXPECT_EQ(call(client), 401);
  EXPECT_EQ(environment.token_requests(), 2U);
  EXPECT_EQ(stored_token(), "");
  EXPECT_FALSE(store->record->claim) << "it was given back";
}

TEST_F(SharedStore, KeepsATokenThatTheApiTookWhenAGatewayRefusesItAndItsSuccessor) {
  environment.api().set_script([](const Asked& asked) -> std::optional<Answer> {
    if (!asked.request.url.ends_with("/waf")) return std::nullopt;
    Answer page{.status = 401, .body = "<html><body>Access denied</body></html>"};
    page.headers.add("Content-Type", "text/html");
    return page;
  });
  std::size_t logins = 0;
  for (int i = 0; i < 3; ++i) {
    Client works = process();
    EXPECT_EQ(call(works, "/ok"), 200);
    EXPECT_LE(environment.token_requests(), logins + (i == 0 ? 1 : 0)) << i;
    Client blocked = process();
    EXPECT_EQ(call(blocked, "/waf"), 401);
    logins = environment.token_requests();
    ASSERT_EQ(stored_token(), "token-1");
    EXPECT_TRUE(store->record->token->accepted);
  }
}

TEST_F(SharedStore, KeepsTheOnlyTokenThatAGatewayRefuses) {
  environment.api().set_script([](const Asked&) {
    Answer page{.status = 401, .body = "<html><body>Access denied</body></html>"};
    page.headers.add("Content-Type", "text/html");
    return page;
  });
  Client client = process();
  EXPECT_EQ(call(client), 401);
  EXPECT_NE(stored_token(), "");
}

TEST_F(SharedStore, KeepsTheNewerTokenOfAnotherProcess) {
  Client client = process();
  refuse_all([this] { store_newer_token(); });
  EXPECT_EQ(call(client), 401);
  EXPECT_EQ(stored_token(), "newer");
}

TEST_F(SharedStore, KeepsWhatAnotherProcessLearnedWhenThisOneHasItsTokenAccepted) {
  Client client = process();
  environment.api().set_script([this](const Asked&) {
    learn_meanwhile(5s, 0s);
    return std::nullopt;
  });
  call(client);
  ASSERT_NE(stored_token(), "");
  EXPECT_TRUE(store->record->token->accepted);
  EXPECT_EQ(store->record->lag, Duration{5s});
}

TEST_F(SharedStore, KeepsWhatAnotherProcessLearnedWhenThisOneSavesANewToken) {
  Client client = process();
  call(client);
  environment.revoke_all();
  environment.login().set_script([this](const Asked&) {
    learn_meanwhile(5s, 7s);
    return std::nullopt;
  });
  call(client);
  EXPECT_EQ(stored_token(), "token-2");
  EXPECT_EQ(store->record->lag, Duration{5s});
  EXPECT_EQ(store->record->lead, Duration{7s});
}

TEST_F(SharedStore, CountsATokensLifeFromItsRequestNotFromTheDateOfALateAnswer) {
  environment.login().set_delays(1s, 4s);
  Client client = process();
  EXPECT_EQ(call(client), 200);
  ASSERT_NE(stored_token(), "");
  EXPECT_EQ(store->record->token->date - store->record->token->issued_from, Duration{5s});
}

TEST_F(SharedStore, ARunningProcessLearnsWhatAnotherOneLearned) {
  environment.login().set_offset(5s);  // for this long the API refuses new tokens
  Client first = process();
  call(first);
  environment.machine().advance(60s);
  learn_meanwhile(0s, 0s);
  Client client = process();
  call(client);
  learn_meanwhile(5s, 0s);
  environment.revoke_all();
  const std::size_t before = environment.refused_requests();
  EXPECT_EQ(call(client), 200);
  EXPECT_EQ(environment.token_requests(), 2U);
  EXPECT_EQ(environment.refused_requests() - before, 1U) << "the new token was sent too early";
}

TEST_F(SharedStore, WhoseErrorQuotesTheTokenDoesNotBringItToTheLog) {
  Dependencies dependencies = environment.dependencies();
  dependencies.store = std::make_shared<QuotingStore>();
  std::string logged;
  Hooks hooks;
  hooks.log = [&logged](const LogLine& line) { logged += line.message + "|"; };
  Client client =
      Client::make(environment.options(), std::move(hooks), std::move(dependencies)).value();
  EXPECT_EQ(call(client), 200);
  EXPECT_NE(logged.find("the token store threw: cannot SET"), std::string::npos) << logged;
  EXPECT_EQ(logged.find("token-1"), std::string::npos) << logged;
  EXPECT_EQ(logged.find('\n'), std::string::npos) << logged;
}

/// Every operation fails.
class BrokenStore final : public TokenStore {
 public:
  void read(const std::string&, ReadHandler handler) override { handler(broken()); }
  void swap(const std::string&, std::optional<std::string>, Secret, SwapHandler handler) override {
    handler(broken());
  }

 private:
  static Error broken() { return {ErrorKind::unavailable, "the disk is broken", ""}; }
};

TEST_F(SharedStore, ThatFailsIsReportedOnceAndCostsNoCall) {
  Dependencies dependencies = environment.dependencies();
  dependencies.store = std::make_shared<BrokenStore>();
  int reports = 0;
  Hooks hooks;
  hooks.log = [&reports](const LogLine& line) {
    reports += line.message.find("the disk is broken") != std::string::npos ? 1 : 0;
  };
  Client client =
      Client::make(environment.options(), std::move(hooks), std::move(dependencies)).value();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(call(client), 200);
    environment.revoke_all();
  }
  EXPECT_EQ(reports, 1);
}

TEST_F(SharedStore, GetsTheClaimBackOfAClientThatEndsBeforeItsTokenComes) {
  silence(environment.login());
  {
    Client client = process();
    const Recorder<BearerToken> recorder;
    const Operation operation = client.async_token({}, recorder.handler());
    environment.machine().advance(1s);
    ASSERT_TRUE(store->record && store->record->claim);
  }
  EXPECT_FALSE(store->record->claim);
}

TEST_F(SharedStore, IsNotAskedForACallerWhoLeftWhileClocksWereChecked) {
  environment.machine().tell_of_stops();
  Client client = process();
  EXPECT_EQ(call(client), 200);
  environment.machine().stand_still(400s);  // the token may have expired
  environment.login().set_script([](const Asked& asked) -> std::optional<Answer> {
    if (asked.request.method == "HEAD") return Answer{.up = 1s};
    return std::nullopt;
  });
  const Recorder<BearerToken> recorder;
  const Operation operation = client.async_token({}, recorder.handler());
  environment.machine().advance(500ms);
  operation.cancel();
  environment.machine().advance(10s);
  EXPECT_TRUE(recorder.once(ErrorKind::cancelled));
  EXPECT_EQ(environment.login().asked().back().request.method, "HEAD") << "its time was asked for";
  EXPECT_EQ(environment.token_requests(), 1U);
}

TEST_F(SharedStore, IsReportedEmptyOnceHoweverOftenItIsRead) {
  store->record = sharing::Record{.epoch = 7, .claim = sharing::Claim{7, 1, 0}};
  int reports = 0;
  Hooks hooks;
  hooks.log_level = LogLevel::debug;
  hooks.log = [&reports](const LogLine& line) {
    reports += line.message == "token store: no token of this client" ? 1 : 0;
  };
  Client client = process(std::move(hooks));
  EXPECT_EQ(call(client), 200);
  EXPECT_EQ(reports, 1);
}

TEST_F(SharedStore, ARunningProcessForgetsWhatAnotherOneForgot) {
  environment.login().set_offset(5s);
  Client client = process();
  call(client);
  ASSERT_GE(store->record->lag, Duration{5s});
  learn_meanwhile(0s, 0s);
  environment.revoke_all();
  // This process cannot learn it from any Date.
  environment.login().set_script([](const Asked&) {
    return Answer{.body = R"({"access_token":"t2","token_type":"bearer","expires_in":300})",
                  .dated = false};
  });
  environment.api().set_script([](const Asked& asked) -> std::optional<Answer> {
    if (asked.request.authorization.reveal() != "Bearer t2") return std::nullopt;
    return Answer{};
  });
  const Instant before = client.now();
  EXPECT_EQ(call(client), 200);
  EXPECT_LT(client.now() - before, Duration{1s}) << "it waited for a begin";
}

}  // namespace
}  // namespace skewguard::runtime
