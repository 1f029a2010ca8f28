// What a program pays for a token that it has already, and for what skewguard learns from each
// answer: bench/run. Times are of one operation; `allocations` of all of them. That a lease writes
// nothing that is shared, publication_test shows.
#include <benchmark/benchmark.h>

#include <shared_mutex>
#include <string>

#include "allocations.hpp"
#include "clocks/clock_book.hpp"
#include "runtime/publication.hpp"

namespace {

using namespace skewguard;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Instant kNow{hours{1}};

oauth::TokenPtr some_token() {
  auto token = std::make_shared<oauth::Token>();
  token->value = Secret{std::string(86, 'x')};
  return token;
}

runtime::Publication& published() {
  static runtime::Publication publication;
  static const bool once = (publication.publish(some_token(), kNow + hours{1}), true);
  static_cast<void>(once);
  return publication;
}

/// Reading a valid token, `now` handed in.
void LeaseOfAToken(benchmark::State& state) {
  auto& publication = published();
  benchmark::DoNotOptimize(publication.read(kNow));
  const std::size_t before = allocations();
  for (auto _ : state) benchmark::DoNotOptimize(publication.read(kNow));
  if (state.thread_index() == 0)
    state.counters["allocations"] = static_cast<double>(allocations() - before);
}
BENCHMARK(LeaseOfAToken)->Threads(1)->Threads(2)->UseRealTime();

/// The usual cache: a lock that readers share, and a copy of the string.
struct UsualCache {
  std::shared_mutex mutex;
  std::string token = std::string(86, 'x');
  Instant until = kNow + hours{1};
};

void SharedMutexAndCopy(benchmark::State& state) {
  static UsualCache cache;
  for (auto _ : state) {
    const std::shared_lock lock(cache.mutex);
    if (kNow < cache.until) {
      std::string copy = cache.token;
      benchmark::DoNotOptimize(copy);
    }
  }
}
BENCHMARK(SharedMutexAndCopy)->Threads(1)->Threads(2)->UseRealTime();

/// Answers of one server, one every ten seconds, each a little later within its second.
struct Answers {
  clocks::ClockBook book;
  ServerId server = book.id("https://api.test");
  std::int64_t n = 0;

  Now now() const {
    Now now;
    now.boot = Instant{seconds{100'000}} + at();
    now.mono = MonotonicTime{seconds{100'000}} + at();
    now.raw = RawTime{seconds{100'000}} + at();
    now.wall = WallTime{seconds{1'700'000'000}} + at();
    return now;
  }
  Duration at() const { return seconds{10} * n + milliseconds{(n * 137) % 1000}; }
  time::DateSample next() {
    ++n;
    Now sent = now();
    Now received = sent;
    received.boot += milliseconds{40};
    received.mono += milliseconds{40};
    received.raw += milliseconds{40};
    received.wall += milliseconds{40};
    const auto true_time = seconds{1'700'000'000} + at() + milliseconds{20};
    return {sent, received, std::chrono::floor<seconds>(Duration{true_time}), 1};
  }
};

/// What of UpdateOfAnEstimator is the benchmark's own: making up the answer.
void AnAnswerAlone(benchmark::State& state) {
  Answers answers;
  for (auto _ : state) benchmark::DoNotOptimize(answers.next());
}
BENCHMARK(AnAnswerAlone);

void UpdateOfAnEstimator(benchmark::State& state) {
  Answers answers;
  for (int i = 0; i < 100; ++i) answers.book.observe(answers.server, answers.next());
  const std::size_t before = allocations();
  for (auto _ : state)
    benchmark::DoNotOptimize(answers.book.observe(answers.server, answers.next()));
  state.counters["allocations"] = static_cast<double>(allocations() - before);
}
BENCHMARK(UpdateOfAnEstimator);

void BetweenTwoServers(benchmark::State& state) {
  Answers answers;
  const ServerId login = answers.book.id("https://login.test");
  for (int i = 0; i < 100; ++i) {
    const auto sample = answers.next();
    answers.book.observe(answers.server, sample);
    answers.book.observe(login, sample);
  }
  const Now now = answers.now();
  const std::size_t before = allocations();
  for (auto _ : state) benchmark::DoNotOptimize(answers.book.between(login, answers.server, now));
  state.counters["allocations"] = static_cast<double>(allocations() - before);
}
BENCHMARK(BetweenTwoServers);

}  // namespace

BENCHMARK_MAIN();
