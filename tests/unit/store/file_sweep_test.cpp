// Whoever saves takes away what is of no use to anyone, and nothing else.
#include "faulty_files.hpp"
#include "store/ended.hpp"
#include "store/file.hpp"
#include "store/token_text.hpp"
#include "store_testing.hpp"

namespace skewguard::store {
namespace {

using std::chrono::hours;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using testing::Contains;
using testing::Not;

std::string key_of_digit(char digit) {
  return std::string(64, digit);
}

/// Of the boot and issuer of token_named(), so much older than that.
StoredToken older_by(Duration age, Duration life) {
  StoredToken token = token_named("old");
  token.expires_in = life;
  token.sent -= age;
  token.issued -= age;
  return token;
}

StoredToken of_another_boot(StoredToken token) {
  token.boot_id = "another";
  return token;
}

TEST(HasEnded, ByTheBootClockWithinOneBootToTheNanosecond) {
  const StoredToken now = token_named("x");
  EXPECT_TRUE(has_ended(older_by(seconds{60}, seconds{60}), now));
  EXPECT_FALSE(has_ended(older_by(seconds{60} - nanoseconds{1}, seconds{60}), now));
  EXPECT_FALSE(has_ended(older_by(-seconds{60}, seconds{1}), now)) << "the newer one";
}

TEST(HasEnded, ByTheIssuersClocksADayLaterElsewhere) {
  const StoredToken now = token_named("x");
  const Duration age = hours{24} + seconds{60};
  EXPECT_TRUE(has_ended(of_another_boot(older_by(age, seconds{60})), now));
  EXPECT_FALSE(has_ended(of_another_boot(older_by(age - nanoseconds{1}, seconds{60})), now));
  StoredToken other = older_by(age, seconds{60});
  other.time_namespace = "time:[1]";
  EXPECT_TRUE(has_ended(other, now));
}

TEST(HasEnded, IsNotSaidWhereNothingTells) {
  const StoredToken now = token_named("x");
  StoredToken old = of_another_boot(older_by(hours{300}, seconds{60}));
  old.issued = Duration{0};
  EXPECT_FALSE(has_ended(old, now));
  StoredToken undated = of_another_boot(now);
  undated.issued = Duration{0};
  EXPECT_FALSE(has_ended(older_by(hours{300}, seconds{60}), undated));
  StoredToken nameless = older_by(seconds{60}, seconds{60});
  nameless.boot_id.clear();
  StoredToken nameless_now = now;
  nameless_now.boot_id.clear();
  EXPECT_FALSE(has_ended(nameless, nameless_now)) << "two unknown boots are not one";
}

class FileStoreSweeps : public testing::Test {
 protected:
  void put_token(const std::string& key, const StoredToken& token) {
    put(folder_ / (key + ".json"), to_text(key, token)->reveal());
  }
  void put_ended(const std::string& key) { put_token(key, older_by(seconds{60}, seconds{60})); }
  void save() {
    ASSERT_TRUE(store_.save(kKey, token_named("x")));
    EXPECT_TRUE(holds(store_.load(kKey), token_named("x")));
  }
  bool there(const std::string& name) const {
    return std::filesystem::exists(std::filesystem::symlink_status(folder_ / name));
  }

