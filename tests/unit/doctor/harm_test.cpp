#include "doctor/harm.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../readings.hpp"
#include "doctor/judge.hpp"

namespace skewguard::doctor {
namespace {

using clocks::Picture;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;

constexpr Duration kMaxSkew = seconds{5};

ClockReading several_at(const std::string& url, Duration one, Duration other) {
  ClockReading reading = clock_at(url, one);
  reading.picture = Picture::several_clocks;
  const auto near = [](Duration at) { return OffsetBound{at - milliseconds{9}, at}; };
  reading.groups = {{.offset = near(one), .share = 0.5, .samples = 8},
                    {.offset = near(other), .share = 0.5, .samples = 8}};
  reading.bound = reading.hull =
      OffsetBound{std::min(near(one).low, near(other).low), std::max(one, other)};
  return reading;
}

/// `skew` and `doctor` agree.
struct HarmOfClocks : testing::Test {
  Harm harm(Duration login, Duration api) {
    survey.servers = {clock_at("https://login.example.com/", login),
                      clock_at("https://api.example.com/", api)};
    return told();
  }
  Harm told() {
    Harm found = harm_of(survey, TokenHosts{}, kMaxSkew);
    const Diagnosis diagnosis = judge(
        {.survey = survey, .login = 0, .api = 1, .plain = {}, .missing = "", .max_skew = kMaxSkew});
    EXPECT_EQ(diagnosis.exit_code, found.any() ? 4 : 0) << diagnosis.summary;
    return found;
  }
  Survey survey;
};

TEST_F(HarmOfClocks, IsWhatIsCertainlyBeyondTheLimit) {
  // Bounds go from 6 ms below to 11 ms above.
  EXPECT_FALSE(harm(seconds{5}, Duration{0}).any());
  EXPECT_FALSE(harm(seconds{5} + milliseconds{6}, Duration{0}).any());
  EXPECT_THAT(harm(seconds{5} + milliseconds{7}, Duration{0}).servers, ElementsAre(true, false));
  EXPECT_FALSE(harm(Duration{0}, -seconds{5} - milliseconds{11}).any());
  EXPECT_THAT(harm(Duration{0}, -seconds{5} - milliseconds{12}).servers, ElementsAre(false, true));
}

TEST_F(HarmOfClocks, IsTheSameWhoeverIsToBlame) {
  for (const Duration both : {seconds{6}, -seconds{6}})
    EXPECT_THAT(harm(both, both).servers, ElementsAre(true, true));
  survey.host.kernel = system::KernelClock{.synchronized = true, .max_error = milliseconds{20}};
  EXPECT_TRUE(harm(seconds{6}, seconds{6}).any());
}

TEST_F(HarmOfClocks, IsADistanceOfTheTwoHostsThoughEachIsNearTheLocalClock) {
  EXPECT_TRUE(harm(seconds{3}, -seconds{3}).login_and_api);
  EXPECT_FALSE(harm_of(survey, std::nullopt, kMaxSkew).any()) << "no token passes between them";
  EXPECT_FALSE(harm(seconds{3}, -seconds{2}).any());
}

TEST_F(HarmOfClocks, IsNoDistanceOfTwoClocksBehindOneName) {
  harm(Duration{0}, Duration{0});
  survey.servers[1] = several_at("https://api.example.com/", -seconds{3}, seconds{3});
  EXPECT_FALSE(told().any());
  survey.servers[0] = clock_at("https://login.example.com/", seconds{4});
  EXPECT_TRUE(told().login_and_api) << "one of the API's clocks refuses tokens for 7 s";
  survey.servers[0] = clock_at("https://login.example.com/", Duration{0});
  survey.servers[1] = several_at("https://api.example.com/", Duration{0}, seconds{6});
  EXPECT_THAT(told().servers, ElementsAre(false, true));
}

TEST_F(HarmOfClocks, DoesNotIncludeWhatIsNotAClock) {
  harm(Duration{0}, seconds{600});
  survey.servers[1].picture = Picture::incoherent;
  EXPECT_FALSE(told().any());
  survey.servers[1].renewed_late = true;  // that still says how late at least
  EXPECT_TRUE(told().any());
}

TEST_F(HarmOfClocks, IsWhatAnNtpServerTellsUnlessTheOthersProveItWrong) {
  harm(Duration{0}, Duration{0});
  survey.ntp = {ntp_at("false.example", seconds{600})};
  EXPECT_FALSE(told().any()) << "both hosts prove it wrong";
  survey.servers[1] = {};
  EXPECT_THAT(told().ntp, ElementsAre(true)) << "one against one";
  survey.servers[0] = {};
  EXPECT_THAT(told().ntp, ElementsAre(true));
  survey.ntp = {ntp_at("near.example", seconds{5})};
  EXPECT_FALSE(harm_of(survey, TokenHosts{}, kMaxSkew).any());
  survey.ntp[0].truth.reset();
  EXPECT_FALSE(harm_of(survey, TokenHosts{}, kMaxSkew).any());
}

}  // namespace
}  // namespace skewguard::doctor
