#include "system/service_answers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace skewguard::system {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// chronyc 4.3 of Debian 12.
constexpr std::string_view kSynchronized =
    "7F000001,127.0.0.1,4,1795624634.943047466,-0.000001396,-0.000000003,0.000000015,0.026,-0.000,"
    "0.184,0.000005867,0.000000812,0.0,Normal\n"
    "^,*,127.0.0.1,3,-6,377,0,0.000000153,0.000000150,0.000003245\n"
    "^,?,192.0.2.1,0,6,0,4294967295,0.000000000,0.000000000,0.000000000\n";
constexpr std::string_view kNotSynchronized =
    "00000000,,0,0.000000000,0.000000000,0.000000000,0.000000000,0.000,0.000,0.000,1.000000000,"
    "1.000000000,0.0,Not synchronised\n"
    "^,?,192.0.2.1,0,6,0,4294967295,0.000000000,0.000000000,0.000000000\n";

TEST(ChronycAnswer, OfASynchronizedClockHasSourceServersAndBounds) {
  const auto answer = read_chronyc(kSynchronized);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->synchronized, true);
  EXPECT_EQ(answer->source, "127.0.0.1");
  EXPECT_THAT(answer->servers, ElementsAre(NtpServer{"127.0.0.1"}, NtpServer{"192.0.2.1"}));
  // chrony's manual: the error is root dispersion plus half of root delay, 812 + 2933.5 ns.
  ASSERT_TRUE(answer->offset);
  EXPECT_EQ(answer->offset->low, -1396ns - 3745ns);
  EXPECT_EQ(answer->offset->high, -1396ns + 3745ns);
}

TEST(ChronycAnswer, OfAClockFiveSecondsBehindItsServerIsPositive) {
  // A server whose clock was set 5 s ahead; chronyc words it as "5.000008106 seconds slow of NTP
  // time".
  const auto answer = read_chronyc(
      "7F000001,127.0.0.1,4,1795625100.783546215,5.000008106,0.000000010,0.000000052,-0.020,0.001,"
      "0.138,0.000026078,0.000001482,0.2,Normal\n");
  ASSERT_TRUE(answer && answer->offset);
  EXPECT_TRUE(answer->offset->holds(5s));
  EXPECT_FALSE(answer->offset->holds(-5s));
}

TEST(ChronycAnswer, WithoutSynchronizationHasNoOffset) {
  const auto answer = read_chronyc(kNotSynchronized);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->synchronized, false);
  EXPECT_EQ(answer->offset, std::nullopt);
  EXPECT_EQ(answer->source, "");
  EXPECT_THAT(answer->servers, ElementsAre(NtpServer{"192.0.2.1"}));
}

TEST(ChronycAnswer, OfAServerThatFollowsItsOwnClockIsNoSynchronization) {
  const auto answer = read_chronyc(
      "7F7F0101,,3,1795624628.089877822,0.000000000,0.000000000,0.000000000,0.000,0.000,0.000,"
      "0.000000000,0.000000000,0.0,Normal\n");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->synchronized, false);
  EXPECT_EQ(answer->offset, std::nullopt);
}

TEST(ChronycAnswer, IsNoneWhereNoDaemonAnswers) {
  EXPECT_EQ(read_chronyc("506 Cannot talk to daemon\n"), std::nullopt);
  EXPECT_EQ(read_chronyc(""), std::nullopt);
}

TEST(ChronycAnswer, WithInvalidNumbersHasNoOffset) {
  for (const char* number : {"nan", "inf", "1e300", "", "1,5", "0.1x"}) {
    const auto answer = read_chronyc("7F000001,127.0.0.1,4,1.0," + std::string(number) +
                                     ",0,0,0,0,0,0.1,0.1,0.0,Normal\n");
    EXPECT_FALSE(answer && answer->offset) << number;
  }
}

// ntpq 1.2.2 of NTPsec, Debian 12. The server's transmit time was 50 ms ahead.
constexpr std::string_view kNtpqSynchronized =
    R"(associd=0 status=0014 leap_none, sync_unspec, 1 event, freq_mode,
leap=00, stratum=4, precision=-24, rootdelay=49.961, rootdisp=212.554,
refid=10.9.0.1, reftime=eeb1906d.81006a48 2026-11-25T16:50:53.503Z, tc=3,
peer=17767, offset=25.004088, frequency=0.0, sys_jitter=0.0,
clk_jitter=8.269325, clock=eeb1906e.f0cf0938 2026-11-25T16:50:54.940Z,
processor="x86_64", system="Linux/6.18.44-fc-v669",
version="ntpd ntpsec-1.2.2", clk_wander=0.0, mintc=0
     remote           refid      st t when poll reach   delay   offset   jitter
===============================================================================
*10.9.0.1        127.127.1.1      3 u    1    8    1  49.9610  25.0111   0.0064
 192.0.2.1       .INIT.          16 u    -   64    0   0.0000   0.0000   0.0001
)";
constexpr std::string_view kNtpqNotSynchronized =
    R"(associd=0 status=c016 leap_alarm, sync_unspec, 1 event, restart,
leap=11, stratum=16, precision=-24, rootdelay=0.0, rootdisp=0.015,
refid=INIT, reftime=00000000.00000000 2036-02-07T06:28:16.000Z, tc=0, peer=0,
offset=0.0, frequency=0.0, sys_jitter=0.0, clk_jitter=6e-05,
clock=eeb18f87.1a1ac25d 2026-11-25T16:47:03.101Z, processor="x86_64",
system="Linux/6.18.44-fc-v669", version="ntpd ntpsec-1.2.2", clk_wander=0.0,
mintc=0
     remote           refid      st t when poll reach   delay   offset   jitter
