#include "store/record_text.hpp"

#include <cstddef>
#include <functional>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "oauth/lifetime.hpp"
#include "record_testing.hpp"
#include "store/sealed_text.hpp"

namespace skewguard::store {
namespace {

using sharing::Claim;
using sharing::Record;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr std::uint64_t kHighest = ~std::uint64_t{0};

/// With something in every field.
Record full_record() {
  Record record = record_named("x");
  record.epoch = 0x0123'4567'89ab'cdef;
  record.generation = 17;
  record.refused = 16;
  record.unstored = 15;
  record.rejected = 14;
  record.rejected_credentials = 0xc0de;
  record.token->id = kHighest;
  record.token->accepted = true;
  record.claim = Claim{.id = 0xfedc, .fence = 18, .beat = 3};
  record.trouble = {.failures = 2,
                    .pause = seconds{30},
                    .not_before = seconds{1'767'225'660},
                    .verdict = Verdict::login_rate_limited};
  record.bucket_full_at = seconds{1'767'225'630};
  record.api = "https://api.mypurecloud.com";
  record.lag = std::chrono::milliseconds{3'200};
  record.lead = seconds{120};
  return record;
}

std::string text_of(const Record& record) {
  const auto text = to_text(kKey, record);
  return text ? std::string(text->reveal()) : std::string();
}

bool is_believed(std::string_view text) {
  return record_of(kKey, text).has_value();
}

TEST(RecordText, ComesBackAsItWent) {
  EXPECT_EQ(same_fields(*record_of(kKey, text_of(full_record())), full_record()), "");
  EXPECT_EQ(same_fields(*record_of(kKey, text_of(Record{})), Record{}), "");
}

TEST(RecordText, ComesBackWithoutAnyOfItsParts) {
  const std::vector<std::function<void(Record&)>> changes = {
      [](Record& r) { r.token.reset(); },
      [](Record& r) { r.claim.reset(); },
      [](Record& r) { r.unstored = 0; },
      [](Record& r) { r.rejected = r.rejected_credentials = 0; },
      [](Record& r) { r.trouble = {}; },
      [](Record& r) { r.api.clear(); },
      [](Record& r) { r.token->boot_id.clear(); },
      [](Record& r) { r.token->time_namespace.clear(); },
      [](Record& r) { r.token->issued_from = {}; },
      [](Record& r) { r.token->sent = {}; },
      [](Record& r) { r.token->accepted = false; },
      [](Record& r) { r.token->id = 0; },
      [](Record& r) { r.claim->id = kHighest; },
      [](Record& r) { r.epoch = kHighest; },
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    Record record = full_record();
    changes[i](record);
    const auto back = record_of(kKey, text_of(record));
    ASSERT_TRUE(back) << i;
    EXPECT_EQ(same_fields(*back, record), "") << i;
  }
}

TEST(RecordText, KeepsEveryVisibleCharacter) {
  Record record = full_record();
  record.token->value = Secret(R"(!"#$%&'()*+,-./09:;<=>?@AZ[\]^_`az{|}~)");
  record.token->token_type = R"("quoted"\)";
  const auto back = record_of(kKey, text_of(record));
  ASSERT_TRUE(back);
  EXPECT_EQ(same_fields(*back, record), "");
}

TEST(RecordText, KeepsEveryVerdict) {
  for (int i = 0; i <= static_cast<int>(Verdict::unknown); ++i) {
    Record record = full_record();
    record.trouble.verdict = static_cast<Verdict>(i);
    EXPECT_EQ(record_of(kKey, text_of(record))->trouble.verdict, record.trouble.verdict) << i;
  }
}

TEST(RecordText, IsJsonThatNamesItsSchemaAndUnits) {
  const auto json = nlohmann::json::parse(text_of(full_record()));
  EXPECT_EQ(json["schema"], "skewguard.token/2");
  EXPECT_EQ(json["key"], kKey);
  EXPECT_EQ(json["epoch"], "0123456789abcdef");
  EXPECT_EQ(json["generation"], 17);
  EXPECT_EQ(json["refused"], 16);
  EXPECT_EQ(json["unstored"], 15);
  EXPECT_EQ(json["rejected"], 14);
  EXPECT_EQ(json["rejected_credentials"], "000000000000c0de");
  EXPECT_EQ(json["token_id"], "ffffffffffffffff");
  EXPECT_EQ(json["access_token"], "x");
  EXPECT_EQ(json["token_type"], "Bearer");
  EXPECT_EQ(json["issued_from_ns"], 1'767'225'600'000'000'000);
  EXPECT_EQ(json["expires_in_ns"], 86'400'000'000'000);
  EXPECT_EQ(json["sent_ns"], 1'234'567'890'123);
  EXPECT_EQ(json["accepted"], true);
  EXPECT_EQ(json["claim_id"], "000000000000fedc");
  EXPECT_EQ(json["claim_fence"], 18);
  EXPECT_EQ(json["claim_beat"], 3);
  EXPECT_EQ(json["failures"], 2);
  EXPECT_EQ(json["pause_ns"], 30'000'000'000);
  EXPECT_EQ(json["not_before_ns"], 1'767'225'660'000'000'000);
  EXPECT_EQ(json["verdict"], "login_rate_limited");
  EXPECT_EQ(json["bucket_full_at_ns"], 1'767'225'630'000'000'000);
  EXPECT_EQ(json["api"], "https://api.mypurecloud.com");
  EXPECT_EQ(json["lag_ns"], 3'200'000'000);
  EXPECT_EQ(json["lead_ns"], 120'000'000'000);
  EXPECT_EQ(json["digest"].get<std::string>().size(), 64U);
}

TEST(RecordText, IgnoresMembersOfALaterVersion) {
  const std::string whole = text_of(full_record());
  for (const char* more : {"1", "\"text\"", "{\"a\": [1, 2]}", "null", "\"access_token\""}) {
    const auto back = record_of(
        kKey, resealed(with(whole, "\"Bearer\"", "\"Bearer\",\n  \"more\": " + std::string(more))));
    ASSERT_TRUE(back) << more;
    EXPECT_EQ(same_fields(*back, full_record()), "") << more;
  }
}

TEST(RecordText, ReadsAVerdictOfALaterVersionAsUnknown) {
  const auto back =
      record_of(kKey, resealed(with(text_of(full_record()), "login_rate_limited", "bad_weather")));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->trouble.verdict, Verdict::unknown);
}

TEST(RecordText, IsIgnoredIfTruncatedAtAnyLength) {
  const std::string whole = text_of(full_record());
  ASSERT_TRUE(is_believed(whole));
  for (std::size_t n = 0; n < whole.size(); ++n) {
    EXPECT_FALSE(is_believed(whole.substr(0, n))) << n;
    EXPECT_FALSE(is_believed(whole.substr(0, n) + std::string(whole.size() - n, '\0'))) << n;
  }
  EXPECT_FALSE(is_believed(whole + "\n"));
}

TEST(RecordText, IsIgnoredWithAnyBitFlipped) {
  const std::string whole = text_of(full_record());
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      std::string altered = whole;
      altered[i] = static_cast<char>(static_cast<unsigned char>(altered[i]) ^ (1U << bit));
      EXPECT_FALSE(is_believed(altered)) << i << " " << bit;
    }
  }
}

TEST(RecordText, IsIgnoredWithAFieldOfAnotherTypeOrRangeEvenIfSealedAgain) {
  const std::string whole = text_of(full_record());
  ASSERT_TRUE(is_believed(resealed(whole)));
  const std::string too_late = "6400000000000000000";  // 2172
  const std::string too_many = "4611686018427387905";  // 2 to the power of 62, and 1
  const std::vector<std::pair<std::string, std::string>> changes = {
      {"skewguard.token/2", "skewguard.token/3"},
      {kKey, std::string(64, 'b')},
      {"\"0123456789abcdef\"", "\"0123456789ABCDEF\""},
      {"\"0123456789abcdef\"", "\"123456789abcdef\""},
      {"\"0123456789abcdef\"", "\"00123456789abcdef\""},
      {"\"0123456789abcdef\"", "12345"},
      {"\"generation\": 17", "\"generation\": -1"},
      {"\"generation\": 17", "\"generation\": " + too_many},
      {"\"generation\": 17", "\"generation\": 1.5"},
      {"\"generation\": 17", "\"generation\": \"17\""},
      {"\"generation\": 17", "\"degeneration\": 17"},
      {"\"refused\": 16", "\"refused\": " + too_many},
      {"\"refused\": 16", "\"refused\": "},
      {"\"x\"", "\"\""},
      {"\"x\"", "7"},
      {"\"x\"", "\"x y\""},
      {"\"x\"", "\"x\\"},
      {"\"token_id\"", "\"taken_id\""},
      {"\"Bearer\"", "\"\""},
      {"\"Bearer\"", "\"" + std::string(257, 'B') + "\""},
      {"\"Bearer\"", "\"Bearer\" "},
      {"1767225600000000000", "-1"},
      {"1767225600000000000", too_late},
      {"1767225600000000000", "99999999999999999999"},
      {"1767225600000000000", "\"1767225600000000000\""},
      {"86400000000000", "0"},
      {"86400000000000", "-86400000000000"},
      {"86400000000000", "315360000000000001"},  // a nanosecond over ten years
      {"0f5a1c9e", "0f5a\n1c9e"},
      {"0f5a1c9e", std::string(256, 'f')},
      {"time:[4026531834]", std::string(257, 't')},
      {"1234567890123", "-1"},
      {"1234567890123", too_late},
      {"\"accepted\": true", "\"accepted\": 1"},
      {"\"claim_fence\": 18", "\"claim_fence\": " + too_many},
      {"\"claim_fence\": 18", "\"claim_fence\": -18"},
      {"\"claim_fence\": 18", "\"claim_fence\": null"},
      {"\"claim_beat\": 3", "\"claim_beat\": " + too_many},
      {"\"claim_beat\"", "\"claim_bead\""},
      {"\"failures\": 2", "\"failures\": 4294967296"},
      {"\"failures\": 2", "\"failures\": -2"},
      {"\"pause_ns\": 30000000000", "\"pause_ns\": -1"},
      {"\"pause_ns\": 30000000000", "\"pause_ns\": " + too_late},
      {"1767225660000000000", "-1"},
      {"1767225660000000000", too_late},
      {"\"verdict\": \"login_rate_limited\"", "\"verdict\": 7"},
      {"1767225630000000000", "-1"},
      {"1767225630000000000", too_late},
      {"https://api.mypurecloud.com", "https://api mypurecloud.com"},
      {"https://api.mypurecloud.com", std::string(513, 'a')},
      {"\"lag_ns\": 3200000000", "\"lag_ns\": -1"},
      {"\"lag_ns\": 3200000000", "\"lag_ns\": " + too_late},
      {"\"lead_ns\": 120000000000", "\"lead_ns\": -1"},
      {"\"lead_ns\": 120000000000", "\"lead_ns\": " + too_late},
  };
  for (const auto& [part, instead] : changes)
    EXPECT_FALSE(is_believed(resealed(with(whole, part, instead)))) << part << " -> " << instead;
}

TEST(RecordText, IsIgnoredForAnotherKey) {
  EXPECT_FALSE(record_of(std::string(64, 'b'), text_of(full_record())));
}

TEST(RecordText, IsRefusedWhereItCouldNotBeReadBack) {
  constexpr std::uint64_t kTooMany = (std::uint64_t{1} << 62U) + 1;
  const std::vector<std::function<void(Record&)>> changes = {
      [](Record& r) { r.generation = kTooMany; },
      [](Record& r) { r.refused = kTooMany; },
      [](Record& r) { r.unstored = kTooMany; },
      [](Record& r) { r.rejected = kTooMany; },
      [](Record& r) { r.token->value = Secret(""); },
      [](Record& r) { r.token->value = Secret("a b"); },
      [](Record& r) { r.token->value = Secret("\x7f"); },
      [](Record& r) { r.token->value = Secret("\xc3\xa9"); },
      [](Record& r) { r.token->token_type = ""; },
      [](Record& r) { r.token->token_type = std::string(257, 'b'); },
      [](Record& r) { r.token->issued_from = nanoseconds{-1}; },
      [](Record& r) { r.token->issued_from = Duration::max(); },
      [](Record& r) { r.token->life = {}; },
      [](Record& r) { r.token->life = oauth::kLongestLife + nanoseconds{1}; },
      [](Record& r) { r.token->boot_id = std::string(257, 'b'); },
      [](Record& r) { r.token->time_namespace = "\n"; },
      [](Record& r) { r.token->sent = Instant{nanoseconds{-1}}; },
      [](Record& r) { r.token->sent = Instant::max(); },
      [](Record& r) { r.claim->fence = kTooMany; },
      [](Record& r) { r.claim->beat = kTooMany; },
      [](Record& r) { r.trouble.pause = nanoseconds{-1}; },
      [](Record& r) { r.trouble.not_before = Duration::max(); },
      [](Record& r) { r.bucket_full_at = nanoseconds{-1}; },
      [](Record& r) { r.bucket_full_at = Duration::max(); },
      [](Record& r) { r.api = "https://api example"; },
      [](Record& r) { r.api = std::string(513, 'a'); },
      [](Record& r) { r.lag = nanoseconds{-1}; },
      [](Record& r) { r.lead = Duration::max(); },
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    Record record = full_record();
    changes[i](record);
    EXPECT_FALSE(to_text(kKey, record)) << i;
  }
  Record record = full_record();
  record.token->life = oauth::kLongestLife;
  record.generation = record.claim->fence = kTooMany - 1;
  record.api = std::string(512, 'a');
  record.token->token_type = std::string(256, 'b');
  EXPECT_TRUE(is_believed(text_of(record)));
}

TEST(RecordText, HasALimitAndReachesIt) {
  const std::size_t frame = text_of(record_named("x")).size() - 1;
  const std::string longest(kMaxTextBytes - frame, 't');
  EXPECT_EQ(text_of(record_named(longest)).size(), kMaxTextBytes);
  EXPECT_TRUE(is_believed(text_of(record_named(longest))));
  EXPECT_FALSE(to_text(kKey, record_named(longest + "t")));

  std::string over = text_of(record_named(longest));
  over = resealed(with(over, longest, longest + "t"));
  EXPECT_EQ(over.size(), kMaxTextBytes + 1);
  EXPECT_FALSE(is_believed(over));
}

// Files of earlier versions -----------------------------------------------------------------------

const std::string kLearned = R"(,
  "api": "https://api.mypurecloud.com",
  "accepted": true,
  "lag_ns": 3200000000,
  "lead_ns": 120000000000)";

std::string earlier_text(const std::string& key, std::string_view learned) {
  return resealed(earlier_token_text(key, "x", learned));
}

TEST(EarlierTokenText, IsTheFirstGenerationOfTheSameRecordForEveryReader) {
  const auto record = record_of(kKey, earlier_text(kKey, kLearned));
  ASSERT_TRUE(record);
  EXPECT_EQ(record->generation, 1U);
  EXPECT_EQ(record->refused, 0U);
  EXPECT_NE(record->epoch, 0U);
  EXPECT_FALSE(record->claim);
  EXPECT_EQ(record->trouble.failures, 0U);
  ASSERT_TRUE(record->token);
  EXPECT_EQ(record->token->value, Secret("x"));
  EXPECT_EQ(record->token->token_type, "Bearer");
  EXPECT_EQ(record->token->life, seconds{86'400});
  EXPECT_EQ(record->token->boot_id, "0f5a1c9e-2f43-4c0a-9f3c-4c1a5d0e7b11");
  EXPECT_EQ(record->token->time_namespace, "time:[4026531834]");
  EXPECT_EQ(record->token->sent, Instant{nanoseconds{1'234'567'890'123}});
  EXPECT_TRUE(record->token->accepted);
  EXPECT_EQ(record->api, "https://api.mypurecloud.com");
  EXPECT_EQ(record->lag, nanoseconds{3'200'000'000});
  EXPECT_EQ(record->lead, seconds{120});
  const auto again = record_of(kKey, earlier_text(kKey, kLearned));
  EXPECT_EQ(same_fields(*record, *again), "");
}

TEST(EarlierTokenText, HasIdsOfItsTokenAndKey) {
  const auto first = record_of(kKey, earlier_text(kKey, ""));
  const std::string other_key(64, 'b');
  const auto other = record_of(other_key, earlier_text(other_key, ""));
  const auto next = record_of(kKey, resealed(with(earlier_text(kKey, ""), "\"x\"", "\"y\"")));
  ASSERT_TRUE(first && other && next);
  EXPECT_NE(first->epoch, other->epoch);
  EXPECT_EQ(first->epoch, next->epoch);
  EXPECT_EQ(first->token->id, other->token->id);
  EXPECT_NE(first->token->id, next->token->id);
  EXPECT_NE(first->token->id, 0U);
}

TEST(EarlierTokenText, IsAsOldAsItsRequestMayHaveBeen) {
  const auto issued_from = [](std::string_view issued) {
    const auto record =
        record_of(kKey, resealed(with(earlier_text(kKey, ""), "1767225600000000000", issued)));
    return record->token->issued_from;
  };
  EXPECT_EQ(issued_from("1767225600000000000"), seconds{1'767'225'586});
  EXPECT_EQ(issued_from("0"), Duration{0}) << "unknown stays unknown";
  EXPECT_EQ(issued_from("14000000000"), Duration{0});
  EXPECT_EQ(issued_from("14000000001"), nanoseconds{1});
}

TEST(EarlierTokenText, IsReadWithoutWhatWasLearned) {
  const auto record = record_of(kKey, earlier_text(kKey, ""));
  ASSERT_TRUE(record);
  EXPECT_FALSE(record->token->accepted);
  EXPECT_EQ(record->api, "");
  EXPECT_EQ(record->lag, Duration{0});
}

TEST(EarlierTokenText, IsIgnoredIfOutOfRangeOrIncomplete) {
  const std::string whole = earlier_text(kKey, kLearned);
  ASSERT_TRUE(is_believed(whole));
  const std::vector<std::pair<std::string, std::string>> changes = {
      {kKey, std::string(64, 'b')},
      {"\"x\"", "\"\""},
      {"1767225600000000000", "-1"},
      {"1767225600000000000", "6400000000000000000"},
      {"1767225600000000000", "-9223372036854775808"},
      {"86400000000000", "0"},
      {"\"issued_ns\"", "\"issued_from_ns\""},
      {"\"boot_id\"", "\"boat_id\""},
      {"\"lag_ns\"", "\"lack_ns\""},
      {"\"accepted\": true", "\"accepted\": 1"},
  };
  for (const auto& [part, instead] : changes)
    EXPECT_FALSE(is_believed(resealed(with(whole, part, instead)))) << part << " -> " << instead;
  EXPECT_FALSE(is_believed(with(whole, "\"x\"", "\"y\""))) << "altered";
}

}  // namespace
}  // namespace skewguard::store
