#include "store/file_store.hpp"

#include <fcntl.h>

#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "faulty_files.hpp"
#include "record_testing.hpp"
#include "store/sealed_text.hpp"

namespace skewguard::store {
namespace {

using testing::ElementsAre;

const std::string kOtherKey(64, 'b');

TEST(FileStore, HoldsWhatWasSwappedInLastForAnyoneOfThisUser) {
  const TestFolder folder;
  const FileStore store(folder / "store");
  EXPECT_EQ(text_in(store), "none");
  const auto first = swap(store, std::nullopt, "one");
  ASSERT_TRUE(first.ok());
  EXPECT_TRUE(first->swapped);
  EXPECT_EQ(first->value->text, Secret("one"));
  const auto second = swap(store, first->value->version, "two");
  ASSERT_TRUE(second.ok());
  EXPECT_TRUE(second->swapped);
  EXPECT_EQ(text_in(store), "two");
  EXPECT_EQ(version_in(store), second->value->version);
  EXPECT_EQ(text_in(FileStore(folder / "store")), "two");
}

TEST(FileStore, CallsEachHandlerOnceFromWithinTheCall) {
  const TestFolder folder;
  FileStore store(folder.path());
  int calls = 0;
  store.swap(kKey, std::nullopt, Secret("one"), [&](const Swapped& swapped) {
    ++calls;
    EXPECT_TRUE(swapped.ok() && swapped->swapped);
  });
  EXPECT_EQ(calls, 1);
  store.read(kKey, [&](const Read& value) {
    ++calls;
    EXPECT_TRUE(value.ok() && *value && (*value)->text == Secret("one"));
  });
  EXPECT_EQ(calls, 2);
  store.read("no key", [&](const Read& value) {
    ++calls;
    EXPECT_FALSE(value.ok());
  });
  EXPECT_EQ(calls, 3);
}

TEST(FileStore, ALosingSwapChangesNothingAndReturnsTheWinner) {
  const TestFolder folder;
  const FileStore store(folder.path());
  const auto early = swap(store, "1-0123456789abcdef", "x");
  ASSERT_TRUE(early.ok());
  EXPECT_FALSE(early->swapped);
  EXPECT_FALSE(early->value);
  ASSERT_TRUE(replace(store, "one"));
  const auto first = version_in(store);
  ASSERT_TRUE(replace(store, "two"));
  const auto now = version_in(store);
  for (const std::optional<std::string>& expected :
       {std::optional<std::string>(), first, std::optional<std::string>(""),
        std::optional<std::string>("2-0123456789abcdef"), std::optional<std::string>("x"),
        std::optional<std::string>("-2"), std::optional<std::string>("3-"),
        std::optional<std::string>("999999999999999999-"),
        std::optional<std::string>("18446744073709551616-")}) {
    const auto lost = swap(store, expected, "x");
    ASSERT_TRUE(lost.ok());
    EXPECT_FALSE(lost->swapped) << expected.value_or("absent");
    ASSERT_TRUE(lost->value);
    EXPECT_EQ(lost->value->text, Secret("two"));
    EXPECT_EQ(lost->value->version, now);
  }
  EXPECT_EQ(text_in(store), "two");
}

TEST(FileStore, KeepsTheValuesOfDifferentKeysApart) {
  const TestFolder folder;
  const FileStore store(folder.path());
  ASSERT_TRUE(replace(store, "one"));
  EXPECT_FALSE(version_in(store, kOtherKey));
  ASSERT_TRUE(replace(store, "two", kOtherKey));
  EXPECT_EQ(text_in(store), "one");
}

TEST(FileStore, MakesItsFoldersForThisUserAloneWhateverTheUmask) {
  const TestFolder folder;
  const mode_t before = ::umask(0);
  const bool swapped = replace(FileStore(folder / "a/b//store/"), "x");
  ::umask(before);
  ASSERT_TRUE(swapped);
  for (const std::string& made :
       {std::string("a"), std::string("a/b"), std::string("a/b/store"), "a/b/store/" + kKey})
    EXPECT_EQ(mode_of(folder / made), 0700U) << made;
  EXPECT_EQ(mode_of(folder / ("a/b/store/" + kKey + "/1.json")), 0600U);
}

TEST(FileStore, LeavesOneFileAKeyAndNothingElse) {
  const TestFolder folder;
  const FileStore store(folder.path());
  for (int i = 0; i < 12; ++i) ASSERT_TRUE(replace(store, "value " + std::to_string(i)));
  ASSERT_FALSE(swap(store, std::nullopt, "x")->swapped);
  EXPECT_THAT(folder.names(), ElementsAre(kKey));
  EXPECT_THAT(names_in_folder(folder / kKey), ElementsAre("12.json"));
}

TEST(FileStore, MakesNothingByLooking) {
  const TestFolder folder;
  EXPECT_EQ(text_in(FileStore(folder / "store")), "none");
  EXPECT_EQ(text_in(FileStore(folder.path())), "none");
  EXPECT_THAT(folder.names(), ElementsAre());
}

TEST(FileStore, TakesTheHighestNumberAndNoOtherNameForOne) {
  const TestFolder folder;
  const FileStore store(folder.path());
  ASSERT_TRUE(replace(store, "one"));
  for (const char* name : {"9.json", "10.json"}) put(folder / (kKey + "/" + name), name);
  for (const char* other : {"011.json", "x.json", "12.jsn", "12.json.new", "-13.json", "14",
                            "15.json ", " 16.json", "0.json", ".json", "+17.json", "1e3.json",
                            "1000000000000000000.json", "18446744073709551617.json"})
    put(folder / (kKey + "/" + other), "no number");
  EXPECT_EQ(text_in(store), "10.json");
  ASSERT_TRUE(replace(store, "eleven"));
  EXPECT_TRUE(std::filesystem::exists(folder / (kKey + "/11.json")));
  EXPECT_EQ(text_in(store), "eleven");
}

TEST(FileStore, StopsAtTheHighestNumberThatThereIs) {
  const TestFolder folder;
  const FileStore store(folder.path());
  ASSERT_TRUE(replace(store, "one"));
  put(folder / (kKey + "/999999999999999998.json"), "last but one");
  ASSERT_TRUE(replace(store, "last"));
  EXPECT_FALSE(replace(store, "over"));
  EXPECT_EQ(text_in(store), "last");
}

TEST(FileStore, DoesNotTakeANumberThatCameAgainForTheSameVersion) {
  const TestFolder folder;
  const FileStore store(folder.path());
  ASSERT_TRUE(replace(store, "one"));
  const auto before = version_in(store);
  std::filesystem::remove_all(folder / kKey);
  ASSERT_TRUE(replace(store, "another one"));
  EXPECT_TRUE(std::filesystem::exists(folder / (kKey + "/1.json")));
  EXPECT_FALSE(swap(store, before, "two")->swapped);
  EXPECT_EQ(text_in(store), "another one");
}

TEST(FileStore, RefusesAKeyThatIsNotSixtyFourHexDigits) {
  const TestFolder folder;
  const FileStore store(folder / "store");
  for (const std::string& key :
       {std::string(), std::string("../x"), std::string(63, 'a'), std::string(65, 'a'),
        std::string(64, 'A'), std::string(64, 'g'), std::string(64, '/'), std::string(64, '\0')}) {
    const auto value = store.read(key);
    ASSERT_FALSE(value.ok()) << key;
    EXPECT_EQ(value.error().kind, ErrorKind::config);
    const auto swapped = store.swap(key, std::nullopt, Secret("x"));
    ASSERT_FALSE(swapped.ok()) << key;
    EXPECT_EQ(swapped.error().kind, ErrorKind::config);
  }
  EXPECT_THAT(folder.names(), ElementsAre());
}

TEST(FileStore, TakesTheLongestTextAndNotOneThatIsAByteLonger) {
  const TestFolder folder;
  const FileStore store(folder.path());
  const std::string longest(kMaxTextBytes, 't');
  ASSERT_TRUE(replace(store, longest));
  EXPECT_EQ(text_in(store), longest);
  const auto refused = swap(store, version_in(store), longest + "t");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, ErrorKind::unavailable);
  EXPECT_EQ(text_in(store), longest);
}

TEST(FileStore, ReadsNothingOfAFileThatIsTooLongAndReplacesIt) {
  const TestFolder folder;
  ASSERT_TRUE(replace(FileStore(folder.path()), "one"));
  put(folder / (kKey + "/2.json"), std::string(kMaxTextBytes + 1, ' '));
  FaultyFiles files;
  const FileStore store(folder.path(), files);
  EXPECT_EQ(text_in(store), "");
  EXPECT_THAT(files.calls, testing::Not(testing::Contains("read")));
  ASSERT_TRUE(replace(store, "three"));
  EXPECT_EQ(text_in(store), "three");
}

TEST(FileStore, ReplacesAFileThatWasTruncated) {
  const TestFolder folder;
  const FileStore store(folder.path());
  const auto text = to_text(kKey, record_named("x"));
  ASSERT_TRUE(store.swap(kKey, std::nullopt, *text)->swapped);
  put(folder / (kKey + "/1.json"), text->reveal().substr(0, 100));
  EXPECT_EQ(text_in(store), text->reveal().substr(0, 100));
  EXPECT_TRUE(replace(store, "next"));
}

TEST(FileStore, LeavesNoDescriptorOpen) {
  const TestFolder folder;
  const FileStore store(folder.path());
  const auto before = open_descriptors();
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(replace(store, std::to_string(i)));
    ASSERT_FALSE(swap(store, "x", "y")->swapped);
  }
  EXPECT_EQ(open_descriptors(), before);
}

