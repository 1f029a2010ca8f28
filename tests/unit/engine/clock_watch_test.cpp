#include "engine/clock_watch.hpp"

#include <gtest/gtest.h>

#include "parts.hpp"

namespace skewguard::engine {
namespace {

using oauth::event::ApiLags;
using oauth::event::ApiLeads;
using oauth::event::StoodStill;

class AClockWatch : public ::testing::Test {
 protected:
  AClockWatch() {
    parts.on_answer = [this](ServerId server, const clocks::Answer& answer) {
      watch.observe(server, answer);
    };
  }
  /// An answer of that host arrives.
  void answer(ServerId host, Duration ahead = 0s) {
    parts.loop.enter([&] { watch.observe(host, parts.answer(200, ahead)); });
  }
  void login_answers(Duration ahead = 0s) { answer(parts.clocks.login(), ahead); }
  void api_answers(Duration ahead = 0s) { answer(parts.clocks.api(), ahead); }
  oauth::TokenEvent learned(const oauth::TokenEvent& fact) {
    oauth::TokenEvent out;
    parts.loop.enter([&] { out = watch.learned(fact); });
    return out;
  }
  template <typename Fact>
  [[nodiscard]] std::vector<Fact> facts() const {
    std::vector<Fact> out;
    for (const auto& event : events_)
      if (const auto* fact = std::get_if<Fact>(&event)) out.push_back(*fact);
    return out;
  }
  FakeMachine& machine() { return *parts.machine; }

