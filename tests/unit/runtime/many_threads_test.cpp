// Two clients on their real loops that share a token folder, used in every way from many threads at
// once. The hosts are in memory. The test proves something only under ThreadSanitizer.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <thread>

#include "client_testing.hpp"
#include "store/file_store.hpp"

namespace skewguard::runtime {
namespace {

constexpr std::size_t kThreads = 4;
constexpr std::size_t kRounds = 40;  ///< of each thread; one round uses each member once
constexpr int kUses = 25;            ///< of a token before it ends

/// After kUses uses every other token is revoked, and the rest expire.
class FickleHosts final : public Transport {
 public:
  FickleHosts(Executor& loop, FakeMachine& clock, std::atomic<int>& token_requests)
      : loop_(loop), clock_(clock), token_requests_(token_requests) {}

  Ticket send(HttpRequest request, const SendOptions& /*options*/, Handler handler) override {
    const bool login = request.url.starts_with("https://login.test/");
    loop_.post([exchange = login ? issue() : use(std::string(request.authorization.reveal())),
                handler = std::move(handler)] { handler(exchange); });
    return ++last_;
  }
  void cancel(Ticket /*ticket*/) override {}  // its answer is on its way already

 private:
  Exchange issue() {
    const std::string n = std::to_string(++token_requests_);
    return answer(200, R"({"access_token":"token-)" + n + R"(","expires_in":300})", clock_);
  }
  Exchange use(const std::string& authorization) {
    const int uses = ++uses_[authorization];
    const bool odd = !authorization.empty() && (authorization.back() - '0') % 2 == 1;
    if (uses > kUses && odd) return refusal(clock_);
    if (uses == kUses && !odd) clock_.advance(301s);
    return answer(200, "{}", clock_);
  }

  Executor& loop_;
  FakeMachine& clock_;
  std::atomic<int>& token_requests_;
  std::map<std::string, int> uses_;  // on the loop
  Ticket last_ = 0;
};

class TokenFolder {
 public:
  TokenFolder() {
    if (::mkdtemp(path_.data()) == nullptr) std::abort();
  }
  ~TokenFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TokenFolder(const TokenFolder&) = delete;
  TokenFolder& operator=(const TokenFolder&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_ = ::testing::TempDir() + "skewguard-threads-XXXXXX";
};

/// The results of all clients.
struct Tally {
  std::atomic<std::size_t> answers{0};
  std::atomic<int> failures{0};
  std::atomic<int> rejections{0};
  std::atomic<int> resolved{0};
  std::atomic<int> lines{0};

  template <typename T>
  void count(const Result<T>& result) {
    ++answers;
    if (!result && result.error().kind != ErrorKind::cancelled) ++failures;
  }
  template <typename T>
  std::function<void(Result<T>)> handler() {
    return [this](const Result<T>& result) { count(result); };
  }
};

Client client_on(const std::string& folder, const std::shared_ptr<FakeMachine>& clock,
                 std::atomic<int>& token_requests, Tally& tally) {
  Hooks hooks;
  hooks.on_rejection = [&tally](const Rejection&) { ++tally.rejections; };
  hooks.on_resolved = [&tally](const CallReport&) { ++tally.resolved; };
  hooks.log = [&tally](const LogLine&) { ++tally.lines; };
  Dependencies dependencies;
  dependencies.clock = clock;
  dependencies.store = std::make_shared<store::FileStore>(folder);
  dependencies.transport = [&token_requests, clock](Executor& loop) {
    return std::make_unique<FickleHosts>(loop, *clock, token_requests);
  };
  ClientOptions options = MemoryEnvironment().options();
  options.timeout = 24h;  // the clock leaps by minutes
  auto made = Client::make(std::move(options), std::move(hooks), std::move(dependencies));
  if (!made) std::abort();
  return *std::move(made);
}

/// Six expected answers.
void use_each_member(Client& client, FakeMachine& clock, std::size_t round, Tally& tally) {
  const auto send = [&](const Bearer&) { return answer(200, "{}", clock); };
  tally.count(client.call(get()));
  tally.count(client.token());
  tally.count(client.guard(send, guarded("GET")));
  const Operation operation = client.async_call(get(), tally.handler<Response>());
  if (round % 3 == 0) operation.cancel();
  client.async_token({}, tally.handler<BearerToken>());
  client.async_guard([send](const Bearer& bearer, const auto& done) { done(send(bearer)); },
                     guarded("GET"), tally.handler<Response>());
  if (const Lease* lease = client.lease(client.now())) {
    EXPECT_TRUE(lease->authorization.ends_with(lease->token));
  }
  if (round % 10 == 0) {
    EXPECT_TRUE(client.reload({Secret{round % 20 == 0 ? "secret" : "other"}}));
  }
}

TEST(ManyThreads, UseTwoClientsThatShareAStoreInEveryWayAtOnce) {
  const TokenFolder folder;
  const auto clock = std::make_shared<FakeMachine>();
  std::atomic<int> token_requests{0};
  Tally tally;
  {
    std::vector<Client> clients;
    clients.reserve(2);
    for (int i = 0; i < 2; ++i)
      clients.push_back(client_on(folder.path(), clock, token_requests, tally));
    std::vector<std::thread> threads;
    threads.reserve(kThreads);
    for (std::size_t i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] {
        for (std::size_t round = 0; round < kRounds; ++round)
          use_each_member(clients.at((i + round) % 2), *clock, round, tally);
      });
    }
    for (auto& thread : threads) thread.join();
  }  // and end while calls are still in progress
  EXPECT_EQ(tally.answers.load(), 6 * kThreads * kRounds);
  EXPECT_EQ(tally.failures, 0);
  EXPECT_GT(tally.rejections, 0);
  EXPECT_GT(tally.resolved, 0);
  EXPECT_GT(token_requests, 2);
}

}  // namespace
}  // namespace skewguard::runtime
