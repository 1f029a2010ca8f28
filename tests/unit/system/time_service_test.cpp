#include "system/time_service.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>

#include "captured_machine.hpp"
#include "system/clock_remedy.hpp"

namespace skewguard::system {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const std::string kAskChrony = "/usr/bin/chronyc -c -n -m tracking sources";
const std::string kChronySays =
    "7F000001,127.0.0.1,4,1795625100.783546215,5.000008106,0.000000010,0.000000052,-0.020,0.001,"
    "0.138,0.000026078,0.000001482,0.2,Normal\n"
    "^,*,127.0.0.1,3,-6,377,0,-0.000002794,-0.000002784,0.000015776\n";
const std::string kChronyHasNone =
    "00000000,,0,0.000000000,0.000000000,0.000000000,0.000000000,0.000,0.000,0.000,1.000000000,"
    "1.000000000,0.0,Not synchronised\n";

class TimeServices : public CapturedMachine {
 protected:
  void install_chrony() const {
    install("/usr/sbin/chronyd");
    install("/usr/bin/chronyc");
    put("/lib/systemd/system/chrony.service");
    put("/etc/chrony/chrony.conf", "pool 2.debian.pool.ntp.org iburst\n");
  }
  void boot_systemd() const { put("/run/systemd/system/x"); }
  [[nodiscard]] std::vector<std::string> commands(const MachineKind& kind = {}) {
    std::vector<std::string> found;
    for (const auto& remedy : clock_remedies(services(), kind, files()))
      found.push_back(remedy.command);
    return found;
  }
};

TEST_F(TimeServices, OfAnEmptyMachineAreNone) {
  EXPECT_THAT(services(), IsEmpty());
  EXPECT_THAT(ntp_servers({}), IsEmpty());
  EXPECT_THAT(asked, IsEmpty());
}

TEST_F(TimeServices, AreAskedThroughTheirOwnPrograms) {
  install_chrony();
  start("7", "chronyd");
  put("/etc/systemd/system/multi-user.target.wants/chrony.service");
  says(kAskChrony, kChronySays);
  const auto found = services();
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].name, "chronyd");
  EXPECT_EQ(found[0].unit, "chrony");
  EXPECT_TRUE(found[0].installed);
  EXPECT_TRUE(found[0].running);
  EXPECT_EQ(found[0].enabled, true);
  EXPECT_EQ(found[0].answer.synchronized, true);
  EXPECT_EQ(found[0].answer.source, "127.0.0.1");
  ASSERT_TRUE(found[0].answer.offset);
  EXPECT_TRUE(found[0].answer.offset->holds(5s));
  EXPECT_EQ(found[0].no_answer, "");
  EXPECT_THAT(found[0].servers, ElementsAre(NtpServer{"2.debian.pool.ntp.org"}));
}

TEST_F(TimeServices, ThatAnswerRunEvenIfTheirProcessIsHidden) {
  install_chrony();
  says(kAskChrony, kChronySays);
  EXPECT_TRUE(services().at(0).running);
}

TEST_F(TimeServices, ThatHaveEndedDoNotRun) {
  install_chrony();
  start("7", "chronyd", "Z");
  says(kAskChrony, "506 Cannot talk to daemon\n");
  const auto found = services();
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_FALSE(found[0].running);
  EXPECT_EQ(found[0].no_answer, "506 Cannot talk to daemon");
}

TEST_F(TimeServices, AreAskedWhereTheOptionsSay) {
  install_chrony();
  says("/usr/bin/chronyc -c -n -m -h 127.0.0.1 -p 1323 tracking sources", kChronySays);
  TimeServiceOptions options;
  options.chronyc = {"-h", "127.0.0.1", "-p", "1323"};
  EXPECT_EQ(services(options).at(0).answer.synchronized, true);
}

TEST_F(TimeServices, ThatAreStuckSayWhy) {
  install_chrony();
  start("7", "chronyd");
  EXPECT_EQ(services().at(0).no_answer, "chronyc does not answer in time");
}

TEST_F(TimeServices, WithoutConfigurationHaveTheServersTheyName) {
  install_chrony();
  std::filesystem::remove(root + "/etc/chrony/chrony.conf");
  says(kAskChrony, kChronySays);
  EXPECT_THAT(services().at(0).servers, ElementsAre(NtpServer{"127.0.0.1"}));
}

TEST_F(TimeServices, OfSystemdAreNotAskedUnlessTheyRun) {
  install("/lib/systemd/systemd-timesyncd");
  install("/usr/bin/timedatectl");
  EXPECT_FALSE(services().at(0).running);
  EXPECT_THAT(asked, IsEmpty()) << "D-Bus would start it";
}

