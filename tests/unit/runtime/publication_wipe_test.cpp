#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <thread>

#include "runtime/publication.hpp"

// Every block that this program gives back passes through here, so that what was left in it can be
// looked at while the block is still ours.
namespace {

constexpr std::string_view kLeaseMark = "L3ASED";
std::atomic<int> leases_left_behind{0};

void look_through(void* block, std::size_t size) noexcept {
  if (block == nullptr) return;
  const auto* const bytes = static_cast<const unsigned char*>(block);
  if (std::search(bytes, bytes + size, kLeaseMark.begin(), kLeaseMark.end()) != bytes + size) {
    ++leases_left_behind;
  }
  std::free(block);
}

}  // namespace

void* operator new(std::size_t size) {
  if (void* const block = std::malloc(std::max<std::size_t>(size, 1))) return block;
  throw std::bad_alloc();
}
void operator delete(void* block) noexcept {
  std::free(block);
}
void operator delete(void* block, std::size_t size) noexcept {
  look_through(block, size);
}

namespace skewguard::runtime {
namespace {

constexpr Instant kLeaseNow{std::chrono::hours{1}};
constexpr Instant kLeaseEnd{std::chrono::hours{2}};

oauth::TokenPtr marked_token(std::string_view value) {
  auto made = std::make_shared<oauth::Token>();
  made->value = Secret(value);
  return made;
}

/// "L3ASED" over and over: lives on the heap, and is no part of any block of this test's own.
std::string_view marked() {
  static const auto text = [] {
    std::array<char, 240> out{};
    for (std::size_t i = 0; i < out.size(); ++i) out.at(i) = kLeaseMark[i % kLeaseMark.size()];
    return out;
  }();
  return {text.data(), text.size()};
}

class PublicationWipe : public testing::Test {
 protected:
  void SetUp() override { leases_left_behind = 0; }
};

TEST_F(PublicationWipe, IsNeededForThisTestToSeeAnything) {
  {
    const std::string plain(marked());
  }
  EXPECT_EQ(leases_left_behind, 1);
}

TEST_F(PublicationWipe, LeavesNothingOfATokenWhoseLastHolderLetGo) {
  std::thread([] {
    auto publication = std::make_unique<Publication>();
    publication->publish(marked_token(marked()), kLeaseEnd);
    EXPECT_EQ(publication->read(kLeaseNow)->token, marked());
    publication->publish(nullptr, {});  // this thread is the last holder
    EXPECT_EQ(publication->read(kLeaseNow), nullptr);
    publication->publish(marked_token(marked()), kLeaseEnd);
    publication->publish(marked_token(marked()), kLeaseEnd);  // nobody has read the one before
    EXPECT_EQ(publication->read(kLeaseNow)->token, marked());
    publication.reset();
  }).join();  // at its end the thread lets go of what it has read
  EXPECT_EQ(leases_left_behind, 0);
}

}  // namespace
}  // namespace skewguard::runtime
