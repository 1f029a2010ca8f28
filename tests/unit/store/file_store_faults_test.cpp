// Any system call may fail, and others may act between any two. Nothing hangs, no value is lost or
// partial, no version is won twice, no descriptor leaks, and the next swap works.
#include <cerrno>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "faulty_files.hpp"
#include "record_testing.hpp"
#include "store/file_store.hpp"

namespace skewguard::store {
namespace {

using testing::HasSubstr;

const std::string kSweptKey(64, 'e');
constexpr std::size_t kTooManyCalls = 1000;  // no operation makes more, even one that tries again

std::string record_text(const std::string& key, std::string_view name, Duration age = {}) {
  sharing::Record record = record_named(name);
  record.token->sent -= age;
  record.token->life = std::chrono::seconds{60};
  return std::string(to_text(key, record)->reveal());
}
const std::string kOld = record_text(kKey, "old");
const std::string kNew = record_text(kKey, "new");

struct RegisterScene {
  const char* name;
  bool old_value;  ///< there is one
  bool litter;     ///< of killed writers, an earlier version, and another key that has ended
  std::function<bool(const FileStore&)> operation;
};

bool reads(const FileStore& store) {
  return store.read(kKey).ok();
}
bool swaps(const FileStore& store) {
  const auto value = store.read(kKey);
  if (!value.ok()) return false;
  std::optional<std::string> version;
  if (*value) version = (*value)->version;
  const auto swapped = swap(store, version, kNew);
  return swapped.ok() && swapped->swapped;
}
bool loses(const FileStore& store) {
  const auto swapped = swap(store, "1-0123456789abcdef", kNew);
  return swapped.ok() && !swapped->swapped;
}

const std::vector<RegisterScene>& register_scenes() {
  static const std::vector<RegisterScene> kScenes = {
      {"read", true, false, reads},
      {"read nothing", false, false, reads},
      {"swap the first", false, false, swaps},
      {"swap", true, false, swaps},
      {"swap over litter", true, true, swaps},
      {"lose", true, false, loses},
  };
  return kScenes;
}

/// A scene with faults, and what must hold afterwards whatever they were.
class RegisterPlay {
 public:
  explicit RegisterPlay(const RegisterScene& scene) : scene_(scene), place_(folder_ / "a/store") {
    const FileStore store(place_);
    if (scene.old_value && !replace(store, kOld)) std::abort();
    if (!scene.litter) return;
    const Secret ended(record_text(kSweptKey, "x", std::chrono::minutes{1}));
    if (!store.swap(kSweptKey, std::nullopt, ended)->swapped) std::abort();
    put(place_ + "/" + kKey + ".json", "earlier");
    put(place_ + "/" + kKey + "/.2.0123456789abcdef.new", "half a tok");
    put(place_ + "/" + kSweptKey + "/.9.0123456789abcdef.new", "half a tok");
  }
  FaultyFiles files;

  [[nodiscard]] const std::string& place() const { return place_; }
  bool run() {
    const auto before = open_descriptors();
    const bool ok = scene_.operation(FileStore(place_, files));
    EXPECT_EQ(open_descriptors(), before);
    EXPECT_LT(files.calls.size(), kTooManyCalls);
    return ok;
  }

  void nothing_is_lost(bool ok) {
    const FileStore store(place_);
    const std::string text = text_in(store);
    const bool writes = std::string_view(scene_.name).starts_with("swap");
    const std::string old = scene_.old_value ? kOld : "none";
    EXPECT_TRUE(text == old || (writes && text == kNew)) << text;
    EXPECT_TRUE(text == kNew || !ok || !writes);
    EXPECT_TRUE(replace(store, "next"));
    EXPECT_EQ(text_in(store), "next");
    EXPECT_EQ(names_in_folder(place_ + "/" + kKey).size(), 1U);
  }

