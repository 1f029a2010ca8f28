#include "base/one_line.hpp"

#include <gtest/gtest.h>

#include <string>

namespace skewguard {
namespace {

TEST(OneLine, NamesOfAllLanguagesStayAsTheyAre) {
  for (const std::string name :
       {"Jörg Müller", "Ελένη", "山田太郎", "أحمد", "דנה", "😀 ok", "a\u200Db"}) {
    EXPECT_EQ(one_line(name), name);
    EXPECT_EQ(quotable(name, 100), name);
  }
}

TEST(OneLine, WhatSteersATerminalBecomesASpace) {
  EXPECT_EQ(one_line("a\x1b[31mb"), "a [31mb");
  EXPECT_EQ(one_line("a\r\n\tb\x7F"), "a   b ");
  EXPECT_EQ(one_line("a\u009B31mb"), "a 31mb");  // CSI as one character
  EXPECT_EQ(one_line("a\u0085b\u2028c\u2029d"), "a b c d");
  EXPECT_EQ(one_line(std::string("a\0b", 3)), "a b");
}

TEST(OneLine, WhatTurnsTheWritingAroundOrHidesTextIsShownAsAQuestionMark) {
  EXPECT_EQ(one_line("user\u202Etxt.exe"), "user?txt.exe");
  EXPECT_EQ(one_line("\u200E\u200F\u061C\u202A\u2066\u2069"), "??????");
  EXPECT_EQ(one_line("a\U000E0041b"), "a?b");
}

TEST(OneLine, BytesThatAreNotUtf8AreShownAsQuestionMarks) {
  EXPECT_EQ(one_line("a\x9B"
                     "31m"),
            "a?31m");                               // a C1 control of eight bits
  EXPECT_EQ(one_line("J\xF6rg"), "J?rg");           // ISO 8859-1
  EXPECT_EQ(one_line("\xC0\x9B"), "??");            // an overlong form of it
  EXPECT_EQ(one_line("\xE0\x82\x9B"), "???");       // another
  EXPECT_EQ(one_line("\xED\xA0\x80"), "???");       // a surrogate
  EXPECT_EQ(one_line("\xF4\x90\x80\x80"), "????");  // beyond Unicode
  EXPECT_EQ(one_line("a\xE5\xB1"), "a??");          // cut off
}

TEST(OneLine, WordsAreJoinedByOneSpaceAndTruncatedAtACharacter) {
  EXPECT_EQ(quotable("  a \r\n b  ", 3), "a b");
  EXPECT_EQ(quotable("a b c", 3), "a b...");
  EXPECT_EQ(quotable("äöü", 3), "äöü");
  EXPECT_EQ(quotable("äöüx", 3), "äöü...");
  EXPECT_EQ(quotable("a b", 2), "a...");
  EXPECT_EQ(quotable("", 3), "");
}

}  // namespace
}  // namespace skewguard
