// The client on a machine whose time the test controls, with hosts in memory.
#include <gtest/gtest.h>

#include <future>
#include <new>
#include <optional>
#include <stdexcept>

#include "../../hung.hpp"
#include "client_testing.hpp"

namespace skewguard::runtime {
namespace {

class ClientOnAFakeMachine : public ::testing::Test {
 protected:
  void SetUp() override { make(); }
  void make(Hooks hooks = {}) {
    Dependencies dependencies = environment->dependencies();
    dependencies.fresh_secrets = [this] { return std::exchange(fresh_secrets, std::nullopt); };
    auto made = Client::make(environment->options(), std::move(hooks), std::move(dependencies));
    ASSERT_TRUE(made);
    client = std::make_unique<Client>(*std::move(made));
  }

  /// The login host rejects the first secret that it sees.
  void refuse_what_comes_first() {
    environment->login().set_script([first = Secret()](const Asked& asked) mutable {
      const Secret& given = asked.request.authorization;
      if (first.empty()) first = given;
      return given == first
                 ? std::optional(Answer{.status = 401, .body = R"({"error":"invalid_client"})"})
                 : std::nullopt;
    });
  }

  Dependencies::FreshSecrets fresh_secrets;
  std::unique_ptr<MemoryEnvironment> environment = std::make_unique<MemoryEnvironment>();
  FakeMachine& machine = environment->machine();
  std::unique_ptr<Client> client;
  Recorder<Response> recorder;
};

// When handlers are called ------------------------------------------------------------------------

TEST_F(ClientOnAFakeMachine, CallsEachHandlerOnceAndNeverFromWithinTheCall) {
  const Recorder<BearerToken> token;
  const Recorder<Response> guard;
  client->async_call(get(), recorder.handler());
  client->async_token({}, token.handler());
  client->async_guard([&](const Bearer&, const auto& done) { done(answer(200, "", machine)); }, {},
                      guard.handler());
  EXPECT_EQ(recorder.times() + token.times() + guard.times(), 0U);
  machine.run();
  EXPECT_EQ(environment->token_requests(), 1U);
  machine.advance(1h);
  EXPECT_TRUE(recorder.once_ok());
  EXPECT_TRUE(token.once_ok());
  EXPECT_TRUE(guard.once_ok());
}

TEST_F(ClientOnAFakeMachine, CallsNoHandlerFromWithinACallMadeOnTheLoop) {
  bool within = false;
  client->async_token({}, [&](const Result<BearerToken>&) {
    within = true;
    client->async_call(get(), [&](const Result<Response>& result) {
      EXPECT_FALSE(within);
      recorder.handler()(result);
    });
    within = false;
  });
  machine.run();
  EXPECT_TRUE(recorder.once_ok());
}

TEST_F(ClientOnAFakeMachine, ReportsThatTheDeadlinePassed) {
  silence(environment->api());
  silence(environment->login());
  const Recorder<BearerToken> token;
  client->async_token({}, token.handler());
  machine.advance(29s);
  EXPECT_EQ(token.times(), 0U);
  machine.advance(2s);
  EXPECT_TRUE(token.once(ErrorKind::timeout));
}

TEST_F(ClientOnAFakeMachine, MakesOneTokenRequestForTenThousandCallersAtTheEndOfAToken) {
  constexpr int kCallers = 10'000;
  client->async_call(get(), recorder.handler());
  machine.run();
  ASSERT_EQ(environment->token_requests(), 1U);
  machine.suspend(301s);  // every caller arrives before any timer fires
  int good = 0;
  const auto count = [&good](const auto& result) { good += result.ok() ? 1 : 0; };
  for (int i = 0; i < kCallers / 2; ++i) {
    client->async_call(get(), count);
    client->async_token({}, count);
  }
  machine.run();
  EXPECT_EQ(good, kCallers);
  EXPECT_EQ(environment->token_requests(), 2U);
  EXPECT_EQ(environment->api().requests(), 1U + kCallers / 2 + 1U) << "one more verifies the token";
}

// Cancellation ------------------------------------------------------------------------------------

TEST_F(ClientOnAFakeMachine, MayBeCancelledBeforeTheCallHasStarted) {
  client->async_call(get(), recorder.handler()).cancel();
  machine.run();
  EXPECT_TRUE(recorder.once(ErrorKind::cancelled));
  EXPECT_EQ(environment->api().requests(), 0U);
}

TEST_F(ClientOnAFakeMachine, MayBeCancelledInTheMiddleOfACall) {
  silence(environment->api());
  const Operation operation = client->async_call(get(), recorder.handler());
  machine.run();
  EXPECT_EQ(environment->api().requests(), 1U);
  EXPECT_EQ(recorder.times(), 0U);
  operation.cancel();
  operation.cancel();
  machine.run();
  machine.advance(1h);
  EXPECT_TRUE(recorder.once(ErrorKind::cancelled));
}

TEST_F(ClientOnAFakeMachine, IsNotTouchedByACancellationAfterTheEnd) {
  const Operation operation = client->async_call(get(), recorder.handler());
  machine.run();
  operation.cancel();
  machine.run();
  EXPECT_TRUE(recorder.once_ok());
  Operation().cancel();
}

TEST_F(ClientOnAFakeMachine, LetsOneReaderGoAndServesTheOthers) {
  silence(environment->login());
  const Recorder<BearerToken> one;
  const Recorder<BearerToken> other;
  const Operation operation = client->async_token({}, one.handler());
  client->async_token({}, other.handler());
  machine.run();
  operation.cancel();
  machine.run();
  EXPECT_TRUE(one.once(ErrorKind::cancelled));
  EXPECT_EQ(other.times(), 0U) << "what is asked for goes on";
}

TEST_F(ClientOnAFakeMachine, CancelsWhatItsSenderHasNotAnswered) {
  std::function<void(SendResult)> late;
  const Operation operation = client->async_guard(
      [&](const Bearer&, const auto& done) { late = done; }, guarded("GET"), recorder.handler());
  machine.run();
  operation.cancel();
  machine.run();
  EXPECT_TRUE(recorder.once(ErrorKind::cancelled));
  late(answer(200, "", machine));
  machine.run();
  EXPECT_EQ(recorder.times(), 1U);
}

// The end of the client ---------------------------------------------------------------------------

TEST_F(ClientOnAFakeMachine, EndsAHundredCallsInProgress) {
  silence(environment->api());
  const std::vector<Recorder<Response>> calls(100);
  for (auto& call : calls) client->async_call(get(), call.handler());
  machine.run();
  client.reset();
  machine.run();
  for (const auto& call : calls) EXPECT_TRUE(call.once(ErrorKind::cancelled));
}

TEST_F(ClientOnAFakeMachine, EndsCallsThatHadNotStarted) {
  const std::vector<Recorder<Response>> calls(100);
  for (auto& call : calls) client->async_call(get(), call.handler());
  client.reset();
  machine.run();
  for (const auto& call : calls) EXPECT_TRUE(call.once(ErrorKind::cancelled));
}

TEST(ClientOnALoopOfItsOwn, EndsAHundredCallsInProgressBeforeItIsGone) {
  MemoryEnvironment environment;
  silence(environment.api());
  auto made = Client::make(environment.options(), {}, environment.clocks_and_hosts());
  ASSERT_TRUE(made);
  auto client = std::make_unique<Client>(*std::move(made));
  const std::vector<Recorder<Response>> calls(100);
  std::vector<Operation> operations;
  operations.reserve(calls.size());
  for (auto& call : calls) operations.push_back(client->async_call(get(), call.handler()));
  client.reset();
  for (const auto& operation : operations) operation.cancel();
  for (const auto& call : calls) EXPECT_TRUE(call.once(ErrorKind::cancelled));
}

TEST(ClientOnALoopOfItsOwn, AnswersCallsThatItsLastHandlersMake) {
  MemoryEnvironment environment;
  silence(environment.api());
  auto made = Client::make(environment.options(), {}, environment.clocks_and_hosts());
  ASSERT_TRUE(made);
  std::atomic<int> answered{0};
  {
    const auto client = std::make_unique<Client>(*std::move(made));
    for (int i = 0; i < 100; ++i) {
      client->async_call(get(), [&, again = client.get()](const Result<Response>&) {
        ++answered;
        again->async_call(get(), [&](const Result<Response>& result) {
          EXPECT_FALSE(result);
          ++answered;
        });
      });
    }
  }
  EXPECT_EQ(answered, 200);
}

TEST_F(ClientOnAFakeMachine, IsGoneThoughAnOperationOrAnAnswerIsStillHeld) {
  std::function<void(SendResult)> late;
  const Operation operation = client->async_guard(
      [&](const Bearer&, const auto& done) { late = done; }, {}, recorder.handler());
  machine.run();
  client.reset();
  machine.run();
  EXPECT_TRUE(recorder.once(ErrorKind::cancelled));
  const std::weak_ptr<Executor> watch = environment->dependencies().executor;
  environment.reset();
  EXPECT_TRUE(watch.expired());
  operation.cancel();
  late(broken());
  EXPECT_EQ(recorder.times(), 1U);
}

// Blocking calls on the loop ----------------------------------------------------------------------

void expect_blocking_calls_are_refused(Client& client) {
  const auto call = client.get("/api/v2/x");
  ASSERT_FALSE(call);
  EXPECT_EQ(call.error().kind, ErrorKind::config);
  const auto token = client.token();
  ASSERT_FALSE(token);
  EXPECT_EQ(token.error().kind, ErrorKind::config);
  const auto guard = client.guard([](const Bearer&) -> SendResult { return broken(); });
  ASSERT_FALSE(guard);
  EXPECT_EQ(guard.error().kind, ErrorKind::config);
}

TEST_F(ClientOnAFakeMachine, RefusesBlockingCallsFromAHandler) {
  client->async_token({}, [&](const Result<BearerToken>&) {
    expect_blocking_calls_are_refused(*client);
    recorder.handler()(Response{});
  });
  machine.run();
  EXPECT_EQ(recorder.times(), 1U);
}

TEST(ClientOnALoopOfItsOwn, RefusesBlockingCallsFromAHookAndAHandler) {
  MemoryEnvironment const environment;
  std::optional<Client> client;
  std::atomic<int> asked{0};
  std::promise<void> answered;
  Hooks hooks;
  hooks.log = [&](const LogLine&) {
    expect_blocking_calls_are_refused(*client);
    ++asked;
  };
  auto made = Client::make(environment.options(), std::move(hooks), environment.clocks_and_hosts());
  ASSERT_TRUE(made);
  client.emplace(*std::move(made));
  client->async_call(get(), [&](const Result<Response>&) {
    expect_blocking_calls_are_refused(*client);
    answered.set_value();
  });
  EXPECT_EQ(answered.get_future().wait_for(kHung), std::future_status::ready);
  client.reset();
  EXPECT_GT(asked, 0);
}

// guard() -----------------------------------------------------------------------------------------

TEST_F(ClientOnAFakeMachine, SendsWithANewTokenAfterARefusalBlocking) {
  std::vector<std::string> seen;
  const auto revoked_after_one = [&](const Bearer& bearer) -> SendResult {
    seen.push_back(bearer.authorization);
    EXPECT_EQ(bearer.authorization, "Bearer " + bearer.token);
    return seen.size() == 2 ? refusal(machine) : answer(200, "done", machine);
  };
  for (int i = 0; i < 2; ++i) {
    const auto result = client->guard(revoked_after_one, guarded("POST"));
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(result->status, 200);
    EXPECT_EQ(result->body, "done");
  }
  EXPECT_EQ(seen, (std::vector<std::string>{"Bearer token-1", "Bearer token-1", "Bearer token-2"}));
}

TEST_F(ClientOnAFakeMachine, SendsWithANewTokenAfterARefusal) {
  std::vector<std::string> seen;
  const Client::Sender sender = [&](const Bearer& bearer, const auto& done) {
    seen.push_back(bearer.token);
    done(seen.size() == 2 ? refusal(machine) : answer(200, "", machine));
  };
  for (int i = 0; i < 2; ++i) {
    client->async_guard(sender, guarded("POST"), recorder.handler());
    machine.run();
  }
  ASSERT_EQ(recorder.times(), 2U);
  ASSERT_TRUE(recorder.last());
  EXPECT_EQ(recorder.last()->status, 200);
  EXPECT_TRUE(recorder.last()->report.mitigated);
  EXPECT_EQ(seen, (std::vector<std::string>{"token-1", "token-1", "token-2"}));
}

TEST_F(ClientOnAFakeMachine, TreatsASendThatThrowsAsCancelled) {
  const auto blocked =
      client->guard([](const Bearer&) -> SendResult { throw std::runtime_error("mine"); });
  ASSERT_FALSE(blocked);
  EXPECT_EQ(blocked.error().kind, ErrorKind::cancelled);

  client->async_guard([](const Bearer&, const auto&) { throw std::runtime_error("mine"); }, {},
                      recorder.handler());
  EXPECT_NO_THROW(machine.run()) << "the loop is the user's";
  EXPECT_TRUE(recorder.once(ErrorKind::cancelled));
}

TEST_F(ClientOnAFakeMachine, SaysWhyASendFailed) {
  const TransportFailure refused{TransportFailure::Kind::refused, "nobody listens", false};
  const auto blocked = client->guard([&](const Bearer&) -> SendResult { return refused; });
  ASSERT_FALSE(blocked);
  EXPECT_EQ(blocked.error().kind, ErrorKind::unavailable);
  EXPECT_NE(blocked.error().message.find("nobody listens"), std::string::npos);

  client->async_guard([&](const Bearer&, const auto& done) { done(refused); }, {},
                      recorder.handler());
  machine.run();
  EXPECT_TRUE(recorder.once(ErrorKind::unavailable));
}

TEST_F(ClientOnAFakeMachine, DoesNotWaitBeyondTheDeadlineForASendThatNeverAnswers) {
  GuardOptions options;
  options.timeout = 5s;
  Instant deadline{};
  const Instant start = client->now();
  client->async_guard([&](const Bearer& bearer, const auto&) { deadline = bearer.deadline; },
                      options, recorder.handler());
  machine.advance(4900ms);
  EXPECT_EQ(recorder.times(), 0U);
  EXPECT_EQ(deadline, start + 5s);
  machine.advance(200ms);
  EXPECT_TRUE(recorder.once(ErrorKind::timeout));
}

TEST_F(ClientOnAFakeMachine, IgnoresASecondAnswerToOneSend) {
  // One that arrives while the first is handled, and one after the end.
  std::vector<std::function<void(SendResult)>> answers;
  const Client::Sender sender = [&](const Bearer&, const auto& done) { answers.push_back(done); };
  client->async_guard(sender, guarded("GET"), recorder.handler());
  machine.run();
  ASSERT_EQ(answers.size(), 1U);
  answers[0](broken());
  answers[0](answer(200, "second", machine));
  machine.advance(10s);
  ASSERT_EQ(answers.size(), 2U);
  EXPECT_EQ(recorder.times(), 0U) << "the answer to the second send is waited for";
  answers[0](answer(200, "third", machine));
  machine.run();
  EXPECT_EQ(recorder.times(), 0U);
  answers[1](answer(200, "of the second send", machine));
  answers[1](answer(200, "twice", machine));
  machine.run();
  ASSERT_TRUE(recorder.once_ok());
  EXPECT_EQ(recorder.last()->body, "of the second send");
}

TEST_F(ClientOnAFakeMachine, TakesAnAnswerFromAnotherThread) {
  std::thread other;
  client->async_guard(
      [&](const Bearer&, const auto& done) {
        other = std::thread([this, done] { done(answer(200, "", machine)); });
      },
      {}, recorder.handler());
  machine.run();
  other.join();
  machine.run();
  EXPECT_TRUE(recorder.once_ok());
}

/// How often a request with this method is sent if the connections break.
TEST_F(ClientOnAFakeMachine, SendsAgainOverANewConnectionOnlyWhatIsSafe) {
  const auto sends_of = [&](const std::string& method) {
    int sends = 0;
    client->async_guard(
        [&](const Bearer&, const auto& done) {
          ++sends;
          done(broken());
        },
        guarded(method), recorder.handler());
    machine.advance(30s);
    return sends;
  };
  EXPECT_EQ(sends_of("GET"), 3);
  EXPECT_EQ(sends_of("HEAD"), 3);
  EXPECT_EQ(sends_of("POST"), 1);
  EXPECT_EQ(sends_of("PUT"), 1);
  EXPECT_EQ(sends_of(""), 1);
  EXPECT_EQ(recorder.times(), 5U);
}

/// The shortest round trip to the API host in the report.
std::optional<Duration> round_trip(const Result<Response>& result) {
  if (!result) return std::nullopt;
  for (const auto& clock : result->report.clocks) {
    if (clock.server == "https://api.test") return clock.rtt_min;
  }
  return std::nullopt;
}

TEST_F(ClientOnAFakeMachine, FillsInWhenARequestWasSentAndAnsweredWhereThatIsLeftOut) {
  const auto left_out = [&](const Bearer&) -> SendResult {
    machine.advance(40ms);
    Exchange exchange = answer(403, "{}", machine);
    exchange.sent = exchange.received = Now{};
    return exchange;
  };
  EXPECT_EQ(round_trip(client->guard(left_out)), 40ms);
  make();
  client->async_guard([&](const Bearer& bearer, const auto& done) { done(left_out(bearer)); }, {},
                      recorder.handler());
  machine.run();
  ASSERT_EQ(recorder.times(), 1U);
  EXPECT_EQ(round_trip(recorder.last()), 40ms);
}

TEST_F(ClientOnAFakeMachine, BelievesTheSenderThatStampsByItself) {
  client->async_guard(
      [&](const Bearer&, const auto& done) {
        machine.advance(40ms);
        const Now sent = client->read_clocks();
        machine.advance(3ms);
        Exchange exchange = answer(403, "{}", machine);
        exchange.sent = sent;
        exchange.received = client->read_clocks();
        machine.advance(20ms);
        done(exchange);
      },
      {}, recorder.handler());
  machine.run();
  ASSERT_EQ(recorder.times(), 1U);
  EXPECT_EQ(round_trip(recorder.last()), 3ms);
}

TEST_F(ClientOnAFakeMachine, TreatsAnAnswerWithoutAStatusAsNone) {
  client->async_guard([](const Bearer&, const auto& done) { done(Exchange{}); }, guarded("POST"),
                      recorder.handler());
  machine.advance(31s);
  ASSERT_TRUE(recorder.once(ErrorKind::protocol)) << recorder.times();
  EXPECT_NE(recorder.last().error().message.find("status 0"), std::string::npos)
      << recorder.last().error().message;
}

TEST_F(ClientOnAFakeMachine, SendsNothingTwiceWhoseAnswerHadNoStatus) {
  int sent = 0;
  client->async_guard(
      [&](const Bearer&, const auto& done) {
        ++sent;
        done(Exchange{});
      },
      guarded("POST"), recorder.handler());
  machine.run();
  EXPECT_EQ(sent, 1) << "it may have had an effect";
}

// Bodies ------------------------------------------------------------------------------------------

/// Answers every request with `status` and a large body; notes the address of the last one.
class LargeBodies final : public Transport {
 public:
  LargeBodies(Executor& loop, FakeMachine& machine, int status, const char*& lay_at)
      : loop_(loop), machine_(machine), status_(status), lay_at_(lay_at) {}
  Ticket send(HttpRequest request, const SendOptions&, Handler handler) override {
    const bool login = request.url.find("login") != std::string::npos;
    auto exchange = std::make_shared<Exchange>(
        login ? answer(200, R"({"access_token":"t","expires_in":300})", machine_)
              : answer(status_, std::string(1 << 20, 'x'), machine_));
    if (!login) lay_at_ = exchange->body.data();
    loop_.post([exchange, handler = std::move(handler)] { handler(std::move(*exchange)); });
    return 1;
  }
  void cancel(Ticket) override {}

