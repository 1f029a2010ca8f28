#include "system/machine_kind.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "captured_machine.hpp"

namespace skewguard::system {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class MachineKindTest : public CapturedMachine {
 protected:
  [[nodiscard]] MachineKind kind(const Now& now = {}) const { return machine_kind(files(), now); }
};

TEST_F(MachineKindTest, OfBareMetalIsNothingOfTheKind) {
  put("/proc/1/cgroup", "0::/init.scope\n");
  put("/proc/cpuinfo", "processor : 0\nflags\t\t: fpu vme tsc\n");
  put("/sys/class/dmi/id/sys_vendor", "Dell Inc.\n");
  put("/sys/class/dmi/id/product_name", "PowerEdge R740\n");
  put("/proc/sys/kernel/osrelease", "6.1.0-18-amd64\n");
  put("/sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc\n");
  const MachineKind found = kind();
  EXPECT_EQ(found.container, "");
  EXPECT_EQ(found.vm, "");
  EXPECT_FALSE(found.wsl);
  EXPECT_EQ(found.clock_source, "tsc");
  EXPECT_THAT(found.host_clocks, IsEmpty());
}

TEST_F(MachineKindTest, RecognizesContainersByWhatTheirRuntimesLeave) {
  put("/proc/1/cgroup", "12:cpu:/lxc/web1\n");
  EXPECT_EQ(kind().container, "lxc");
  put("/proc/1/environ", std::string("PATH=/bin\0container=systemd-nspawn\0", 35));
  EXPECT_EQ(kind().container, "systemd-nspawn");
  put("/run/systemd/container", "lxc-libvirt\n");
  EXPECT_EQ(kind().container, "lxc-libvirt");
  put("/.dockerenv");
  EXPECT_EQ(kind().container, "docker");
  put("/run/.containerenv", "engine=\"podman-4.3.1\"\n");
  EXPECT_EQ(kind().container, "podman");
  put("/var/run/secrets/kubernetes.io/serviceaccount/namespace", "default");
  EXPECT_EQ(kind().container, "kubernetes");
}

TEST_F(MachineKindTest, RecognizesKubernetesByItsControlGroup) {
  put("/.dockerenv");
  put("/proc/1/cgroup", "4:memory:/kubepods/burstable/pod1234/5678\n");
  EXPECT_EQ(kind().container, "kubernetes");
}

TEST_F(MachineKindTest, RecognizesVirtualMachinesByTheirBoard) {
  put("/sys/class/dmi/id/sys_vendor", "VMware, Inc.\n");
  EXPECT_EQ(kind().vm, "VMware");
  put("/sys/class/dmi/id/sys_vendor", "Microsoft Corporation\n");
  put("/sys/class/dmi/id/product_name", "Virtual Machine\n");
  EXPECT_EQ(kind().vm, "Hyper-V");
  put("/sys/class/dmi/id/product_name", "Surface Laptop\n");
  EXPECT_EQ(kind().vm, "") << "real machines have that maker too";
}

TEST_F(MachineKindTest, RecognizesVirtualMachinesByTheirProcessor) {
  put("/sys/class/dmi/id/sys_vendor", "Amazon EC2\n");
  put("/proc/cpuinfo", "flags\t\t: fpu vme\n");
  EXPECT_EQ(kind().vm, "") << "a metal instance";
  put("/proc/cpuinfo", "flags\t\t: fpu hypervisor vme\n");
  EXPECT_EQ(kind().vm, "Amazon EC2");
  put("/sys/class/dmi/id/sys_vendor", "");
  EXPECT_EQ(kind().vm, "a hypervisor");
  put("/sys/devices/system/clocksource/clocksource0/available_clocksource", "tsc kvm-clock \n");
  EXPECT_EQ(kind().vm, "KVM");
}

TEST_F(MachineKindTest, TakesXensOwnHostForNoVirtualMachine) {
  put("/sys/hypervisor/type", "xen\n");
  EXPECT_EQ(kind().vm, "Xen");
  put("/proc/xen/capabilities", "control_d\n");
  EXPECT_EQ(kind().vm, "");
}

TEST_F(MachineKindTest, RecognizesWslByItsKernelAndNotAsAContainer) {
  put("/proc/sys/kernel/osrelease", "5.15.90.1-microsoft-standard-WSL2\n");
  put("/run/systemd/container", "wsl\n");
  EXPECT_TRUE(kind().wsl);
  EXPECT_EQ(kind().container, "");
}

TEST_F(MachineKindTest, ListsTheClocksOfTheHost) {
  put("/dev/ptp0");
  put("/dev/vmclock0");
  put("/dev/rtc0");
  EXPECT_THAT(kind().host_clocks, ElementsAre("/dev/ptp0", "/dev/vmclock0"));
}

TEST_F(MachineKindTest, KnowsHowLongItSleptWhateverItsTimeNamespace) {
  const Now now{.boot = Instant{10'000s}, .mono = MonotonicTime{7'000s}};
  EXPECT_EQ(kind(now).suspended, 3'000s);
  put("/proc/self/timens_offsets", "monotonic   500   0\nboottime   2500   1\n");
  EXPECT_EQ(kind(now).suspended, 1'000s - 1ns);
}

}  // namespace
}  // namespace skewguard::system
