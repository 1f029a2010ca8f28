// The client on the user's io_context, with hosts in memory.
#include "skewguard/asio.hpp"

#include <gtest/gtest.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <filesystem>
#include <future>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <thread>

#include "../../hung.hpp"
#include "client_testing.hpp"

namespace skewguard::runtime {
namespace {

namespace asio = boost::asio;

std::ptrdiff_t threads_of_this_process() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/task"),
                       std::filesystem::directory_iterator());
}

class ClientOnAContext : public ::testing::Test {
 protected:
  void SetUp() override { make(); }
  void make() {
    auto made = make_client(context, environment.options(), {}, environment.clocks_and_hosts());
    ASSERT_TRUE(made);
    client = std::make_unique<Client>(*std::move(made));
  }
  /// Runs until `done`; false if it hangs.
  template <typename F>
  bool run_until(const F& done) {
    context.restart();
    while (!done()) {
      if (context.run_one_for(kHung) == 0) return false;
    }
    return true;
  }
  /// Ends the client and runs until the context has no work left; false if it hangs.
  bool runs_out() {
    client.reset();
    context.restart();
    context.run_for(kHung);
    return context.stopped();
  }

  MemoryEnvironment environment;
  FakeMachine& machine = environment.machine();
  asio::io_context context;
  std::unique_ptr<Client> client;
  Recorder<Response> recorder;
};

TEST_F(ClientOnAContext, DropsWhatAHandlerWithoutAnExecutorThrows) {
  async_call(*client, get(), [](const Result<Response>&) { throw std::runtime_error("mine"); });
  async_call(*client, get(), recorder.handler());
  EXPECT_TRUE(run_until([&] { return recorder.times() > 0; }));
  EXPECT_TRUE(recorder.once_ok());
  EXPECT_TRUE(runs_out());
}

// Completion tokens -------------------------------------------------------------------------------

TEST_F(ClientOnAContext, CallsBack) {
  async_call(*client, get(), recorder.handler());
  EXPECT_EQ(recorder.times(), 0U);
  EXPECT_TRUE(run_until([&] { return recorder.times() > 0; }));
  ASSERT_TRUE(recorder.once_ok());
  EXPECT_EQ(recorder.last()->status, 200);
  EXPECT_TRUE(runs_out());
  EXPECT_EQ(recorder.times(), 1U);
}

TEST_F(ClientOnAContext, TakesHandlersThatCannotBeCopied) {
  std::optional<int> got;
  async_token(*client, {}, [&, owned = std::make_unique<int>(7)](const Result<BearerToken>& token) {
    EXPECT_TRUE(token);
    got = *owned;
  });
  EXPECT_TRUE(run_until([&] { return got.has_value(); }));
  EXPECT_EQ(got, 7);
}

TEST_F(ClientOnAContext, FulfilsAFuture) {
  auto work = asio::make_work_guard(context);
  std::thread runner([this] { context.run(); });
  auto call = async_call(*client, get(), asio::use_future);
  auto token = async_token(*client, {}, asio::use_future);
  auto guard = async_guard(
      *client, [&](const Bearer&, const auto& done) { done(answer(201, "", machine)); }, {},
      asio::use_future);
  ASSERT_EQ(call.wait_for(kHung), std::future_status::ready);
  ASSERT_EQ(token.wait_for(kHung), std::future_status::ready);
  ASSERT_EQ(guard.wait_for(kHung), std::future_status::ready);
  EXPECT_EQ(call.get().value().status, 200);
  EXPECT_EQ(token.get().value().value, Secret{"token-1"});
  EXPECT_EQ(guard.get().value().status, 201);
  client.reset();
  work.reset();
  runner.join();
}