 private:
  Executor& loop_;
  FakeMachine& machine_;
  const int status_;
  const char*& lay_at_;
};

TEST_F(ClientOnAFakeMachine, NeverCopiesABodyOnItsWayToTheCaller) {
  for (const int status : {200, 404, 401, 503}) {
    const char* lay_at = nullptr;
    Dependencies dependencies = environment->dependencies();
    dependencies.transport = [&](Executor& loop) {
      return std::make_unique<LargeBodies>(loop, machine, status, lay_at);
    };
    client = std::make_unique<Client>(
        Client::make(environment->options(), {}, std::move(dependencies)).value());
    const char* came_at = nullptr;
    client->async_call(get(), [&](const Result<Response>& result) {
      if (result) came_at = result->body.data();
    });
    machine.advance(1min);
    ASSERT_NE(came_at, nullptr) << status;
    EXPECT_EQ(came_at, lay_at) << status;
  }
}

TEST_F(ClientOnAFakeMachine, NeverCopiesABodyThatTheUsersStackBrought) {
  const char* lay_at = nullptr;
  client->async_guard(
      [&](const Bearer&, const auto& done) {
        Exchange exchange = answer(200, std::string(1 << 20, 'x'), machine);
        lay_at = exchange.body.data();
        done(std::move(exchange));
      },
      {}, recorder.handler());
  machine.run();
  ASSERT_TRUE(recorder.once_ok());
  EXPECT_EQ(recorder.last()->body.data(), lay_at);
}

// Exceptions from the user's code -----------------------------------------------------------------

/// A loop that is out of memory for timers, or for everything, while the test says so.
class PoorLoop final : public Executor {
 public:
  explicit PoorLoop(std::shared_ptr<Executor> loop) : loop_(std::move(loop)) {}
  void post(std::function<void()> function) override {
    if (spent) throw std::bad_alloc();
    loop_->post(std::move(function));
  }
  Timer call_at(Instant at, std::function<void()> function) override {
    if (no_timers) throw std::bad_alloc();
    return loop_->call_at(at, std::move(function));
  }
  void cancel(Timer timer) override { loop_->cancel(timer); }
  bool no_timers = false;
  bool spent = false;

