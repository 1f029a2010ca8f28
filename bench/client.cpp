// What a whole client takes when its token ends: ten thousand callers at once, and one call that
// finds its token revoked. And what a program with an HTTP stack of its own pays for a guarded
// request. bench/run; times are of one iteration.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <ctime>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "allocations.hpp"
#include "emulator/hosted.hpp"
#include "skewguard/client.hpp"
#include "system/system_clocks.hpp"
#include "time/http_date.hpp"

namespace {

using namespace skewguard;
using std::chrono::seconds;

constexpr seconds kLife{300};

/// This machine's, which a test may set ahead. Thread-safe.
class AheadClock final : public ClockSource {
 public:
  Now now() override {
    Now now = system_.now();
    const Duration by{ahead_.load()};
    now.boot += by;
    now.mono += by;
    now.raw += by;
    now.wall += by;
    return now;
  }
  void advance(Duration by) { ahead_ += by.count(); }

 private:
  system::SystemClocks system_;
  std::atomic<Duration::rep> ahead_{0};
};

/// Both hosts in memory: every request is answered on the next turn of the loop.
class MemoryHosts final : public Transport {
 public:
  MemoryHosts(Executor& loop, ClockSource& clock, std::atomic<int>& token_requests)
      : loop_(loop), clock_(clock), token_requests_(token_requests) {}

  Ticket send(HttpRequest request, const SendOptions& /*options*/, Handler handler) override {
    const bool login = request.url.starts_with("https://login.test/");
    const int n = login ? ++token_requests_ : 0;
    loop_.post([this, login, n, handler = std::move(handler), sent = clock_.now()] {
      Exchange exchange;
      exchange.status = 200;
      exchange.sent = sent;
      exchange.received = clock_.now();
      exchange.headers.add("Date", time::format_http_date(std::chrono::floor<seconds>(
                                       exchange.received.wall.time_since_epoch())));
      exchange.body = login ? R"({"access_token":"token-)" + std::to_string(n) +
                                  R"(","token_type":"bearer","expires_in":300})"
                            : "{}";
      handler(std::move(exchange));
    });
    return ++last_;
  }
  void cancel(Ticket /*ticket*/) override {}

 private:
  Executor& loop_;
  ClockSource& clock_;
  std::atomic<int>& token_requests_;
  Ticket last_ = 0;
};

ClientOptions options_for(std::string login_url, std::string api_url, const char* secret) {
  ClientOptions options;
  options.login_url = std::move(login_url);
  options.api_url = std::move(api_url);
  options.client_id = "demo";
  options.client_secrets = {Secret{secret}};
  return options;
}

Request request() {
  Request request;
  request.path = "/api/v2/tokens/me";
  return request;
}

void check(bool good) {
  if (!good) std::abort();
}