  Parts parts;
  std::vector<oauth::TokenEvent> events_;
  bool fetching = false;
  ClockWatch watch{{parts.clocks, parts.sender, parts.listeners.log(), parts.machine.get(),
                    [this](const oauth::TokenEvent& event) { events_.push_back(event); },
                    [this] { return fetching; }}};
};

// Steps of the wall clock -------------------------------------------------------------------------

TEST_F(AClockWatch, TellsOfAStepOfTheWallClockFromOneSecondOn) {
  api_answers();
  machine().step_wall(999ms);
  api_answers();
  EXPECT_EQ(parts.lines_with("the local wall clock stepped"), 0U);
  machine().step_wall(1s);
  api_answers();
  EXPECT_EQ(parts.lines_with("the local wall clock stepped forward by 1"), 1U);
  machine().step_wall(-1s);
  api_answers();
  EXPECT_EQ(parts.lines_with("the local wall clock stepped back by 1"), 1U);
  EXPECT_EQ(watch.wall_steps(), 3U) << "each, however small";
}

// A jump of the API's clock -----------------------------------------------------------------------

TEST_F(AClockWatch, AsksTheLoginHostToConfirmAJumpOfTheApiOnceAMinute) {
  api_answers();
  for (int i = 0; i < 2; ++i) api_answers(1h);
  EXPECT_EQ(parts.transport.sent.size(), 1U);
  EXPECT_EQ(parts.transport.sent.at(0).request.method, "HEAD");
  EXPECT_EQ(parts.transport.sent.at(0).options.deadline,
            machine().now().boot + clocks::kLookTimeout);
  machine().advance(1min - 1ms);
  api_answers(3h);
  EXPECT_EQ(parts.transport.sent.size(), 1U);
  machine().advance(1ms);
  api_answers(5h);
  EXPECT_EQ(parts.transport.sent.size(), 2U);
}

TEST_F(AClockWatch, AsksNobodyWhileATokenRequestIsUnderWay) {
  api_answers();
  fetching = true;
  api_answers(1h);
  EXPECT_TRUE(parts.transport.sent.empty());
}

TEST_F(AClockWatch, AsksNobodyAboutAJumpBack) {
  api_answers();
  api_answers(-1h);
  EXPECT_TRUE(parts.transport.sent.empty());
}

TEST_F(AClockWatch, TellsTheTokensThatTheMachineStoodStillOnceBothHostsJumped) {
  api_answers();
  login_answers();
  machine().advance(10s);
  machine().stand_still(10min);
  login_answers();
  EXPECT_TRUE(facts<StoodStill>().empty()) << "one server alone proves nothing";
  const Instant login_received = machine().now().boot;
  api_answers();
  ASSERT_EQ(facts<StoodStill>().size(), 1U);
  EXPECT_GT(facts<StoodStill>()[0].gap, 10min - 2s);
  EXPECT_LT(facts<StoodStill>()[0].gap, 10min + 2s);
  EXPECT_EQ(facts<StoodStill>()[0].issued_from, login_received);
  EXPECT_EQ(watch.standstills(), 1U);
}

// What a hypervisor reports -----------------------------------------------------------------------

TEST_F(AClockWatch, HearsOfADisruptionOnce) {
  EXPECT_FALSE(watch.disrupted());
  machine().tell_of_stops();
  EXPECT_FALSE(watch.disrupted()) << "the first marker is where it begins";
  machine().stand_still(1min);
  EXPECT_TRUE(watch.disrupted());
  EXPECT_FALSE(watch.disrupted());
}

TEST_F(AClockWatch, LooksAtTheLoginHostAfterADisruptionForTwoSeconds) {
  int checked = 0;
  parts.loop.enter([&] { watch.check_after_disruption([&] { ++checked; }); });
  ASSERT_EQ(parts.transport.sent.size(), 1U);
  EXPECT_EQ(parts.transport.sent.at(0).options.deadline, machine().now().boot + 2s);
  EXPECT_EQ(checked, 0);
  parts.transport.sent.at(0).handler(TransportFailure{TransportFailure::Kind::timeout, "", true});
  EXPECT_EQ(checked, 1) << "whatever came of it";
}

// What was learned about the two clocks -----------------------------------------------------------

TEST_F(AClockWatch, EndsALagThatAnAnswerContradicts) {
  login_answers(5s);
  api_answers();
  EXPECT_EQ(std::get<ApiLags>(learned(ApiLags{6s, 4s})).lag, 6s);
  EXPECT_TRUE(facts<ApiLags>().empty());
  machine().advance(1s);
  api_answers(5s);  // it was corrected
  ASSERT_FALSE(facts<ApiLags>().empty());
  EXPECT_EQ(facts<ApiLags>().back().lag, 0s);
}

TEST_F(AClockWatch, EndsALeadThatAnAnswerContradicts) {
  login_answers();
  api_answers(5s);
  EXPECT_EQ(std::get<ApiLeads>(learned(ApiLeads{6s, 4s})).lead, 6s);
  machine().advance(1s);
  login_answers(5s);
  ASSERT_FALSE(facts<ApiLeads>().empty());
  EXPECT_EQ(facts<ApiLeads>().back().lead, 0s);
}

TEST_F(AClockWatch, KeepsALagThatTheDatesAllow) {
  login_answers(5s);
  api_answers();
  learned(ApiLags{6s, 4s});
  for (int i = 0; i < 10; ++i) {
    machine().advance(7s);
    login_answers(5s);
    api_answers();
  }
  EXPECT_TRUE(facts<ApiLags>().empty());
}

/// The login host is 5 s ahead. Each Date may be a second late, and hides up to another second.
TEST_F(AClockWatch, KeepsALagThatLateDatesExplain) {
  login_answers(5s);
  api_answers();
  learned(ApiLags{8s, 7s});
  login_answers(5s);
  EXPECT_TRUE(facts<ApiLags>().empty());
}

TEST_F(AClockWatch, KeepsALeadThatLateDatesExplain) {
  login_answers();
  api_answers(5s);
  learned(ApiLeads{8s, 7s});
  api_answers(5s);
  EXPECT_TRUE(facts<ApiLeads>().empty());
}

TEST_F(AClockWatch, LowersALagToWhatTheDatesStillAllow) {
  login_answers(5s);
  api_answers();
  // The Dates allow less than half of this, but no single answer contradicts it.
  learned(ApiLags{1min, 0s});
  api_answers();
  ASSERT_EQ(facts<ApiLags>().size(), 1U);
  EXPECT_GE(facts<ApiLags>()[0].lag, 5s);
  EXPECT_LT(facts<ApiLags>()[0].lag, 10s);
  api_answers();
  EXPECT_EQ(facts<ApiLags>().size(), 1U) << "and says so once";
}

TEST_F(AClockWatch, LeavesALagThatIsNotOverTwiceOfWhatTheDatesAllow) {
  login_answers(5s);
  api_answers();
  learned(ApiLags{10s, 0s});
  api_answers();
  EXPECT_TRUE(facts<ApiLags>().empty());
}

TEST_F(AClockWatch, LowersALeadToWhatTheDatesStillAllow) {
  login_answers();
  api_answers(5s);
  learned(ApiLeads{10s, 0s});
  api_answers(5s);
  EXPECT_TRUE(facts<ApiLeads>().empty()) << "they allow more than half of it";
  learned(ApiLeads{1min, 0s});
  api_answers(5s);
  ASSERT_EQ(facts<ApiLeads>().size(), 1U);
  EXPECT_GE(facts<ApiLeads>()[0].lead, 5s);
  EXPECT_LT(facts<ApiLeads>()[0].lead, 10s);
}

TEST_F(AClockWatch, PassesOnOtherFactsAsTheyAre) {
  const auto fact = learned(oauth::event::Accepted{7});
  EXPECT_EQ(std::get<oauth::event::Accepted>(fact).generation, 7U);
}

}  // namespace
}  // namespace skewguard::engine
