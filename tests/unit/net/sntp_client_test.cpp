#include "net/sntp_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/udp.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "../clocks/sntp_packet.hpp"
#include "loop_fixture.hpp"
#include "ntp_server.hpp"

namespace skewguard::net {
namespace {

using namespace std::chrono_literals;
using boost::asio::ip::udp;
using clocks::testing::SntpAnswerOf;
using clocks::testing::SntpPacket;
using testing::HasSubstr;
using testing_loop::FakeClock;
using testing_loop::ManualTimers;
using testing_loop::run_ready;
using testing_loop::run_until;
using testing_ntp::NtpServer;
using testing_ntp::SntpPackets;
using Failed = SntpFailure::Kind;

class SntpClientTest : public testing::Test {
 protected:
  /// What a server answers whose clock is `ahead` of the wall clock.
  [[nodiscard]] SntpPacket right(std::uint64_t nonce, Duration ahead = 0s) {
    const Duration clock = clock_.now().wall.time_since_epoch() + ahead;
    return SntpAnswerOf{.nonce = nonce, .came = clock, .went = clock};
  }
  void answer_rightly(NtpServer& server, Duration ahead = 0s) {
    server.answers = [this, ahead](std::uint64_t nonce) {
      return SntpPackets{right(nonce, ahead)};
    };
  }
  static void kiss(NtpServer& server, std::string_view code) {
    server.answers = [code](std::uint64_t nonce) {
      SntpPacket packet = SntpAnswerOf{.nonce = nonce, .stratum = 0};
      std::ranges::copy(code, packet.begin() + 12);
      return SntpPackets{packet};
    };
  }
  SntpClient::Ticket ask(const std::string& name, Duration within = 5s) {
    return client_->ask(name, clock_.boot() + within,
                        [this](SntpResult result) { results_.push_back(std::move(result)); });
  }
  void wait(std::size_t results = 1) {
    run_until(io_, [&] { return results_.size() >= results; });
  }
  [[nodiscard]] const SntpAnswer& answer() const { return std::get<SntpAnswer>(results_.back()); }
  [[nodiscard]] const SntpFailure& failure() const {
    return std::get<SntpFailure>(results_.back());
  }
  /// True time as that sample shows it holds `ahead`.
  [[nodiscard]] bool shows(Duration ahead) {
    clocks::SntpServer known;
    (void)known.observe(answer().sample);
    return known.server(clock_.now())->holds(ahead);
  }