 private:
  const RegisterScene& scene_;
  TestFolder folder_;
  std::string place_;
};

int calls_in(const RegisterScene& scene) {
  RegisterPlay play(scene);
  EXPECT_TRUE(play.run()) << scene.name;
  return static_cast<int>(play.files.calls.size());
}

void fail_at_each_call(bool from_then_on, int error) {
  for (const RegisterScene& scene : register_scenes()) {
    const int all = calls_in(scene);
    for (int k = 1; k <= all; ++k) {
      SCOPED_TRACE(scene.name + (", call " + std::to_string(k)) + ", errno " +
                   std::to_string(error));
      RegisterPlay play(scene);
      play.files.before = [&](const FaultyFiles::Call& call) {
        return call.number == k || (from_then_on && call.number > k) ? -error : 0;
      };
      play.nothing_is_lost(play.run());
    }
  }
}

class FileStoreFault : public testing::TestWithParam<int> {};

TEST_P(FileStoreFault, OnceAtAnyCallLosesNothing) {
  fail_at_each_call(false, GetParam());
}
TEST_P(FileStoreFault, FromAnyCallOnLosesNothing) {
  fail_at_each_call(true, GetParam());
}

INSTANTIATE_TEST_SUITE_P(EachErrno, FileStoreFault,
                         testing::Values(ENOSPC, EIO, EACCES, EROFS, EINTR, EMFILE, EDQUOT, ENOMEM,
                                         ENOENT, EEXIST));

TEST(FileStoreFaults, MeetEveryCallThatThereIsButThoseOfLocks) {
  std::set<std::string> met;
  for (const RegisterScene& scene : register_scenes()) {
    RegisterPlay play(scene);
    EXPECT_TRUE(play.run());
    met.insert(play.files.calls.begin(), play.files.calls.end());
  }
  EXPECT_THAT(met, testing::UnorderedElementsAre("make_folder", "open_folder", "open", "status",
                                                 "read", "write", "sync", "link", "remove",
                                                 "remove_folder", "list", "close"));
}

TEST(FileStoreFaults, AValueIsOnTheDiskBeforeItGetsItsNumberAndThenTheNumberIs) {
  const TestFolder folder;
  ASSERT_TRUE(replace(FileStore(folder.path()), "one"));
  FaultyFiles files;
  const FileStore store(folder.path(), files);
  const auto version = version_in(store);
  files.calls.clear();
  ASSERT_TRUE(swap(store, version, "two")->swapped);
  const std::vector<std::string> enter = {"open_folder", "status", "open", "status"};
  const std::vector<std::string> draft = {"open", "write"};
  const std::vector<std::string> look = {"open", "status", "list",  "open", "status",
                                         "read", "read",   "close", "close"};
  const std::vector<std::string> put = {"sync", "link", "remove", "close", "sync"};
  const std::vector<std::string> clean = {"list", "status", "remove", "close", "close"};
  std::vector<std::string> all;
  for (const auto& part : {enter, draft, look, put, clean})
    all.insert(all.end(), part.begin(), part.end());
  EXPECT_EQ(files.calls, all);
}

/// The n-th sync of a swap fails.
Swapped swap_with_failing_sync(const std::string& place, int n, int error) {
  FaultyFiles files;
  const FileStore store(place, files);
  const auto version = version_in(store);
  int syncs = 0;
  files.before = [&](const FaultyFiles::Call& call) {
    return call.name == "sync" && ++syncs == n ? -error : 0;
  };
  auto swapped = swap(store, version, "two");
  EXPECT_GE(syncs, n);
  return swapped;
}

TEST(FileStoreFaults, AFileThatCannotBeSyncedDoesNotTakeTheOldOnesPlace) {
  const TestFolder folder;
  const FileStore store(folder.path());
  ASSERT_TRUE(replace(store, "one"));
  const auto swapped = swap_with_failing_sync(folder.path(), 1, EIO);
  ASSERT_FALSE(swapped.ok());
  EXPECT_EQ(swapped.error().kind, ErrorKind::unavailable);
  EXPECT_THAT(swapped.error().message, HasSubstr("cannot write " + (folder / kKey) + "/.2."));
  EXPECT_EQ(text_in(store), "one");
  EXPECT_EQ(names_in_folder(folder / kKey), std::vector<std::string>{"1.json"});
  EXPECT_FALSE(swap_with_failing_sync(folder.path(), 1, EINVAL).ok()) << "of a file it is an error";
}

TEST(FileStoreFaults, AFolderThatCannotBeSyncedIsAnErrorAndNothingOldIsRemoved) {
  const TestFolder folder;
  ASSERT_TRUE(replace(FileStore(folder.path()), "one"));
  const auto swapped = swap_with_failing_sync(folder.path(), 2, EIO);
  ASSERT_FALSE(swapped.ok());
  EXPECT_EQ(swapped.error().kind, ErrorKind::unavailable);
  EXPECT_THAT(swapped.error().message, HasSubstr("cannot write " + (folder / kKey) + " ("));
  EXPECT_EQ(names_in_folder(folder / kKey), (std::vector<std::string>{"1.json", "2.json"}));
}

TEST(FileStoreFaults, AFileSystemThatSyncsNoFolderIsFine) {
  const TestFolder folder;
  ASSERT_TRUE(replace(FileStore(folder.path()), "one"));
  EXPECT_TRUE(swap_with_failing_sync(folder.path(), 2, EINVAL)->swapped);
}

TEST(FileStoreFaults, ASignalAtAnyCallCostsNothing) {
  for (const RegisterScene& scene : register_scenes()) {
    const int all = calls_in(scene);
    for (int k = 1; k <= all; ++k) {
      RegisterPlay play(scene);
      play.files.before = [k](const auto& call) { return call.number == k ? -EINTR : 0; };
      EXPECT_TRUE(play.run()) << scene.name << ", call " << k;
    }
  }
}

TEST(FileStoreFaults, AShortWriteOfAnyLengthIsGoneOnWith) {
  for (const std::size_t most : {std::size_t{1}, std::size_t{7}, std::size_t{100}}) {
    RegisterPlay play(register_scenes()[3]);
    play.files.cut = [most](const auto&, std::size_t n) { return std::min(n, most); };
    EXPECT_TRUE(play.run());
    EXPECT_EQ(text_in(FileStore(play.place())), kNew);
  }
}

TEST(FileStoreFaults, ADiskThatFillsInTheMiddleKeepsTheOldValueAndNoDraft) {
  const TestFolder folder;
  ASSERT_TRUE(replace(FileStore(folder.path()), "old"));
  FaultyFiles files;
  files.cut = [](const auto&, std::size_t n) { return n / 2; };  // at last nothing
  const auto swapped =
      swap(FileStore(folder.path(), files), version_in(FileStore(folder.path())), "new");
  ASSERT_FALSE(swapped.ok());
  EXPECT_EQ(swapped.error().kind, ErrorKind::unavailable);
  EXPECT_THAT(swapped.error().message, HasSubstr("(No space left on device)"));
  EXPECT_THAT(swapped.error().remedy, HasSubstr("free space"));
  EXPECT_EQ(text_in(FileStore(folder.path())), "old");
  EXPECT_EQ(names_in_folder(folder / kKey), std::vector<std::string>{"1.json"});
}

TEST(FileStoreFaults, AFileSystemWithoutHardLinksIsForAPersonToReplace) {
  for (const int error : {EPERM, EOPNOTSUPP, ENOSYS, EMLINK}) {
    const TestFolder folder;
    FaultyFiles files;
    files.before = [error](const FaultyFiles::Call& call) {
      return call.name == "link" ? -error : 0;
    };
    const auto swapped = swap(FileStore(folder.path(), files), std::nullopt, "x");
    ASSERT_FALSE(swapped.ok());
    EXPECT_EQ(swapped.error().kind, ErrorKind::config);
    EXPECT_THAT(swapped.error().message, HasSubstr("no hard links"));
    EXPECT_TRUE(names_in_folder(folder / kKey).empty());
  }
}

// Others come between -----------------------------------------------------------------------------

/// A swap by someone before whose k-th call `others` do something; k goes up until it has fewer.
void meet_at_each_call(const std::function<void(const FileStore&)>& others,
                       const std::function<void(const FileStore&, const Swapped&, bool)>& then) {
  bool met = true;
  for (int k = 1; met; ++k) {
    SCOPED_TRACE("before call " + std::to_string(k));
    const TestFolder folder;
    const FileStore other(folder.path());
    ASSERT_TRUE(replace(other, kOld));
    const auto version = version_in(other);
    FaultyFiles files;
    met = false;
    bool linked = false;
    files.before = [&](const FaultyFiles::Call& call) {
      if (std::exchange(met, met || call.number == k) == met) return 0;
      linked = text_in(other) == kNew;
      others(other);
      return 0;
    };
    const auto swapped = swap(FileStore(folder.path(), files), version, kNew);
    then(other, swapped, linked);
    ASSERT_LT(k, 100);
    EXPECT_TRUE(met || k > 20);
  }
}

TEST(FileStoreRaces, ASwapLosesToThoseThatPassItAtAnyCallBeforeItsLink) {
  for (const int passes : {1, 2, 3, 12}) {
    bool passed = false;
    const auto pass = [&](const FileStore& other) {
      passed = true;
      for (int i = 0; i < passes; ++i) ASSERT_TRUE(replace(other, "other " + std::to_string(i)));
    };
    meet_at_each_call(pass, [&](const FileStore& other, const Swapped& swapped, bool linked) {
      ASSERT_TRUE(swapped.ok());
      if (!std::exchange(passed, false)) return;
      EXPECT_EQ(swapped->swapped, linked);
      const std::string newest = "other " + std::to_string(passes - 1);
      EXPECT_EQ(text_in(other), newest);
      if (!linked) {
        EXPECT_EQ(swapped->value->text, Secret(newest));
      }
      EXPECT_TRUE(replace(other, "next"));
      EXPECT_EQ(text_in(other), "next");
      EXPECT_EQ(names_in_folder(other.folder() + "/" + kKey).size(), 1U);
    });
  }
}

TEST(FileStoreRaces, ASwapMeetsTheSweepOfItsKeyAtAnyCall) {
  const auto sweep = [](const FileStore& other) {
    const std::string fresh = record_text(kSweptKey, "fresh", -std::chrono::hours{1});
    ASSERT_TRUE(other.swap(kSweptKey, std::nullopt, Secret(fresh))->swapped);
  };
  meet_at_each_call(sweep, [](const FileStore& other, const Swapped& swapped, bool /*linked*/) {
    ASSERT_TRUE(swapped.ok());
    const std::string text = text_in(other);
    EXPECT_TRUE(text == "none" || (swapped->swapped && text == kNew)) << text;
    EXPECT_TRUE(replace(other, "next"));
    EXPECT_EQ(text_in(other), "next");
  });
}

}  // namespace
}  // namespace skewguard::store