asio::awaitable<std::string> all_three(Client& client, FakeMachine& machine) {
  const auto token = co_await async_token(client, {}, asio::use_awaitable);
  const auto call = co_await async_call(client, get(), asio::use_awaitable);
  // Variables: g++ 12 destroys `{}` and a lambda twice if they are part of a co_await.
  const GuardOptions options;
  const Client::Sender sender = [&](const Bearer& bearer, const auto& done) {
    done(answer(200, bearer.token, machine));
  };
  const auto guard = co_await async_guard(client, sender, options, asio::use_awaitable);
  co_return std::string(token.value().value.reveal()) + " " + std::to_string(call.value().status) +
      " " + guard.value().body;
}

TEST_F(ClientOnAContext, IsAwaited) {
  auto story = asio::co_spawn(context, all_three(*client, machine), asio::use_future);
  EXPECT_TRUE(run_until([&] { return story.wait_for(0s) == std::future_status::ready; }));
  EXPECT_EQ(story.get(), "token-1 200 token-1");
  EXPECT_TRUE(runs_out());
}

TEST_F(ClientOnAContext, StartsNothingBeforeADeferredCallIsLaunched) {
  auto deferred = async_call(*client, get(), asio::deferred);
  context.run_for(10ms);
  EXPECT_EQ(environment.token_requests(), 0U);
  std::move(deferred)(recorder.handler());
  EXPECT_TRUE(run_until([&] { return recorder.times() > 0; }));
  EXPECT_TRUE(recorder.once_ok());
}

TEST_F(ClientOnAContext, RunsAHandlerOnItsOwnExecutor) {
  asio::io_context other;
  async_call(*client, get(), asio::bind_executor(other, [&](const Result<Response>& result) {
    EXPECT_TRUE(other.get_executor().running_in_this_thread());
    EXPECT_FALSE(context.get_executor().running_in_this_thread());
    recorder.handler()(result);
  }));
  std::thread runner([this] { context.run(); });
  other.run();  // the call in progress counts as work
  EXPECT_TRUE(recorder.once_ok());
  client.reset();
  runner.join();
}

// Cancellation ------------------------------------------------------------------------------------

TEST_F(ClientOnAContext, IsCancelledThroughASlotBeforeTheContextRuns) {
  asio::cancellation_signal signal;
  async_call(*client, get(), asio::bind_cancellation_slot(signal.slot(), recorder.handler()));
  signal.emit(asio::cancellation_type::terminal);
  EXPECT_EQ(recorder.times(), 0U);
  EXPECT_TRUE(run_until([&] { return recorder.times() > 0; }));
  EXPECT_TRUE(recorder.once(ErrorKind::cancelled));
  EXPECT_EQ(environment.api().requests(), 0U);
}

TEST_F(ClientOnAContext, IsCancelledThroughASlotInTheMiddle) {
  silence(environment.api());
  silence(environment.login());
  Recorder<BearerToken> token;
  Recorder<Response> guard;
  asio::cancellation_signal signal;
  asio::cancellation_signal of_token;
  asio::cancellation_signal of_guard;
  async_call(*client, get(), asio::bind_cancellation_slot(signal.slot(), recorder.handler()));
  async_token(*client, {}, asio::bind_cancellation_slot(of_token.slot(), token.handler()));
  async_guard(
      *client, [](const Bearer&, const auto&) {}, {},
      asio::bind_cancellation_slot(of_guard.slot(), guard.handler()));
  EXPECT_TRUE(run_until([&] { return environment.token_requests() > 0; }));
  EXPECT_EQ(recorder.times() + token.times() + guard.times(), 0U);
  for (auto* each : {&signal, &of_token, &of_guard}) each->emit(asio::cancellation_type::partial);
  EXPECT_TRUE(run_until([&] { return recorder.times() + token.times() + guard.times() == 3; }));
  EXPECT_TRUE(recorder.once(ErrorKind::cancelled));
  EXPECT_TRUE(token.once(ErrorKind::cancelled));
  EXPECT_TRUE(guard.once(ErrorKind::cancelled));
}

