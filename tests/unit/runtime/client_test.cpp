// A Client on its real loop, with a clock that stands still and hosts in memory.
#include "skewguard/client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "../../hung.hpp"
#include "../../no_fork.hpp"
#include "runtime/io_loop.hpp"

namespace skewguard {
namespace {

class StandingClock final : public ClockSource {
 public:
  Now now() override {
    Now now;
    now.boot = Instant{std::chrono::hours{1}};
    return now;
  }
};

/// A login host that issues tokens, and an API host that answers 403 to everything.
class Hosts final : public Transport {
 public:
  Hosts(Executor& loop, std::promise<void>& gone, std::string* authorization = nullptr)
      : loop_(loop), gone_(gone), authorization_(authorization) {}
  ~Hosts() override { gone_.set_value(); }
  Hosts(const Hosts&) = delete;
  Hosts& operator=(const Hosts&) = delete;

  Ticket send(HttpRequest request, const SendOptions& /*options*/, Handler handler) override {
    Exchange exchange;
    exchange.sent = exchange.received = StandingClock().now();
    const bool login = request.url.starts_with("https://login.test/");
    if (login && authorization_ != nullptr) *authorization_ = request.authorization.reveal();
    exchange.status = login ? 200 : 403;
    exchange.body = R"({"access_token":"t","expires_in":300,"code":"missing.permissions"})";
    loop_.post([exchange, handler = std::move(handler)] { handler(exchange); });
    return ++last_;
  }
  void cancel(Ticket /*ticket*/) override {}

 private:
  Executor& loop_;
  std::promise<void>& gone_;
  std::string* authorization_;  ///< of the last token request
  Ticket last_ = 0;
};

class ClientOnItsLoop : public ::testing::Test {
 protected:
  void make(Hooks hooks = {}) {
    ClientOptions options;
    options.login_url = "https://login.test";
    options.api_url = "https://api.test";
    options.client_id = "id";
    options.client_secrets = {Secret{"secret"}};
    Dependencies dependencies;
    dependencies.clock = std::make_shared<StandingClock>();
    dependencies.transport = [this](Executor& loop) {
      return std::make_unique<Hosts>(loop, gone_, &authorization);
    };
    auto made = Client::make(std::move(options), std::move(hooks), std::move(dependencies));
    ASSERT_TRUE(made);
    client = std::make_unique<Client>(*std::move(made));
  }
  /// Whether the client has released everything that it used.
  bool ended() { return gone_.get_future().wait_for(kHung) == std::future_status::ready; }

  std::unique_ptr<Client> client;
  std::string authorization;  ///< of the last token request

 private:
  std::promise<void> gone_;
};

TEST_F(ClientOnItsLoop, EndsWithItsLastOwner) {
  make();
  const auto answer = client->get("/api/v2/x");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 403);
  client.reset();
  EXPECT_TRUE(ended());
}

TEST_F(ClientOnItsLoop, MayBeReleasedByOneOfItsOwnHooks) {
  Hooks hooks;
  hooks.on_resolved = [this](const CallReport&) { client.reset(); };
  make(std::move(hooks));
  const auto answer = client->get("/api/v2/x");
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 403) << "the call under way is answered all the same";
  EXPECT_TRUE(ended());
}

TEST_F(ClientOnItsLoop, MayBeReleasedInTheMiddleOfACallByOneOfItsOwnHooks) {
  Hooks hooks;
  hooks.log = [this](const LogLine&) { client.reset(); };  // the first line, about the token
  make(std::move(hooks));
  const auto answer = client->get("/api/v2/x");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::cancelled);
  EXPECT_TRUE(ended());
}

TEST(ClientOptions, WithWhatNamesNoNtpServerAreRefused) {
  for (const char* name : {"a b", "::1", "ntp.test:0"}) {
    ClientOptions options;
    options.login_url = "https://login.test";
    options.api_url = "https://api.test";
    options.client_id = "id";
    options.client_secrets = {Secret(std::string_view{"secret"})};
    options.ntp = {"ntp.test", name};
    const auto made = Client::make(std::move(options));
    ASSERT_FALSE(made) << name;
    EXPECT_EQ(made.error().kind, ErrorKind::config);
    EXPECT_NE(made.error().message.find(name), std::string::npos);
  }
}

TEST(ClientOptions, WithAQueryInABaseUrlAreRefused) {
  ClientOptions options;
  options.login_url = "https://login.test";
  options.api_url = "https://api.test?a=b";
  options.client_id = "id";
  const auto made = Client::make(std::move(options));
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind, ErrorKind::config);
  EXPECT_THAT(made.error().message, ::testing::HasSubstr("query"));
}

