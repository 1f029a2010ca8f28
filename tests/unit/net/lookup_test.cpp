#include "net/lookup.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <future>
#include <memory>

namespace skewguard::net {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Lookup, NumericAddressesAndLocalhostNeedNone) {
  EXPECT_THAT(known_addresses("127.0.0.1"), ElementsAre("127.0.0.1"));
  EXPECT_THAT(known_addresses("::1"), ElementsAre("::1"));
  EXPECT_THAT(known_addresses("localhost"), ElementsAre("127.0.0.1", "::1"));
}

TEST(Lookup, ANameNeedsOne) {
  EXPECT_THAT(known_addresses("api.example"), IsEmpty());
  EXPECT_THAT(known_addresses("127.0.0.1.example"), IsEmpty());
}

TEST(Lookup, FamiliesTakeTurnsBeginningWithTheFirstOnes) {
  EXPECT_THAT(by_turns({"2001:db8::1", "2001:db8::2", "192.0.2.1", "192.0.2.2"}, 16),
              ElementsAre("2001:db8::1", "192.0.2.1", "2001:db8::2", "192.0.2.2"));
  EXPECT_THAT(by_turns({"192.0.2.1", "2001:db8::1", "2001:db8::2"}, 16),
              ElementsAre("192.0.2.1", "2001:db8::1", "2001:db8::2"));
  EXPECT_THAT(by_turns({"192.0.2.1", "192.0.2.2"}, 16), ElementsAre("192.0.2.1", "192.0.2.2"));
  EXPECT_THAT(by_turns({}, 16), IsEmpty());
}

TEST(Lookup, NoMoreAddressesThanTheBound) {
  EXPECT_THAT(by_turns({"192.0.2.1", "192.0.2.2", "2001:db8::1"}, 2),
              ElementsAre("192.0.2.1", "2001:db8::1"));
}

TEST(Lookup, TheSystemKnowsNumericAddressesAndSaysWhyItKnowsNoOther) {
  EXPECT_THAT(system_lookup("127.0.0.1").addresses, ElementsAre("127.0.0.1"));
  const auto none = system_lookup("no such name");  // a space: refused without any DNS
  EXPECT_THAT(none.addresses, IsEmpty());
  EXPECT_FALSE(none.why.empty());
  EXPECT_TRUE(none.no_such_name);
}

TEST(PendingLookup, AnswersOnTheLoop) {
  boost::asio::io_context io;
  std::vector<std::string> got;
  const PendingLookup lookup(
      io, [](const std::string& host) { return LookupAnswer{{"192.0.2.1 for " + host}, ""}; },
      "a.example", [&](const LookupAnswer& answer) { got = answer.addresses; });
  EXPECT_THAT(got, IsEmpty());
  io.run();  // does not return before the answer is there
  EXPECT_THAT(got, ElementsAre("192.0.2.1 for a.example"));
}

TEST(PendingLookup, OneThatHangsBlocksNeitherCancelNorTheLoopsEnd) {
  auto hanging = std::make_shared<std::promise<void>>();
  const auto ended = std::make_shared<std::promise<void>>();
  {
    boost::asio::io_context io;
    auto lookup = std::make_unique<PendingLookup>(
        io,
        [hanging, ended](const std::string&) {
          hanging->get_future().wait();
          ended->set_value();
          return LookupAnswer{{"192.0.2.1"}, ""};
        },
        "a.example", [](const LookupAnswer&) { ADD_FAILURE() << "it was withdrawn"; });
    lookup.reset();
    io.run();  // returns: nothing is left to wait for
  }
  hanging->set_value();
  ended->get_future().wait();
}

}  // namespace
}  // namespace skewguard::net
