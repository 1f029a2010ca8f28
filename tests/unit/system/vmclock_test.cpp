#include "system/vmclock.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

namespace skewguard::system {
namespace {

constexpr std::size_t kSequenceAt = 12, kMarkerAt = 16;  // of Linux' struct vmclock_abi

/// A file of the published layout, as a hypervisor would share it: little-endian throughout.
class VmClockPage : public testing::Test {
 public:
  VmClockPage() : fd_(::mkstemp(path.data())) {
    put(0, "VCLK");
    put_number(4, 4096, 4);
    put_number(8, 1, 2);
    put_number(kSequenceAt, 6, 4);
    put_number(kMarkerAt, 0x1122334455667788, 8);
    put(4095, std::string_view("\0", 1));
  }
  ~VmClockPage() override {
    ::close(fd_);
    ::unlink(path.c_str());
  }
  VmClockPage(const VmClockPage&) = delete;
  VmClockPage& operator=(const VmClockPage&) = delete;

 protected:
  void put(off_t at, std::string_view bytes) const {
    ASSERT_EQ(::pwrite(fd_, bytes.data(), bytes.size(), at), static_cast<ssize_t>(bytes.size()));
  }
  void put_number(off_t at, std::uint64_t number, int bytes) const {
    std::string text;
    for (int i = 0; i < bytes; ++i) text.push_back(static_cast<char>((number >> (8 * i)) & 0xff));
    put(at, text);
  }
  void truncate(off_t to) const { ASSERT_EQ(::ftruncate(fd_, to), 0); }

  std::string path = testing::TempDir() + "vmclock-XXXXXX";

 private:
  int fd_;
};

TEST_F(VmClockPage, TheMarkerIsReadAndItsChangeIsSeen) {
  const auto clock = VmClock::open(path);
  ASSERT_NE(clock, nullptr);
  EXPECT_EQ(clock->marker(), 0x1122334455667788U);
  put_number(kSequenceAt, 7, 4);
  put_number(kMarkerAt, 9, 8);
  put_number(kSequenceAt, 8, 4);
  EXPECT_EQ(clock->marker(), 9U);
}

TEST_F(VmClockPage, NothingIsReadWhileTheHypervisorWrites) {
  const auto clock = VmClock::open(path);
  ASSERT_NE(clock, nullptr);
  put_number(kSequenceAt, 7, 4);
  EXPECT_EQ(clock->marker(), std::nullopt);
  put_number(kSequenceAt, 8, 4);
  EXPECT_NE(clock->marker(), std::nullopt);
}

TEST_F(VmClockPage, AnotherMagicIsNoSuchPage) {
  put(0, "KLCV");
  EXPECT_EQ(VmClock::open(path), nullptr);
}

TEST_F(VmClockPage, AnotherVersionIsNotGuessedAt) {
  put_number(8, 2, 2);
  EXPECT_EQ(VmClock::open(path), nullptr);
}

TEST_F(VmClockPage, ARegionThatEndsBeforeTheMarkerIsNotRead) {
  put_number(4, 23, 4);
  EXPECT_EQ(VmClock::open(path), nullptr);
}

TEST_F(VmClockPage, AFileThatIsTooShortIsNotRead) {
  truncate(23);
  EXPECT_EQ(VmClock::open(path), nullptr);
  truncate(0);
  EXPECT_EQ(VmClock::open(path), nullptr);
}

TEST_F(VmClockPage, NoDeviceIsNoError) {
  EXPECT_EQ(VmClock::open(path + ".not-there"), nullptr);
}

}  // namespace
}  // namespace skewguard::system