TEST(ClientOptions, WithAnIdThatBasicCannotHoldOrASecretAmongTheFieldsAreRefused) {
  ClientOptions options;
  options.login_url = "https://login.test";
  options.api_url = "https://api.test";
  options.client_id = "urn:app:demo";
  options.client_secrets = {Secret(std::string_view{"secret"})};
  EXPECT_FALSE(Client::make(options));
  options.client_auth = ClientAuth::post;
  EXPECT_TRUE(Client::make(options));
  options.client_auth = ClientAuth::basic;
  options.dialect = DialectName::rfc6749;
  EXPECT_TRUE(Client::make(options));
  options.token_params = {{"grant_type", "password"}};
  EXPECT_TRUE(Client::make(options));
  options.token_params = {{"grant_type", "a"}, {"resource", "x"}, {"resource", "y"}};
  EXPECT_TRUE(Client::make(options));
  options.token_params = {{"grant_type", "a"}, {"grant_type", "b"}};
  EXPECT_FALSE(Client::make(options));
  for (const char* name : {"client_id", "client_secret", "Client_Secret"}) {
    options.token_params = {{name, "x"}};
    const auto made = Client::make(options);
    ASSERT_FALSE(made) << name;
    EXPECT_THAT(made.error().message, ::testing::HasSubstr(name));
  }
}

TEST_F(ClientOnItsLoop, MayGoWhileTheSendFunctionOfACallIsAtWork) {
  make();
  std::promise<void> sending;
  std::promise<void> gone;
  auto call = std::async(std::launch::async, [&] {
    return client->guard([&](const Bearer&) {
      sending.set_value();
      gone.get_future().wait();
      return SendResult{Exchange{{.status = 200}}};
    });
  });
  sending.get_future().wait();
  client.reset();
  gone.set_value();
  const auto answer = call.get();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::cancelled);
  EXPECT_TRUE(ended());
}

TEST_F(ClientOnItsLoop, SaysWhatTheSendFunctionThrew) {
  make();
  const auto answer = client->guard([](const Bearer& bearer) -> SendResult {
    throw std::runtime_error("no handle for " + bearer.authorization);
  });
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::cancelled);
  EXPECT_THAT(answer.error().message, ::testing::HasSubstr("no handle"));
  client.reset();
  EXPECT_TRUE(ended());
}

TEST_F(ClientOnItsLoop, LeavesTheSignalsOfTheProgramToItsOwnThreads) {
  make();
  ASSERT_TRUE(client->get("/api/v2/x"));
  std::string blocked;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream status(task.path() / "status");
    std::string line;
    bool ours = false;
    while (std::getline(status, line)) {
      ours = ours || line == "Name:\tskewguard";
      if (ours && line.starts_with("SigBlk:")) blocked = line;
    }
  }
  ASSERT_FALSE(blocked.empty()) << "no thread has that name";
  const auto mask = std::stoull(blocked.substr(blocked.find('\t') + 1), nullptr, 16);
  EXPECT_NE(mask & (1ULL << (SIGHUP - 1)), 0U) << blocked;
  EXPECT_NE(mask & (1ULL << (SIGTERM - 1)), 0U) << blocked;
  EXPECT_EQ(mask & (1ULL << (SIGSEGV - 1)), 0U) << blocked;
  client.reset();
  EXPECT_TRUE(ended());
}

#ifndef SKEWGUARD_NO_FORK

