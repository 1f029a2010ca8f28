// kill -9 at every write, and at every other call: whoever comes next reads the old token or the
// new one, and can claim and save.
#include <csignal>
#include <string>

#include "faulty_files.hpp"
#include "store/file.hpp"
#include "store_testing.hpp"

namespace skewguard::store {
namespace {

enum class When { before, halfway, after };

[[noreturn]] void die() {
  ::kill(::getpid(), SIGKILL);
  std::abort();
}

/// A process that saves and dies at its k-th call; false where it has fewer.
bool dies(const std::string& place, int k, When when) {
  const int status = in_child([&] {
    FaultyFiles files;
    files.before = [&](const FaultyFiles::Call& call) {
      if (call.number == k && when == When::before) die();
      return 0;
    };
    files.after = [&](const FaultyFiles::Call& call) {
      if (call.number == k && when != When::before) die();
    };
    files.cut = [&](const FaultyFiles::Call& call, std::size_t n) {
      return call.number == k && when == When::halfway ? n / 2 : n;
    };
    File store(place, files);
    const auto claimed = store.claim(kKey);
    if (!claimed.ok() || !*claimed) return 2;
    if (!store.save(kKey, token_named("new"))) return 3;
    store.release(kKey);
    return 0;
  });
  if (WIFSIGNALED(status)) {
    EXPECT_EQ(WTERMSIG(status), SIGKILL);
    return true;
  }
  EXPECT_EQ(WEXITSTATUS(status), 0);
  return false;
}

void what_is_left_is_whole(const std::string& place, bool old_token) {
  File store(place);
  const auto loaded = store.load(kKey);
  const bool old = old_token ? holds(loaded, token_named("old")) : holds_nothing(loaded);
  EXPECT_TRUE(old || holds(loaded, token_named("new")));
  const auto claimed = store.claim(kKey);
  ASSERT_TRUE(claimed.ok());
  EXPECT_TRUE(*claimed);
  EXPECT_TRUE(store.save(kKey, token_named("next")));
  EXPECT_TRUE(holds(store.load(kKey), token_named("next")));
  EXPECT_FALSE(std::filesystem::exists(place + "/" + kKey + ".new"));
}

void kill_at_every_call(bool old_token, bool litter) {
  for (const When when : {When::before, When::halfway, When::after}) {
    int k = 0;
    for (bool died = true; died && k < 100;) {
      ++k;
      const TestFolder folder;
      const std::string place = folder / "a/store";
      ASSERT_TRUE(!old_token || File(place).save(kKey, token_named("old")));
      if (litter) put(place + "/" + kKey + ".new", "half a tok");
      SCOPED_TRACE("call " + std::to_string(k));
      died = dies(place, k, when);
      what_is_left_is_whole(place, old_token);
    }
    EXPECT_GT(k, 10);
    EXPECT_LT(k, 100);
  }
}

TEST(KilledWriter, LeavesNothingOrTheFirstToken) {
  kill_at_every_call(false, false);
}
TEST(KilledWriter, LeavesTheOldTokenOrTheNew) {
  kill_at_every_call(true, false);
}
TEST(KilledWriter, AfterAKilledWriterLeavesTheOldTokenOrTheNew) {
  kill_at_every_call(true, true);
}

}  // namespace
}  // namespace skewguard::store
