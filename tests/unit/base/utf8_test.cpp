#include "base/utf8.hpp"

#include <gtest/gtest.h>

#include <string>

namespace skewguard {
namespace {

TEST(Utf8, ReadsTheFirstCharacterOfEachLength) {
  const struct {
    std::string text;
    char32_t code;
    std::size_t size;
  } characters[] = {{"Ab", U'A', 1},
                    {"\xC3\xA9t", 0xE9, 2},
                    {"\xE2\x82\xAC", 0x20AC, 3},
                    {"\xF0\x9F\x98\x80", 0x1F600, 4}};
  for (const auto& expected : characters) {
    const auto first = first_utf8_character(expected.text);
    ASSERT_TRUE(first) << expected.text;
    EXPECT_EQ(first->code, expected.code);
    EXPECT_EQ(first->size, expected.size);
  }
}

// RFC 3629 section 3: overlong forms, surrogates, codes above U+10FFFF, and what is cut off.
TEST(Utf8, RefusesWhatIsNotWellFormed) {
  for (const char* text :
       {"\x80", "\xC0\xAF", "\xC1\x81", "\xE0\x80\xAF", "\xF0\x80\x80\xAF", "\xED\xA0\x80",
        "\xF4\x90\x80\x80", "\xF8\x88\x80\x80\x80", "\xC3", "\xE2\x82", "\xE2\x28\xA1"}) {
    EXPECT_FALSE(first_utf8_character(text)) << text;
  }
}

}  // namespace
}  // namespace skewguard
