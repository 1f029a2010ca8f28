// Whoever writes a token takes away what is of no use to anyone, and nothing else.
#include <string>
#include <vector>

#include "faulty_files.hpp"
#include "record_testing.hpp"
#include "store/file_store.hpp"

namespace skewguard::store {
namespace {

using sharing::Record;
using std::chrono::hours;
using std::chrono::seconds;

std::string key_made_of(char digit) {
  return std::string(64, digit);
}

/// Of a token that ended a moment ago.
Record ended_record() {
  Record record = record_named("old");
  record.token->life = seconds{60};
  record.token->sent -= seconds{60};
  return record;
}

class FileStoreSweeps : public testing::Test {
 protected:
  void put_record(const std::string& key, const Record& record) {
    ASSERT_TRUE(replace(store_, to_text(key, record)->reveal(), key));
  }
  void put_ended(const std::string& key) { put_record(key, ended_record()); }
  /// In the form of an earlier version; of the boot and issuer of record_named().
  void put_earlier(const std::string& key, bool ended) {
    std::string text = earlier_token_text(key, "earlier");
    if (ended) text = with(with(text, "86400000000000", "60000000000"), "1234567890123", "1");
    put(folder_ / (key + ".json"), resealed(text));
  }
  void swap_in(const Record& record) { put_record(kKey, record); }
  void swap_in_token() {
    swap_in(record_named("new"));
    EXPECT_EQ(text_in(store_), to_text(kKey, record_named("new"))->reveal());
  }
  bool there(const std::string& name) const {
    return std::filesystem::exists(std::filesystem::symlink_status(folder_ / name));
  }

