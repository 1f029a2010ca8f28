// Any system call may fail, once or from then on. Nothing hangs, nothing is lost, no descriptor and
// no lock stays behind, and the next save works.
#include <cerrno>
#include <functional>
#include <set>
#include <vector>

#include "faulty_files.hpp"
#include "store/file.hpp"
#include "store/token_text.hpp"
#include "store_testing.hpp"

namespace skewguard::store {
namespace {

using testing::HasSubstr;

const std::string kOther(64, 'b');
constexpr int kMostCalls = 500;  // no operation makes more, even one that tries again

enum class How { once, from_then_on };

struct Scene {
  const char* name;
  bool old_token;  ///< there is one
  bool litter;     ///< a killed writer's, and an ended token's of another key
  std::function<bool(File&)> operation;
};

const std::vector<Scene>& scenes() {
  static const std::vector<Scene> kScenes = {
      {"load", true, false, [](File& s) { return s.load(kKey).ok(); }},
      {"load nothing", false, false, [](File& s) { return s.load(kKey).ok(); }},
      {"save the first", false, false,
       [](File& s) { return s.save(kKey, token_named("new")).ok(); }},
      {"save", true, false, [](File& s) { return s.save(kKey, token_named("new")).ok(); }},
      {"save over litter", true, true,
       [](File& s) { return s.save(kKey, token_named("new")).ok(); }},
      {"claim, save, release", true, false,
       [](File& s) {
         const auto claimed = s.claim(kKey);
         if (!claimed.ok() || !*claimed) return false;
         const bool saved = s.save(kKey, token_named("new")).ok();
         s.release(kKey);
         return saved;
       }},
  };
  return kScenes;
}

/// One scene with faults; what must hold afterwards whatever they were.
class Play {
 public:
  explicit Play(const Scene& scene) : scene_(scene), place_(folder_ / "a/store") {
    if (scene.old_token && !File(place_).save(kKey, token_named("old"))) std::abort();
    if (!scene.litter) return;
    put(place_ + "/" + kKey + ".new", "half a tok");
    StoredToken ended = token_named("ended");
    ended.expires_in = std::chrono::seconds{1};
    ended.sent -= std::chrono::seconds{1};
    put(place_ + "/" + kOther + ".json", to_text(kOther, ended)->reveal());
  }
  FaultyFiles files;

  bool run() {
    const auto before = open_descriptors();
    bool ok = false;
    {
      File store(place_, files);
      ok = scene_.operation(store);
    }
    EXPECT_EQ(open_descriptors(), before) << scene_.name;
    EXPECT_LT(files.calls.size(), kMostCalls) << scene_.name;
    return ok;
  }

  void nothing_is_lost(bool ok) {
    File store(place_);
    const auto loaded = store.load(kKey);
    const bool saves = std::string_view(scene_.name).find("save") != std::string_view::npos;
    const bool old = scene_.old_token ? holds(loaded, token_named("old")) : holds_nothing(loaded);
    const bool fresh = saves && holds(loaded, token_named("new"));
    EXPECT_TRUE(old || fresh) << scene_.name;
    EXPECT_TRUE(fresh || !ok || !saves) << scene_.name;
    const auto claimed = store.claim(kKey);
    EXPECT_TRUE(claimed.ok() && *claimed) << scene_.name;
    EXPECT_TRUE(store.save(kKey, token_named("next"))) << scene_.name;
    EXPECT_TRUE(holds(store.load(kKey), token_named("next"))) << scene_.name;
    EXPECT_FALSE(std::filesystem::exists(place_ + "/" + kKey + ".new")) << scene_.name;
  }

