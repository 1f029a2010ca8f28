// The register rejects what another user owns or may read, and what is not a plain file: it is not
// used, overwritten or deleted.
#include <sys/socket.h>
#include <sys/un.h>

#include <functional>
#include <string>
#include <vector>

#include "faulty_files.hpp"
#include "record_testing.hpp"
#include "store/file_store.hpp"

namespace skewguard::store {
namespace {

using testing::HasSubstr;

/// A register with a value, one of whose names is then spoilt.
class FileStoreRefuses : public testing::Test {
 protected:
  FileStoreRefuses() : place_(folder_ / "s"), values_(place_ + "/" + kKey), store_(place_) {
    if (!replace(store_, "x")) std::abort();
    version_ = version_in(store_);
  }

  void refused_everywhere(const std::string& word, const std::string& remedy) {
    refused_by(store_, word, remedy);
  }
  void refused_by(const FileStore& store, const std::string& word, const std::string& remedy) {
    refused(store.read(kKey), word, remedy);
    refused(swap(store, version_, "y"), word, remedy);
    refused(swap(store, std::nullopt, "y"), word, remedy);
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
  std::string values_;  ///< the folder of kKey
  FileStore store_;
  std::optional<std::string> version_;
};

TEST_F(FileStoreRefuses, AFileThatGroupOrOthersMayUse) {
  const std::string file = values_ + "/1.json";
  for (const unsigned mode : {0640U, 0620U, 0610U, 0604U, 0602U, 0601U, 0644U, 0666U, 0777U}) {
    ASSERT_EQ(::chmod(file.c_str(), mode), 0);
    refused_everywhere("group or others", "chmod 600 " + file);
    EXPECT_EQ(content_of(file), "x");
    EXPECT_EQ(mode_of(file), mode);
  }
  ASSERT_EQ(::chmod(file.c_str(), 0600), 0);
  EXPECT_EQ(text_in(store_), "x");
  EXPECT_EQ(names_in_folder(values_), std::vector<std::string>{"1.json"});
}

TEST_F(FileStoreRefuses, AFolderThatGroupOrOthersMayUse) {
  for (const std::string& folder : {place_, values_}) {
    for (const unsigned mode : {0750U, 0720U, 0710U, 0705U, 0702U, 0701U, 0755U, 0777U, 01777U}) {
      ASSERT_EQ(::chmod(folder.c_str(), mode), 0);
      refused_everywhere(folder + " is not used", "");
      EXPECT_EQ(mode_of(folder), mode);
    }
    ASSERT_EQ(::chmod(folder.c_str(), 0700), 0);
  }
  EXPECT_EQ(text_in(store_), "x");
}

TEST_F(FileStoreRefuses, AllOfAnotherUser) {
  FaultyFiles files;
  files.pretended_user = system_files().user() + 1;
  refused_by(FileStore(place_, files), "belongs to user", "another folder");
  EXPECT_EQ(text_in(store_), "x");
}

TEST_F(FileStoreRefuses, OneFileOrFolderGivenToAnotherUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root gives files away";
  const std::string file = values_ + "/1.json";
  for (const std::string& given : {file, values_, place_}) {
    ASSERT_EQ(::chown(given.c_str(), 12345, 0), 0);
    refused_everywhere("belongs to user 12345, not to user 0",
                       given == file ? "remove it" : "another folder");
    ASSERT_EQ(::chown(given.c_str(), 0, 0), 0);
  }
  EXPECT_EQ(text_in(store_), "x");
  EXPECT_EQ(names_in_folder(values_), std::vector<std::string>{"1.json"});
}

void put_socket(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  ASSERT_LT(path.size(), sizeof address.sun_path);
  std::copy(path.begin(), path.end(), address.sun_path);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  EXPECT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ::close(fd);
  EXPECT_EQ(::chmod(path.c_str(), 0600), 0);
}

TEST_F(FileStoreRefuses, ALinkFifoFolderOrSocketInPlaceOfAFile) {
  put(folder_ / "elsewhere", "elsewhere");
  const std::vector<std::function<void(const std::string&)>> others = {
      [&](const auto& path) { std::filesystem::create_symlink(folder_ / "elsewhere", path); },
      [&](const auto& path) { std::filesystem::create_symlink(folder_ / "nowhere", path); },
      [](const auto& path) { ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0); },
      [](const auto& path) { ASSERT_EQ(::mkdir(path.c_str(), 0700), 0); },
      put_socket,
  };
  // The value, one with a higher number, and an earlier version's.
  const std::vector<std::string> places = {values_ + "/1.json", values_ + "/2.json",
                                           place_ + "/" + kKey + ".json"};
  for (const std::string& path : places) {
    for (const auto& put_other : others) {
      if (path == places[2]) std::filesystem::remove(values_ + "/1.json");
      std::filesystem::remove_all(path);
      put_other(path);
      const auto before = std::filesystem::symlink_status(path).type();
      refused_everywhere(path, "remove");
      EXPECT_EQ(std::filesystem::symlink_status(path).type(), before);
    }
    std::filesystem::remove_all(path);
    EXPECT_TRUE(replace(store_, "z"));
    EXPECT_EQ(text_in(store_), "z");
    std::filesystem::remove_all(values_);
    ASSERT_TRUE(replace(store_, "x"));
  }
  EXPECT_EQ(content_of(folder_ / "elsewhere"), "elsewhere");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "nowhere"));
}

TEST_F(FileStoreRefuses, AFolderThatIsALinkOrAFile) {
  const std::string link = folder_ / "link";
  std::filesystem::create_directory_symlink(place_, link);
  put(folder_ / "file", "");
  for (const std::string& other : {link, link + "/", folder_ / "file", folder_ / "file/below"})
    refused_by(FileStore(other), "not a folder", "another folder");
  EXPECT_EQ(text_in(store_), "x");

  std::filesystem::rename(values_, folder_ / "values");
  std::filesystem::create_directory_symlink(folder_ / "values", values_);
  refused_everywhere(values_, "");
  std::filesystem::remove(values_);
  put(values_, "");
  refused_everywhere(values_, "");
  EXPECT_EQ(content_of(folder_ / "values/1.json"), "x");
}

TEST_F(FileStoreRefuses, NoLinkAmongTheParents) {
  std::filesystem::create_directory_symlink(folder_.path(), folder_ / "link");
  EXPECT_EQ(text_in(FileStore(folder_ / "link/s")), "x");
}

TEST_F(FileStoreRefuses, ToRemoveOvertakenFilesThatAreNotOurs) {
  const std::string file = values_ + "/1.json";
  ASSERT_TRUE(replace(store_, "y"));
  put(file, "somebody else's");
  ASSERT_EQ(::chmod(file.c_str(), 0644), 0);
  ASSERT_TRUE(replace(store_, "z"));
  EXPECT_EQ(content_of(file), "somebody else's");
}

TEST_F(FileStoreRefuses, MoreFilesThanItCanHaveWritten) {
  for (int i = 0; i < 10'000; ++i) put(values_ + "/x" + std::to_string(i), "");
  refused_everywhere("too many files", "remove it");
}

TEST_F(FileStoreRefuses, ToShowATextInAnError) {
  const std::string secret(std::size_t{128} * 1024 + 1, 's');
  EXPECT_THAT(describe(swap(store_, version_, secret).error()), testing::Not(HasSubstr("ssss")));
}

}  // namespace
}  // namespace skewguard::store