 private:
  std::shared_ptr<Executor> loop_;
};

TEST_F(ClientOnAFakeMachine, DropsWhatAHandlerThrowsAndTellsAllOthers) {
  const Recorder<Response> other;
  client->async_call(get(), [](const Result<Response>&) { throw std::runtime_error("mine"); });
  client->async_token({}, [](const Result<BearerToken>&) { throw std::bad_alloc(); });
  client->async_call(get(), other.handler());
  EXPECT_NO_THROW(machine.run());
  EXPECT_TRUE(other.once_ok());
}

TEST_F(ClientOnAFakeMachine, EndsAllCallsThoughTheirHandlersThrow) {
  silence(environment->api());
  silence(environment->login());
  int ended = 0;
  for (int i = 0; i < 3; ++i) {
    client->async_call(get(), [&](const Result<Response>&) {
      ++ended;
      throw std::runtime_error("mine");
    });
    client->async_token({}, [&](const Result<BearerToken>&) {
      ++ended;
      throw std::runtime_error("mine");
    });
  }
  machine.run();
  client.reset();
  EXPECT_NO_THROW(machine.run());
  EXPECT_EQ(ended, 6);
}

TEST_F(ClientOnAFakeMachine, ThrowsNothingWhereHooksThrow) {
  Hooks hooks;
  hooks.on_rejection = [](const Rejection&) { throw std::runtime_error("mine"); };
  hooks.on_resolved = [](const CallReport&) { throw std::bad_alloc(); };
  hooks.log = [](const LogLine&) { throw 1; };
  make(std::move(hooks));
  int sends = 0;
  client->async_guard(
      [&](const Bearer&, const auto& done) {
        done(++sends == 1 ? refusal(machine) : answer(200, "", machine));
      },
      guarded("GET"), recorder.handler());
  EXPECT_NO_THROW(machine.advance(20s));
  EXPECT_TRUE(recorder.once_ok());
}

TEST_F(ClientOnAFakeMachine, TreatsATransportThatThrowsAsABrokenConnection) {
  class Throws final : public Transport {
   public:
    Ticket send(HttpRequest, const SendOptions&, Handler) override {
      throw std::runtime_error("no more sockets");
    }
    void cancel(Ticket) override { throw std::runtime_error("nothing to cancel"); }
  };
  Dependencies dependencies = environment->dependencies();
  dependencies.transport = [](Executor&) { return std::make_unique<Throws>(); };
  auto made = Client::make(environment->options(), {}, std::move(dependencies));
  ASSERT_TRUE(made);
  client = std::make_unique<Client>(*std::move(made));
  client->async_call(get(), recorder.handler());
  EXPECT_NO_THROW(machine.advance(31s));
  ASSERT_TRUE(recorder.times() == 1 && !recorder.last());
  EXPECT_NE(recorder.last().error().message.find("no more sockets"), std::string::npos)
      << recorder.last().error().message;
}

class ClientOnAPoorLoop : public ClientOnAFakeMachine {
 protected:
  void TearDown() override {
    poor->no_timers = poor->spent = false;
    client.reset();
    machine.run();  // posted functions keep the client alive, and it keeps its loop
  }
  void SetUp() override {
    Dependencies dependencies = environment->dependencies();
    dependencies.executor = poor;
    auto made = Client::make(environment->options(), {}, std::move(dependencies));
    ASSERT_TRUE(made);
    client = std::make_unique<Client>(*std::move(made));
    client->async_token({}, [](const Result<BearerToken>&) {});
    machine.run();
  }
  std::shared_ptr<PoorLoop> poor = std::make_shared<PoorLoop>(environment->dependencies().executor);
};

TEST_F(ClientOnAPoorLoop, EndsACallThatCannotGoOn) {
  poor->no_timers = true;  // the deadline of the user's sender needs a timer
  client->async_guard([](const Bearer&, const auto&) {}, guarded("GET"), recorder.handler());
  EXPECT_NO_THROW(machine.run());
  EXPECT_TRUE(recorder.once(ErrorKind::unavailable));
}

TEST_F(ClientOnAPoorLoop, EndsWhatCannotBeginOnTheLoop) {
  const Recorder<BearerToken> token;
  client->async_call(get(), recorder.handler());
  client->async_token({}, token.handler());
  poor->spent = true;
  EXPECT_NO_THROW(machine.run());
  EXPECT_TRUE(recorder.once(ErrorKind::unavailable));
  EXPECT_TRUE(token.once(ErrorKind::unavailable));
  poor->spent = false;
  client.reset();
  machine.run();
  EXPECT_TRUE(recorder.times() == 1 && token.times() == 1);
}

TEST_F(ClientOnAPoorLoop, ThrowsNothingWhenCallsAreStartedCancelledOrAnswered) {
  std::function<void(SendResult)> done;
  const Operation operation =
      client->async_guard([&](const Bearer&, const auto& answer) { done = answer; }, guarded("GET"),
                          recorder.handler());
  machine.run();
  poor->spent = true;
  EXPECT_NO_THROW(done(answer(200, "", machine)));
  EXPECT_NO_THROW(operation.cancel());
  const Recorder<BearerToken> token;
  EXPECT_NO_THROW(client->async_token({}, token.handler()));
  EXPECT_TRUE(token.once(ErrorKind::unavailable));
  EXPECT_EQ(client->reload({Secret{"new"}}).error().kind, ErrorKind::unavailable);
  EXPECT_EQ(recorder.times(), 0U);
  machine.advance(31s);
  EXPECT_TRUE(recorder.once(ErrorKind::timeout));
  client.reset();  // it cannot post to its loop
}

TEST(ClientThatCannotStart, ThrowsNothingThoughItsHandlerDoes) {
  const auto environment = std::make_unique<MemoryEnvironment>();
  Dependencies dependencies = environment->clocks_and_hosts();
  dependencies.transport = [](Executor&) -> std::unique_ptr<Transport> { throw std::bad_alloc(); };
  auto made = Client::make(environment->options(), {}, std::move(dependencies));
  ASSERT_TRUE(made);
  int calls = 0;
  EXPECT_NO_THROW(made->async_call(get(), [&](const Result<Response>& result) {
    ++calls;
    EXPECT_EQ(result.error().kind, ErrorKind::unavailable);
    throw std::runtime_error("mine");
  }));
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(made->call(get()).error().kind, ErrorKind::unavailable);
}

// Other processes ---------------------------------------------------------------------------------

/// A store that never answers.
class SilentStore final : public TokenStore {
 public:
  void read(const std::string&, ReadHandler handler) override {
    kept_.push_back(std::move(handler));
  }
  void swap(const std::string&, std::optional<std::string>, Secret, SwapHandler) override {}