TEST_F(ClientOnItsLoop, StartsAgainInAForkedProcessAndEndsThere) {
  make();
  ASSERT_TRUE(client->get("/api/v2/x"));
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(static_cast<unsigned>(kHung.count()));  // ends a child that hangs
    const bool answered = client->get("/api/v2/x").ok();
    client.reset();
    ::_exit(answered ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  EXPECT_TRUE(client->get("/api/v2/x"));
  client.reset();
  EXPECT_TRUE(ended());
}

TEST_F(ClientOnItsLoop, AsksWithReloadedSecretsInAForkedProcess) {
  make();
  ASSERT_TRUE(client->get("/api/v2/x"));
  const std::string old = authorization;
  EXPECT_EQ(old, "Basic aWQ6c2VjcmV0") << "id:secret";
  ASSERT_TRUE(client->reload({Secret{"renewed"}}));
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(static_cast<unsigned>(kHung.count()));  // ends a child that hangs
    const bool answered = client->get("/api/v2/x").ok();
    const bool renewed = authorization == "Basic aWQ6cmVuZXdlZA==";
    client.reset();
    ::_exit(answered && renewed ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  client.reset();
  EXPECT_TRUE(ended());
}

TEST(ClientInAForkedProcess, ServesAChildThatWasForkedWhileAnotherThreadStartedIt) {
  std::promise<void> starting, gone;
  Dependencies dependencies;
  dependencies.clock = std::make_shared<StandingClock>();
  dependencies.transport = [&, first = true](Executor& loop) mutable {
    if (std::exchange(first, false)) starting.set_value();
    for (int i = 0; i < 1000; ++i) std::this_thread::yield();
    return std::make_unique<Hosts>(loop, gone);
  };
  ClientOptions options;
  options.login_url = "https://login.test";
  options.api_url = "https://api.test";
  options.client_id = "id";
  auto made = Client::make(options, {}, std::move(dependencies));
  ASSERT_TRUE(made);
  std::thread first([&made] { EXPECT_TRUE(made->get("/api/v2/x")); });
  starting.get_future().wait();
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(static_cast<unsigned>(kHung.count()));
    ::_exit(made->get("/api/v2/x").ok() ? 0 : 1);
  }
  first.join();
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

std::atomic<bool> forking{false};

/// A lock of another library, as in OpenSSL: nothing releases it in a forked child.
class LockedOnTheLoop : public ::testing::Test {
 protected:
  LockedOnTheLoop() {
    static const int once =
        ::pthread_atfork([] { forking = true; }, [] { forking = false; }, nullptr);
    EXPECT_EQ(once, 0);
  }
  /// Some milliseconds of this thread's own CPU time: on a busy machine, 1000 yields can take
  /// longer than fork() waits.
  static void compute_for_a_while() {
    for (std::atomic<int> count{0}; count < 1'000'000;) ++count;
  }

  runtime::IoLoop loop{std::make_shared<StandingClock>()};  // before this test's own pthread_atfork
  std::mutex theirs;
};

TEST_F(LockedOnTheLoop, IsGivenBackBeforeAChildIsForked) {
  std::promise<void> locked;
  loop.post([&] {
    const std::lock_guard lock(theirs);
    locked.set_value();
    while (!forking) std::this_thread::yield();
    compute_for_a_while();
  });
  locked.get_future().wait();
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(static_cast<unsigned>(kHung.count()));  // ends a child that hangs
    const std::lock_guard lock(theirs);
    ::_exit(0);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  std::promise<void> goes_on;
  loop.post([&] { goes_on.set_value(); });
  EXPECT_EQ(goes_on.get_future().wait_for(kHung), std::future_status::ready);
}

TEST_F(LockedOnTheLoop, HoldsNoForkUpForEverAndNoneOfItsOwn) {
  std::promise<void> begun, over;
  loop.post([&] {
    begun.set_value();
    over.get_future().wait();
  });
  begun.get_future().wait();
  const auto fork_once = [] {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(0);
    int status = -1;
    return ::waitpid(child, &status, 0) == child && status == 0;
  };
  EXPECT_TRUE(fork_once());
  over.set_value();
  std::promise<bool> from_the_loop;
  std::size_t waiting = 1;
  loop.post([&] {
    const bool forked = fork_once();
    waiting = loop.context().poll();
    from_the_loop.set_value(forked);
  });
  EXPECT_TRUE(from_the_loop.get_future().get());
  EXPECT_EQ(waiting, 0U) << "it was asked to pause for itself";
}

#endif

// UBSan checks objects through a pipe: without descriptors it reports valid ones as bad.
#if defined(__has_feature)
#if __has_feature(undefined_behavior_sanitizer)
#define SKEWGUARD_NEEDS_DESCRIPTORS
#endif
#endif
#ifndef SKEWGUARD_NEEDS_DESCRIPTORS

/// No descriptor can be opened while it exists.
class NoDescriptors {
 public:
  NoDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit none{0, before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;

 private:
  rlimit before_{};
};

TEST_F(ClientOnItsLoop, ReportsAtOnceThatThereAreNoDescriptorsLeft) {
  make();
  {
    const NoDescriptors none;
    const auto answer = client->get("/api/v2/x");
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind, ErrorKind::unavailable);
    EXPECT_THAT(answer.error().message, ::testing::HasSubstr("Too many open files"));
  }
  EXPECT_TRUE(client->get("/api/v2/x")) << "the next call begins anew";
  client.reset();
  EXPECT_TRUE(ended());
}

#endif

}  // namespace
}  // namespace skewguard
