// Who waits for the machine: several threads, coroutines, and the loop itself.
#include <gtest/gtest.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <thread>

#include "skewguard/asio.hpp"
#include "skewguard/testing.hpp"

namespace skewguard {
namespace {

using namespace std::chrono_literals;
using skewguard::testing::Answer;
using skewguard::testing::TestEnvironment;

namespace asio = boost::asio;

class Blocking : public ::testing::Test {
 protected:
  TestEnvironment env;
  Client client = Client::make(env.options(), {}, env.dependencies()).value();
};

TEST_F(Blocking, ServesTwoThreadsAtOnce) {
  env.login().set_offset(3s);
  std::vector<std::future<int>> threads;
  threads.reserve(2);
  for (int i = 0; i < 2; ++i) {
    threads.push_back(std::async(std::launch::async, [this] {
      int good = 0;
      for (int n = 0; n < 50; ++n) {
        const auto answer = client.get("/api/v2/x");
        good += answer && answer->status == 200 ? 1 : 0;
      }
      return good;
    }));
  }
  for (auto& thread : threads) EXPECT_EQ(thread.get(), 50);
  EXPECT_EQ(env.token_requests(), 1U);
}

TEST_F(Blocking, HandsTheLoopOnWhereTheThreadThatRanItHasItsAnswer) {
  // One waits until its deadline, the other one's answer comes much earlier.
  env.api().set_script([](const auto& asked) -> std::optional<Answer> {
    if (asked.request.url.ends_with("/never")) return Answer{.never = true};
    return std::nullopt;
  });
  std::promise<void> asked;
  auto never = std::async(std::launch::async, [&] {
    asked.set_value();
    return client.get("/never");
  });
  asked.get_future().wait();
  // Until this call is posted, the other thread may let all the time of its own call pass.
  const auto answer = client.call({.path = "/api/v2/x", .timeout = 1h});
  ASSERT_TRUE(answer) << describe(answer.error());
  EXPECT_EQ(answer->status, 200);
  const auto late = never.get();
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind, ErrorKind::timeout);
}

TEST_F(Blocking, IsRefusedOnTheLoop) {
  std::optional<ErrorKind> kind;
  client.async_token({}, [&](const Result<BearerToken>&) {
    const auto answer = client.get("/api/v2/x");
    if (!answer) kind = answer.error().kind;
  });
  env.machine().advance(1s);
  EXPECT_EQ(kind, ErrorKind::config);
}

asio::awaitable<int> two_calls(Client& client) {
  const Request request{.path = "/api/v2/x"};
  const auto first = co_await async_call(client, request, asio::use_awaitable);
  const auto second = co_await async_call(client, request, asio::use_awaitable);
  co_return first.value().status + second.value().status;
}

TEST_F(Blocking, IsNotNeededByACoroutineOnAContextOfItsOwn) {
  env.login().set_offset(3s);
  asio::io_context context;
  auto story = asio::co_spawn(context, two_calls(client), asio::use_future);
  EXPECT_TRUE(env.machine().run_until([&] {
    context.poll();
    return story.wait_for(0s) == std::future_status::ready;
  }));
  EXPECT_EQ(story.get(), 400);
}

TEST_F(Blocking, IsNotNeededByAClientOnAContext) {
  env.login().set_delays(0s, 0s);
  env.api().set_delays(0s, 0s);
  asio::io_context context;
  auto on_context = make_client(context, env.options(), {}, env.dependencies()).value();
  int got = 0;
  async_call(on_context, {.path = "/api/v2/x"}, [&](const Result<Response>& result) {
    got = result ? result->status : 0;
    context.stop();
  });
  context.run_for(60s);
  EXPECT_EQ(got, 200);
}

}  // namespace
}  // namespace skewguard