TEST_F(ClientOnAContext, IsNotTouchedByASlotAfterTheEnd) {
  asio::cancellation_signal signal;
  async_call(*client, get(), asio::bind_cancellation_slot(signal.slot(), recorder.handler()));
  EXPECT_TRUE(run_until([&] { return recorder.times() > 0; }));
  signal.emit(asio::cancellation_type::terminal);
  EXPECT_TRUE(runs_out());
  signal.emit(asio::cancellation_type::terminal);
  EXPECT_TRUE(recorder.once_ok());
}

// The loop ----------------------------------------------------------------------------------------

TEST_F(ClientOnAContext, RunsOneFunctionAtATimeWhereThreeThreadsRunIt) {
  constexpr int kCalls = 300;
  auto work = asio::make_work_guard(context);
  std::vector<std::thread> runners;
  runners.reserve(3);
  for (int i = 0; i < 3; ++i) runners.emplace_back([this] { context.run(); });
  std::atomic<int> busy{0};
  std::atomic<bool> overlapped{false};
  const auto work_a_little = [&] {
    if (++busy > 1) overlapped = true;
    std::this_thread::yield();
    --busy;
  };
  environment.api().set_script([&](const Asked&) {
    work_a_little();
    return std::nullopt;
  });
  std::vector<std::future<Result<Response>>> calls;
  const Client::Sender sender = [&](const Bearer&, const auto& done) {
    work_a_little();
    asio::post(context, [this, done] { done(answer(200, "", machine)); });
  };
  for (int i = 0; i < kCalls; ++i) {
    calls.push_back(async_call(*client, get(), asio::use_future));
    calls.push_back(async_guard(*client, sender, {}, asio::use_future));
  }
  for (auto& call : calls) {
    ASSERT_EQ(call.wait_for(kHung), std::future_status::ready);
    EXPECT_TRUE(call.get());
  }
  EXPECT_FALSE(overlapped);
  EXPECT_EQ(environment.token_requests(), 1U);
  client.reset();
  work.reset();
  for (auto& runner : runners) runner.join();
}

TEST_F(ClientOnAContext, StartsNoThread) {
  const auto before = threads_of_this_process();
  async_call(*client, get(), recorder.handler());
  EXPECT_TRUE(run_until([&] { return recorder.times() > 0; }));
  EXPECT_EQ(threads_of_this_process(), before);
}

TEST_F(ClientOnAContext, KeepsTheContextAtWorkWhileItHasATokenToKeepFresh) {
  context.run_for(kHung);
  EXPECT_TRUE(context.stopped()) << "nothing was asked for";
  async_token(*client, {}, [](const Result<BearerToken>&) {});
  context.restart();
  context.run_for(10ms);
  EXPECT_FALSE(context.stopped());
  EXPECT_TRUE(runs_out());
}

TEST_F(ClientOnAContext, LeavesNoWorkBehindThoughAnOperationAndAnAnswerAreStillHeld) {
  std::function<void(SendResult)> late;
  const Operation call = client->async_call(get(), [](const Result<Response>&) {});
  const Operation guard = client->async_guard([&](const Bearer&, const auto& done) { late = done; },
                                              {}, recorder.handler());
  EXPECT_TRUE(run_until([&] { return late != nullptr; }));
  EXPECT_TRUE(runs_out());
  EXPECT_TRUE(recorder.once(ErrorKind::cancelled));
  call.cancel();
  late(broken());
  EXPECT_EQ(recorder.times(), 1U);
}

TEST_F(ClientOnAContext, EndsCallsInProgressWithItsClient) {
  silence(environment.api());
  const std::vector<Recorder<Response>> calls(100);
  for (const auto& call : calls) async_call(*client, get(), call.handler());
  EXPECT_TRUE(run_until([&] { return environment.api().requests() == 100; }));
  EXPECT_TRUE(runs_out());
  for (const auto& call : calls) EXPECT_TRUE(call.once(ErrorKind::cancelled));
}

