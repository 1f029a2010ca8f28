#include "skewguard/secret.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>

// Every block that this program gives back passes through here, so that what was left in it can be
// looked at while the block is still ours.
namespace {

constexpr std::string_view kMark = "S3CRET";
std::atomic<int> blocks_with_mark{0};

void give_back(void* block, std::size_t size) noexcept {
  if (block == nullptr) return;
  const auto* const bytes = static_cast<const unsigned char*>(block);
  if (std::search(bytes, bytes + size, kMark.begin(), kMark.end()) != bytes + size) {
    ++blocks_with_mark;
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
  give_back(block, size);
}

namespace skewguard {
namespace {

/// "S3CRET" over and over, without ever lying in a block that is given back uncounted.
template <std::size_t kSize>
std::array<char, kSize> marked() {
  std::array<char, kSize> text{};
  for (std::size_t i = 0; i < kSize; ++i) text.at(i) = kMark[i % kMark.size()];
  return text;
}
const auto kLong = marked<200>();  // lives on the heap, within a std::string
const auto kShort = marked<12>();  // lives within the std::string itself
constexpr std::array kBoth{std::string_view{kLong.data(), kLong.size()},
                           std::string_view{kShort.data(), kShort.size()}};

class SecretWipe : public ::testing::Test {
 protected:
  void SetUp() override { blocks_with_mark = 0; }
};

TEST_F(SecretWipe, IsNeededForThisTestToSeeAnything) {
  {
    const std::string plain(kBoth[0]);
  }
  EXPECT_EQ(blocks_with_mark, 1);
}

TEST_F(SecretWipe, LeavesNothingOnTheHeapWhenASecretEnds) {
  {
    const Secret secret(kBoth[0]);
  }
  EXPECT_EQ(blocks_with_mark, 0);
}

/// A place for one object whose bytes can be looked at, also once the object is gone.
template <typename T>
class Place {
 public:
  template <typename... Args>
  T& construct(Args&&... args) {
    return *std::construct_at(object(), std::forward<Args>(args)...);
  }
  void destroy() { std::destroy_at(object()); }
  [[nodiscard]] bool shows_mark() const {
    return std::ranges::search(bytes_, kMark).begin() != bytes_.end();
  }

 private:
  T* object() { return reinterpret_cast<T*>(bytes_.data()); }
  alignas(T) std::array<unsigned char, sizeof(T)> bytes_{};
};

TEST_F(SecretWipe, LeavesNothingInTheObjectWhenAShortSecretEnds) {
  Place<Secret> place;
  place.construct(kBoth[1]);
  EXPECT_TRUE(place.shows_mark());
  place.destroy();
  EXPECT_FALSE(place.shows_mark());
}

TEST_F(SecretWipe, LeavesNothingInWhatAShortSecretIsMovedFrom) {
  Place<Secret> place;
  Secret& from = place.construct(kBoth[1]);
  Secret to(std::move(from));
  EXPECT_FALSE(place.shows_mark());
  from = Secret(kBoth[1]);
  EXPECT_TRUE(place.shows_mark());
  to = std::move(from);
  EXPECT_FALSE(place.shows_mark());
  place.destroy();

  Place<std::string> text;
  const Secret made(std::move(text.construct(kBoth[1])));
  EXPECT_FALSE(text.shows_mark());
  text.destroy();
}

TEST_F(SecretWipe, LeavesNothingBehindCopiesMovesAndAssignments) {
  for (const auto text : kBoth) {
    Secret first(text);
    Secret copy(first);
    Secret moved(std::move(copy));
    Secret assigned("other");
    assigned = first;
    assigned = Secret("x");
    first = std::move(moved);
    first =
        Secret(std::string_view("longer than it was: ........................................"));
  }
  EXPECT_EQ(blocks_with_mark, 0);
}

TEST_F(SecretWipe, LeavesNothingOfALongStringThatASecretIsMadeOf) {
  {
    std::string source(kBoth[0]);
    const Secret secret(std::move(source));
    EXPECT_TRUE(source.empty());  // NOLINT(bugprone-use-after-move): that is the claim
  }
  EXPECT_EQ(blocks_with_mark, 0);
}

TEST_F(SecretWipe, OverwritesTheWholeCapacityOfAString) {
  {
    std::string text(kBoth[0]);
    text.resize(3);  // the rest of the mark is still there, past the end
    Secret::wipe(text);
    EXPECT_TRUE(text.empty());
    EXPECT_GE(text.capacity(), kBoth[0].size());
  }
  EXPECT_EQ(blocks_with_mark, 0);
}

TEST(Secret, IsEmptyOnceMovedFrom) {
  for (const auto text : kBoth) {
    Secret from(text);
    const Secret to(std::move(from));
    EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move): that is the claim
    EXPECT_EQ(to.reveal(), text);
    Secret again(text);
    Secret over("old");
    over = std::move(again);
    EXPECT_TRUE(again.empty());  // NOLINT(bugprone-use-after-move)
    EXPECT_EQ(over.reveal(), text);
  }
}

TEST(Secret, SurvivesAssignmentToItself) {
  Secret secret(kBoth[0]);
  auto& same = secret;
  secret = same;
  EXPECT_EQ(secret.reveal(), kBoth[0]);
  secret = std::move(same);
  EXPECT_EQ(secret.reveal(), kBoth[0]);
}

TEST(Secret, TellsItsLengthAlone) {
  EXPECT_EQ(Secret(std::string(86, 'x')).redacted(), "[86 bytes]");
  EXPECT_EQ(Secret().redacted(), "[0 bytes]");
  EXPECT_EQ(Secret("abc").size(), 3U);
  EXPECT_TRUE(Secret().empty());
}

TEST(Secret, EqualsWhatHasTheSameContent) {
  EXPECT_EQ(Secret("abc"), Secret(std::string("abc")));
  EXPECT_NE(Secret("abc"), Secret("abd"));
  EXPECT_NE(Secret("abc"), Secret("xbc"));
  EXPECT_NE(Secret("abc"), Secret("abcd"));
  EXPECT_NE(Secret("\x80"), Secret(std::string_view("\0", 1)));
  EXPECT_EQ(Secret(), Secret(""));
}

}  // namespace
}  // namespace skewguard
