// Certificates that fail only because of their dates: who is asked for the time, and what follows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "client_testing.hpp"

namespace skewguard::runtime {
namespace {

using ::testing::HasSubstr;
using Kind = TransportFailure::Kind;

/// Keeps its questions until the test answers them.
struct Questions {
  std::vector<Referee::Handler> open;
  std::vector<Instant> deadlines;
  std::function<void()> on_ask;

  [[nodiscard]] std::size_t asked() const { return deadlines.size(); }
  void answer(const std::optional<TimeReport>& report) {
    for (const auto& handler : std::exchange(open, {})) handler(report);
  }
};

class AskedReferee final : public Referee {
 public:
  explicit AskedReferee(std::shared_ptr<Questions> questions) : questions_(std::move(questions)) {}
  void ask(Instant deadline, Handler handler) override {
    questions_->deadlines.push_back(deadline);
    if (questions_->on_ask) questions_->on_ask();
    questions_->open.push_back(std::move(handler));
  }

 private:
  std::shared_ptr<Questions> questions_;
};

/// True time is 2027-01-01; the certificates are valid for 60 days around it.
class OutOfTime : public ::testing::Test {
 protected:
  void SetUp() override {
    machine.advance(kPassed);
    options.emplace(environment.options());
    make();
    machine.step_wall(kAhead);
    fail(environment.login());
  }
  void make() {
    Dependencies uses = environment.dependencies();
    uses.referee = [this](Executor&, Transport&) {
      return std::make_unique<AskedReferee>(questions);
    };
    auto made = Client::make(*options, {}, std::move(uses));
    ASSERT_TRUE(made);
    client = std::make_unique<Client>(*std::move(made));
  }
  /// Each call is sent at once and fails only at the API host.
  void use_a_given_token() {
    options->access_token = Secret(std::string_view{"given"});
    fail(environment.api());
    make();
  }
  static TransportFailure failure() {
    return {.kind = Kind::tls_time,
            .detail = "",
            .not_before = kNow - 30 * 24h,
            .not_after = kNow + 30 * 24h};
  }
  static void fail(Host& host) {
    host.set_script([](const Asked&) { return Answer{.failure = failure()}; });
  }
  static TimeReport ntp(Duration truth_less_local) {
    return {{truth_less_local - 10ms, truth_less_local + 10ms}, "NTP (ntp:123)"};
  }
  void call() { client->async_call(get(), recorder.handler()); }
  [[nodiscard]] Verdict verdict() const { return recorder.last().error().report->verdict; }
  [[nodiscard]] int exit_code() const { return recorder.last().error().report->exit_code; }