===============================================================================
 192.0.2.1       .INIT.          16 u    -   64    0   0.0000   0.0000   0.0001
)";

TEST(NtpqAnswer, OfASynchronizedClockHasSourceServersAndBounds) {
  const auto answer = read_ntpq(kNtpqSynchronized);
  ASSERT_TRUE(answer && answer->offset);
  EXPECT_EQ(answer->synchronized, true);
  EXPECT_EQ(answer->source, "10.9.0.1");
  EXPECT_THAT(answer->servers, ElementsAre(NtpServer{"10.9.0.1"}, NtpServer{"192.0.2.1"}));
  // RFC 5905 section 11.2: root distance, 212.554 + 49.961 / 2 ms.
  EXPECT_EQ(answer->offset->low, 25'004'088ns - 237'534'500ns);
  EXPECT_EQ(answer->offset->high, 25'004'088ns + 237'534'500ns);
}

TEST(NtpqAnswer, WithoutSynchronizationHasNoOffset) {
  const auto answer = read_ntpq(kNtpqNotSynchronized);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->synchronized, false);
  EXPECT_EQ(answer->offset, std::nullopt);
  EXPECT_EQ(answer->source, "");
}

TEST(NtpqAnswer, LeavesOutPoolsAndRadioClocks) {
  const auto answer = read_ntpq(std::string(kNtpqNotSynchronized) +
                                " 0.pool.ntp.org  .POOL.          16 p    -   64    0   0 0 0\n"
                                "*LOCAL(0)        .LOCL.          10 l   28   64  377   0 0 1\n");
  ASSERT_TRUE(answer);
  EXPECT_THAT(answer->servers, ElementsAre(NtpServer{"192.0.2.1"}));
}

TEST(NtpqAnswer, IsNoneWhereNoDaemonAnswers) {
  EXPECT_EQ(read_ntpq("***Request timed out\n"), std::nullopt);
  EXPECT_EQ(read_ntpq(""), std::nullopt);
}

// As print_ntp_status_info() of systemd's timedatectl.c writes it.
constexpr std::string_view kTimesyncStatus =
    R"(       Server: 162.159.200.1 (0.debian.pool.ntp.org)
Poll interval: 1min 4s (min: 32s; max 34min 8s)
         Leap: normal
      Version: 4
      Stratum: 3
    Reference: A0908D7
    Precision: 1us (-25)
Root distance: 5.233ms (max: 5s)
       Offset: -1.327ms
        Delay: 2.500ms
       Jitter: 0
 Packet count: 1
    Frequency: +12.345ppm
)";

TEST(TimesyncStatus, HasSourceAndBounds) {
  const auto answer = read_timesync_status(kTimesyncStatus);
  ASSERT_TRUE(answer && answer->offset);
  EXPECT_EQ(answer->synchronized, true);
  EXPECT_EQ(answer->source, "162.159.200.1");
  // Half the way to the server, and what that server may be off.
  EXPECT_EQ(answer->offset->low, -1327us - 1250us - 5233us);
  EXPECT_EQ(answer->offset->high, -1327us + 1250us + 5233us);
}

TEST(TimesyncStatus, BeforeTheFirstAnswerIsNotSynchronized) {
  const auto answer = read_timesync_status(
      "       Server: n/a (0.debian.pool.ntp.org)\n"
      "Poll interval: 0 (min: 32s; max 34min 8s)\n"
      " Packet count: 0\n");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->synchronized, false);
  EXPECT_EQ(answer->offset, std::nullopt);
}

TEST(TimesyncStatus, IsNoneWhereNoServiceAnswers) {
  EXPECT_EQ(read_timesync_status(""), std::nullopt);
}

TEST(TimesyncServers, AreTheNetworksAndTheSystemsAndElseTheFallback) {
  EXPECT_THAT(read_timesync_servers("LinkNTPServers=10.0.0.1\nSystemNTPServers=ntp.example a.b\n"
                                    "RuntimeNTPServers=\nFallbackNTPServers=0.debian.pool.ntp.org\n"
                                    "ServerName=10.0.0.1\n"),
              ElementsAre(NtpServer{"10.0.0.1"}, NtpServer{"ntp.example"}, NtpServer{"a.b"}));
  EXPECT_THAT(read_timesync_servers("LinkNTPServers=\nFallbackNTPServers=0.debian.pool.ntp.org\n"),
              ElementsAre(NtpServer{"0.debian.pool.ntp.org"}));
  EXPECT_THAT(read_timesync_servers(""), IsEmpty());
}

TEST(TimeSpan, IsReadAsSystemdWritesIt) {
  EXPECT_EQ(read_time_span("0"), 0s);
  EXPECT_EQ(read_time_span("198us"), 198us);
  EXPECT_EQ(read_time_span("5.233ms"), 5233us);
  EXPECT_EQ(read_time_span("34min 8s"), 34min + 8s);
  EXPECT_EQ(read_time_span("1w 2d 3h"), 9 * 24h + 3h);
  EXPECT_EQ(read_time_span("1y 1month"), 31'557'600s + 2'629'800s);
  for (const char* text : {"", "5", "ms", "5 ms", "-5ms", "1min x", "999999y"})
    EXPECT_EQ(read_time_span(text), std::nullopt) << text;
}

// The words are those of OpenNTPD 6.2p3's ntpctl.
TEST(NtpctlAnswer, ReportsWhetherTheClockIsSynced) {
  EXPECT_EQ(read_ntpctl("4/4 peers valid, clock synced, stratum 3\n")->synchronized, true);
  EXPECT_EQ(
      read_ntpctl("0/4 peers valid, clock unsynced, clock offset is 12.000ms\n")->synchronized,
      false);
  EXPECT_EQ(read_ntpctl(""), std::nullopt);
}

}  // namespace
}  // namespace skewguard::system
