// What another user owns or may look into, and what is no plain file, is refused: not used, not
// written over, not deleted.
#include <sys/socket.h>
#include <sys/un.h>

#include <functional>

#include "faulty_files.hpp"
#include "store/file.hpp"
#include "store/file_errors.hpp"
#include "store_testing.hpp"

namespace skewguard::store {
namespace {

using testing::HasSubstr;

/// A store with a token, one of whose names is then spoilt.
class FileStoreRefuses : public testing::Test {
 protected:
  FileStoreRefuses() : place_(folder_ / "store"), store_(place_) {
    if (!store_.save(kKey, token_named("x"))) std::abort();
  }

  std::string path(const std::string& end) const { return place_ + "/" + kKey + end; }

  void refused_everywhere(const std::string& word, const std::string& remedy) {
    refused(store_.load(kKey), word, remedy);
    refused(store_.save(kKey, token_named("y")), word, remedy);
    refused(store_.erase(kKey), word, remedy);
  }
  template <typename T>
  static void refused(const Result<T>& result, const std::string& word, const std::string& remedy) {
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().kind, ErrorKind::config);
    EXPECT_THAT(result.error().message, HasSubstr(word));
    EXPECT_THAT(result.error().remedy, HasSubstr(remedy));
  }

  TestFolder folder_;
  std::string place_;
  File store_;
};

TEST_F(FileStoreRefuses, AFileThatGroupOrOthersMayUse) {
  const std::string before = content_of(path(".json"));
  for (const unsigned mode : {0640U, 0620U, 0610U, 0604U, 0602U, 0601U, 0644U, 0666U, 0777U}) {
    ASSERT_EQ(::chmod(path(".json").c_str(), mode), 0);
    refused_everywhere("group or others", "chmod 600 " + path(".json"));
    EXPECT_EQ(content_of(path(".json")), before);
    EXPECT_EQ(mode_of(path(".json")), mode);
  }
  ASSERT_EQ(::chmod(path(".json").c_str(), 0600), 0);
  EXPECT_TRUE(holds(store_.load(kKey), token_named("x")));
}

TEST_F(FileStoreRefuses, AFolderThatGroupOrOthersMayUse) {
  for (const unsigned mode : {0750U, 0720U, 0710U, 0705U, 0702U, 0701U, 0755U, 0777U, 01777U}) {
    ASSERT_EQ(::chmod(place_.c_str(), mode), 0);
    refused_everywhere(place_ + " is not used", "such as " + place_ + "/skewguard");
    refused(store_.claim(kKey), "group or others", "such as ");
  }
  ASSERT_EQ(::chmod(place_.c_str(), 0700), 0);
  EXPECT_TRUE(holds(store_.load(kKey), token_named("x")));
}

TEST(FileErrors, AdviseTheModeOfNoFolderThatMayBeSharedOnPurpose) {
  const FileStatus open_to_all{.mode = S_IFDIR | 0755U, .owner = 7, .size = 0};
  const auto advice = [&](const std::string& path) {
    return unfit(path, open_to_all, S_IFDIR, 7)->remedy;
  };
  EXPECT_EQ(advice("/run/user/7/skewguard"), "chmod 700 /run/user/7/skewguard");
  EXPECT_EQ(advice("/"),
            "name a folder for tokens alone, such as /skewguard: it is made with the right mode");
  EXPECT_THAT(advice("/tmp"), HasSubstr("such as /tmp/skewguard:"));
  EXPECT_THAT(advice("/home/ann/myskewguard"), testing::Not(HasSubstr("chmod")));
}

TEST_F(FileStoreRefuses, InPlainWords) {
  ASSERT_EQ(::chmod(path(".json").c_str(), 0644), 0);
  EXPECT_EQ(describe(store_.load(kKey).error()),
            path(".json") + " is not used: group or others may use it (mode 0644): chmod 600 " +
                path(".json"));
}

TEST_F(FileStoreRefuses, AllOfAnotherUser) {
  FaultyFiles files;
  files.pretended_user = system_files().user() + 1;
  File stranger(place_, files);
  refused(stranger.load(kKey), "belongs to user", "another folder");
  refused(stranger.save(kKey, token_named("y")), "belongs to user", "another folder");
  refused(stranger.erase(kKey), "belongs to user", "another folder");
  refused(stranger.claim(kKey), "belongs to user", "another folder");
  EXPECT_TRUE(holds(store_.load(kKey), token_named("x")));
}

TEST_F(FileStoreRefuses, OneFileOrFolderGivenToAnotherUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root gives files away";
  const std::string before = content_of(path(".json"));
  ASSERT_EQ(::chown(path(".json").c_str(), 12345, 0), 0);
  refused_everywhere("belongs to user 12345, not to user 0", "remove it");
  EXPECT_EQ(content_of(path(".json")), before);
  ASSERT_EQ(::chown(path(".json").c_str(), 0, 0), 0);

  ASSERT_EQ(::chown(path(".lock").c_str(), 12345, 0), 0);
  refused(store_.claim(kKey), "belongs to user 12345", "remove it");
  ASSERT_EQ(::chown(path(".lock").c_str(), 0, 0), 0);

  ASSERT_EQ(::chown(place_.c_str(), 12345, 0), 0);
  refused_everywhere("belongs to user 12345", "another folder");
  refused(store_.claim(kKey), "belongs to user 12345", "another folder");
  ASSERT_EQ(::chown(place_.c_str(), 0, 0), 0);
  EXPECT_TRUE(holds(store_.load(kKey), token_named("x")));
}

/// What may stand where a file should.
class FileStoreRefusesInPlaceOfAFile : public FileStoreRefuses {
 protected:
  static void socket_at(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    ASSERT_LT(path.size(), sizeof address.sun_path);
    std::copy(path.begin(), path.end(), address.sun_path);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
    EXPECT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ::close(fd);
    EXPECT_EQ(::chmod(path.c_str(), 0600), 0);
  }

