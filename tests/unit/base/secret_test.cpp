#include "skewguard/secret.hpp"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "../traces.hpp"

namespace skewguard {
namespace {

constexpr auto kLong = traces::marked<200>();
constexpr auto kShort = traces::marked<12>();  // would fit into a std::string itself
constexpr std::array kBoth{kLong.view(), kShort.view()};

class SecretWipe : public ::testing::Test {
 protected:
  void SetUp() override { traces::on_the_heap = 0; }
  static void expect_no_traces() {
    EXPECT_EQ(traces::on_the_heap, 0);
    EXPECT_FALSE(traces::among_secrets());
  }
};

TEST_F(SecretWipe, IsNeededForThisTestToSeeAnything) {
  {
    const std::string plain(kBoth[0]);
  }
  EXPECT_EQ(traces::on_the_heap, 1);
  EXPECT_FALSE(traces::among_secrets());
  for (const auto text : kBoth) {
    const Secret secret(text);
    EXPECT_TRUE(traces::among_secrets());
  }
}

TEST_F(SecretWipe, LeavesNothingWhenASecretEnds) {
  for (const auto text : kBoth) {
    {
      const Secret secret(text);
    }
    expect_no_traces();
  }
}

/// Storage for an object whose bytes can be inspected even after the object is destroyed.
template <typename T>
class Place {
 public:
  template <typename... Args>
  T& construct(Args&&... args) {
    return *std::construct_at(object(), std::forward<Args>(args)...);
  }
  void destroy() { std::destroy_at(object()); }
  [[nodiscard]] bool shows_mark() const {
    return std::ranges::search(bytes_, traces::kMark).begin() != bytes_.end();
  }

 private:
  T* object() { return reinterpret_cast<T*>(bytes_.data()); }
  alignas(T) std::array<unsigned char, sizeof(T)> bytes_{};
};

TEST_F(SecretWipe, KeepsNothingInTheObjectItself) {
  Place<Secret> place;
  Secret& from = place.construct(kBoth[1]);
  EXPECT_FALSE(place.shows_mark()) << "it may lie on the heap";
  const Secret to(std::move(from));
  EXPECT_FALSE(place.shows_mark());
  place.destroy();

  Place<std::string> text;
  std::string& source = text.construct(kBoth[1]);
  EXPECT_TRUE(text.shows_mark());
  const Secret made(std::move(source));
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
  expect_no_traces();
}

TEST_F(SecretWipe, LeavesNothingOfALongStringThatASecretIsMadeOf) {
  {
    std::string source(kBoth[0]);
    const Secret secret(std::move(source));
    EXPECT_TRUE(source.empty());  // NOLINT(bugprone-use-after-move): that is the claim
  }
  expect_no_traces();
}

TEST_F(SecretWipe, OverwritesTheWholeCapacityOfAString) {
  {
    std::string text(kBoth[0]);
    text.resize(3);  // the rest of the mark is still there, past the end
    Secret::wipe(text);
    EXPECT_TRUE(text.empty());
    EXPECT_GE(text.capacity(), kBoth[0].size());
  }
  expect_no_traces();
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

TEST(Secret, ShowsOnlyItsLength) {
  EXPECT_EQ(Secret(std::string(86, 'x')).redacted(), "[86 bytes]");
  EXPECT_EQ(Secret().redacted(), "[0 bytes]");
  EXPECT_EQ(Secret("abc").size(), 3U);
  EXPECT_TRUE(Secret().empty());
}

TEST(Secret, OfAVariableThatIsNotSetIsEmpty) {
  const char* const unset = nullptr;
  EXPECT_TRUE(Secret(unset).empty());
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
