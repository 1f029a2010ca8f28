#include "cli/help.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "cli/guides.hpp"
#include "cli/layout.hpp"
#include "cli/options.hpp"

namespace skewguard::cli {
namespace {

using testing::HasSubstr;
using testing::Not;
using Of = HelpArguments::Of;

constexpr std::size_t kUsual = 80;

std::vector<HelpArguments> everything() {
  std::vector<HelpArguments> all{{}};
  const Grammar grammar;
  for (const CLI::App* command : grammar.app.get_subcommands({}))
    all.push_back({Of::command, command->get_name()});
  for (const std::string& topic : help_topics()) all.push_back({Of::topic, topic});
  return all;
}

TEST(Help, EveryOptionIsInTheHelpOfItsCommand) {
  const Grammar grammar;
  for (const CLI::App* command : grammar.app.get_subcommands({})) {
    const std::string text = help_text({Of::command, command->get_name()}, kUsual);
    for (const CLI::Option* option : command->get_options()) {
      if (option->get_name() == "--help") continue;  // stands in the program's help
      EXPECT_THAT(text, HasSubstr(option->get_name())) << command->get_name();
    }
  }
}

TEST(Help, EverySettingIsUnderSettingsAndTheCommonOnesAreBesideEachCommand) {
  const Grammar grammar;
  const std::string call = help_text({Of::command, "call"}, kUsual);
  const std::string settings = help_text({Of::topic, "settings"}, kUsual);
  for (const CLI::Option* option : grammar.app.get_options()) {
    if (!is_setting(*option)) continue;
    EXPECT_THAT(settings, HasSubstr("\n  " + option->get_name() + " "));
    const bool common = option->get_group() == kCommonGroup;
    EXPECT_EQ(call.find("\n  " + option->get_name() + " ") != std::string::npos, common)
        << option->get_name();
  }
  EXPECT_THAT(call, HasSubstr("skewguard help settings"));
}

TEST(Help, WhatMeasuresClocksShowsTheSettingsOfClocks) {
  for (const char* command : {"skew", "doctor"}) {
    const std::string text = help_text({Of::command, command}, kUsual);
    for (const char* setting : {"\n  --max-skew ", "\n  --ntp ", "\n  --staleness "})
      EXPECT_THAT(text, HasSubstr(setting)) << command;
  }
}

TEST(Help, NoLineEndsInASpace) {
  for (const HelpArguments& about : everything())
    EXPECT_THAT(help_text(about, kUsual), Not(HasSubstr(" \n"))) << about.name;
}

TEST(Help, EveryTopicIsNamedInTheHelpOfTheProgram) {
  const std::string text = help_text({}, kUsual);
  for (const std::string& topic : help_topics()) EXPECT_THAT(text, HasSubstr("\n  " + topic + " "));
}

TEST(Help, FitsTheTerminal) {
  for (const std::size_t width : {std::size_t{50}, std::size_t{80}, kUnbroken}) {
    for (const HelpArguments& about : everything()) {
      std::istringstream lines(help_text(about, width));
      for (std::string line; std::getline(lines, line);) {
        const bool code = line.starts_with("    ") && about.of == Of::topic;  // stands as it is
        const bool word = line.find(' ', line.find_first_not_of(' ')) == std::string::npos;
        if (code || word) continue;
        EXPECT_LE(columns_of(line), std::min(width, kUsual)) << about.name << ": " << line;
      }
    }
  }
}

TEST(Help, GuidesAreTextAndNotMarkdown) {
  for (const char* topic : {"emulate", "exit-codes", "verdicts"}) {
    const std::string text = help_text({Of::topic, topic}, kUsual);
    for (const char* mark : {"| ---", "`", "](", "\n#", "**"})
      EXPECT_THAT(text, Not(HasSubstr(mark)));
  }
  EXPECT_THAT(help_text({Of::topic, "emulate"}, kUsual), HasSubstr("POST /emulator/clock"));
}

TEST(PlainText, LaysOutWhatGuidesAreMadeOf) {
  EXPECT_EQ(as_plain_text("# Title\n\nSee [the `guide`](x.md#y),\n**now**.\n", 80),
            "TITLE\n\nSee the guide, now.\n");
  EXPECT_EQ(as_plain_text("- one\n  two three\n- four\n", 9), "- one two\n  three\n- four\n");
  EXPECT_EQ(as_plain_text("1. one\n2. two\n", 80), "1. one\n2. two\n");
  EXPECT_EQ(as_plain_text("words:\n\n    $ a `b`\n\n```sh\nc  d\n```\n", 80),
            "words:\n\n    $ a `b`\n\n    c  d\n");
}

TEST(PlainText, MakesTablesListsOfEntries) {
  EXPECT_EQ(as_plain_text("| flag | says |\n| --- | --- |\n| `-a\\|b` | what |\n", 80),
            "  -a|b                        what\n");
  EXPECT_EQ(as_plain_text("| case | status | text |\n|---|---|---|\n| x | 400 | no |\n", 80),
            "  x                           400; text: no\n");
}

TEST(Layout, BreaksAtSpacesAndKeepsLongWordsWhole) {
  EXPECT_EQ(wrapped("one two three", 0, 7), "one two\nthree");
  EXPECT_EQ(wrapped("one two three", 2, 9), "one two\n  three");
  EXPECT_EQ(wrapped("a http://a.long.example/url b", 0, 6), "a\nhttp://a.long.example/url\nb");
  EXPECT_EQ(wrapped("\u2581\u2582 \u2583", 0, 4), "\u2581\u2582 \u2583");
  EXPECT_EQ(wrapped("", 4, 80), "");
}

}  // namespace
}  // namespace skewguard::cli