 private:
  std::vector<ReadHandler> kept_;
};

TEST_F(ClientOnAFakeMachine, ContinuesWithoutAStoreThatIsSilent) {
  Dependencies dependencies = environment->dependencies();
  dependencies.store = std::make_shared<SilentStore>();
  auto made = Client::make(environment->options(), {}, std::move(dependencies));
  ASSERT_TRUE(made);
  const auto answer = made->call(get());
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_LE(answer->report.elapsed, 2s);
}

TEST_F(ClientOnAFakeMachine, TakesOverFromAProcessThatIsStuckAndSaysSo) {
  std::vector<std::string> warnings;
  Hooks hooks;
  hooks.log = [&](const LogLine& line) {
    if (line.level == LogLevel::warn) warnings.push_back(line.message);
  };
  Dependencies dependencies = environment->dependencies();
  const auto store = std::make_shared<OpenStore>();
  store->record = sharing::Record{.epoch = 7, .claim = sharing::Claim{7, 1, 0}};
  dependencies.store = store;
  auto made = Client::make(environment->options(), std::move(hooks), std::move(dependencies));
  ASSERT_TRUE(made);
  Request request = get();
  request.timeout = 10s;
  const auto answer = made->call(request);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_LE(answer->report.elapsed, 6s);
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_NE(warnings.front().find("another process"), std::string::npos) << warnings.front();
}

// lease() -----------------------------------------------------------------------------------------

TEST_F(ClientOnAFakeMachine, LeasesNothingBeforeATokenWasAskedFor) {
  EXPECT_EQ(client->lease(client->now()), nullptr);
  machine.run();
  EXPECT_EQ(client->lease(client->now()), nullptr);
  EXPECT_EQ(environment->token_requests(), 0U);
}

TEST_F(ClientOnAFakeMachine, LeasesTheTokenThatWasAskedForUntilItEnds) {
  client->async_token({}, [](const Result<BearerToken>&) {});
  machine.run();
  const Lease* lease = client->lease(client->now());
  ASSERT_NE(lease, nullptr);
  EXPECT_EQ(lease->token, "token-1");
  EXPECT_EQ(lease->authorization, "Bearer token-1");
  EXPECT_GT(lease->until, client->now());
  EXPECT_LE(lease->until, client->now() + 300s);
  EXPECT_EQ(client->lease(client->now()), lease);
  EXPECT_EQ(client->lease(lease->until), nullptr);
}

TEST_F(ClientOnAFakeMachine, KeepsFreshWhatIsRead) {
  client->async_token({}, [](const Result<BearerToken>&) {});
  machine.run();
  for (int i = 0; i < 1200; ++i) {  // four lifetimes
    ASSERT_NE(client->lease(client->now()), nullptr) << "after " << i << " s";
    machine.advance(1s);
  }
  EXPECT_GE(environment->token_requests(), 4U);
  EXPECT_LE(environment->token_requests(), 8U);
  const auto before = environment->token_requests();
  machine.advance(2h);
  EXPECT_LE(environment->token_requests(), before + 1) << "what nobody reads is let go";
}

TEST_F(ClientOnAFakeMachine, LeavesALeaseGoodBeyondItsEnd) {
  client->async_token({}, [](const Result<BearerToken>&) {});
  machine.run();
  const Lease* lease = client->lease(client->now());
  ASSERT_NE(lease, nullptr);
  client.reset();
  machine.run();
  EXPECT_EQ(lease->authorization, "Bearer token-1");
}

// Replaced secrets --------------------------------------------------------------------------------

TEST_F(ClientOnAFakeMachine, ReloadsSecretsAndAsksAtOnceWhereTheOldOneWasRefused) {
  refuse_what_comes_first();
  const Recorder<BearerToken> refused;
  client->async_token({}, refused.handler());
  machine.run();
  EXPECT_TRUE(refused.once(ErrorKind::credentials));
  ASSERT_TRUE(client->reload({Secret{"the new one"}}));
  const Recorder<BearerToken> token;
  client->async_token({}, token.handler());
  machine.run();
  EXPECT_TRUE(token.once_ok());
  EXPECT_EQ(environment->token_requests(), 2U);
}

TEST_F(ClientOnAFakeMachine, KeepsATokenThatLivesWhenSecretsAreReloaded) {
  const Recorder<BearerToken> before;
  const Recorder<BearerToken> after;
  client->async_token({}, before.handler());
  machine.run();
  ASSERT_TRUE(client->reload({Secret{"the new one"}, Secret{"the old one"}}));
  client->async_token({}, after.handler());
  machine.run();
  ASSERT_TRUE(before.once_ok() && after.once_ok());
  EXPECT_EQ(before.last()->value, after.last()->value);
}

TEST_F(ClientOnAFakeMachine, TakesFreshSecretsBeforeATokenIsAskedFor) {
  refuse_what_comes_first();
  const Recorder<BearerToken> refused;
  client->async_token({}, refused.handler());
  machine.run();
  EXPECT_TRUE(refused.once(ErrorKind::credentials));
  fresh_secrets = std::vector<Secret>{Secret{"the new one"}};
  const Recorder<BearerToken> token;
  client->async_token({}, token.handler());
  machine.run();
  EXPECT_TRUE(token.once_ok());
}

TEST_F(ClientOnAFakeMachine, TakesFreshSecretsBeforeATokenIsReplacedUnasked) {
  const Recorder<BearerToken> token;
  client->async_token({}, token.handler());
  machine.run();
  ASSERT_TRUE(token.once_ok());
  ASSERT_NE(client->lease(machine.now().boot), nullptr);  // so that the token is kept fresh
  fresh_secrets = std::vector<Secret>{Secret{"the new one"}};
  machine.advance(300s);
  EXPECT_FALSE(fresh_secrets) << "they were not asked for";
  EXPECT_EQ(environment->token_requests(), 2U);
}

TEST_F(ClientOnAFakeMachine, KeepsItsSecretsAndSaysSoWhereFreshOnesAreOfNoUse) {
  std::vector<std::string> errors;
  make({.log = [&](const LogLine& line) {
    if (line.level == LogLevel::error) errors.push_back(line.message);
  }});
  for (Dependencies::FreshSecrets bad :
       {Dependencies::FreshSecrets(Error{ErrorKind::config, "cannot read it", ""}),
        Dependencies::FreshSecrets(std::vector<Secret>{}),
        Dependencies::FreshSecrets(std::vector<Secret>{Secret{"a\nb"}})}) {
    fresh_secrets = std::move(bad);
    const Recorder<BearerToken> token;
    client->async_token({}, token.handler());
    machine.run();
    EXPECT_TRUE(token.once_ok());
  }
  EXPECT_EQ(errors.size(), 3U);
}

TEST_F(ClientOnAFakeMachine, LogsNoTokenThatItsIssuerRepeatsInFields) {
  const std::string token = "issued-7f3a9c-of-thirty-characters";
  std::string log;
  make({.log = [&](const LogLine& line) { log += line.message + "\n"; },
        .log_level = LogLevel::trace});
  environment->login().set_script([&](const Asked&) {
    Answer answer{.status = 200};
    answer.headers = {{"Date", token}, {"X-Seen", token}};
    answer.body = R"({"access_token":")" + token + R"(","token_type":"bearer","expires_in":300})";
    return answer;
  });
  const Recorder<BearerToken> issued;
  client->async_token({}, issued.handler());
  machine.run();
  EXPECT_NE(log.find("< X-Seen: ***"), std::string::npos) << log;
  EXPECT_NE(log.find("no clock sample"), std::string::npos) << log;
  EXPECT_EQ(log.find("issued-7f3a9c"), std::string::npos) << log;
}

TEST_F(ClientOnAFakeMachine, ReloadsNothingThatCannotBeSent) {
  for (auto secrets : {std::vector<Secret>{}, std::vector<Secret>{Secret{"a\nb"}},
                       std::vector<Secret>{Secret{"a"}, Secret{"\x01"}}}) {
    const auto reloaded = client->reload(std::move(secrets));
    ASSERT_FALSE(reloaded);
    EXPECT_EQ(reloaded.error().kind, ErrorKind::config);
  }
  EXPECT_EQ(client->reload().error().kind, ErrorKind::config) << "it is not of the environment";
}

}  // namespace
}  // namespace skewguard::runtime
