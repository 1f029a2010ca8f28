// A suspend as a process sees it, on the kernel's own clocks: in a time namespace CLOCK_BOOTTIME is
// further and CLOCK_MONOTONIC is not (time_namespaces(7)). Row C7, without a simulated clock.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "emulator/cloud_emulator.hpp"
#include "engine/engine.hpp"
#include "skewguard/verdict.hpp"
#include "system/system_clocks.hpp"

namespace skewguard {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::seconds kSuspend = 2h;
constexpr Duration kLifetime = 1h;
constexpr Duration kMoment = 60s;  // more than any of this takes
constexpr const char* kLogin = "https://login.test";
constexpr const char* kApi = "https://api.test";

/// One thread, which never waits: what is posted runs, and timers run on CLOCK_MONOTONIC, as the
/// kernel's do, so that none becomes due by a suspend.
class Loop final : public Executor {
 public:
  void post(std::function<void()> function) override { posted_.push_back(std::move(function)); }
  Timer call_at(Instant at, std::function<void()> function) override {
    const Now now = clocks_.now();
    timers_.emplace(++last_, Due{now.mono + (at - now.boot), std::move(function)});
    return last_;
  }
  void cancel(Timer timer) override { timers_.erase(timer); }

  /// Runs what there is to run; false where nothing is left but to wait.
  bool run_one() {
    const MonotonicTime now = clocks_.now().mono;
    for (auto due = timers_.begin(); due != timers_.end(); ++due) {
      if (due->second.at > now) continue;
      post(std::move(due->second.function));
      timers_.erase(due);
      break;
    }
    if (posted_.empty()) return false;
    const auto function = std::move(posted_.front());
    posted_.pop_front();
    function();
    return true;
  }

 private:
  struct Due {
    MonotonicTime at;
    std::function<void()> function;
  };
  system::SystemClocks clocks_;
  std::deque<std::function<void()>> posted_;
  std::map<Timer, Due> timers_;
  Timer last_ = 0;
};

/// Two hosts at no distance, whose true time is the kernel's: they live through the suspend.
class Hosts final : public Transport {
 public:
  Hosts(Loop& loop, ClockSource& client_clock)
      : loop_(loop), client_clock_(client_clock), environment_(options(), clocks_.now(), 1) {}

  Ticket send(HttpRequest request, const SendOptions& /*options*/, Handler handler) override {
    const bool login = request.url.starts_with(kLogin);
    const auto received = emulator::as_received(request);
    Exchange exchange;
    exchange.sent = client_clock_.now();
    const emulator::Reply reply = login ? environment_.handle_login(received, clocks_.now())
                                        : environment_.handle_api(received, clocks_.now());
    exchange.received = client_clock_.now();
    exchange.status = reply.status;
    exchange.headers = reply.headers;
    exchange.body = reply.body;
    exchange.origin = login ? kLogin : kApi;
    seen += request.method + (login ? " login " : " api ") + std::to_string(reply.status) + ", ";
    loop_.post(
        [exchange = std::move(exchange), handler = std::move(handler)] { handler(exchange); });
    return ++last_;
  }
  void cancel(Ticket /*ticket*/) override {}

  /// What was asked and answered, in order: "POST login 200, GET api 200, ".
  std::string seen;

 private:
  static emulator::CloudOptions options() {
    emulator::CloudOptions options;
    options.settings.lifetime = kLifetime;
    return options;
  }

  Loop& loop_;
  ClockSource& client_clock_;
  system::SystemClocks clocks_;
  emulator::CloudEmulator environment_;
  Ticket last_ = 0;
};

ClientOptions client_options() {
  ClientOptions options;
  options.login_url = kLogin;
  options.api_url = kApi;
  options.client_id = "demo";
  options.client_secrets = {Secret{"demo-secret"}};
  return options;
}

/// Nothing where the call did not end without waiting.
std::optional<CallReport> call(engine::Engine& engine, Loop& loop, const Now& now) {
  std::optional<CallReport> report;
  engine.call({.method = "GET", .path = "/api/v2/tokens/me"}, now.boot + 30s,
              [&report](guard::action::Finish finished) { report = std::move(finished.report); });
  while (!report && loop.run_one()) {
  }
  return report;
}

bool write_file(const char* path, std::string_view text) {
  const int file = ::open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0) return false;
  const bool written = ::write(file, text.data(), text.size()) == std::ssize(text);
  const int error = errno;
  ::close(file);
  errno = error;
  return written;
}

