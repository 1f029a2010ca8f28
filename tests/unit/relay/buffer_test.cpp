#include "relay/buffer.hpp"

#include <gtest/gtest.h>

#include <string>

namespace skewguard::relay {
namespace {

TEST(Buffer, IsAQueue) {
  std::string memory(6, '\0');
  Buffer buffer(memory);
  EXPECT_TRUE(buffer.append({"ab", "", "cd"}));
  EXPECT_EQ(buffer.bytes(), "abcd");
  buffer.remove(3);
  EXPECT_EQ(buffer.bytes(), "d");
  EXPECT_EQ(buffer.room(), 5U);
  EXPECT_FALSE(buffer.append({"efg", "hij"})) << "all parts or none";
  EXPECT_TRUE(buffer.append({"efghi"})) << "what was removed makes room";
  EXPECT_EQ(buffer.bytes(), "defghi");
  EXPECT_EQ(buffer.room(), 0U);
}

TEST(Buffer, GivesItsWholeRoomToARead) {
  std::string memory = "......";
  Buffer buffer(memory);
  ASSERT_TRUE(buffer.append({"abcd"}));
  buffer.remove(2);
  ASSERT_EQ(buffer.space().size(), 4U);
  buffer.space()[0] = 'e';
  buffer.added(1);
  EXPECT_EQ(buffer.bytes(), "cde");
}

TEST(Buffer, KeepsAHeadInPlace) {
  std::string memory(8, '\0');
  Buffer buffer(memory);
  ASSERT_TRUE(buffer.append({"xheadbo"}));
  buffer.remove(1);
  buffer.keep(4);
  const std::string_view kept = buffer.kept();
  EXPECT_EQ(buffer.bytes(), "bo");
  buffer.remove(1);
  EXPECT_EQ(buffer.space().size(), 3U);
  EXPECT_TRUE(buffer.append({"dyn"}));
  EXPECT_EQ(buffer.bytes(), "odyn");
  EXPECT_EQ(kept, "head");
  buffer.remove(3);
  buffer.let_go();
  EXPECT_EQ(buffer.bytes(), "n");
  EXPECT_EQ(buffer.space().size(), 7U);
}

TEST(Buffer, UndoesWhatWasAppended) {
  std::string memory(8, '\0');
  Buffer buffer(memory);
  ASSERT_TRUE(buffer.append({"ab"}));
  const std::size_t mark = buffer.mark();
  ASSERT_TRUE(buffer.append({"cd"}));
  buffer.cut_back(mark);
  EXPECT_EQ(buffer.bytes(), "ab");
}

TEST(Buffer, WithoutMemoryHasNoRoom) {
  Buffer buffer;
  EXPECT_EQ(buffer.room(), 0U);
  EXPECT_FALSE(buffer.append({"a"}));
  EXPECT_TRUE(buffer.append({}));
}

TEST(NumberText, IsTheWholeNumber) {
  EXPECT_EQ(NumberText(0).view(), "0");
  EXPECT_EQ(NumberText(UINT64_MAX).view(), "18446744073709551615");
  EXPECT_EQ(NumberText(255, 16).view(), "ff");
}

}  // namespace
}  // namespace skewguard::relay