// Beside earlier versions -------------------------------------------------------------------------

TEST(FileStore, TakesTheFileOfAnEarlierVersionWhereThereIsNothingElse) {
  const TestFolder folder;
  const FileStore store(folder.path());
  put(folder / (kKey + ".json"), "earlier");
  put(folder / (kKey + ".lock"), "");
  put(folder / (kKey + ".new"), "half a tok");
  EXPECT_EQ(text_in(store), "earlier");
  EXPECT_FALSE(swap(store, std::nullopt, "x")->swapped);
  const auto version = version_in(store);
  ASSERT_TRUE(version);
  ASSERT_TRUE(swap(store, version, "one")->swapped);
  EXPECT_EQ(text_in(store), "one");
  EXPECT_THAT(folder.names(), ElementsAre(kKey));
}

TEST(FileStore, ReadsTheTokenOfAnEarlierVersion) {
  const TestFolder folder;
  const FileStore store(folder.path());
  put(folder / (kKey + ".json"), resealed(earlier_token_text(kKey, "secret")));
  const auto record = record_of(kKey, text_in(store));
  ASSERT_TRUE(record);
  EXPECT_EQ(record->token->value, Secret("secret"));
}

TEST(FileStore, IgnoresTheFileOfAnEarlierVersionOnceThereIsANumber) {
  const TestFolder folder;
  const FileStore store(folder.path());
  ASSERT_TRUE(replace(store, "one"));
  put(folder / (kKey + ".json"), "earlier");
  EXPECT_EQ(text_in(store), "one");
  EXPECT_FALSE(swap(store, "0-" + sha256_hex("earlier").substr(0, 16), "x")->swapped);
}