  TestFolder folder_;
  FileStore store_{folder_.path()};
};

TEST_F(FileStoreSweeps, RecordsThatHaveEndedAndTheirFolders) {
  put_record(key_made_of('2'), record_named("lives"));
  put_ended(key_made_of('1'));
  put(folder_ / (key_made_of('1') + "/.2.0123456789abcdef.new"), "half a rec");
  swap_in_token();
  EXPECT_FALSE(there(key_made_of('1')));
  EXPECT_TRUE(there(key_made_of('2') + "/1.json"));
  EXPECT_TRUE(replace(store_, "again", key_made_of('1')));
}

TEST_F(FileStoreSweeps, TheFolderOfAWriterThatWasKilledBeforeTheFirstRecord) {
  std::filesystem::create_directory(folder_ / key_made_of('1'));
  std::filesystem::permissions(folder_ / key_made_of('1'), std::filesystem::perms{0700});
  put(folder_ / (key_made_of('1') + "/.1.0123456789abcdef.new"), "half a rec");
  swap_in_token();
  EXPECT_FALSE(there(key_made_of('1')));
}

TEST_F(FileStoreSweeps, NotForAClaimOrABeatOrWhatCannotBeRead) {
  put_ended(key_made_of('1'));
  Record claimed = record_named("new");
  claimed.claim = sharing::Claim{.id = 1, .fence = 2, .beat = 3};
  swap_in(claimed);
  EXPECT_TRUE(there(key_made_of('1')));
  Record without;
  without.trouble.failures = 1;
  swap_in(without);
  EXPECT_TRUE(there(key_made_of('1')));
  ASSERT_TRUE(replace(store_, "{}"));
  EXPECT_TRUE(there(key_made_of('1')));
  swap_in_token();
  EXPECT_FALSE(there(key_made_of('1')));
}

TEST_F(FileStoreSweeps, RecordsWithoutATokenByTheIssuersClock) {
  Record old;
  old.trouble = {.failures = 1, .not_before = record_named("x").token->issued_from - hours{24}};
  put_record(key_made_of('1'), old);
  old.trouble.not_before += seconds{1};
  put_record(key_made_of('2'), old);
  put_record(key_made_of('3'), Record{});
  swap_in_token();
  EXPECT_FALSE(there(key_made_of('1')));
  EXPECT_TRUE(there(key_made_of('2')));
  EXPECT_TRUE(there(key_made_of('3'))) << "nothing tells how old it is";
}

TEST_F(FileStoreSweeps, WhatEarlierVersionsLeft) {
  put_earlier(key_made_of('1'), true);
  put(folder_ / (key_made_of('2') + ".new"), "half a tok");
  put(folder_ / (key_made_of('2') + ".0123456789abcdef.new"), "half a tok");
  put(folder_ / (key_made_of('2') + ".lock"), "");
  put_earlier(key_made_of('3'), false);
  put(folder_ / (key_made_of('3') + ".lock"), "");
  put(folder_ / (kKey + ".lock"), "");
  put(folder_ / (kKey + ".0123456789abcdef.new"), "");
  swap_in_token();
  EXPECT_EQ(folder_.names(), (std::vector<std::string>{key_made_of('3') + ".json",
                                                       key_made_of('3') + ".lock", kKey}));
}

TEST_F(FileStoreSweeps, NothingThatIsNotOursByNameContentModeOrKind) {
  const auto fill = [&](const std::string& name) {
    std::filesystem::create_directory(folder_ / name);
    std::filesystem::permissions(folder_ / name, std::filesystem::perms{0700});
    put(folder_ / (name + "/1.json"), to_text(name, ended_record())->reveal());
  };
  for (const std::string& name : {std::string("other"), std::string(63, '1'), std::string(65, '1'),
                                  std::string(64, 'A'), key_made_of('1') + "x"})
    fill(name);
  fill(key_made_of('1'));  // not to be read
  put(folder_ / (key_made_of('1') + "/1.json"), "{}");
  fill(key_made_of('2'));  // not this user's alone
  std::filesystem::permissions(folder_ / (key_made_of('2') + "/1.json"),
                               std::filesystem::perms{0644});
  fill(key_made_of('3'));
  std::filesystem::permissions(folder_ / key_made_of('3'), std::filesystem::perms{0755});
  fill(key_made_of('4'));  // another key's text
  put(folder_ / (key_made_of('4') + "/1.json"), to_text(kKey, ended_record())->reveal());
  put(folder_ / "notes.new", "mine");
  put(folder_ / (key_made_of('5') + ".txt"), "mine");
  put(folder_ / (key_made_of('5') + ".json"), "{}");
  std::filesystem::create_symlink("notes.new", folder_ / (key_made_of('6') + ".new"));
  std::filesystem::create_directory(folder_ / (key_made_of('7') + ".new"));
  std::filesystem::create_directory_symlink("other", folder_ / key_made_of('8'));
  const auto before = folder_.names();
  swap_in_token();
  for (const auto& name : before) {
    EXPECT_TRUE(there(name)) << name;
    if (std::filesystem::is_directory(folder_ / name) && !name.ends_with(".new")) {
      EXPECT_TRUE(there(name + "/1.json")) << name;
    }
  }
}

TEST_F(FileStoreSweeps, NoFileOfAnotherUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root gives files away";
  put_ended(key_made_of('1'));
  put_ended(key_made_of('2'));
  put(folder_ / (key_made_of('3') + ".new"), "half a tok");
  const std::vector<std::string> given = {key_made_of('1') + "/1.json", key_made_of('2'),
                                          key_made_of('3') + ".new"};
  for (const auto& name : given) ASSERT_EQ(::chown((folder_ / name).c_str(), 12345, 0), 0);
  swap_in_token();
  for (const auto& name : given) EXPECT_TRUE(there(name)) << name;
  EXPECT_TRUE(there(key_made_of('2') + "/1.json"));
}

TEST_F(FileStoreSweeps, AtMostAHundredAtATime) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (std::size_t i = 0; i < 130; ++i) {
    std::string key = key_made_of('0');
    key[0] = kDigits[i / 16];
    key[1] = kDigits[i % 16];
    put(folder_ / (key + ".new"), "");
  }
  swap_in_token();
  EXPECT_EQ(folder_.names().size(), 31U);
  swap_in_token();
  EXPECT_EQ(folder_.names().size(), 1U);
}

TEST_F(FileStoreSweeps, NotARecordThatCameInItsPlaceMeanwhile) {
  const std::string key = key_made_of('1');
  put_ended(key);
  FaultyFiles files;
  bool came = false;
  files.before_open = [&](const std::string& name, int /*flags*/) {
    if (name != key || came) return;
    came = true;
    put_record(key, record_named("new"));
  };
  const std::string fresh(to_text(kKey, record_named("new"))->reveal());
  ASSERT_TRUE(swap(FileStore(folder_.path(), files), std::nullopt, fresh)->swapped);
  EXPECT_TRUE(came);
  EXPECT_TRUE(there(key + "/2.json"));
}

/// The sweeper has judged the old record and lists the files to remove.
TEST_F(FileStoreSweeps, NotARecordThatCameAfterTheOldOneWasJudged) {
  const std::string key = key_made_of('1');
  put_ended(key);
  FaultyFiles files;
  int lists = 0;
  bool judged = false;
  files.before = [&](const FaultyFiles::Call& call) {
    // Of this key twice before the link (there is nothing) and once after it, of the folder, of the
    // other key to judge it, and now.
    if (call.name == "list" && ++lists == 6) {
      judged = true;
      put_record(key, record_named("new"));
    }
    return 0;
  };
  const std::string fresh(to_text(kKey, record_named("new"))->reveal());
  ASSERT_TRUE(swap(FileStore(folder_.path(), files), std::nullopt, fresh)->swapped);
  EXPECT_TRUE(judged);
  EXPECT_EQ(names_in_folder(folder_ / key), std::vector<std::string>{"2.json"});
}

}  // namespace
}  // namespace skewguard::store
