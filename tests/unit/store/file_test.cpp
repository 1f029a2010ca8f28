#include "store/file.hpp"

#include <fcntl.h>

#include "faulty_files.hpp"
#include "store/token_text.hpp"
#include "store_testing.hpp"

namespace skewguard::store {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(FileStore, GivesBackWhatWasSavedLastToAnyoneOfThisUser) {
  const TestFolder folder;
  File store(folder / "store");
  EXPECT_TRUE(holds_nothing(store.load(kKey)));
  ASSERT_TRUE(store.save(kKey, token_named("old")));
  ASSERT_TRUE(store.save(kKey, token_named("new")));
  EXPECT_TRUE(holds(store.load(kKey), token_named("new")));
  EXPECT_TRUE(holds(File(folder / "store").load(kKey), token_named("new")));
}

TEST(FileStore, KeepsTheTokensOfDifferentKeysApart) {
  const TestFolder folder;
  File store(folder.path());
  ASSERT_TRUE(store.save(kKey, token_named("one")));
  EXPECT_TRUE(holds_nothing(store.load("other")));
  ASSERT_TRUE(store.save("other", token_named("two")));
  EXPECT_TRUE(holds(store.load(kKey), token_named("one")));
  EXPECT_TRUE(holds(store.load("other"), token_named("two")));
}

TEST(FileStore, MakesItsFolderAndParentsForThisUserAloneWhateverTheUmask) {
  const TestFolder folder;
  const mode_t before = ::umask(0);
  const auto saved = File(folder / "a/b//store/").save(kKey, token_named("x"));
  ::umask(before);
  ASSERT_TRUE(saved);
  for (const char* made : {"a", "a/b", "a/b/store"})
    EXPECT_EQ(mode_of(folder / made), 0700U) << made;
  for (const std::string end : {".json", ".lock"})
    EXPECT_EQ(mode_of(folder / ("a/b/store/" + kKey + end)), 0600U) << end;
}

TEST(FileStore, LeavesATokenAndALockAndNothingElse) {
  const TestFolder folder;
  File store(folder.path());
  ASSERT_TRUE(store.save(kKey, token_named("x")));
  ASSERT_TRUE(store.save(kKey, token_named("y")));
  EXPECT_THAT(folder.names(), ElementsAre(kKey + ".json", kKey + ".lock"));
}

TEST(FileStore, MakesNothingByLooking) {
  const TestFolder folder;
  File store(folder / "store");
  EXPECT_TRUE(holds_nothing(store.load(kKey)));
  EXPECT_TRUE(store.erase(kKey));
  EXPECT_THAT(folder.names(), ElementsAre());
}

TEST(FileStore, ErasesOneTokenAndTakesTheNext) {
  const TestFolder folder;
  File store(folder.path());
  ASSERT_TRUE(store.save(kKey, token_named("x")));
  ASSERT_TRUE(store.save("other", token_named("y")));
  ASSERT_TRUE(store.erase(kKey));
  EXPECT_TRUE(holds_nothing(store.load(kKey)));
  EXPECT_TRUE(holds(store.load("other"), token_named("y")));
  EXPECT_TRUE(store.erase(kKey));
  ASSERT_TRUE(store.save(kKey, token_named("z")));
  EXPECT_TRUE(holds(store.load(kKey), token_named("z")));
}

TEST(FileStore, ReadsNoTokenFromAFileCutOffAtAnyLengthAndHealsWithTheNext) {
  const TestFolder folder;
  File store(folder.path());
  ASSERT_TRUE(store.save(kKey, token_named("x")));
  const std::string path = folder / (kKey + ".json");
  const std::string whole = content_of(path);
  for (std::size_t n = 0; n < whole.size(); ++n) {
    put(path, whole.substr(0, n));
    const auto loaded = store.load(kKey);
    ASSERT_FALSE(loaded.ok()) << n;
    EXPECT_EQ(loaded.error().kind, ErrorKind::unavailable);
    EXPECT_THAT(loaded.error().message, HasSubstr(path + " is not used"));
  }
  ASSERT_TRUE(store.save(kKey, token_named("y")));
  EXPECT_TRUE(holds(store.load(kKey), token_named("y")));
}

TEST(FileStore, BelievesNoFileThatWasMovedToAnotherKey) {
  const TestFolder folder;
  File store(folder.path());
  ASSERT_TRUE(store.save(kKey, token_named("x")));
  std::filesystem::copy(folder / (kKey + ".json"), folder / "other.json");
  EXPECT_FALSE(store.load("other").ok());
}

TEST(FileStore, TakesTheLongestFileAndNotOneThatIsAByteLonger) {
  const TestFolder folder;
  File store(folder.path());
  const std::size_t frame = to_text(kKey, token_named("x"))->size() - 1;
  const std::string longest(kMostTextBytes - frame, 't');
  ASSERT_TRUE(store.save(kKey, token_named(longest)));
  EXPECT_TRUE(holds(store.load(kKey), token_named(longest)));
  EXPECT_FALSE(store.save(kKey, token_named(longest + "t")));
  EXPECT_TRUE(holds(store.load(kKey), token_named(longest)));
  put(folder / (kKey + ".json"), std::string(kMostTextBytes + 1, ' '));
  EXPECT_FALSE(store.load(kKey).ok());
}

TEST(FileStore, ReadsNothingOfAFileThatIsTooLong) {
  const TestFolder folder;
  put(folder / (kKey + ".json"), std::string(kMostTextBytes + 1, ' '));
  FaultyFiles files;
  EXPECT_FALSE(File(folder.path(), files).load(kKey).ok());
  EXPECT_THAT(files.calls, testing::Not(testing::Contains("read")));
}

TEST(FileStore, RefusesAKeyThatIsNoFileName) {
  const TestFolder folder;
  File store(folder / "store");
  for (const std::string& key : {std::string(), std::string("../x"), std::string("a/b"),
                                 std::string("."), std::string("a\0b", 3), std::string(129, 'a')}) {
    const auto loaded = store.load(key);
    ASSERT_FALSE(loaded.ok()) << key;
    EXPECT_EQ(loaded.error().kind, ErrorKind::config);
    EXPECT_FALSE(store.save(key, token_named("x"))) << key;
    EXPECT_FALSE(store.erase(key)) << key;
    EXPECT_FALSE(store.claim(key).ok()) << key;
  }
  EXPECT_THAT(folder.names(), ElementsAre());
  EXPECT_TRUE(store.save(std::string(128, 'a'), token_named("x")));
}

TEST(FileStore, NeverShowsTheTokenInAnError) {
  const TestFolder folder;
  File store(folder.path());
  ASSERT_TRUE(store.save(kKey, token_named("very-secret")));
  std::string text = content_of(folder / (kKey + ".json"));
  text.pop_back();
  put(folder / (kKey + ".json"), text);
  EXPECT_THAT(describe(store.load(kKey).error()), testing::Not(HasSubstr("very-secret")));
  EXPECT_THAT(describe(store.save(kKey, token_named("very secret")).error()),
              testing::Not(HasSubstr("very secret")));
}

// Claims ------------------------------------------------------------------------------------------

TEST(FileStoreClaim, IsOnesUntilItIsReleased) {
  const TestFolder folder;
  File one(folder.path());
  File two(folder.path());
  EXPECT_TRUE(*one.claim(kKey));
  EXPECT_FALSE(*two.claim(kKey));
  EXPECT_TRUE(*two.claim("other"));
  one.release(kKey);
  EXPECT_TRUE(*two.claim(kKey));
  EXPECT_FALSE(*one.claim(kKey));
}

TEST(FileStoreClaim, IsFalseTheSecondTimeToo) {
  const TestFolder folder;
  File store(folder.path());
  EXPECT_TRUE(*store.claim(kKey));
  EXPECT_FALSE(*store.claim(kKey));
  store.release(kKey);
  EXPECT_TRUE(*store.claim(kKey));
}

TEST(FileStoreClaim, EndsWithTheStore) {
  const TestFolder folder;
  {
    File store(folder.path());
    EXPECT_TRUE(*store.claim(kKey));
  }
  EXPECT_TRUE(*File(folder.path()).claim(kKey));
}

TEST(FileStoreClaim, IsOnlyItsHoldersToGiveBack) {
  const TestFolder folder;
  File one(folder.path());
  File two(folder.path());
  EXPECT_TRUE(*one.claim(kKey));
  two.release(kKey);
  EXPECT_FALSE(*two.claim(kKey));
}

TEST(FileStoreClaim, IsKeptThroughSavesAndTakenForOneWhereNobodyHasIt) {
  const TestFolder folder;
  File one(folder.path());
  File two(folder.path());
  EXPECT_TRUE(*one.claim(kKey));
  ASSERT_TRUE(one.save(kKey, token_named("x")));
  EXPECT_FALSE(*two.claim(kKey));
  one.release(kKey);
  ASSERT_TRUE(one.save(kKey, token_named("y")));
  EXPECT_TRUE(*two.claim(kKey));
}

TEST(FileStoreClaim, KeepsNobodyFromReadingOrSaving) {
  const TestFolder folder;
  File frozen(folder.path());
  File two(folder.path());
  ASSERT_TRUE(frozen.save(kKey, token_named("x")));
  EXPECT_TRUE(*frozen.claim(kKey));
  put(folder / (kKey + ".new"), "half a tok");  // the holder is in the middle of its own
  EXPECT_TRUE(holds(two.load(kKey), token_named("x")));
  ASSERT_TRUE(two.save(kKey, token_named("y")));
  EXPECT_TRUE(holds(frozen.load(kKey), token_named("y")));
  EXPECT_EQ(folder.names(),
            (std::vector<std::string>{kKey + ".json", kKey + ".lock", kKey + ".new"}));
}

TEST(FileStoreClaim, LeavesNoDescriptorOpen) {
  const TestFolder folder;
  const auto before = open_descriptors();
  {
    File store(folder.path());
    File other(folder.path());
    for (int i = 0; i < 20; ++i) {
      ASSERT_TRUE(*store.claim(kKey));
      ASSERT_FALSE(*other.claim(kKey));
      ASSERT_TRUE(store.save(kKey, token_named("x")));
      ASSERT_TRUE(store.load(kKey).ok());
      store.release(kKey);
    }
    ASSERT_TRUE(*store.claim(kKey));
  }
  EXPECT_EQ(open_descriptors(), before);
}

}  // namespace
}  // namespace skewguard::store