  /// Each replaces the file under that name.
  std::vector<std::function<void(const std::string&)>> others() {
    return {
        [this](const std::string& path) {
          put(folder_ / "elsewhere", "elsewhere");
          std::filesystem::create_symlink(folder_ / "elsewhere", path);
        },
        [this](const std::string& path) {
          std::filesystem::create_symlink(folder_ / "nowhere", path);
        },
        [](const std::string& path) { ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0); },
        [](const std::string& path) { ASSERT_EQ(::mkdir(path.c_str(), 0700), 0); },
        socket_at,
    };
  }
  template <typename Then>
  void instead_of(const std::string& end, const Then& then) {
    for (const auto& put_other : others()) {
      std::filesystem::remove_all(path(end));
      put_other(path(end));
      const auto before = std::filesystem::symlink_status(path(end)).type();
      then();
      EXPECT_EQ(std::filesystem::symlink_status(path(end)).type(), before);
    }
    EXPECT_EQ(content_of(folder_ / "elsewhere"), "elsewhere");
    EXPECT_FALSE(std::filesystem::exists(folder_ / "nowhere"));
    std::filesystem::remove_all(path(end));
    EXPECT_TRUE(store_.save(kKey, token_named("z")));
    EXPECT_TRUE(holds(store_.load(kKey), token_named("z")));
  }
};

TEST_F(FileStoreRefusesInPlaceOfAFile, ALinkFifoFolderOrSocketAsToken) {
  instead_of(".json", [this] { refused_everywhere(path(".json"), "remove"); });
}

TEST_F(FileStoreRefusesInPlaceOfAFile, ALinkFifoFolderOrSocketAsLock) {
  instead_of(".lock", [this] {
    refused(store_.claim(kKey), path(".lock"), "remove");
    refused(store_.save(kKey, token_named("y")), path(".lock"), "remove");
    EXPECT_TRUE(holds(store_.load(kKey), token_named("x")));
  });
}

TEST_F(FileStoreRefusesInPlaceOfAFile, ALinkFifoFolderOrSocketAsDraft) {
  instead_of(".new", [this] {
    refused(store_.save(kKey, token_named("y")), path(".new"), "remove");
    EXPECT_TRUE(holds(store_.load(kKey), token_named("x")));
  });
}

TEST_F(FileStoreRefuses, AFolderThatIsALinkOrAFile) {
  const std::string link = folder_ / "link";
  std::filesystem::create_directory_symlink(place_, link);
  put(folder_ / "file", "");
  for (const std::string& other : {link, link + "/", folder_ / "file", folder_ / "file/below"}) {
    File store(other);
    refused(store.load(kKey), "no folder", "another folder");
    refused(store.save(kKey, token_named("y")), "no folder", "another folder");
    refused(store.claim(kKey), "no folder", "another folder");
  }
  EXPECT_TRUE(holds(store_.load(kKey), token_named("x")));
}

TEST_F(FileStoreRefuses, NoLinkAmongTheParents) {
  std::filesystem::create_directory_symlink(folder_.path(), folder_ / "link");
  EXPECT_TRUE(holds(File(folder_ / "link/store").load(kKey), token_named("x")));
}

TEST_F(FileStoreRefuses, NoDraftOfAWriterThatWasKilled) {
  put(path(".new"), "half a tok");
  ASSERT_TRUE(store_.save(kKey, token_named("y")));
  EXPECT_TRUE(holds(store_.load(kKey), token_named("y")));
  EXPECT_FALSE(std::filesystem::exists(path(".new")));
}

}  // namespace
}  // namespace skewguard::store