TEST(FileStore, FindsTheFirstNumberThatTakesTheEarlierFilesPlaceMeanwhile) {
  const TestFolder folder;
  put(folder / (kKey + ".json"), "earlier");
  FaultyFiles files;
  int opened = 0;
  files.before = [&](const FaultyFiles::Call& call) {
    // The folder of numbers is not there yet; then the earlier file is opened.
    if (call.name == "open" && ++opened == 2) {
      EXPECT_TRUE(replace(FileStore(folder.path()), "one"));
    }
    return 0;
  };
  EXPECT_EQ(text_in(FileStore(folder.path(), files)), "one");
  EXPECT_GE(opened, 2);
}

// Races -------------------------------------------------------------------------------------------

/// The other one swaps whenever the file of a value is about to be opened for reading.
TEST(FileStore, LooksAgainWhereTheValueIsReplacedBeforeItIsOpened) {
  const TestFolder folder;
  const FileStore other(folder.path());
  ASSERT_TRUE(replace(other, "0"));
  FaultyFiles files;
  int times = 0;
  files.before_open = [&](const std::string& name, int flags) {
    if (!name.ends_with(".json") || (flags & O_ACCMODE) != O_RDONLY || times == 9) return;
    EXPECT_TRUE(replace(other, std::to_string(++times)));
  };
  EXPECT_EQ(text_in(FileStore(folder.path(), files)), "9");
}

