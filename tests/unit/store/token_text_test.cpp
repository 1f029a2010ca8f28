#include "store/token_text.hpp"

#include <cstddef>
#include <functional>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "oauth/lifetime.hpp"
#include "store/digest.hpp"
#include "store_testing.hpp"

namespace skewguard::store {
namespace {

using std::chrono::nanoseconds;

std::string text_of(const StoredToken& token) {
  const auto text = to_text(kKey, token);
  return text ? std::string(text->reveal()) : std::string();
}

/// As an attacker or a bug would: another content with a digest that is right.
std::string resealed(std::string content) {
  content.resize(content.find(",\n  \"digest\""));
  return content + ",\n  \"digest\": \"" + sha256_hex(content) + "\"\n}\n";
}

std::string with(std::string text, std::string_view part, std::string_view instead) {
  const auto at = text.find(part);
  if (at == std::string::npos) std::abort();
  return text.replace(at, part.size(), instead);
}

bool is_read(std::string_view text) {
  return from_text(kKey, text).has_value();
}

TEST(TokenText, ComesBackAsItWent) {
  StoredToken token = token_named(R"(visible "quoted" \ back)");
  token.access_token = Secret(R"(!"#$%&'()*+,-./09:;<=>?@AZ[\]^_`az{|}~)");
  const auto back = from_text(kKey, text_of(token));
  ASSERT_TRUE(back);
  EXPECT_TRUE(same(*back, token));
}

TEST(TokenText, IsJsonThatNamesItsSchemaAndUnits) {
  const auto json = nlohmann::json::parse(text_of(token_named(R"(a"b\c)")));
  EXPECT_EQ(json["schema"], "skewguard.token/1");
  EXPECT_EQ(json["key"], kKey);
  EXPECT_EQ(json["access_token"], R"(a"b\c)");
  EXPECT_EQ(json["token_type"], "Bearer");
  EXPECT_EQ(json["issued_ns"], 1'767'225'600'000'000'000);
  EXPECT_EQ(json["expires_in_ns"], 86'400'000'000'000);
  EXPECT_EQ(json["sent_ns"], 1'234'567'890'123);
}

TEST(TokenText, TakesWhatIsNotKnownToBeEmpty) {
  StoredToken token = token_named("x");
  token.boot_id.clear();
  token.time_namespace.clear();
  token.issued = {};
  token.sent = {};
  const auto back = from_text(kKey, text_of(token));
  ASSERT_TRUE(back);
  EXPECT_TRUE(same(*back, token));
}

TEST(TokenText, KeepsWhatWasLearned) {
  StoredToken token = token_named("x");
  token.api = std::string(512, 'a');
  token.accepted = true;
  token.lag = std::chrono::milliseconds{3'200};
  token.lead = std::chrono::seconds{120};
  const auto back = from_text(kKey, text_of(token));
  ASSERT_TRUE(back);
  EXPECT_TRUE(same(*back, token));
  const auto json = nlohmann::json::parse(text_of(token));
  EXPECT_EQ(json["accepted"], true);
  EXPECT_EQ(json["lag_ns"], 3'200'000'000);
  EXPECT_EQ(json["lead_ns"], 120'000'000'000);
}

TEST(TokenText, ReadsFilesOfAnEarlierVersion) {
  const std::string learned =
      ",\n  \"api\": \"\",\n  \"accepted\": false,\n  \"lag_ns\": 0,\n  \"lead_ns\": 0";
  const auto back = from_text(kKey, resealed(with(text_of(token_named("x")), learned, "")));
  ASSERT_TRUE(back);
  EXPECT_TRUE(same(*back, token_named("x")));
}

TEST(TokenText, LeavesMembersOfALaterVersionOutOfAccount) {
  const std::string whole = text_of(token_named("x"));
  for (const char* more : {"1", "\"text\"", "{\"a\": [1, 2]}", "null", "\"access_token\""}) {
    const std::string changed =
        with(whole, "\"Bearer\"", "\"Bearer\",\n  \"more\": " + std::string(more));
    const auto back = from_text(kKey, resealed(changed));
    ASSERT_TRUE(back) << more;
    EXPECT_TRUE(same(*back, token_named("x"))) << more;
  }
}

TEST(TokenText, IsNotBelievedCutOffAtAnyLength) {
  const std::string whole = text_of(token_named("x"));
  ASSERT_TRUE(is_read(whole));
  for (std::size_t n = 0; n < whole.size(); ++n) {
    EXPECT_FALSE(is_read(whole.substr(0, n))) << n;
    EXPECT_FALSE(is_read(whole.substr(0, n) + std::string(whole.size() - n, '\0'))) << n;
  }
  EXPECT_FALSE(is_read(whole + "\n"));
}

TEST(TokenText, IsNotBelievedWithAnyBitTurned) {
  const std::string whole = text_of(token_named("x"));
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      std::string altered = whole;
      altered[i] = static_cast<char>(static_cast<unsigned char>(altered[i]) ^ (1U << bit));
      EXPECT_FALSE(is_read(altered)) << i << " " << bit;
    }
  }
}

TEST(TokenText, IsNotBelievedWithAFieldOfAnotherTypeOrRangeEvenSealedAnew) {
  const std::string whole = text_of(token_named("x"));
  ASSERT_TRUE(is_read(resealed(whole)));
  const std::vector<std::pair<std::string, std::string>> changes = {
      {"skewguard.token/1", "skewguard.token/2"},
      {"\"x\"", "\"\""},
      {"\"x\"", "7"},
      {"\"x\"", "\"x y\""},
      {"\"x\"", "\"x\\"},
      {"\"Bearer\"", "\"\""},
      {"\"Bearer\"", "\"" + std::string(257, 'B') + "\""},
      {"1767225600000000000", "-1"},
      {"1767225600000000000", "6400000000000000000"},  // 2172
      {"1767225600000000000", "99999999999999999999"},
      {"1767225600000000000", "\"1767225600000000000\""},
      {"1767225600000000000", "1767225600000000000.5"},
      {"1767225600000000000", ""},
      {"86400000000000", "0"},
      {"86400000000000", "-86400000000000"},
      {"86400000000000", "315360000000000001"},  // a nanosecond over ten years
      {"0f5a1c9e", "0f5a\n1c9e"},
      {"0f5a1c9e", std::string(256, 'f')},
      {"time:[4026531834]", std::string(257, 't')},
      {"1234567890123", "-1"},
      {"1234567890123", "null"},
      {",\n  \"boot_id\"", ",\n  \"boat_id\""},
      {",\n  \"sent_ns\": 1234567890123", ""},
      {"\"Bearer\"", "\"Bearer\"\n"},
      {"\"Bearer\"", "\"Bearer\" "},
      {"\"accepted\": false", "\"accepted\": 0"},
      {"\"lag_ns\": 0", "\"lag_ns\": -1"},
      {"\"lag_ns\": 0", "\"lack_ns\": 0"},
      {"\"lead_ns\": 0", "\"lead_ns\": \"0\""},
      {"\"api\": \"\"", "\"api\": \"" + std::string(513, 'a') + "\""},
      {kKey, std::string(64, 'b')},
  };
  for (const auto& [part, instead] : changes)
    EXPECT_FALSE(is_read(resealed(with(whole, part, instead)))) << part << " -> " << instead;
}

TEST(TokenText, IsNotBelievedForAnotherKey) {
  EXPECT_FALSE(from_text(std::string(64, 'b'), text_of(token_named("x"))));
}

TEST(TokenText, IsRefusedWhereItCouldNotBeReadBack) {
  const std::vector<std::function<void(StoredToken&)>> changes = {
      [](StoredToken& t) { t.access_token = Secret(""); },
      [](StoredToken& t) { t.access_token = Secret("a b"); },
      [](StoredToken& t) { t.access_token = Secret("\x7f"); },
      [](StoredToken& t) { t.access_token = Secret("\xc3\xa9"); },
      [](StoredToken& t) { t.token_type = ""; },
      [](StoredToken& t) { t.issued = nanoseconds{-1}; },
      [](StoredToken& t) { t.issued = Duration::max(); },
      [](StoredToken& t) { t.expires_in = {}; },
      [](StoredToken& t) { t.expires_in = oauth::kLongestLife + nanoseconds{1}; },
      [](StoredToken& t) { t.boot_id = std::string(257, 'b'); },
      [](StoredToken& t) { t.time_namespace = "\n"; },
      [](StoredToken& t) { t.sent = Instant{nanoseconds{-1}}; },
      [](StoredToken& t) { t.sent = Instant::max(); },
      [](StoredToken& t) { t.api = "https://api example"; },
      [](StoredToken& t) { t.api = std::string(513, 'a'); },
      [](StoredToken& t) { t.lag = nanoseconds{-1}; },
      [](StoredToken& t) { t.lead = Duration::max(); },
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    StoredToken token = token_named("x");
    changes[i](token);
    EXPECT_FALSE(to_text(kKey, token)) << i;
  }
  StoredToken longest = token_named("x");
  longest.expires_in = oauth::kLongestLife;
  EXPECT_TRUE(to_text(kKey, longest));
}

TEST(TokenText, HasALimitAndReachesIt) {
  const std::size_t frame = text_of(token_named("x")).size() - 1;
  const std::string longest(kMostTextBytes - frame, 't');
  EXPECT_EQ(text_of(token_named(longest)).size(), kMostTextBytes);
  EXPECT_TRUE(is_read(text_of(token_named(longest))));
  EXPECT_FALSE(to_text(kKey, token_named(longest + "t")));

  std::string over = text_of(token_named(longest));
  over = resealed(with(over, longest, longest + "t"));
  EXPECT_EQ(over.size(), kMostTextBytes + 1);
  EXPECT_FALSE(is_read(over));
}

}  // namespace
}  // namespace skewguard::store