TEST_F(ClientOnAContext, IsReleasedFromAnotherThreadWhileThreadsRunItsTimers) {
  auto work = asio::make_work_guard(context);
  std::vector<std::thread> runners;
  runners.reserve(3);
  for (int i = 0; i < 3; ++i) runners.emplace_back([this] { context.run(); });
  for (int round = 0; round < 50; ++round) {
    std::vector<std::future<Result<Response>>> calls;
    GuardOptions options;
    options.timeout = 0s;
    calls.reserve(10);
    for (int i = 0; i < 10; ++i) {
      calls.push_back(
          async_guard(*client, [](const Bearer&, const auto&) {}, options, asio::use_future));
    }
    client.reset();
    for (auto& call : calls) {
      ASSERT_EQ(call.wait_for(kHung), std::future_status::ready);
      EXPECT_FALSE(call.get());
    }
    make();
  }
  client.reset();
  work.reset();
  for (auto& runner : runners) runner.join();
}

/// As usual in Asio: a context destroyed with work left destroys the handlers and calls none.
TEST(ClientOnAContextThatNeverRuns, LetsGoOfItsHandlersWithTheContext) {
  MemoryEnvironment const environment;
  const Recorder<Response> recorder;
  {
    asio::io_context context;
    auto client = make_client(context, environment.options(), {}, environment.clocks_and_hosts());
    ASSERT_TRUE(client);
    client->async_call(get(), recorder.handler());
    EXPECT_GT(recorder.results.use_count(), 1);
  }
  EXPECT_EQ(recorder.results.use_count(), 1);
  EXPECT_EQ(recorder.times(), 0U);
}

// Blocking ----------------------------------------------------------------------------------------

TEST_F(ClientOnAContext, BlocksCallersOutside) {
  auto work = asio::make_work_guard(context);
  std::thread runner([this] { context.run(); });
  const auto response = client->get("/api/v2/x");
  EXPECT_TRUE(response);
  const auto guarded_one =
      client->guard([&](const Bearer&) -> SendResult { return answer(204, "", machine); });
  EXPECT_TRUE(guarded_one);
  EXPECT_TRUE(client->token());
  client.reset();
  work.reset();
  runner.join();
}

TEST_F(ClientOnAContext, RefusesToBlockTheThreadThatRunsIt) {
  std::vector<ErrorKind> kinds;
  const auto block = [&] {
    Request request = get();
    request.timeout = 10ms;
    const auto response = client->call(request);
    kinds.push_back(response ? ErrorKind::protocol : response.error().kind);
  };
  asio::post(context, block);
  async_token(*client, {}, [&](const Result<BearerToken>&) { block(); });
  EXPECT_TRUE(run_until([&] { return kinds.size() == 2; }));
  EXPECT_EQ(kinds, (std::vector{ErrorKind::config, ErrorKind::config}));
}

// A loop that cannot be started -------------------------------------------------------------------

TEST(ClientThatCannotStart, SaysSoAndNotFromWithinTheCall) {
  const MemoryEnvironment environment;
  asio::io_context context;
  Dependencies dependencies;
  dependencies.transport = [](Executor&) -> std::unique_ptr<Transport> {
    throw std::runtime_error("no more sockets");
  };
  auto client = make_client(context, environment.options(), {}, std::move(dependencies));
  ASSERT_TRUE(client);
  Recorder<Response> recorder;
  async_call(*client, get(), asio::bind_executor(context, [&](const Result<Response>& result) {
    recorder.handler()(result);
  }));
  asio::post(context, [&] {
    async_call(*client, get(), asio::bind_executor(context, recorder.handler()));
    EXPECT_EQ(recorder.times(), 1U);
  });
  EXPECT_EQ(recorder.times(), 0U);
  context.run();
  ASSERT_EQ(recorder.times(), 2U);
  ASSERT_FALSE(recorder.last());
  EXPECT_EQ(recorder.last().error().kind, ErrorKind::unavailable);
  EXPECT_NE(recorder.last().error().message.find("no more sockets"), std::string::npos);
}

}  // namespace
}  // namespace skewguard::runtime
