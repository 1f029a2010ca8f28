#include "store/ended.hpp"

#include "record_testing.hpp"

namespace skewguard::store {
namespace {

using sharing::Record;
using sharing::SharedToken;
using std::chrono::hours;
using std::chrono::nanoseconds;
using std::chrono::seconds;

/// The token that was got a moment ago.
SharedToken fresh_now() {
  return *record_named("new").token;
}

/// With a token so much older.
Record record_older_by(Duration age, Duration life) {
  Record record = record_named("old");
  record.token->life = life;
  record.token->sent -= age;
  record.token->issued_from -= age;
  return record;
}

Record with_another_boot(Record record) {
  record.token->boot_id = "another";
  return record;
}

TEST(RecordHasEnded, ByTheBootClockWithinOneBootToTheNanosecond) {
  EXPECT_TRUE(has_ended(record_older_by(seconds{60}, seconds{60}), fresh_now()));
  EXPECT_FALSE(has_ended(record_older_by(seconds{60} - nanoseconds{1}, seconds{60}), fresh_now()));
  EXPECT_FALSE(has_ended(record_older_by(-seconds{60}, seconds{1}), fresh_now())) << "newer";
}

TEST(RecordHasEnded, ByTheIssuersClocksADayLaterElsewhere) {
  const Duration age = hours{24} + seconds{60};
  EXPECT_TRUE(has_ended(with_another_boot(record_older_by(age, seconds{60})), fresh_now()));
  EXPECT_FALSE(has_ended(with_another_boot(record_older_by(age - nanoseconds{1}, seconds{60})),
                         fresh_now()));
  Record other = record_older_by(age, seconds{60});
  other.token->time_namespace = "time:[1]";
  EXPECT_TRUE(has_ended(other, fresh_now()));
}

TEST(RecordHasEnded, WithoutATokenADayAfterTheLastMomentThatItNames) {
  Record record;
  EXPECT_FALSE(has_ended(record, fresh_now())) << "it names none";
  record.bucket_full_at = fresh_now().issued_from - hours{24};
  EXPECT_TRUE(has_ended(record, fresh_now()));
  record.trouble.not_before = record.bucket_full_at + nanoseconds{1};
  EXPECT_FALSE(has_ended(record, fresh_now()));
  record.trouble.not_before -= nanoseconds{1};
  EXPECT_TRUE(has_ended(record, fresh_now()));
  SharedToken undated = fresh_now();
  undated.issued_from = Duration{0};
  EXPECT_FALSE(has_ended(record, undated));
}

}  // namespace
}  // namespace skewguard::store
