// Workers with an HTTP stack of their own share one client (the seam), on virtual time: while
// tokens are revoked and renewed, the login host is ahead, and answers come late and in any order.
#include <gtest/gtest.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "histories.hpp"
#include "simulation/dice.hpp"
#include "simulation/scenario.hpp"
#include "simulation/simulation.hpp"
#include "skewguard/client.hpp"

namespace skewguard::simulation {
namespace {

constexpr Duration kSpan = 4min;
/// After that a token that has been revoked has been replaced.
constexpr Duration kKnown = 2s;

struct Setting {
  int workers = 4;
  Duration lead{0};           ///< of the login host's clock
  Duration life = 20s;        ///< of a token
  Duration revoked_every{0};  ///< 0 = never
  Duration latest{0};         ///< the longest that an answer takes beyond the others
  bool strays = false;        ///< some answers are errors that are not about the token
};

/// One request of a worker, from its first send to the answer that its caller gets.
struct Job {
  std::string path;
  std::uint64_t generation = 0;      ///< of the token that was sent first
  std::vector<std::string> truth{};  ///< why the API refused its tokens, in order
  bool begun = false;                ///< a guarded call has begun with its answer
  int ended = 0;                     ///< how often its caller has been told
};

/// The other end of a transport that belongs to somebody else.
class Borrowed final : public Transport {
 public:
  explicit Borrowed(Transport& transport) : transport_(transport) {}
  Ticket send(HttpRequest request, const SendOptions& options, Handler handler) override {
    return transport_.send(std::move(request), options, std::move(handler));
  }
  void cancel(Ticket ticket) override { transport_.cancel(ticket); }

 private:
  Transport& transport_;
};

template <typename T>
std::shared_ptr<T> borrowed(T& object) {
  return std::shared_ptr<T>(std::shared_ptr<void>(), &object);
}

/// The process, its client, and what the servers do.
class World {
 public:
  World(const Setting& with, std::uint64_t seed)
      : setting(with),
        dice(seed),
        simulation(servers(dice.chance(0.5) ? TokenFormat::jwt : TokenFormat::opaque, with.lead,
                           {0s}, with.life),
                   seed),
        process(simulation) {
    simulation.fate = [this](const HttpRequest& request) { return fate(request); };
    Dependencies dependencies;
    dependencies.executor = borrowed(static_cast<Executor&>(process.loop));
    dependencies.clock = borrowed(static_cast<ClockSource&>(process.loop.machine()));
    dependencies.transport = [this](Executor&) {
      return std::make_unique<Borrowed>(process.transport());
    };
    ClientOptions options = VirtualClient::default_options();
    options.dialect = DialectName::genesys;
    auto made = Client::make(options, {}, std::move(dependencies));
    if (!made) std::abort();
    client = std::make_unique<Client>(*std::move(made));
    if (setting.revoked_every > Duration{0}) revoke();
  }
  ~World() { process.loop.kill(); }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  /// As a worker's own stack does: the answer comes when it comes.
  void send(Job& job, std::string_view authorization, Transport::Handler handler) {
    HttpRequest request{"GET", kApiUrl + job.path, {}, Secret{authorization}, Secret{}};
    sending_ = &job;
    process.transport().send(std::move(request), {process.loop.machine().now().boot + 1h},
                             std::move(handler));
  }

  const Setting setting;
  Dice dice;
  Simulation simulation;
  VirtualProcess process;
  std::unique_ptr<Client> client;
  std::size_t revocations = 0;
  Duration revoked_at{-1h};  ///< the last time
  std::uint64_t newest = 0;  ///< the latest generation that a reader has shown

 private:
  void revoke() {
    const Duration pause = dice.between(setting.revoked_every / 2, setting.revoked_every * 3 / 2);
    simulation.timeline().after(pause, [this] {
      simulation.servers().tokens().revoke_all();
      ++revocations;
      revoked_at = simulation.timeline().now();
      revoke();
    });
  }
  Fate fate(const HttpRequest& request) {
    Fate fate;
    if (request.url.starts_with(kLoginUrl)) {
      fate.extra = dice.between(0s, 500ms);
      return fate;
    }
    fate.extra = dice.between(0s, 20ms);
    if (dice.chance(0.2)) fate.extra_down = dice.between(0s, setting.latest);
    Job* const job = std::exchange(sending_, nullptr);
    if (job == nullptr) return fate;  // a call looks at the API's clock
    const bool stray = setting.strays && !job->begun && dice.chance(0.1);
    const int kind = dice.below(5);
    fate.spoil = [job, stray, kind](emulator::Reply& reply) {
      if (reply.status == 401) {
        job->truth.push_back(reply.outcome);
      } else if (stray) {
        spoil(kind, reply);
      }
    };
    return fate;
  }
  static void spoil(int kind, emulator::Reply& reply) {
    constexpr int kStatuses[] = {403, 429, 500, 503, 404};
    reply.status = kStatuses[kind];
    reply.body = kind == 0 ? "<html><body>Request blocked.</body></html>" : "{}";
  }