TEST(FileStore, DoesNotLookForEver) {
  const TestFolder folder;
  const FileStore other(folder.path());
  ASSERT_TRUE(replace(other, "0"));
  FaultyFiles files;
  int times = 0;
  files.before_open = [&](const std::string& name, int flags) {
    if (!name.ends_with(".json") || (flags & O_ACCMODE) != O_RDONLY) return;
    EXPECT_TRUE(replace(other, std::to_string(++times)));
  };
  const auto value = FileStore(folder.path(), files).read(kKey);
  ASSERT_FALSE(value.ok());
  EXPECT_EQ(value.error().kind, ErrorKind::unavailable);
  EXPECT_EQ(times, 10);
}

TEST(FileStore, RecreatesItsFolderAfterASweepRemovedIt) {
  const TestFolder folder;
  FaultyFiles files;
  int drafts = 0;
  files.before_open = [&](const std::string& name, int /*flags*/) {
    if (name.ends_with(".new") && ++drafts == 1) std::filesystem::remove_all(folder / kKey);
  };
  EXPECT_TRUE(swap(FileStore(folder.path(), files), std::nullopt, "one")->swapped);
  EXPECT_EQ(drafts, 2);
  EXPECT_EQ(text_in(FileStore(folder.path())), "one");
}

TEST(FileStore, GivesUpWhereItsFolderIsTakenAwayRepeatedly) {
  const TestFolder folder;
  FaultyFiles files;
  files.before_open = [&](const std::string& name, int /*flags*/) {
    if (name.ends_with(".new")) std::filesystem::remove_all(folder / kKey);
  };
  const auto swapped = swap(FileStore(folder.path(), files), std::nullopt, "one");
  ASSERT_FALSE(swapped.ok());
  EXPECT_EQ(swapped.error().kind, ErrorKind::unavailable);
  EXPECT_LT(files.calls.size(), 200U);
}

TEST(FileStore, LeavesNoDraftOfAnyoneWhoHasLost) {
  const TestFolder folder;
  const FileStore other(folder.path());
  ASSERT_TRUE(replace(other, "old"));
  FaultyFiles files;
  files.before = [&](const FaultyFiles::Call& call) {
    if (call.name == "link") {
      EXPECT_TRUE(replace(other, "winner"));
    }
    return 0;
  };
  const auto lost = swap(FileStore(folder.path(), files), version_in(other), "loser");
  ASSERT_TRUE(lost.ok());
  EXPECT_FALSE(lost->swapped);
  EXPECT_EQ(lost->value->text, Secret("winner"));
  EXPECT_THAT(names_in_folder(folder / kKey), ElementsAre("2.json"));
}

/// Values go only after all drafts that might be linked in their place.
TEST(FileStore, KeepsOvertakenValuesWhereADraftCannotBeRemoved) {
  const TestFolder folder;
  const FileStore store(folder.path());
  ASSERT_TRUE(replace(store, "one"));
  const std::string draft = ".2.0123456789abcdef.new";
  ASSERT_EQ(::mkdir((folder / (kKey + "/" + draft)).c_str(), 0700), 0);
  ASSERT_TRUE(replace(store, "two"));
  ASSERT_TRUE(replace(store, "three"));
  EXPECT_THAT(names_in_folder(folder / kKey), ElementsAre(draft, "1.json", "2.json", "3.json"));
  std::filesystem::remove(folder / (kKey + "/" + draft));
  ASSERT_TRUE(replace(store, "four"));
  EXPECT_THAT(names_in_folder(folder / kKey), ElementsAre("4.json"));
}

TEST(FileStore, RemovesDraftsUpToItsNumberAndNoOthers) {
  const TestFolder folder;
  const FileStore store(folder.path());
  ASSERT_TRUE(replace(store, "one"));
  const std::vector<std::string> keeps = {
      ".3.0123456789abcdef.new",  // someone who has seen 2 already
      ".02.0123456789abcdef.new", ".2.0123456789abcde.new",  ".2.0123456789abcdeg.new", ".2.new",
      "2.0123456789abcdef.new",   ".2.0123456789abcdef.old", ".x.0123456789abcdef.new"};
  for (const auto& name : keeps) put(folder / (kKey + "/" + name), "");
  for (const char* goes : {".1.0123456789abcdef.new", ".2.0123456789abcdef.new"})
    put(folder / (kKey + "/" + goes), "");
  ASSERT_TRUE(replace(store, "two"));
  std::vector<std::string> left = keeps;
  left.emplace_back("2.json");
  EXPECT_THAT(names_in_folder(folder / kKey), testing::UnorderedElementsAreArray(left));
}

}  // namespace
}  // namespace skewguard::store
