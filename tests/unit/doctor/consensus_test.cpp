#include "doctor/consensus.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../readings.hpp"

namespace skewguard::doctor {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;

struct Heard : testing::Test {
  ClockReading& server(Duration off) {
    const std::string name = "host" + std::to_string(survey.servers.size());
    return survey.servers.emplace_back(clock_at("https://" + name + ".example.com/", off));
  }
  NtpReading& ntp(Duration off) {
    return survey.ntp.emplace_back(ntp_at("ntp" + std::to_string(survey.ntp.size()), off));
  }
  Survey survey;
};

TEST_F(Heard, TheOneOfFourThatMissesTheMajorityIsNamed) {
  server(milliseconds{3});
  server(seconds{-3});
  ntp(Duration{0});
  ntp(milliseconds{2});
  const Consensus known = consensus(survey);
  EXPECT_EQ(known.heard, 4U);
  EXPECT_EQ(known.wrong, 1U);
  EXPECT_THAT(known.servers, ElementsAre(false, true));
  EXPECT_THAT(known.ntp, ElementsAre(false, false));
  ASSERT_TRUE(known.agreed);
  EXPECT_TRUE(known.agreed->holds(milliseconds{2}));
  EXPECT_LT(known.agreed->width(), milliseconds{21});
}

TEST_F(Heard, AFalseNtpServerIsNamedByItsPlaceAmongTheNtpServers) {
  server(Duration{0});
  ntp(Duration{0});
  ntp(seconds{40});
  EXPECT_THAT(consensus(survey).servers, ElementsAre(false));
  EXPECT_THAT(consensus(survey).ntp, ElementsAre(false, true));
}

TEST_F(Heard, CallsNeitherOfTwoThatDifferFalse) {
  server(Duration{0});
  server(seconds{30});
  const Consensus known = consensus(survey);
  EXPECT_FALSE(known.agreed);
  EXPECT_EQ(known.wrong, 0U);
}

/// "No majority" must not stand beside "the local clock is wrong".
TEST_F(Heard, WhereTheLocalClockIsWrongThereIsWhatTheyAgreeOn) {
  // Two narrow bounds miss each other by less than what hulls allow for.
  server(seconds{600});
  server(seconds{600} + milliseconds{500});
  const Consensus known = consensus(survey);
  EXPECT_TRUE(known.local_wrong);
  ASSERT_TRUE(known.agreed);
  EXPECT_GT(known.agreed->low, seconds{590});
}

TEST_F(Heard, IgnoresHostsWithoutASingleTime) {
  server(Duration{0});
  server(seconds{30}).picture = clocks::Picture::several_clocks;
  server(seconds{60}).picture = clocks::Picture::incoherent;
  survey.servers.emplace_back().url = "https://silent.example.com/";
  ntp(Duration{0}).truth.reset();
  const Consensus known = consensus(survey);
  EXPECT_EQ(known.heard, 1U);
  EXPECT_THAT(known.servers, ElementsAre(false, false, false, false));
}

TEST_F(Heard, OneMachineHasOneVoteUnderAnyNumberOfNames) {
  for (int i = 0; i < 3; ++i) server(seconds{100}).addresses = {"192.0.2.7"};
  ntp(Duration{0});
  const Consensus known = consensus(survey);
  EXPECT_FALSE(known.agreed);
  EXPECT_EQ(known.wrong, 0U);
  EXPECT_FALSE(known.local_wrong);
  ntp(milliseconds{1});
  EXPECT_THAT(consensus(survey).servers, ElementsAre(true, true, true));
}

TEST_F(Heard, OnlyThoseAgreeThatMeetWhatIsAgreedOn) {
  server(milliseconds{1});
  server(milliseconds{500});
  ntp(Duration{0});
  const Consensus known = consensus(survey);
  EXPECT_EQ(known.agreeing, 2U);
  EXPECT_EQ(known.wrong, 0U);
}

TEST_F(Heard, TheLocalClockIsWrongWhereAllAgreeAgainstIt) {
  server(seconds{312});
  server(seconds{312});
  ntp(seconds{312});
  const Consensus known = consensus(survey);
  EXPECT_TRUE(known.local_wrong);
  EXPECT_EQ(known.wrong, 0U);
  EXPECT_TRUE(known.agreed->holds(seconds{312}));
}

}  // namespace
}  // namespace skewguard::doctor