  Job* sending_ = nullptr;  ///< whose request leaves now
};

/// Whether this verdict names why the API refused a token. Two tokens in a row that end early may
/// be the work of another program with the same client.
bool right(std::string_view truth, std::string_view verdict) {
  if (truth == "revoked") return verdict == "token_revoked" || verdict == "token_contended";
  if (truth == "expired") return verdict == "token_expired";
  return truth == "not_yet_valid" && verdict == "issuer_clock_ahead";
}

/// Sends requests now and then, as a worker of a proxy does: with a lease, and without waiting.
class Worker {
 public:
  explicit Worker(World& world) : world_(world), reader_(world.client->reader()) { next(); }

  [[nodiscard]] const std::deque<Job>& jobs() const { return jobs_; }
  /// Requests that found no token although there had been one.
  [[nodiscard]] std::size_t parked_later() const { return parked_later_; }
  /// Begins no more requests.
  void stop() { stopped_ = true; }

 private:
  void next() {
    world_.process.loop.call_at(now() + world_.dice.between(0s, 400ms), [this] {
      if (stopped_) return;
      Job& job = jobs_.emplace_back();
      job.path = world_.dice.chance(0.2) ? "/api/v2/users?pageSize=1" : "/api/v2/tokens/me";
      begin(job);
      next();
    });
  }
  [[nodiscard]] Instant now() const { return world_.process.loop.machine().now().boot; }

  void begin(Job& job) {
    const Lease* lease = reader_.lease(now());
    if (lease == nullptr) return park(job);
    EXPECT_GE(lease->generation, world_.newest) << "generations never go back";
    world_.newest = lease->generation;
    job.generation = lease->generation;
    world_.send(job, lease->authorization, [this, &job](SendResult result) {
      answered(job, std::get<Exchange>(std::move(result)));
    });
  }
  /// One wait for all of its requests.
  void park(Job& job) {
    parked_later_ += world_.newest != 0 ? 1 : 0;
    parked_.push_back(&job);
    if (parked_.size() > 1) return;
    world_.client->async_await_lease(0, std::nullopt, [this](Result<std::uint64_t> generation) {
      ASSERT_TRUE(generation) << describe(generation.error());
      EXPECT_GE(*generation, world_.newest);
      for (Job* waiting : std::exchange(parked_, {})) begin(*waiting);
    });
  }
  void answered(Job& job, Exchange exchange) {
    if (world_.client->observe(job.generation, exchange) == Observed::noted)
      return ended(job, exchange.status);
    GuardOptions options;
    options.method = "GET";
    options.path = job.path;
    options.policy = {.wait_for_rate_limits = false, .retry_errors = false, .limit_sends = false};
    options.first = FirstAnswer{job.generation, std::move(exchange)};
    job.begun = true;
    const Duration began = world_.simulation.timeline().now();
    const Lease* lease = reader_.lease(now());
    const std::uint64_t then = lease != nullptr ? lease->generation : 0;
    world_.client->async_guard(
        [this, &job](const Bearer& bearer, const auto& done) {
          world_.send(job, bearer.authorization, done);
        },
        options,
        [this, &job, began, then](const Result<Response>& response) {
          ASSERT_TRUE(response) << describe(response.error());
          judged(job, response->report, began, then);
          ended(job, response->status);
        });
  }
  /// `then`: the generation that was published when the call began.
  void judged(const Job& job, const CallReport& report, Duration began, std::uint64_t then) {
    std::vector<std::string> told;
    for (const ReportedAttempt& attempt : report.attempts) {
      if (attempt.host == HostRole::api && attempt.http_status == 401)
        told.emplace_back(to_string(attempt.verdict.value_or(Verdict::unknown)));
    }
    EXPECT_EQ(told.size(), job.truth.size()) << to_json(report);
    for (std::size_t i = 0; i < std::min(told.size(), job.truth.size()); ++i) {
      EXPECT_TRUE(right(job.truth[i], told[i]))
          << told[i] << " of " << job.truth[i] << " " << to_json(report);
    }
    if (then <= job.generation || world_.revoked_at > began - kKnown) return;
    EXPECT_EQ(report.token_requests, 0) << "its token had been replaced already";
  }
  void ended(Job& job, int status) {
    ++job.ended;
    EXPECT_NE(status, 401) << job.path;
    if (world_.setting.strays) return;
    EXPECT_EQ(status, 200) << job.path;
  }