  TestFolder folder_;
  File store_{folder_.path()};
};

TEST_F(FileStoreSweeps, TokensThatHaveEndedAndDraftsOfKilledWriters) {
  put_ended(key_of_digit('1'));
  put_token(key_of_digit('2'), token_named("lives"));
  put(folder_ / (key_of_digit('3') + ".new"), "half a tok");
  save();
  EXPECT_FALSE(there(key_of_digit('1') + ".json"));
  EXPECT_TRUE(there(key_of_digit('2') + ".json"));
  EXPECT_FALSE(there(key_of_digit('3') + ".new"));
}

TEST_F(FileStoreSweeps, DraftsOfThoseWhoWereKilledWhileTheySavedWithoutAClaim) {
  const std::string number = ".0123456789abcdef.new";
  put(folder_ / (kKey + number), "half a tok");
  put(folder_ / (key_of_digit('3') + number), "half a tok");
  put(folder_ / (kKey + ".0123456789abcde.new"), "somebody else's");
  save();
  EXPECT_FALSE(there(kKey + number));
  EXPECT_FALSE(there(key_of_digit('3') + number));
  EXPECT_TRUE(there(kKey + ".0123456789abcde.new"));
}

TEST_F(FileStoreSweeps, ByTheHolderOfAClaimToo) {
  put_ended(key_of_digit('1'));
  ASSERT_TRUE(*store_.claim(kKey));
  save();
  EXPECT_FALSE(there(key_of_digit('1') + ".json"));
}

TEST_F(FileStoreSweeps, NothingThatIsClaimedByUsOrByAnother) {
  File other(folder_.path());
  for (const char digit : {'1', '2'}) {
    put_ended(key_of_digit(digit));
    put(folder_ / (key_of_digit(digit) + ".new"), "being written");
  }
  ASSERT_TRUE(*store_.claim(key_of_digit('1')));
  ASSERT_TRUE(*other.claim(key_of_digit('2')));
  save();
  for (const char digit : {'1', '2'}) {
    EXPECT_TRUE(there(key_of_digit(digit) + ".json")) << digit;
    EXPECT_TRUE(there(key_of_digit(digit) + ".new")) << digit;
  }
  other.release(key_of_digit('2'));
  save();
  EXPECT_FALSE(there(key_of_digit('2') + ".json"));
  EXPECT_FALSE(there(key_of_digit('2') + ".new"));
  EXPECT_TRUE(there(key_of_digit('1') + ".new")) << "our claim lasts";
}

TEST_F(FileStoreSweeps, NothingThatIsNotOursByNameContentModeOrKind) {
  const std::string key = key_of_digit('1');
  put_ended("other");
  put_ended(std::string(63, '1'));
  put_ended(std::string(64, 'A'));
  put_ended(std::string(65, '1'));
  put(folder_ / "notes.new", "mine");
  put(folder_ / (key + ".txt"), "mine");
  put(folder_ / (key + ".json"), "{}");
  const std::string readable = key_of_digit('2') + ".json";
  put_ended(key_of_digit('2'));
  std::filesystem::permissions(folder_ / readable, std::filesystem::perms{0644});
  std::filesystem::create_symlink("notes.new", folder_ / (key_of_digit('3') + ".new"));
  std::filesystem::create_directory(folder_ / (key_of_digit('4') + ".new"));
  const auto before = folder_.names();
  save();
  for (const auto& name : before) EXPECT_TRUE(there(name)) << name;
}

TEST_F(FileStoreSweeps, NoFileOfAnotherUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root gives files away";
  for (const auto& name : {key_of_digit('1') + ".json", key_of_digit('2') + ".new"}) {
    put_ended(name.substr(0, 64));
    if (!there(name)) put(folder_ / name, "half a tok");
    ASSERT_EQ(::chown((folder_ / name).c_str(), 12345, 0), 0);
  }
  save();
  EXPECT_TRUE(there(key_of_digit('1') + ".json"));
  EXPECT_TRUE(there(key_of_digit('2') + ".new"));
}

TEST_F(FileStoreSweeps, AtMostAHundredAtATime) {
  constexpr char kDigits[] = "0123456789abcdef";
  for (int i = 0; i < 130; ++i) {
    std::string key = key_of_digit('0');
    key[0] = kDigits[i / 16];
    key[1] = kDigits[i % 16];
    put(folder_ / (key + ".new"), "");
  }
  const auto drafts = [&] {
    const auto names = folder_.names();
    return std::count_if(names.begin(), names.end(),
                         [](const std::string& name) { return name.ends_with(".new"); });
  };
  save();
  EXPECT_EQ(drafts(), 30);
  save();
  EXPECT_EQ(drafts(), 0);
}

TEST_F(FileStoreSweeps, NotATokenThatCameInItsPlaceMeanwhile) {
  const std::string key = key_of_digit('1');
  put_ended(key);
  FaultyFiles files;
  int locks = 0;
  files.before = [&](const FaultyFiles::Call& call) {  // the first lock is the saver's own
    if (call.name == "lock" && ++locks == 2) put_token(key, token_named("new"));
    return 0;
  };
  ASSERT_TRUE(File(folder_.path(), files).save(kKey, token_named("x")));
  EXPECT_EQ(locks, 2);
  EXPECT_TRUE(holds(store_.load(key), token_named("new")));
}

}  // namespace
}  // namespace skewguard::store
