// Many processes, one folder.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <functional>
#include <memory>
#include <utility>

#include "store/file.hpp"
#include "store_testing.hpp"

namespace skewguard::store {
namespace {

/// A process that does something with a store of its own, tells one letter, and then waits to be
/// ended.
class Child {
 public:
  Child(const std::string& folder, const std::function<char(File&)>& what) {
    std::array<int, 2> told{}, held{};
    if (::pipe2(told.data(), O_CLOEXEC) != 0 || ::pipe2(held.data(), O_CLOEXEC) != 0) std::abort();
    pid_ = ::fork();
    if (pid_ < 0) std::abort();
    if (pid_ == 0) {
      ::close(told[0]);
      ::close(held[1]);
      File store(folder);
      const char letter = what(store);
      char ignored = 0;
      const bool done = ::write(told[1], &letter, 1) == 1 && ::read(held[0], &ignored, 1) == 0;
      ::_exit(done ? 0 : 1);
    }
    ::close(told[1]);
    ::close(held[0]);
    if (::read(told[0], &letter_, 1) != 1) letter_ = '?';
    ::close(told[0]);
    hold_ = held[1];
  }
  ~Child() { kill(); }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  [[nodiscard]] char letter() const { return letter_; }
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::close(hold_);
    ::waitpid(std::exchange(pid_, -1), nullptr, 0);
  }

 private:
  pid_t pid_ = -1;
  int hold_ = -1;
  char letter_ = 0;
};

char claim_of(File& store) {
  const auto claimed = store.claim(kKey);
  return !claimed.ok() ? 'e' : *claimed ? 'y' : 'n';
}

TEST(FileStoreProcesses, ClaimPassesOnWhenItsHolderDies) {
  const TestFolder folder;
  File store(folder.path());
  Child holder(folder.path(), claim_of);
  EXPECT_EQ(holder.letter(), 'y');
  EXPECT_EQ(claim_of(store), 'n');
  holder.kill();
  EXPECT_EQ(claim_of(store), 'y');
}

TEST(FileStoreProcesses, ClaimIsGrantedToOneOfMany) {
  const TestFolder folder;
  std::string letters;
  std::vector<std::unique_ptr<Child>> children;
  for (int i = 0; i < 20; ++i) {
    children.push_back(std::make_unique<Child>(folder.path(), claim_of));
    letters += children.back()->letter();
  }
  EXPECT_EQ(letters, "y" + std::string(19, 'n'));
}

TEST(FileStoreProcesses, AForkedChildHoldsNoClaimOfItsParentUp) {
  const TestFolder folder;
  File store(folder.path());
  ASSERT_EQ(claim_of(store), 'y');
  // The child has inherited the parent's descriptor.
  const Child child(folder.path(), claim_of);
  EXPECT_EQ(child.letter(), 'n');
  store.release(kKey);
  EXPECT_EQ(claim_of(store), 'y');
}

TEST(FileStoreProcesses, AStartedProgramInheritsNoDescriptor) {
  const TestFolder folder;
  File store(folder.path());
  ASSERT_EQ(claim_of(store), 'y');
  const std::string look = "ls -l /proc/self/fd | grep -q " + folder.path() + " && exit 1; exit 0";
  const int status = in_child([&] {
    ::execl("/bin/sh", "sh", "-c", look.c_str(), nullptr);
    return 2;
  });
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

/// 0 where each load gave nothing or a whole token, and each claim let it save one.
int load_claim_save(const std::string& folder, int number) {
  File store(folder);
  const std::string name(static_cast<std::size_t>(1 + number * 97), 'a');  // each of another length
  for (int round = 0; round < 40; ++round) {
    const auto loaded = store.load(kKey);
    if (!loaded.ok()) return 1;
    if (loaded->has_value()) {
      const std::string length((*loaded)->access_token.size(), 'a');
      if (!same(**loaded, token_named(length)) || length.size() % 97 != 1) return 2;
    }
    const auto claimed = store.claim(kKey);
    if (!claimed.ok()) return 3;
    if (!*claimed) continue;
    if (!store.save(kKey, token_named(name))) return 4;
    if (!holds(store.load(kKey), token_named(name))) return 5;
    store.release(kKey);
  }
  return 0;
}

TEST(FileStoreProcesses, FiftyAtOnceNeverReadATornToken) {
  const TestFolder folder;
  std::array<int, 2> gate{};
  ASSERT_EQ(::pipe2(gate.data(), O_CLOEXEC), 0);
  std::vector<pid_t> children;
  for (int i = 0; i < 50; ++i) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::close(gate[1]);
      char ignored = 0;
      if (::read(gate[0], &ignored, 1) != 0) ::_exit(9);  // all start when it closes
      ::_exit(load_claim_save(folder / "store", i));
    }
    children.push_back(child);
  }
  ::close(gate[0]);
  ::close(gate[1]);
  for (const pid_t child : children) {
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0);
  }
  File store(folder / "store");
  EXPECT_EQ(claim_of(store), 'y');
  EXPECT_TRUE(store.load(kKey).ok());
  EXPECT_FALSE(std::filesystem::exists(folder / ("store/" + kKey + ".new")));
}

// On a file system of its own
// -----------------------------------------------------------------------

constexpr int kCannotMount = 77;

/// What this says in a process that alone sees a small file system at `folder`.
int on_small_file_system(const std::string& folder, const std::function<int()>& what) {
  const int status = in_child([&] {
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("tmpfs", folder.c_str(), "tmpfs", 0, "size=64k,mode=0700") != 0) {
      return kCannotMount;
    }
    return what();
  });
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(FileStoreMounted, AFullDiskKeepsTheOldTokenAndHealsWithRoom) {
  const TestFolder folder;
  const int result = on_small_file_system(folder.path(), [&] {
    File store(folder.path());
    if (!store.save(kKey, token_named("old"))) return 1;
    std::ofstream(folder / "filler") << std::string(std::size_t{256} * 1024, '.');
    const auto saved = store.save(kKey, token_named("new"));
    if (saved || saved.error().kind != ErrorKind::unavailable) return 2;
    if (!holds(store.load(kKey), token_named("old"))) return 3;
    if (std::filesystem::exists(folder / (kKey + ".new"))) return 4;
    std::filesystem::remove(folder / "filler");
    if (!store.save(kKey, token_named("new"))) return 5;
    return holds(store.load(kKey), token_named("new")) ? 0 : 6;
  });
  if (result == kCannotMount) GTEST_SKIP() << "may not mount";
  EXPECT_EQ(result, 0);
}

TEST(FileStoreMounted, AReadOnlyFileSystemIsReadAndRefusesTheRest) {
  const TestFolder folder;
  const int result = on_small_file_system(folder.path(), [&] {
    File store(folder.path());
    if (!store.save(kKey, token_named("old"))) return 1;
    if (::mount(nullptr, folder.path().c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr) != 0)
      return kCannotMount;
    if (!holds(store.load(kKey), token_named("old"))) return 2;
    const auto claimed = store.claim(kKey);
    if (claimed.ok() || claimed.error().kind != ErrorKind::config) return 3;
    const auto saved = store.save(kKey, token_named("new"));
    if (saved || saved.error().kind != ErrorKind::config) return 4;
    return holds(store.load(kKey), token_named("old")) ? 0 : 5;
  });
  if (result == kCannotMount) GTEST_SKIP() << "may not mount";
  EXPECT_EQ(result, 0);
}

}  // namespace
}  // namespace skewguard::store
