// Processes that swap at the same time, some of which are killed or frozen while they do.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include <array>
#include <atomic>
#include <csignal>
#include <random>
#include <string>
#include <vector>

#include "faulty_files.hpp"
#include "record_testing.hpp"
#include "store/file_store.hpp"

namespace skewguard::store {
namespace {

/// Counters that forked processes share.
struct Counts {
  std::atomic<int> won;       ///< swaps that succeeded
  std::atomic<int> done;      ///< processes that have reached their goal
  std::atomic<int> released;  ///< all may start
};

class SharedCounts {
 public:
  SharedCounts()
      : counts_(static_cast<Counts*>(::mmap(nullptr, sizeof(Counts), PROT_READ | PROT_WRITE,
                                            MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {
    if (counts_ == MAP_FAILED) std::abort();  // else all are 0
  }
  ~SharedCounts() { ::munmap(counts_, sizeof(Counts)); }
  SharedCounts(const SharedCounts&) = delete;
  SharedCounts& operator=(const SharedCounts&) = delete;
  Counts* operator->() const { return counts_; }

 private:
  Counts* counts_;
};

/// Adds one to the number in the register, once; returns whether it did.
Result<bool> add_one(const FileStore& store) {
  const auto value = store.read(kKey);
  if (!value.ok()) return value.error();
  int count = 0;
  std::optional<std::string> version;
  if (*value) {
    count = std::stoi(std::string((*value)->text.reveal()));
    version = (*value)->version;
  }
  const auto swapped = swap(store, version, std::to_string(count + 1));
  if (!swapped.ok()) return swapped.error();
  return swapped->swapped;
}

/// Returns 0 after so many successes. If others interfere, it tries again.
int add_many(const FileStore& store, const SharedCounts& counts, int goal) {
  for (int mine = 0; mine < goal;) {
    const auto added = add_one(store);
    if (!added.ok() && !added.error().message.ends_with("faster than it can be read")) return 1;
    if (!added.ok() || !*added) continue;
    ++mine;
    ++counts->won;
  }
  ++counts->done;
  return 0;
}

/// Ends with its parent, frozen or not.
template <typename What>
pid_t forked(const What& what) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(::prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 ? what() : 9);
  if (child < 0) std::abort();
  return child;
}

int status_of(pid_t child, int flags = 0) {
  int status = -1;
  if (::waitpid(child, &status, flags) != child) std::abort();
  return status;
}

void ends_well(pid_t child) {
  const int status = status_of(child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(FileStoreProcesses, EachVersionIsReplacedOnce) {
  constexpr int kProcesses = 8, kSwaps = 400;
  const TestFolder folder;
  const SharedCounts counts;
  std::vector<pid_t> children;
  children.reserve(kProcesses);
  for (int i = 0; i < kProcesses; ++i) {
    children.push_back(forked([&] {
      while (counts->released == 0) ::sched_yield();
      return add_many(FileStore(folder / "store"), counts, kSwaps);
    }));
  }
  counts->released = 1;
  for (const pid_t child : children) ends_well(child);
  EXPECT_EQ(counts->won, kProcesses * kSwaps);
  EXPECT_EQ(text_in(FileStore(folder / "store")), std::to_string(kProcesses * kSwaps));
  EXPECT_LE(names_in_folder(folder / ("store/" + kKey)).size(), 1U);
}

/// Keeps records under its own key, each the end of all that were written before, by whomever. 0
/// where it reads its own last record or, after a sweep, none.
int keep_one_alive(const FileStore& store, const std::string& key, const SharedCounts& counts) {
  std::string last;
  for (int round = 0; round < 150; ++round) {
    const auto value = store.read(key);
    if (!value.ok()) return value.error().message.ends_with("faster than it can be read") ? 0 : 1;
    if (*value && (*value)->text.reveal() != last) return 2;
    sharing::Record record = record_named("x" + std::to_string(round));
    record.token->sent = Instant{std::chrono::seconds{++counts->won}};
    record.token->life = std::chrono::nanoseconds{1};
    const auto text = to_text(key, record);
    std::optional<std::string> version;
    if (*value) version = (*value)->version;
    const auto swapped = store.swap(key, version, *text);
    if (!swapped.ok()) return 3;
    if (swapped->swapped) last = text->reveal();
    if (!swapped->swapped && swapped->value) return 4;
  }
  return 0;
}

TEST(FileStoreProcesses, ThatSweepEachOthersKeysAllTheTimeReadAndSwapNevertheless) {
  const TestFolder folder;
  const SharedCounts counts;
  std::vector<pid_t> children;
  for (const char digit : {'1', '2', '3', '4'}) {
    children.push_back(forked([&] {
      return keep_one_alive(FileStore(folder / "store"), std::string(64, digit), counts);
    }));
  }
  for (const pid_t child : children) ends_well(child);
}

/// Does so at its k-th call, counted over all its swaps.
class StruckFiles : public FaultyFiles {
 public:
  StruckFiles(int k, int signal) {
    before = [k, signal](const Call& call) {
      if (call.number == k) ::raise(signal);
      return 0;
    };
  }
};

TEST(FileStoreProcesses, ProcessesFrozenOrKilledAtAnyTimeBlockNobodyAndBreakNothing) {
  constexpr int kWorkers = 3, kSwaps = 200, kVictims = 40;
  const TestFolder folder;
  const SharedCounts counts;
  std::mt19937 random(20'261'130);
  std::vector<pid_t> workers;
  std::vector<pid_t> frozen;
  std::vector<pid_t> killed;
  for (int i = 0; i < kVictims; ++i) {
    const bool is_killed = i % 2 == 0;
    const int k = std::uniform_int_distribution<int>(1, 150)(random);
    (is_killed ? killed : frozen).push_back(forked([&] {
      while (counts->released == 0) ::sched_yield();
      StruckFiles files(k, is_killed ? SIGKILL : SIGSTOP);
      return add_many(FileStore(folder.path(), files), counts, 10);
    }));
  }
  workers.reserve(kWorkers);
  for (int i = 0; i < kWorkers; ++i) {
    workers.push_back(forked([&] {
      while (counts->released == 0) ::sched_yield();
      return add_many(FileStore(folder.path()), counts, kSwaps);
    }));
  }
  counts->released = 1;
  for (const pid_t child : killed) {
    const int status = status_of(child);
    EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
  }
  std::vector<pid_t> stopped;
  for (const pid_t child : frozen) {
    const int status = status_of(child, WUNTRACED);
    EXPECT_TRUE(WIFSTOPPED(status) || WEXITSTATUS(status) == 0);
    if (WIFSTOPPED(status)) stopped.push_back(child);
  }
  EXPECT_GT(stopped.size(), 5U);
  for (const pid_t child : workers) ends_well(child);  // while those are frozen
  EXPECT_TRUE(replace(FileStore(folder.path()), text_in(FileStore(folder.path()))));
  for (const pid_t child : stopped) ::kill(child, SIGCONT);
  for (const pid_t child : stopped) ends_well(child);

  // A killed process may have swapped without living to report it.
  const int count = std::stoi(text_in(FileStore(folder.path())));
  EXPECT_GE(count, counts->won);
  EXPECT_LE(count, counts->won + static_cast<int>(killed.size()));
  ASSERT_TRUE(add_one(FileStore(folder.path())).value_or(false));
  EXPECT_EQ(names_in_folder(folder / kKey).size(), 1U);
}

/// A process that swaps "new" in the place of "old" and is struck before its k-th call. Its exit
/// status: 0 = it has lost, 1 = it has won, 2 = error.
pid_t struck_swapper(const std::string& place, const std::optional<std::string>& version, int k,
                     int signal) {
  return forked([&] {
    StruckFiles files(k, signal);
    const auto swapped = swap(FileStore(place, files), version, "new");
    return !swapped.ok() ? 2 : swapped->swapped ? 1 : 0;
  });
}

TEST(FileStoreProcesses, OneThatIsFrozenAtAnyCallLosesToThoseThatGoOn) {
  int k = 0;
  for (bool stopped = true; stopped && k < 100;) {
    ++k;
    SCOPED_TRACE("call " + std::to_string(k));
    const TestFolder folder;
    const FileStore store(folder.path());
    ASSERT_TRUE(replace(store, "old"));
    const pid_t child = struck_swapper(folder.path(), version_in(store), k, SIGSTOP);
    const int status = status_of(child, WUNTRACED);
    stopped = WIFSTOPPED(status);
    if (!stopped) continue;
    const bool linked = text_in(store) == "new";
    for (int i = 0; i < 30; ++i) ASSERT_TRUE(replace(store, "other " + std::to_string(i)));
    ASSERT_EQ(::kill(child, SIGCONT), 0);
    const int end = status_of(child);
    ASSERT_TRUE(WIFEXITED(end));
    EXPECT_EQ(WEXITSTATUS(end), linked ? 1 : 0);
    EXPECT_EQ(text_in(store), "other 29");
    EXPECT_TRUE(replace(store, "next"));
    EXPECT_EQ(names_in_folder(folder / kKey).size(), 1U);
  }
  EXPECT_GT(k, 20);
  EXPECT_LT(k, 100);
}

TEST(FileStoreProcesses, OneThatIsKilledAtAnyCallLeavesTheOldValueOrTheNew) {
  int k = 0;
  for (bool died = true; died && k < 100;) {
    ++k;
    SCOPED_TRACE("call " + std::to_string(k));
    const TestFolder folder;
    const FileStore store(folder.path());
    ASSERT_TRUE(replace(store, "old"));
    died = WIFSIGNALED(status_of(struck_swapper(folder.path(), version_in(store), k, SIGKILL)));
    const std::string text = text_in(store);
    EXPECT_TRUE(text == "old" || text == "new") << text;
    EXPECT_TRUE(replace(store, "next"));
    EXPECT_EQ(text_in(store), "next");
    // What it has left goes with the second swap at the latest: it may be about the next number.
    EXPECT_TRUE(replace(store, "last"));
    EXPECT_EQ(names_in_folder(folder / kKey).size(), 1U);
  }
  EXPECT_GT(k, 20);
  EXPECT_LT(k, 100);
}

}  // namespace
}  // namespace skewguard::store