  /// True time, later than the build of this program.
  static constexpr Duration kPassed = std::chrono::hours{24 * 365};
  static constexpr WallTime kNow = FakeMachine::kStart + kPassed;
  static constexpr Duration kAhead = std::chrono::hours{24 * 1000};
  MemoryEnvironment environment;
  FakeMachine& machine = environment.machine();
  std::optional<ClientOptions> options;
  std::shared_ptr<Questions> questions = std::make_shared<Questions>();
  std::unique_ptr<Client> client;
  Recorder<Response> recorder;
};

TEST_F(OutOfTime, IsTheLocalClocksFaultIfTheRefereeSaysSo) {
  const Recorder<BearerToken> token;
  call();
  client->async_token({}, token.handler());
  machine.run();
  EXPECT_EQ(recorder.times(), 0U);
  questions->answer(ntp(-kAhead));
  machine.run();
  ASSERT_TRUE(recorder.once(ErrorKind::clock));
  EXPECT_EQ(verdict(), Verdict::tls_clock);
  EXPECT_EQ(exit_code(), 4);
  EXPECT_THAT(recorder.last().error().message, HasSubstr("2.7 years ahead; NTP (ntp:123) says so"));
  ASSERT_TRUE(token.once(ErrorKind::clock));
  EXPECT_EQ(token.last().error().report->exit_code, 4);
  EXPECT_EQ(environment.api().requests(), 0U);
}

TEST_F(OutOfTime, IsTheCertificatesFaultWhereTheRefereeTellsThatTheLocalClockIsRight) {
  call();
  machine.run();
  questions->answer(ntp(0s));
  machine.run();
  ASSERT_TRUE(recorder.once(ErrorKind::unavailable));
  EXPECT_EQ(verdict(), Verdict::tls_untrusted);
  EXPECT_EQ(exit_code(), 6);
}

TEST_F(OutOfTime, ATimeBeforeThisProgramWasMadeIsNoneThatCanBeBelieved) {
  call();
  machine.run();
  questions->answer(ntp(-kAhead - std::chrono::hours{24 * 3650}));  // 2017
  machine.run();
  ASSERT_TRUE(recorder.once(ErrorKind::unavailable));
  EXPECT_THAT(recorder.last().error().message, HasSubstr("no other clock confirms"));
}

TEST_F(OutOfTime, OneRefereeDoesNotOutweighTheOtherHostAndTwoDo) {
  for (const std::size_t witnesses : {1U, 2U}) {
    environment.login().set_script(nullptr);  // its Date is correct
    fail(environment.api());
    make();
    call();
    machine.run();
    TimeReport lie = ntp(0s);  // as if the local clock were right
    lie.servers = witnesses;
    questions->answer(lie);
    machine.run();
    EXPECT_EQ(verdict(), Verdict::tls_untrusted);
    const auto said = recorder.last().error().message;
    EXPECT_THAT(said,
                HasSubstr(witnesses > 1 ? "NTP (ntp:123) says so" : "no other clock confirms"));
  }
}

TEST_F(OutOfTime, TheOtherHostMayDifferByWhatDecidesNothing) {
  environment.login().set_script(nullptr);
  fail(environment.api());
  call();
  machine.run();
  TimeReport near = ntp(-kAhead + std::chrono::hours{2});
  questions->answer(near);
  machine.run();
  EXPECT_EQ(verdict(), Verdict::tls_clock);
}

TEST_F(OutOfTime, ACertificateThatIsInvalidAtBothTimesIsReportedWithTheErrorOfTheLocalClock) {
  fail(environment.api());
  call();
  machine.run();
  questions->answer(ntp(-kAhead + std::chrono::hours{24 * 100}));  // it expired 70 days ago
  machine.run();
  EXPECT_EQ(verdict(), Verdict::tls_untrusted);
  EXPECT_THAT(recorder.last().error().message, HasSubstr("is wrong as well: it is 900 d ahead"));
}

TEST_F(OutOfTime, AsksOnceForAHundredCallsThatFailTogether) {
  environment.login().set_script(nullptr);
  fail(environment.api());
  for (int i = 0; i < 100; ++i) call();
  machine.run();
  EXPECT_EQ(questions->asked(), 1U);
  EXPECT_EQ(recorder.times(), 0U);
  questions->answer(ntp(-kAhead));
  machine.run();
  EXPECT_EQ(recorder.times(), 100U);
  for (const auto& result : *recorder.results) EXPECT_EQ(result.error().kind, ErrorKind::clock);
}

TEST_F(OutOfTime, WaitsForASilentRefereeForThreeSecondsAtMost) {
  call();
  machine.advance(2999ms);
  EXPECT_EQ(recorder.times(), 0U);
  EXPECT_EQ(questions->deadlines.front(), machine.now().boot - 499ms);
  machine.advance(1ms);
  ASSERT_TRUE(recorder.once(ErrorKind::unavailable));
  EXPECT_EQ(verdict(), Verdict::tls_untrusted);
  EXPECT_THAT(recorder.last().error().message, HasSubstr("no other clock confirms"));
  questions->answer(ntp(-kAhead));  // too late
  machine.advance(1h);
  EXPECT_EQ(recorder.times(), 1U);
}

TEST_F(OutOfTime, LeavesHalfOfTheTimeToACallThatHasLess) {
  options->timeout = 2s;
  make();
  const Recorder<BearerToken> token;
  call();
  client->async_token({}, token.handler());
  machine.advance(999ms);
  EXPECT_EQ(recorder.times() + token.times(), 0U);
  machine.advance(1ms);
  ASSERT_TRUE(recorder.once(ErrorKind::unavailable));
  ASSERT_TRUE(token.once(ErrorKind::unavailable));
  EXPECT_EQ(verdict(), Verdict::tls_untrusted);
}

TEST_F(OutOfTime, RemembersForAMinuteWhatTheRefereeTold) {
  use_a_given_token();
  for (const std::optional<TimeReport>& answer : {std::optional(ntp(-kAhead)), {}}) {
    const std::size_t before = questions->asked();
    call();
    machine.run();
    questions->answer(answer);
    for (int i = 0; i < 59; ++i) {
      machine.advance(1s);
      call();
      machine.run();
      EXPECT_EQ(verdict(), answer ? Verdict::tls_clock : Verdict::tls_untrusted);
    }
    EXPECT_EQ(questions->asked(), before + 1);
    machine.advance(1s);
    call();
    machine.run();
    EXPECT_EQ(questions->asked(), before + 2);
    questions->answer(std::nullopt);
    machine.advance(1min);
  }
}

TEST_F(OutOfTime, ForgetsWhatItWasToldWhereTheWallClockIsStepped) {
  use_a_given_token();
  call();
  machine.run();
  questions->answer(ntp(-kAhead));
  machine.step_wall(1s);
  call();
  machine.run();
  EXPECT_EQ(questions->asked(), 1U);
  machine.step_wall(1ms);
  call();
  machine.run();
  EXPECT_EQ(questions->asked(), 2U);
  machine.step_wall(-1h);
  questions->answer(ntp(-kAhead));
  machine.step_wall(-2s);
  call();
  machine.run();
  EXPECT_EQ(questions->asked(), 3U);
}

TEST_F(OutOfTime, MayBeCancelledWhileTheRefereeIsAsked) {
  environment.login().set_script(nullptr);
  fail(environment.api());
  const Operation operation = client->async_call(get(), recorder.handler());
  machine.run();
  ASSERT_EQ(questions->asked(), 1U);
  operation.cancel();
  machine.run();
  EXPECT_TRUE(recorder.once(ErrorKind::cancelled));
  questions->answer(ntp(-kAhead));
  machine.advance(1h);
  EXPECT_EQ(recorder.times(), 1U);
}

TEST_F(OutOfTime, AClientMayGoWhileTheRefereeIsAsked) {
  call();
  machine.run();
  ASSERT_EQ(questions->asked(), 1U);
  client.reset();
  EXPECT_TRUE(recorder.once(ErrorKind::cancelled));
  questions->answer(ntp(-kAhead));
  machine.advance(1h);
  EXPECT_EQ(recorder.times(), 1U);
}

TEST_F(OutOfTime, UsesTheOtherHostsDateIfTheRefereeHasNoAnswer) {
  environment.login().set_script(nullptr);
  fail(environment.api());
  call();
  machine.run();
  questions->answer(std::nullopt);
  machine.run();
  ASSERT_TRUE(recorder.once(ErrorKind::clock));
  EXPECT_EQ(verdict(), Verdict::tls_clock);
  EXPECT_THAT(recorder.last().error().message, HasSubstr("the Date of https://login.test says so"));
}

TEST_F(OutOfTime, OutlivesARefereeThatThrows) {
  questions->on_ask = [] { throw std::runtime_error("no time"); };
  call();
  machine.run();
  ASSERT_TRUE(recorder.once(ErrorKind::unavailable));
  EXPECT_EQ(verdict(), Verdict::tls_untrusted);
}

TEST_F(OutOfTime, AsksAgainWhereARefereeHasNeverAnswered) {
  use_a_given_token();
  call();
  machine.advance(59s);
  call();
  machine.advance(1s);
  EXPECT_EQ(questions->asked(), 1U);
  call();
  machine.run();
  EXPECT_EQ(questions->asked(), 2U);
}

TEST_F(OutOfTime, CountsForTheUsersOwnHttpStackToo) {
  environment.login().set_script(nullptr);
  client->async_guard([](const Bearer&, const auto& done) { done(failure()); }, {},
                      recorder.handler());
  machine.run();
  questions->answer(ntp(-kAhead));
  machine.run();
  ASSERT_TRUE(recorder.once(ErrorKind::clock));
  EXPECT_EQ(verdict(), Verdict::tls_clock);
}

TEST_F(OutOfTime, AsksNobodyWhereThereIsNoReferee) {
  use_a_given_token();
  auto made = Client::make(*options, {}, environment.dependencies());
  ASSERT_TRUE(made);
  made->async_call(get(), recorder.handler());
  machine.run();
  ASSERT_TRUE(recorder.once(ErrorKind::unavailable));
  machine.set_wall(WallTime{600s});  // before this program was built
  environment.api().set_script([](const Asked&) {
    TransportFailure old = failure();
    old.not_before = FakeMachine::kStart - 24h;
    old.not_after = FakeMachine::kStart;
    return Answer{.failure = old};
  });
  made->async_call(get(), recorder.handler());
  machine.run();
  EXPECT_EQ(verdict(), Verdict::tls_untrusted);
  EXPECT_THAT(recorder.last().error().message, HasSubstr("the local clock is wrong as well"));
}

}  // namespace
}  // namespace skewguard::runtime