  boost::asio::io_context io_;
  FakeClock clock_;
  std::shared_ptr<ManualTimers> timers_ = std::make_shared<ManualTimers>();
  /// Lookups run on their own threads, which may outlive the test.
  struct Names {
    std::vector<std::string> addresses{"127.0.0.2", "127.0.0.1"};  ///< what each name stands for
    std::size_t lookups = 0;
  };
  std::shared_ptr<Names> names_ = std::make_shared<Names>();
  std::vector<std::string>& addresses_ = names_->addresses;
  std::size_t& lookups_ = names_->lookups;
  std::optional<SntpClient> client_{
      std::in_place, io_, clock_, Edges{timers_, [names = names_](const std::string&) {
                                          ++names->lookups;
                                          return LookupAnswer{names->addresses, "nobody knows it"};
                                        }}};
  std::vector<SntpResult> results_;
};

TEST_F(SntpClientTest, TakesTheServersAnswerOnceFromTheLoop) {
  NtpServer server(io_);
  answer_rightly(server, 250ms);
  ask(server.name());
  EXPECT_TRUE(results_.empty());
  wait();
  run_ready(io_);
  ASSERT_EQ(results_.size(), 1U);
  EXPECT_TRUE(shows(250ms));
  EXPECT_EQ(answer().address, server.name());
  EXPECT_EQ(timers_->armed(), 0U);
  ASSERT_EQ(server.requests.size(), 1U);
  EXPECT_EQ(server.requests[0].size(), 48U);
  EXPECT_EQ(server.requests[0][0], 0x23);
}

TEST_F(SntpClientTest, ReadsItsClockBeforeSendingAndAfterReceiving) {
  NtpServer server(io_);
  answer_rightly(server);
  const Instant start = clock_.boot();
  clock_.on_read = [this] { clock_.advance(1ms); };
  ask(server.name());
  wait();
  EXPECT_GT(answer().sample.sent.boot, start);
  EXPECT_GT(answer().sample.received.boot, answer().sample.sent.boot);
}

TEST_F(SntpClientTest, EachRequestHasANonceOfItsOwn) {
  NtpServer server(io_);
  NtpServer other(io_);
  answer_rightly(server);
  answer_rightly(other);
  ask(server.name());
  ask(other.name());
  wait(2);
  EXPECT_NE(server.requests.at(0), other.requests.at(0));
}

TEST_F(SntpClientTest, IgnoresWhatDoesNotAnswerItsRequest) {
  NtpServer server(io_);
  server.answers = [this](std::uint64_t nonce) {
    return SntpPackets{right(nonce + 1, 100s), SntpPacket{1, 2, 3}, right(nonce, 1s)};
  };
  ask(server.name());
  wait();
  EXPECT_TRUE(shows(1s));
}

TEST_F(SntpClientTest, AnotherSendersPacketsDoNotCountEvenWithTheNonce) {
  NtpServer server(io_);
  NtpServer const forger(io_);
  udp::socket forging(io_, udp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
  server.answers = [&](std::uint64_t nonce) {
    forging.send_to(boost::asio::buffer(right(nonce, 100s)), server.peer());
    return SntpPackets{right(nonce, 1s)};
  };
  ask(server.name());
  wait();
  EXPECT_TRUE(shows(1s));
}

TEST_F(SntpClientTest, NobodyListeningFailsAtOnce) {
  std::string name;
  {
    const NtpServer gone(io_);
    name = gone.name();
  }
  ask(name);
  wait();
  EXPECT_EQ(failure().kind, Failed::unreachable);
  EXPECT_THAT(failure().detail, HasSubstr(name + ": Connection refused"));
}

TEST_F(SntpClientTest, TheNextAddressIsAskedWhereOneRefuses) {
  NtpServer server(io_);
  answer_rightly(server);
  ask("a.example:" + std::to_string(server.port()));
  wait();
  EXPECT_EQ(answer().address, server.name());
}

TEST_F(SntpClientTest, TheNextAddressIsAskedBesideOneThatIsSilent) {
  NtpServer server(io_);
  NtpServer silent(io_, "127.0.0.2", server.port());
  answer_rightly(server);
  ask("a.example:" + std::to_string(server.port()));
  run_until(io_, [&] { return !silent.requests.empty(); });
  run_ready(io_);
  EXPECT_TRUE(server.requests.empty());
  timers_->fire();
  wait();
  EXPECT_EQ(answer().address, server.name());
}

TEST_F(SntpClientTest, WhereADatagramIsLostItAsksAgainAfterASecondAndThenAfterTwo) {
  NtpServer server(io_);  // silent
  ask(server.name(), 10s);
  run_until(io_, [&] { return server.requests.size() == 1; });
  for (const auto& [after, requests] :
       {std::pair{Duration{1s}, std::size_t{2}}, std::pair{Duration{2s}, std::size_t{3}}}) {
    clock_.advance(after - 1ns);
    timers_->fire();
    run_ready(io_);
    EXPECT_EQ(server.requests.size(), requests - 1);
    if (requests == 3) answer_rightly(server);
    clock_.advance(1ns);
    timers_->fire();
    run_until(io_, [&] { return server.requests.size() == requests; });
  }
  wait();
  EXPECT_EQ(answer().address, server.name());
}

TEST_F(SntpClientTest, ALostDatagramIsNoReasonToAskRepeatedly) {
  NtpServer server(io_);  // silent
  ask(server.name(), 30s);
  run_until(io_, [&] { return server.requests.size() == 1; });
  for (int i = 0; i < 29; ++i) {
    clock_.advance(1s);
    timers_->fire();
    run_ready(io_);
  }
  EXPECT_EQ(server.requests.size(), 3U);
  clock_.advance(1s);
  timers_->fire();
  wait();
  EXPECT_EQ(failure().kind, Failed::timeout);
}

TEST_F(SntpClientTest, TheAddressThatAnsweredIsAskedAgainWithoutALookUp) {
  NtpServer server(io_);
  answer_rightly(server);
  const std::string name = "a.example:" + std::to_string(server.port());
  ask(name);
  wait();
  NtpServer other(io_, "127.0.0.2", server.port());
  answer_rightly(other);
  ask(name, 1s);
  wait(2);
  EXPECT_EQ(failure().kind, Failed::too_soon);
  clock_.advance(2s);
  ask(name);
  wait(3);
  EXPECT_EQ(answer().address, server.name());
  EXPECT_TRUE(other.requests.empty());
  EXPECT_EQ(lookups_, 1U);
}

TEST_F(SntpClientTest, AnAddressThatFallsSilentIsLeft) {
  NtpServer server(io_);
  answer_rightly(server);
  const std::string name = "a.example:" + std::to_string(server.port());
  ask(name);
  wait();
  server.answers = [](std::uint64_t) { return SntpPackets{}; };
  clock_.advance(2s);
  ask(name, 1s);
  clock_.advance(1s);
  timers_->fire();
  wait(2);
  EXPECT_EQ(failure().kind, Failed::timeout);
  NtpServer other(io_, "127.0.0.2", server.port());
  answer_rightly(other);
  ask(name);
  wait(3);
  EXPECT_EQ(answer().address, "127.0.0.2:" + std::to_string(server.port()));
}

TEST_F(SntpClientTest, TheDeadlineIsTheClocksNotTheTimers) {
  NtpServer const server(io_);
  ask(server.name(), 5s);
  timers_->fire();
  run_ready(io_);
  EXPECT_TRUE(results_.empty());
  clock_.advance(5s);
  timers_->fire();
  wait();
  EXPECT_EQ(failure().kind, Failed::timeout);
  EXPECT_THAT(failure().detail, HasSubstr(server.name() + ": no answer"));
}

TEST_F(SntpClientTest, AnAnswerPastTheDeadlineIsNone) {
  NtpServer server(io_);
  server.answers = [this](std::uint64_t nonce) {
    clock_.advance(5s);
    return SntpPackets{right(nonce)};
  };
  ask(server.name(), 5s);
  wait();
  EXPECT_EQ(failure().kind, Failed::timeout);
}

TEST_F(SntpClientTest, ADeadlineThatHasPassedSendsNothing) {
  NtpServer const server(io_);
  ask(server.name(), 0s);
  EXPECT_TRUE(results_.empty());
  wait();
  EXPECT_EQ(failure().kind, Failed::timeout);
  EXPECT_TRUE(server.requests.empty());
}

TEST_F(SntpClientTest, SaysWhatCameInsteadOfAnAnswer) {
  NtpServer server(io_);
  server.answers = [this](std::uint64_t nonce) { return SntpPackets{right(nonce + 1)}; };
  ask(server.name(), 5s);
  run_until(io_, [&] { return !server.requests.empty(); });
  run_ready(io_);
  clock_.advance(5s);
  timers_->fire();
  wait();
  EXPECT_THAT(failure().detail, HasSubstr("an answer to another request"));
}

TEST_F(SntpClientTest, SeveralServersEachHaveADeadlineOfTheirOwn) {
  NtpServer const silent(io_);
  NtpServer server(io_);
  answer_rightly(server);
  ask(silent.name(), 1s);
  ask(silent.name().replace(8, 1, "2"), 9s);  // 127.0.0.2: refused
  ask(server.name(), 9s);
  wait(2);
  EXPECT_TRUE(std::ranges::any_of(
      results_, [](const auto& r) { return std::holds_alternative<SntpAnswer>(r); }));
  clock_.advance(1s);
  timers_->fire();
  wait(3);
  EXPECT_EQ(failure().kind, Failed::timeout);
}

TEST_F(SntpClientTest, ASecondQuestionWaitsForTwoSecondsWhateverItsTimerSays) {
  NtpServer server(io_);
  answer_rightly(server);
  ask(server.name());
  ask("localhost:" + std::to_string(server.port()));  // the same server by another name
  wait();
  timers_->fire();
  clock_.advance(2s - 1ns);
  timers_->fire();
  run_ready(io_);
  EXPECT_EQ(server.requests.size(), 1U);
  clock_.advance(1ns);
  timers_->fire();
  wait(2);
  EXPECT_EQ(server.requests.size(), 2U);
}

TEST_F(SntpClientTest, AFifthQuestionWithinAMinuteIsTooSoon) {
  NtpServer server(io_);
  answer_rightly(server);
  for (std::size_t i = 1; i <= 4; ++i) {
    ask(server.name());
    wait(i);
    clock_.advance(2s);
  }
  ask(server.name(), 10s);
  wait(5);
  EXPECT_EQ(failure().kind, Failed::too_soon);
  EXPECT_EQ(server.requests.size(), 4U);
}

TEST_F(SntpClientTest, AServerThatDeniesIsNeverAskedAgain) {
  NtpServer server(io_);
  kiss(server, "DENY");
  ask(server.name());
  wait();
  EXPECT_EQ(failure().kind, Failed::kiss);
  EXPECT_THAT(failure().detail, HasSubstr("DENY"));
  clock_.advance(std::chrono::hours{24});
  ask(server.name());
  wait(2);
  EXPECT_EQ(failure().kind, Failed::too_soon);
  EXPECT_EQ(server.requests.size(), 1U);
}

TEST_F(SntpClientTest, AServerThatSaysRateIsAskedLess) {
  NtpServer server(io_);
  kiss(server, "RATE");
  ask(server.name());
  wait();
  ask(server.name(), 128s);
  wait(2);
  EXPECT_EQ(failure().kind, Failed::too_soon);
  answer_rightly(server);
  clock_.advance(128s);
  ask(server.name());
  wait(3);
  EXPECT_EQ(server.requests.size(), 2U);
}

TEST_F(SntpClientTest, AServerThatDoesNotKnowTheTimeIsPassedOver) {
  NtpServer server(io_);
  NtpServer unsure(io_, "127.0.0.2", server.port());
  unsure.answers = [](std::uint64_t nonce) {
    return SntpPackets{SntpAnswerOf{.nonce = nonce, .stratum = 16}};
  };
  answer_rightly(server);
  ask("a.example:" + std::to_string(server.port()));
  wait();
  EXPECT_EQ(answer().address, server.name());
  clock_.advance(2s);
  ask("127.0.0.2:" + std::to_string(server.port()));
  wait(2);
  EXPECT_EQ(failure().kind, Failed::not_synchronized);
}

TEST_F(SntpClientTest, ACancelledQuestionIsReportedOnce) {
  NtpServer const server(io_);
  const auto ticket = ask(server.name());
  client_->cancel(ticket);
  client_->cancel(ticket);
  EXPECT_TRUE(results_.empty());
  wait();
  EXPECT_EQ(failure().kind, Failed::cancelled);
  client_->cancel(ticket);
  run_ready(io_);
  EXPECT_EQ(results_.size(), 1U);
}

TEST_F(SntpClientTest, AfterDestructionItSaysNothingAndBlocksNoLoop) {
  {
    NtpServer const server(io_);
    ask(server.name());
    ask("no name");
    ask("a.example:9");
    client_.reset();
  }
  io_.run();
  EXPECT_TRUE(results_.empty());
}

TEST_F(SntpClientTest, AnUnknownNameIsReportedWithTheResolversWords) {
  addresses_.clear();
  ask("a.example");
  wait();
  EXPECT_EQ(failure().kind, Failed::dns);
  EXPECT_THAT(failure().detail, HasSubstr("a.example: nobody knows it"));
}

TEST_F(SntpClientTest, NoMoreThanFourAddressesAreAsked) {
  std::uint16_t port = 0;
  port = NtpServer(io_).port();
  addresses_ = {"127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"};
  ask("a.example:" + std::to_string(port));
  wait();
  EXPECT_THAT(failure().detail, HasSubstr("127.0.0.4"));
  EXPECT_THAT(failure().detail, testing::Not(HasSubstr("127.0.0.5")));
}

TEST_F(SntpClientTest, AsksOverIpv6) {
  boost::system::error_code error;
  udp::socket probe(io_, udp::v6());
  std::ignore = probe.bind(udp::endpoint(boost::asio::ip::address_v6::loopback(), 0), error);
  if (error) GTEST_SKIP() << "this machine has no IPv6: " << error.message();
  NtpServer server(io_, "::1");
  answer_rightly(server);
  const std::string name = "[::1]:" + std::to_string(server.port());
  ask(name);
  wait();
  EXPECT_EQ(answer().address, name);
}

TEST_F(SntpClientTest, WhatIsNoNameFailsFromTheLoop) {
  ask("");
  EXPECT_TRUE(results_.empty());
  wait();
  EXPECT_EQ(failure().kind, Failed::bad_name);
}

TEST(SntpName, IsAHostWithOrWithoutAPort) {
  const auto parse = [](std::string_view text) {
    const auto name = parse_sntp_name(text);
    return name ? name->host + " " + std::to_string(name->port) : "none";
  };
  EXPECT_EQ(parse("Pool.NTP.org"), "pool.ntp.org 123");
  EXPECT_EQ(parse("192.0.2.1:1123"), "192.0.2.1 1123");
  EXPECT_EQ(parse("[2001:db8::1]"), "2001:db8::1 123");
  EXPECT_EQ(parse("[2001:db8::1]:1123"), "2001:db8::1 1123");
  for (const char* bad : {"", ":", ":123", "a:", "a:0", "a:65536", "a:x", "2001:db8::1", "[::1",
                          "[]", "a/b", "a:1/", "a?b", "a#b", "u@a", "a b", "[::1]x", "[::1]:"}) {
    EXPECT_EQ(parse(bad), "none") << bad;
  }
}

}  // namespace
}  // namespace skewguard::net