  World& world_;
  LeaseReader reader_;
  std::deque<Job> jobs_;
  std::vector<Job*> parked_;
  std::size_t parked_later_ = 0;
  bool stopped_ = false;
};

/// What came of one random history.
struct Outcome {
  std::size_t jobs = 0;
  std::size_t begun = 0;     ///< guarded calls that began with an answer
  std::size_t ended = 0;     ///< jobs whose callers were told
  std::size_t parked = 0;    ///< requests that found no token although there had been one
  std::size_t requests = 0;  ///< for tokens
  std::size_t revocations = 0;
};

Outcome play(const Setting& setting, std::uint64_t seed) {
  World world(setting, seed);
  std::deque<Worker> workers;
  for (int i = 0; i < setting.workers; ++i) workers.emplace_back(world);
  world.simulation.run_for(kSpan);
  for (Worker& worker : workers) worker.stop();
  world.simulation.run_for(1min);
  Outcome outcome;
  for (const Worker& worker : workers) {
    outcome.jobs += worker.jobs().size();
    outcome.parked += worker.parked_later();
    for (const Job& job : worker.jobs()) {
      EXPECT_LE(job.ended, 1);
      outcome.ended += job.ended > 0 ? 1 : 0;
      outcome.begun += job.begun ? 1 : 0;
    }
  }
  outcome.requests = world.simulation.token_requests();
  outcome.revocations = world.revocations;
  EXPECT_EQ(outcome.ended, outcome.jobs);
  EXPECT_LE(world.simulation.max_token_requests_at_once(), 1U);
  return outcome;
}

/// Renewals of a token in use, and one request for each that was revoked, and for the next one that
/// was revoked with it.
std::size_t most_requests(const Setting& setting, const Outcome& outcome) {
  const auto renewals = static_cast<std::size_t>((kSpan + 1min) / (setting.life / 2));
  return 1 + renewals + 2 * outcome.revocations;
}

class Workers : public testing::Test {
 protected:
  Setting some() {
    Setting setting;
    setting.workers = 1 + dice_.below(6);
    setting.life = dice_.between(40s, 120s);
    setting.latest = dice_.one_of(kLatest);
    return setting;
  }
  Dice dice_{7};

 private:
  static constexpr Duration kLatest[] = {100ms, 1s, 5s};
};

TEST_F(Workers, KeepAGoodTokenWhateverElseTheApiAnswers) {
  for (std::uint64_t seed = 1; seed <= histories(6); ++seed) {
    SCOPED_TRACE(seed);
    Setting setting = some();
    setting.strays = true;
    const Outcome outcome = play(setting, seed);
    EXPECT_GT(outcome.begun, outcome.jobs / 50);
    EXPECT_EQ(outcome.parked, 0U);
    EXPECT_LE(outcome.requests, most_requests(setting, outcome));
  }
}

TEST_F(Workers, ComeThroughRevocationsWithLateAnswers) {
  for (std::uint64_t seed = 1; seed <= histories(6); ++seed) {
    SCOPED_TRACE(seed);
    Setting setting = some();
    setting.revoked_every = 40s;
    const Outcome outcome = play(setting, seed);
    EXPECT_GE(outcome.begun, outcome.revocations);
    EXPECT_EQ(outcome.parked, 0U);
    EXPECT_LE(outcome.requests, most_requests(setting, outcome));
  }
}

TEST_F(Workers, ComeThroughALoginHostThatIsAhead) {
  for (std::uint64_t seed = 1; seed <= histories(6); ++seed) {
    SCOPED_TRACE(seed);
    Setting setting = some();
    setting.lead = dice_.between(1s, 4s);
    const Outcome outcome = play(setting, seed);
    EXPECT_LE(outcome.requests, most_requests(setting, outcome));
  }
}

TEST_F(Workers, ComeThroughAllOfItAtOnce) {
  for (std::uint64_t seed = 1; seed <= histories(6); ++seed) {
    SCOPED_TRACE(seed);
    Setting setting = some();
    setting.lead = dice_.between(0s, 4s);
    setting.revoked_every = 40s;
    setting.strays = true;
    const Outcome outcome = play(setting, seed);
    EXPECT_LE(outcome.requests, most_requests(setting, outcome));
  }
}

}  // namespace
}  // namespace skewguard::simulation