/// Asynchronous calls on the client's own loop and thread, each at the end of the token's life.
void CallersAtTheEndOfAToken(benchmark::State& state) {
  const auto callers = static_cast<int>(state.range(0));
  const auto clock = std::make_shared<AheadClock>();
  std::atomic<int> token_requests{0};
  Dependencies dependencies;
  dependencies.clock = clock;
  dependencies.transport = [&](Executor& loop) {
    return std::make_unique<MemoryHosts>(loop, *clock, token_requests);
  };
  auto client = Client::make(options_for("https://login.test", "https://api.test", "secret"), {},
                             std::move(dependencies));
  check(client && client->call(request()));
  std::size_t made = 0;
  for (auto _ : state) {
    clock->advance(kLife + seconds{1});
    std::atomic<int> good{0};
    std::atomic<int> left{callers};
    std::promise<void> all;
    const std::size_t before = allocations();
    for (int i = 0; i < callers; ++i) {
      client->async_call(request(), [&](const Result<Response>& result) {
        good += result && result->status == 200 ? 1 : 0;
        if (--left == 0) all.set_value();
      });
    }
    all.get_future().wait();
    made += allocations() - before;
    check(good == callers);
  }
  const auto rounds = static_cast<double>(state.iterations());
  state.SetItemsProcessed(state.iterations() * callers);  // callers a second
  state.counters["allocations_each"] = static_cast<double>(made) / rounds / callers;
  state.counters["token_requests"] = (token_requests - 1) / rounds;  // at each end of a token
}
BENCHMARK(CallersAtTheEndOfAToken)
    ->Arg(100)
    ->Arg(1000)
    ->Arg(10'000)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

template <typename F>
double milliseconds_of(const F& what) {
  system::SystemClocks clocks;
  const Instant start = clocks.boot_now();
  what();
  return std::chrono::duration<double, std::milli>(clocks.boot_now() - start).count();
}

/// A call whose token was revoked, beside the same requests one after the other on connections that
/// are warm as well: a call, a token request, a call. `over_ms`: the median of the differences.
void CureOfA401(benchmark::State& state) {
  system::SystemClocks clocks;
  emulator::Options options;
  options.listen.tls = state.range(0) != 0;
  auto hosts = emulator::Hosted::start(options, clocks);
  check(hosts.ok());
  ClientOptions wanted = options_for((*hosts)->login_url(), (*hosts)->api_url(), "demo-secret");
  wanted.ca_file = (*hosts)->ca_file();
  std::vector<double> cures, plain, over;
  for (auto _ : state) {
    // Its own client: one whose tokens end early again and again backs off, as it should.
    auto client = Client::make(wanted);
    const auto call = [&] {
      const auto response = client->call(request());
      check(response && response->status == 200);
      return response->report.verdict;
    };
    check(client.ok());
    call();
    plain.push_back(milliseconds_of([&] {
      call();
      check(client->token({.min_life = {}, .force_refresh = true}).ok());
      call();
    }));
    (*hosts)->with([](emulator::CloudEmulator& cloud, const Now&) { cloud.tokens().revoke_all(); });
    cures.push_back(milliseconds_of([&] { check(call() == Verdict::token_revoked); }));
    over.push_back(cures.back() - plain.back());
    state.SetIterationTime(cures.back() / 1000);
  }
  state.counters["cure_ms"] = median(cures);
  state.counters["three_requests_ms"] = median(plain);
  state.counters["over_ms"] = median(over);
}
BENCHMARK(CureOfA401)
    ->ArgName("tls")
    ->Arg(0)
    ->Arg(1)
    ->Iterations(200)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

/// An HTTP stack that composes a request and gets its answer in memory.
class OwnStack {
 public:
  AnswerHead& send(std::string_view authorization) {
    request_.assign("GET /api/v2/users?pageSize=25&pageNumber=1 HTTP/1.1\r\nHost: api.test\r\n");
    request_.append("Accept: application/json\r\nAuthorization: ").append(authorization);
    request_.append("\r\n\r\n");
    benchmark::DoNotOptimize(request_.data());
    benchmark::ClobberMemory();
    return answer_;
  }
  /// The Date of the answers from now on.
  void set_date(WallTime at) {
    answer_.headers = {};
    answer_.headers.add("Date",
                        time::format_http_date(std::chrono::floor<seconds>(at.time_since_epoch())));
  }

 private:
  std::string request_ = std::string(1024, ' ');
  AnswerHead answer_{.status = 200, .origin = "https://api.test"};
};

/// A client, a worker with a stack of its own, and a thousand requests a second by the clock.
class Worker {
 public:
  Worker() {
    Dependencies dependencies;
    dependencies.clock = clock_;
    dependencies.transport = [this](Executor& loop) {
      return std::make_unique<MemoryHosts>(loop, *clock_, token_requests_);
    };
    auto made = Client::make(options_for("https://login.test", "https://api.test", "secret"), {},
                             std::move(dependencies));
    check(made && made->await_lease());
    client_ = std::make_unique<Client>(*std::move(made));
    reader_ = client_->reader();
  }
  void plain(int requests) {
    for (int i = 0; i < requests; ++i) {
      pass(i);
      benchmark::DoNotOptimize(stack_.send(authorization_).status);
    }
  }
  void guarded(int requests) {
    for (int i = 0; i < requests; ++i) {
      pass(i);
      const Now sent = client_->read_clocks();
      const Lease* lease = reader_.lease(sent.boot);
      if (lease == nullptr) {
        check(client_->await_lease().ok());
        lease = reader_.lease(client_->now());
        check(lease != nullptr);
      }
      AnswerHead& answer = stack_.send(lease->authorization);
      answer.sent = sent;
      answer.received = client_->read_clocks();
      check(client_->observe(lease->generation, answer) == Observed::noted);
    }
    check(client_->await_lease().ok());  // what was handed over has been done as well
  }

 private:
  void pass(int request) {
    clock_->advance(std::chrono::milliseconds{1});
    if (request % 250 == 0) stack_.set_date(clock_->now().wall);
  }

  std::shared_ptr<AheadClock> clock_ = std::make_shared<AheadClock>();
  std::atomic<int> token_requests_{0};
  std::unique_ptr<Client> client_;
  LeaseReader reader_;
  OwnStack stack_;
  const std::string authorization_ = "Bearer token-1";
};

/// Processor time of this process, of all its threads.
double microseconds_of(const std::function<void()>& what) {
  const std::clock_t start = std::clock();
  what();
  return static_cast<double>(std::clock() - start) * 1e6 / CLOCKS_PER_SEC;
}

/// A guarded request over a stack of one's own, beside the same one with a fixed token: pairs of
/// ten thousand requests. `over_us`: the processor time that guarding one takes, on the worker's
/// thread and on the loop's; the median of the pairs.
void GuardedRequestOfAnOwnStack(benchmark::State& state) {
  constexpr int kRequests = 10'000;
  Worker worker;
  std::vector<double> plain, guarded, over;
  std::size_t made = 0;
  for (auto _ : state) {
    plain.push_back(microseconds_of([&] { worker.plain(kRequests); }) / kRequests);
    const std::size_t before = allocations();
    guarded.push_back(microseconds_of([&] { worker.guarded(kRequests); }) / kRequests);
    made += allocations() - before;
    over.push_back(guarded.back() - plain.back());
    state.SetIterationTime(guarded.back() * kRequests / 1e6);
  }
  const double rounds = static_cast<double>(state.iterations());
  state.counters["plain_us"] = median(plain);
  state.counters["guarded_us"] = median(guarded);
  state.counters["over_us"] = median(over);
  state.counters["allocations_each"] = static_cast<double>(made) / rounds / kRequests;
}
BENCHMARK(GuardedRequestOfAnOwnStack)
    ->Iterations(101)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