 private:
  const Scene& scene_;
  TestFolder folder_;
  std::string place_;
};

int calls_of(const Scene& scene) {
  Play play(scene);
  EXPECT_TRUE(play.run());
  return static_cast<int>(play.files.calls.size());
}

void sweep(How how, int error) {
  for (const Scene& scene : scenes()) {
    const int all = calls_of(scene);
    for (int k = 1; k <= all; ++k) {
      SCOPED_TRACE(scene.name + (", call " + std::to_string(k)) + ", errno " +
                   std::to_string(error));
      Play play(scene);
      play.files.before = [&](const FaultyFiles::Call& call) {
        return call.number == k || (how == How::from_then_on && call.number > k) ? -error : 0;
      };
      play.nothing_is_lost(play.run());
    }
  }
}

class FileStoreFault : public testing::TestWithParam<int> {};

TEST_P(FileStoreFault, OnceAtAnyCallLosesNothing) {
  sweep(How::once, GetParam());
}
TEST_P(FileStoreFault, FromAnyCallOnLosesNothing) {
  sweep(How::from_then_on, GetParam());
}

INSTANTIATE_TEST_SUITE_P(EachErrno, FileStoreFault,
                         testing::Values(ENOSPC, EIO, EACCES, EROFS, EINTR, EMFILE, EDQUOT,
                                         ENOMEM));

TEST(FileStoreFaults, MeetEveryCallThatThereIs) {
  std::set<std::string> met;
  for (const Scene& scene : scenes()) {
    Play play(scene);
    EXPECT_TRUE(play.run());
    met.insert(play.files.calls.begin(), play.files.calls.end());
  }
  EXPECT_THAT(met, testing::UnorderedElementsAre("make_folder", "open_folder", "open", "status",
                                                 "read", "write", "sync", "rename", "remove",
                                                 "list", "lock", "unlock", "close"));
}

TEST(FileStoreFaults, ATokenIsOnTheDiskBeforeItTakesTheOldOnesPlaceAndThenThePlaceIs) {
  const TestFolder folder;
  FaultyFiles files;
  File store(folder.path(), files);
  ASSERT_TRUE(*store.claim(kKey));
  files.calls.clear();
  ASSERT_TRUE(store.save(kKey, token_named("x")));
  EXPECT_THAT(files.calls, testing::ElementsAre("open_folder", "status", "status", "open", "write",
                                                "sync", "close", "rename", "sync", "close",
                                                "open_folder", "status", "list", "close"));
}

TEST(FileStoreFaults, ASignalAtAnyCallCostsNothing) {
  for (const Scene& scene : scenes()) {
    const int all = calls_of(scene);
    for (int k = 1; k <= all; ++k) {
      Play play(scene);
      play.files.before = [k](const auto& call) { return call.number == k ? -EINTR : 0; };
      EXPECT_TRUE(play.run()) << scene.name << ", call " << k;
    }
  }
}

TEST(FileStoreFaults, AShortWriteOfAnyLengthIsGoneOnWith) {
  for (const std::size_t most : {std::size_t{1}, std::size_t{7}, std::size_t{100}}) {
    Play play(scenes()[3]);
    play.files.cut = [most](const auto&, std::size_t n) { return std::min(n, most); };
    const TestFolder folder;
    File store(folder.path(), play.files);
    ASSERT_TRUE(store.save(kKey, token_named("new")));
    EXPECT_TRUE(holds(File(folder.path()).load(kKey), token_named("new")));
  }
}

TEST(FileStoreFaults, AWriteThatWritesNothingIsAFullDisk) {
  Play play(scenes()[3]);
  play.files.cut = [](const auto&, std::size_t) { return std::size_t{0}; };
  EXPECT_FALSE(play.run());
  play.nothing_is_lost(false);
}

TEST(FileStoreFaults, ADiskThatFillsInTheMiddleKeepsTheOldTokenAndNoDraft) {
  const TestFolder folder;
  ASSERT_TRUE(File(folder.path()).save(kKey, token_named("old")));
  FaultyFiles files;
  int writes = 0;
  files.cut = [](const auto&, std::size_t n) { return n / 2; };
  files.before = [&](const FaultyFiles::Call& call) {
    return call.name == "write" && ++writes == 2 ? -ENOSPC : 0;
  };
  File store(folder.path(), files);
  const auto saved = store.save(kKey, token_named("new"));
  ASSERT_FALSE(saved);
  EXPECT_EQ(saved.error().kind, ErrorKind::unavailable);
  EXPECT_EQ(saved.error().message,
            "cannot write " + folder.path() + "/" + kKey + ".new (No space left on device)");
  EXPECT_THAT(saved.error().remedy, HasSubstr("make room"));
  EXPECT_TRUE(holds(store.load(kKey), token_named("old")));
  EXPECT_FALSE(std::filesystem::exists(folder / (kKey + ".new")));
}

TEST(FileStoreFaults, AReadOnlyFolderIsForAPersonToMend) {
  const TestFolder folder;
  FaultyFiles files;
  files.before = [](const FaultyFiles::Call& call) {
    return call.name == "make_folder" ? -EROFS : 0;
  };
  File store(folder / "store", files);
  EXPECT_TRUE(holds_nothing(store.load(kKey)));
  const auto claimed = store.claim(kKey);
  ASSERT_FALSE(claimed.ok());
  EXPECT_EQ(claimed.error().kind, ErrorKind::config);
  EXPECT_EQ(describe(claimed.error()),
            "cannot make the folder " + (folder / "store") +
                " (Read-only file system): name another folder for tokens, or keep none");
}

TEST(FileStoreFaults, AFileSystemThatSyncsNoFolderIsFine) {
  const TestFolder folder;
  FaultyFiles files;
  int syncs = 0;
  files.before = [&](const FaultyFiles::Call& call) {
    return call.name == "sync" && ++syncs == 2 ? -EINVAL : 0;
  };
  EXPECT_TRUE(File(folder.path(), files).save(kKey, token_named("x")));
  EXPECT_EQ(syncs, 2);
}

TEST(FileStoreFaults, AFileThatIsReplacedWhileItIsReadIsReadAsItWas) {
  const TestFolder folder;
  ASSERT_TRUE(File(folder.path()).save(kKey, token_named("old")));
  FaultyFiles files;
  files.before = [&](const FaultyFiles::Call& call) {
    if (call.name == "read") {
      EXPECT_TRUE(File(folder.path()).save(kKey, token_named("new")));
    }
    return 0;
  };
  EXPECT_TRUE(holds(File(folder.path(), files).load(kKey), token_named("old")));
}

}  // namespace
}  // namespace skewguard::store
