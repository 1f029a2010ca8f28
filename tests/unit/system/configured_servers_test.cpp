#include "system/configured_servers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "captured_machine.hpp"

namespace skewguard::system {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ConfiguredServers : public CapturedMachine {
 protected:
  [[nodiscard]] std::vector<NtpServer> of(TimeServiceKind kind) const {
    return configured_servers(files(), kind);
  }
};

TEST_F(ConfiguredServers, OfChronyAreThoseOfAllFilesThatItReads) {
  put("/etc/chrony/chrony.conf",
      "# server commented.example\n! server too.example\n"
      "confdir /etc/chrony/conf.d\n"
      "pool 2.debian.pool.ntp.org iburst\n"
      "sourcedir /run/chrony-dhcp /etc/chrony/sources.d\n"
      "include /etc/chrony/more/*.inc\n"
      "driftfile /var/lib/chrony/chrony.drift\n");
  put("/etc/chrony/conf.d/a.conf", "Server ntp.example iburst port 1123\nserver\n");
  put("/etc/chrony/conf.d/README", "server readme.example\n");
  put("/run/chrony-dhcp/eth0.sources", "server 10.0.0.1 iburst\n");
  put("/etc/chrony/sources.d/eth0.sources", "server hidden.example\n");
  put("/etc/chrony/sources.d/x.sources", "peer 2001:db8::1\n");
  put("/etc/chrony/more/b.inc", "server last.example # name\n");
  EXPECT_THAT(
      of(TimeServiceKind::chrony),
      ElementsAre(NtpServer{"ntp.example", 1123}, NtpServer{"2.debian.pool.ntp.org"},
                  NtpServer{"10.0.0.1"}, NtpServer{"2001:db8::1"}, NtpServer{"last.example"}));
}

TEST_F(ConfiguredServers, OfChronyAreFoundWhereOtherDistributionsKeepThem) {
  put("/etc/chrony.conf", "server time.cloudflare.com iburst nts\r\n");
  EXPECT_THAT(of(TimeServiceKind::chrony), ElementsAre(NtpServer{"time.cloudflare.com"}));
}

TEST_F(ConfiguredServers, EndWhereFilesIncludeEachOther) {
  put("/etc/chrony.conf", "server a.example\ninclude /etc/chrony.conf\n");
  EXPECT_THAT(of(TimeServiceKind::chrony), ElementsAre(NtpServer{"a.example"}));
}

TEST_F(ConfiguredServers, AreBounded) {
  std::string text;
  for (int i = 0; i < 65; ++i) text += "server s" + std::to_string(i) + ".example\n";
  put("/etc/chrony.conf", text);
  EXPECT_THAT(of(TimeServiceKind::chrony), SizeIs(64));
}

TEST_F(ConfiguredServers, WithAnInvalidPortKeepTheDefault) {
  put("/etc/chrony.conf",
      "server a.example port 65536\nserver b.example port 0\n"
      "server c.example port\nserver d.example port 65535\n");
  EXPECT_THAT(of(TimeServiceKind::chrony),
              ElementsAre(NtpServer{"a.example"}, NtpServer{"b.example"}, NtpServer{"c.example"},
                          NtpServer{"d.example", 65535}));
}

TEST_F(ConfiguredServers, OfTimesyncdAddUpAndAnEmptyListClearsThem) {
  put("/etc/systemd/timesyncd.conf",
      "[Time]\n#NTP=commented.example\nNTP=a.example b.example\n"
      "FallbackNTP=0.debian.pool.ntp.org\n");
  EXPECT_THAT(of(TimeServiceKind::timesyncd),
              ElementsAre(NtpServer{"a.example"}, NtpServer{"b.example"}));
  put("/usr/lib/systemd/timesyncd.conf.d/10-vendor.conf", "[Time]\nNTP=\nNTP=vendor.example\n");
  EXPECT_THAT(of(TimeServiceKind::timesyncd), ElementsAre(NtpServer{"vendor.example"}));
  put("/etc/systemd/timesyncd.conf.d/10-vendor.conf", "[Other]\nNTP=other.example\n");
  EXPECT_THAT(of(TimeServiceKind::timesyncd),
              ElementsAre(NtpServer{"a.example"}, NtpServer{"b.example"}))
      << "a file in /etc replaces its namesake";
  put("/etc/systemd/timesyncd.conf.d/20.conf", "[Time]\nNTP = \n");
  EXPECT_THAT(of(TimeServiceKind::timesyncd), ElementsAre(NtpServer{"0.debian.pool.ntp.org"}));
}

TEST_F(ConfiguredServers, OfNtpdAreServersAndPoolsButNoRadioClocks) {
  put("/etc/ntp.conf",
      "driftfile /var/lib/ntp/drift\nserver -4 a.example prefer # the best\n"
      "pool 0.debian.pool.ntp.org iburst\nserver 127.127.1.0\n"
      "restrict 192.0.2.0\nincludefile /etc/ntp/more\n");
  put("/etc/ntp/more", "server b.example");
  EXPECT_THAT(of(TimeServiceKind::ntpd),
              ElementsAre(NtpServer{"a.example"}, NtpServer{"0.debian.pool.ntp.org"},
                          NtpServer{"b.example"}));
  put("/etc/ntpsec/ntp.conf", "pool 1.debian.pool.ntp.org iburst\n");
  put("/etc/ntpsec/ntp.d/mine.conf", "server c.example\n");
  EXPECT_THAT(of(TimeServiceKind::ntpd),
              ElementsAre(NtpServer{"1.debian.pool.ntp.org"}, NtpServer{"c.example"}));
}

TEST_F(ConfiguredServers, OfOpenntpdAreServerAndServers) {
  put("/etc/openntpd/ntpd.conf",
      "#server ntp.example.org\nservers 0.debian.pool.ntp.org\n"
      "server a.example weight 5\nsensor *\n");
  EXPECT_THAT(of(TimeServiceKind::openntpd),
              ElementsAre(NtpServer{"0.debian.pool.ntp.org"}, NtpServer{"a.example"}));
}

TEST_F(ConfiguredServers, AreNoneWithoutAFile) {
  for (const auto kind :
       {TimeServiceKind::chrony, TimeServiceKind::timesyncd, TimeServiceKind::ntpd,
        TimeServiceKind::openntpd, TimeServiceKind::hyper_v})
    EXPECT_THAT(of(kind), IsEmpty());
}

}  // namespace
}  // namespace skewguard::system