TEST_F(TimeServices, OfSystemdTellTheNetworksServers) {
  install("/lib/systemd/systemd-timesyncd");
  install("/usr/bin/timedatectl");
  put("/etc/systemd/timesyncd.conf", "[Time]\nFallbackNTP=fallback.example\n");
  start("9", "systemd-timesyn");
  says("/usr/bin/timedatectl timesync-status",
       "Server: 10.0.0.1 (ntp.lan)\nLeap: normal\nRoot distance: 1ms (max: 5s)\nOffset: +2ms\n"
       "Delay: 4ms\n");
  says("/usr/bin/timedatectl show-timesync --all", "LinkNTPServers=ntp.lan\n");
  const auto found = services();
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].answer.offset, (OffsetBound{-1ms, 5ms}));
  EXPECT_THAT(found[0].servers, ElementsAre(NtpServer{"ntp.lan"}));
}

TEST_F(TimeServices, CalledNtpdAreDistinguished) {
  install("/usr/sbin/ntpd");
  EXPECT_EQ(services().at(0).kind, TimeServiceKind::ntpd);
  install("/usr/sbin/ntpctl");
  says("/usr/sbin/ntpctl -s status", "4/4 peers valid, clock synced, stratum 3\n");
  const auto found = services();
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].kind, TimeServiceKind::openntpd);
  EXPECT_EQ(found[0].answer.synchronized, true);
}

TEST_F(TimeServices, OfGuestsAreSeen) {
  put("/sys/bus/vmbus/devices/1/class_id", "{9527e630-d0ae-497b-adce-e80ab0175caf}\n");
  start("5", "vmtoolsd");
  install("/usr/bin/vmware-toolbox-cmd");
  says("/usr/bin/vmware-toolbox-cmd timesync status", "Disabled\n");
  const auto found = services();
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_EQ(found[0].kind, TimeServiceKind::vmware);
  EXPECT_EQ(found[0].enabled, false);
  EXPECT_EQ(found[1].kind, TimeServiceKind::hyper_v);
}

TEST_F(TimeServices, ThatRunComeFirstAndTheirServersCount) {
  install_chrony();
  install("/usr/sbin/ntpd");
  put("/etc/ntp.conf", "server a.example\n");
  EXPECT_THAT(ntp_servers(services()),
              ElementsAre(NtpServer{"2.debian.pool.ntp.org"}, NtpServer{"a.example"}));
  start("8", "ntpd");
  const auto found = services();
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_EQ(found[0].kind, TimeServiceKind::ntpd);
  EXPECT_THAT(ntp_servers(found), ElementsAre(NtpServer{"a.example"}));
}

TEST_F(TimeServices, ThatRunAreAskedToSetTheClock) {
  install_chrony();
  says(kAskChrony, kChronySays);
  EXPECT_THAT(commands(), ElementsAre("chronyc makestep"));
  says(kAskChrony, kChronyHasNone);
  EXPECT_THAT(commands(), ElementsAre("chronyc -n sources", "chronyc makestep"));
}

TEST_F(TimeServices, WithoutSuchAWordAreRestarted) {
  boot_systemd();
  install("/lib/systemd/systemd-timesyncd");
  put("/lib/systemd/system/systemd-timesyncd.service");
  start("9", "systemd-timesyn");
  EXPECT_THAT(commands(), ElementsAre("systemctl restart systemd-timesyncd"));
}

TEST_F(TimeServices, ThatDoNotRunAreStarted) {
  install_chrony();
  EXPECT_THAT(commands(), ElementsAre("")) << "nothing there to start it with";
  put("/etc/init.d/chrony");
  EXPECT_THAT(commands(), ElementsAre("service chrony start"));
  boot_systemd();
  EXPECT_THAT(commands(), ElementsAre("systemctl start chrony"));
  put("/etc/systemd/system/other");
  EXPECT_THAT(commands(), ElementsAre("systemctl enable --now chrony"));
}

TEST_F(TimeServices, AreInstalledWithTheMachinesOwnPackageManager) {
  EXPECT_THAT(commands(), ElementsAre(""));
  install("/usr/bin/dnf");
  EXPECT_THAT(commands(), ElementsAre("dnf install chrony"));
  install("/usr/bin/apt");
  EXPECT_THAT(commands(), ElementsAre("apt install chrony"));
}

TEST_F(TimeServices, InAContainerAreNotWhatMendsTheClock) {
  install_chrony();
  says(kAskChrony, kChronySays);
  const auto remedies = clock_remedies(services(), {.container = "docker", .vm = ""}, files());
  ASSERT_THAT(remedies, SizeIs(1));
  EXPECT_EQ(remedies[0].command, "");
  EXPECT_THAT(remedies[0].why, HasSubstr("container (docker)"));
}

TEST_F(TimeServices, InWslComeAfterTheTimeOfWindows) {
  MachineKind kind;
  kind.wsl = true;
  EXPECT_THAT(commands(kind), ElementsAre("hwclock --hctosys"));
}

}  // namespace
}  // namespace skewguard::system