bool enter_prepared_time_namespace() {
  const int file = ::open("/proc/self/ns/time_for_children", O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  const bool entered = ::setns(file, CLONE_NEWTIME) == 0;
  const int error = errno;
  ::close(file);
  errno = error;
  return entered;
}

/// Moves CLOCK_BOOTTIME of this process, which must have one thread. Returns what did not work.
std::string move_boot_clock(std::chrono::seconds by) {
  const auto failed = [](const char* what) {
    return std::string(what) + ": " + std::generic_category().message(errno);
  };
  if (::geteuid() != 0 && ::unshare(CLONE_NEWUSER) != 0) return failed("unshare(CLONE_NEWUSER)");
  if (::unshare(CLONE_NEWTIME) != 0) return failed("unshare(CLONE_NEWTIME)");
  if (!write_file("/proc/self/timens_offsets", "boottime " + std::to_string(by.count()) + " 0")) {
    return failed("/proc/self/timens_offsets");
  }
  if (!enter_prepared_time_namespace()) return failed("setns(CLONE_NEWTIME)");
  return "";
}

/// What a client did around a suspend. Plain bytes, since it comes through a pipe.
struct Life {
  std::array<char, 200> failed{};  ///< why there is nothing else
  Duration boot{};                 ///< by how much each clock moved meanwhile
  Duration mono{};
  Duration wall{};
  std::array<char, 200> before{};  ///< Hosts::seen of the call before, and of the one after
  std::array<char, 200> after{};
  Verdict verdict{};  ///< of the call after
  int exit_code = -1;
};

void put(std::array<char, 200>& field, std::string_view text) {
  text.copy(field.data(), field.size() - 1);
}

/// A call, two hours of suspend, a call. In a process of its own.
Life live_through_suspend(ClockSource& client_clock) {
  Life life;
  system::SystemClocks clocks;
  Loop loop;
  Hosts hosts(loop, client_clock);
  const ClientOptions options = client_options();
  engine::Engine engine(options, oauth::client_credentials(options, options.client_secrets), {},
                        {loop, client_clock, hosts});

  if (!call(engine, loop, client_clock.now())) put(life.failed, "the first call did not end");
  put(life.before, std::exchange(hosts.seen, ""));
  const Now asleep = clocks.now();
  if (const auto problem = move_boot_clock(kSuspend); !problem.empty()) {
    put(life.failed, problem);
  }
  const Now awake = clocks.now();
  life.boot = awake.boot - asleep.boot;
  life.mono = awake.mono - asleep.mono;
  life.wall = awake.wall - asleep.wall;
  const auto report = call(engine, loop, client_clock.now());
  if (!report) put(life.failed, "the second call did not end");
  put(life.after, hosts.seen);
  life.verdict = report ? report->verdict : Verdict{};
  life.exit_code = report ? report->exit_code : -1;
  return life;
}

Life in_a_child(ClockSource& client_clock) {
  Life life;
  put(life.failed, "the child ended early");
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) return life;
  const pid_t child = ::fork();
  if (child == 0) {
    const Life lived = live_through_suspend(client_clock);
    ::_exit(::write(ends[1], &lived, sizeof lived) == ssize_t{sizeof lived} ? 0 : 1);
  }
  ::close(ends[1]);
  Life told;
  if (::read(ends[0], &told, sizeof told) == ssize_t{sizeof told}) life = told;
  ::close(ends[0]);
  if (child > 0) ::waitpid(child, nullptr, 0);
  return life;
}

void expect_a_suspend(const Life& life) {
  ASSERT_STREQ(life.failed.data(), "");
  EXPECT_GE(life.boot, kSuspend);
  EXPECT_LT(life.boot, kSuspend + kMoment);
  EXPECT_LT(life.mono, kMoment);
  EXPECT_LT(life.wall, kMoment);
  EXPECT_STREQ(life.before.data(), "POST login 200, GET api 200, ");
  EXPECT_EQ(life.exit_code, 0);
}

TEST(Suspend, EndsTheTokenBeforeTheFirstSend) {
  system::SystemClocks clocks;
  const Life life = in_a_child(clocks);
  expect_a_suspend(life);
  EXPECT_STREQ(life.after.data(), "POST login 200, GET api 200, ");
  EXPECT_EQ(life.verdict, Verdict::ok);
}

/// The usual mistake: std::chrono::steady_clock is CLOCK_MONOTONIC.
class StandsStillInSuspend final : public ClockSource {
 public:
  Now now() override {
    Now now = clocks_.now();
    now.boot = Instant{now.mono.time_since_epoch()};
    return now;
  }

 private:
  system::SystemClocks clocks_;
};

TEST(Suspend, CostsWhoeverCountsOnMonotonicTimeARejection) {
  StandsStillInSuspend clocks;
  const Life life = in_a_child(clocks);
  expect_a_suspend(life);
  EXPECT_STREQ(life.after.data(), "GET api 401, HEAD login 405, POST login 200, GET api 200, ");
  EXPECT_EQ(life.verdict, Verdict::token_expired);
}

}  // namespace
}  // namespace skewguard
