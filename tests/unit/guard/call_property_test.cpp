// Random histories, drawn from a grammar whose truth is known to the generator.
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <random>

#include "../../histories.hpp"
#include "bench.hpp"

namespace skewguard::guard::testing {
namespace {

const std::uint64_t kHistories = histories(400);

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}
  bool once_in(int n) { return below(n) == 0; }
  int below(int n) { return static_cast<int>(engine_() % static_cast<std::uint64_t>(n)); }
  Duration upto(Duration most) {
    return milliseconds{below(static_cast<int>(most / milliseconds{1}))};
  }

 private:
  std::mt19937_64 engine_;
};

Reply scripted_reply(Dice& dice) {
  static const Reply kReplies[] = {{401, "bad.credentials", {}, {}},
                                   {401, "", {}, {}},
                                   {429, "", {{"Retry-After", "1"}}, {}},
                                   {429, "", {}, {}},
                                   {504, "authentication.request.timeout", {}, {}},
                                   {502, "<html>", {}, {}},
                                   {500, "", {}, {}},
                                   {403, "missing.permissions", {}, {}},
                                   {200, "", {}, {}},
                                   {302, "", {{"Location", "https://other.example/"}}, {}},
                                   {0, "", {}, TransportFailure::Kind::reset}};
  return kReplies[dice.below(std::size(kReplies))];
}

/// Drawn first, so that two benches can share it.
void draw_caller(Dice& dice, Bench& w) {
  w.jwt = dice.once_in(2);
  w.rtt = milliseconds{2 * (1 + dice.below(100))};
  w.has_token = dice.once_in(2);
  w.token_age = seconds{dice.below(320)};
  w.options.attempts = 1 + dice.below(5);
  if (dice.once_in(3)) w.request.method = "POST";
  if (dice.once_in(4)) w.revoked = {1};
  if (dice.once_in(5)) w.refuses_all = true;
  if (dice.once_in(4)) w.spreads_after = dice.upto(seconds{5});
  for (int i = dice.below(4); i > 0; --i) w.replies.push_back(scripted_reply(dice));
  if (dice.once_in(6)) w.login_denies = Verdict::credentials_rejected;
  w.advance(dice.upto(seconds{3}));
}

void draw_clocks(Dice& dice, Bench& w) {
  const auto offset = [&] { return dice.upto(seconds{40}) - seconds{20}; };
  w.login_offset = offset();
  w.api_offset = offset();
  if (dice.once_in(4)) w.login_offset = seconds{600};
  if (dice.once_in(4)) w.backends = {Duration{0}, -dice.upto(seconds{4})};
}

void draw_dates(Dice& dice, Bench& w) {
  w.dates = static_cast<Bench::Dates>(dice.below(6));
  w.late_by = dice.upto(seconds{8});
  w.frozen_at = dice.once_in(2) ? Duration{0} : kEpoch + dice.upto(seconds{60}) - seconds{30};
}

bool blames_a_clock(const ReportedAttempt& a) {
  return a.verdict == Verdict::issuer_clock_ahead || a.verdict == Verdict::issuer_clock_behind;
}

class GuardProperty : public ::testing::Test {
 protected:
  void each(const std::function<void(Dice&, Bench&)>& claim) {
    for (std::uint64_t seed = 0; seed < kHistories; ++seed) {
      Dice dice(seed);
      Bench bench;
      claim(dice, bench);
      if (HasFailure()) FAIL() << "seed " << seed << ": " << to_json(bench.end->report);
    }
  }
};

TEST_F(GuardProperty, EveryCallEndsInTimeWithBoundedAttempts) {
  each([](Dice& dice, Bench& w) {
    draw_caller(dice, w);
    draw_clocks(dice, w);
    draw_dates(dice, w);
    const Instant start = w.now().boot;
    const Duration timeout = milliseconds{200} + dice.upto(seconds{40});
    const CallReport& r = w.run(timeout);
    ASSERT_TRUE(w.end);
    EXPECT_LE(w.now().boot - start, timeout + 3 * w.rtt);
    EXPECT_LE(w.refusals.size(), static_cast<std::size_t>(w.options.attempts));
    for (const auto& [token, sent] : w.refusals) {
      EXPECT_LE(sent.size(), 4U);
      for (std::size_t i = 1; i < sent.size(); ++i)
        EXPECT_GE(sent[i] - sent[i - 1], milliseconds{500});
    }
    EXPECT_LE(w.requests, w.options.attempts + 1);
    for (const Instant at : w.sent_at) EXPECT_LT(at, w.options.deadline);
    EXPECT_EQ(r.exit_code == 0, r.http_status == 200 && w.end->answer != nullptr);
    for (const auto& look : w.looks) EXPECT_TRUE(look.authorization.empty());
    for (std::size_t i = 0; i + 1 < r.attempts.size(); ++i)
      EXPECT_NE(r.attempts[i].action, Action::give_up) << "attempt " << i + 1;
  });
}

TEST_F(GuardProperty, NoClockIsBlamedWhenTheClocksAgreeAndDatesAreHonest) {
  each([](Dice& dice, Bench& w) {
    draw_caller(dice, w);
    w.login_offset = w.api_offset = dice.upto(hours{1}) - hours{2};
    for (const auto& a : w.run().attempts) EXPECT_FALSE(blames_a_clock(a)) << a.explanation;
    EXPECT_NE(w.end->report.exit_code, 4);
  });
}

TEST_F(GuardProperty, NoClockIsBlamedForInvalidDates) {
  each([](Dice& dice, Bench& w) {
    draw_caller(dice, w);
    draw_clocks(dice, w);
    draw_dates(dice, w);
    if (w.dates == Bench::Dates::honest || w.dates == Bench::Dates::late)
      w.dates = Bench::Dates::frozen;
    for (const auto& a : w.run().attempts) EXPECT_NE(w.end->report.exit_code, 4) << a.explanation;
  });
}

TEST_F(GuardProperty, NoClockIsBlamedForInvalidLoginDates) {
  each([](Dice& dice, Bench& w) {
    draw_caller(dice, w);
    w.judges_begin = w.judges_end = false;  // the API does not know that Date
    w.login_date = dice.once_in(2) ? Duration{0} : kEpoch - dice.upto(hours{1});
    for (const auto& a : w.run().attempts)
      EXPECT_NE(a.verdict, Verdict::issuer_clock_behind) << a.explanation;
    EXPECT_NE(w.end->report.exit_code, 4);
  });
}

TEST_F(GuardProperty, TwoBackendsThatLagAlwaysLetOneTokenThrough) {  // C10
  each([](Dice& dice, Bench& w) {
    w.jwt = dice.once_in(2);
    w.rtt = milliseconds{2 * (1 + dice.below(100))};
    w.backends = {-dice.upto(seconds{7}), -dice.upto(seconds{7})};
    w.advance(dice.upto(seconds{3}));
    EXPECT_EQ(w.run().exit_code, 0);
    EXPECT_EQ(w.requests, 1);
  });
}

TEST_F(GuardProperty, ATokenThatPropagatesWithinThreeSecondsIsTheOnlyOne) {  // V1
  each([](Dice& dice, Bench& w) {
    w.jwt = dice.once_in(2);
    w.rtt = milliseconds{2 * (1 + dice.below(100))};
    w.options.attempts = 2 + dice.below(6);
    w.spreads_after = dice.upto(seconds{3});
    if (dice.once_in(3)) w.dates = Bench::Dates::none;
    w.advance(dice.upto(seconds{3}));
    EXPECT_EQ(w.run().exit_code, 0);
    EXPECT_EQ(w.requests, 1);
    EXPECT_LE(w.end->report.elapsed, seconds{4});
  });
}

TEST_F(GuardProperty, ALateDateWithinTheStalenessNeverEndsWith4) {
  each([](Dice& dice, Bench& w) {
    draw_caller(dice, w);
    w.login_offset = w.api_offset = dice.upto(hours{1});
    w.dates = Bench::Dates::late;
    w.late_by = dice.upto(seconds{1});
    EXPECT_NE(w.run().exit_code, 4);
  });
}

TEST_F(GuardProperty, TheWallClockChangesNothing) {
  each([](Dice& dice, Bench& w) {
    const std::uint64_t rest = static_cast<std::uint64_t>(dice.below(1 << 30));
    Bench other;
    for (Bench* one : {&w, &other}) {
      Dice same(rest);
      draw_caller(same, *one);
      draw_clocks(same, *one);
      draw_dates(same, *one);
    }
    const Duration offsets[] = {seconds{900}, -seconds{900}, -kEpoch, hours{24 * 365 * 74}};
    other.wall_offset = offsets[dice.below(4)];
    const CallReport& a = w.run();
    const CallReport& b = other.run();
    EXPECT_EQ(w.log, other.log);
    EXPECT_EQ(a.exit_code, b.exit_code);
    ASSERT_EQ(a.attempts.size(), b.attempts.size());
    for (std::size_t i = 0; i < a.attempts.size(); ++i) {
      EXPECT_EQ(a.attempts[i].verdict, b.attempts[i].verdict);
      EXPECT_EQ(a.attempts[i].explanation, b.attempts[i].explanation);
    }
  });
}

TEST_F(GuardProperty, ALagWithinMaxWaitAlwaysComesThroughWithOneToken) {
  each([](Dice& dice, Bench& w) {
    w.jwt = dice.once_in(2);
    w.rtt = milliseconds{2 * (1 + dice.below(100))};
    w.api_offset = dice.upto(seconds{100});
    w.login_offset = w.api_offset + dice.upto(milliseconds{14'000});
    w.advance(dice.upto(seconds{3}));
    const CallReport& r = w.run();
    EXPECT_EQ(r.exit_code, 0);
    EXPECT_EQ(w.requests, 1);
    EXPECT_LE(w.sent.size(), 2U);
    for (const auto& a : r.attempts)
      EXPECT_TRUE(!a.verdict || a.verdict == Verdict::issuer_clock_ahead) << a.explanation;
    for (const auto& lag : facts_of<oauth::event::ApiLags>(w))
      EXPECT_GE(lag.lag, w.login_offset - w.api_offset);
  });
}

/// If there is only one fault, the verdict is never that of another fault.
TEST_F(GuardProperty, AFinalVerdictWasAmongTheCandidatesOrIsUnknown) {
  each([](Dice& dice, Bench& w) {
    draw_caller(dice, w);
    draw_clocks(dice, w);
    w.backends.clear();
    const CallReport& r = w.run();
    for (const Rejection& told_at_once : w.rejections) {
      const auto& last = r.attempts.at(static_cast<std::size_t>(told_at_once.attempt.n) - 1);
      const auto& c = told_at_once.candidates;
      EXPECT_TRUE(last.verdict == Verdict::unknown ||
                  std::find(c.begin(), c.end(), *last.verdict) != c.end())
          << to_string(*last.verdict) << ": " << told_at_once.attempt.explanation;
    }
  });
}

}  // namespace
}  // namespace skewguard::guard::testing
