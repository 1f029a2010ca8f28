#include "engine/adopt.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "oauth/base64.hpp"
#include "oauth/lifetime.hpp"
#include "sharing/share_machine.hpp"
#include "time/date_sample.hpp"

namespace skewguard::engine {
namespace {

using namespace std::chrono_literals;

constexpr Duration kEpoch = 1'767'225'600s;  // 2026-01-01T00:00:00Z
constexpr Duration kLife = 300s;

/// A machine whose boot and wall clocks show what the test sets.
Now at(Duration boot, Duration wall = kEpoch) {
  return {.boot = Instant{boot},
          .wall = WallTime{wall},
          .mono = MonotonicTime{boot},
          .raw = RawTime{boot}};
}

const Boot kHere{"boot-1", "time:[1]"};

/// A token requested at 100 s by kHere's clock, when the issuer's clock showed kEpoch.
sharing::SharedToken stored_at_100s() {
  sharing::SharedToken stored;
  stored.id = 1;
  stored.value = Secret("opaque");
  stored.date = stored.issued_from = kEpoch;
  stored.life = kLife;
  stored.boot_id = kHere.id;
  stored.time_namespace = kHere.time_namespace;
  stored.sent = Instant{100s};
  return stored;
}

/// The token as used by a process that finds it in the store; null: it is too old to be used.
oauth::TokenPtr found(const sharing::SharedToken& stored, const Boot& here,
                      const clocks::ClockBook& book, ServerId issuer, const Now& now) {
  sharing::ShareMachine machine({.boot_id = here.id, .time_namespace = here.time_namespace});
  sharing::View view{now.boot, std::nullopt};
  if (const auto reading = book.recent_reading(issuer, now)) {
    view.issuer = sharing::IssuerReading{reading->earliest.since_epoch(),
                                         reading->latest.since_epoch(), Duration{0}};
  }
  std::ignore = machine.step(sharing::event::Need{.need = 1}, view);
  const sharing::Record record{.epoch = 1, .generation = 1, .token = stored};
  const auto actions =
      machine.step(sharing::event::Stored{1, false, sharing::Value{"1", record}}, view);
  for (const auto& action : actions) {
    if (const auto* what = std::get_if<sharing::action::Found>(&action))
      return adopted_token(*what->record.token, what->age, issuer, now);
  }
  return nullptr;
}

class StoredTokens : public ::testing::Test {
 protected:
  oauth::TokenPtr take(const sharing::SharedToken& stored, const Boot& here, const Now& now) {
    return found(stored, here, book, issuer, now);
  }
  /// The issuer answers at once, at `boot`, with this Date.
  void hear(Duration boot, std::chrono::seconds date) {
    book.observe(issuer, {.sent = at(boot), .received = at(boot), .date = date});
  }

  clocks::ClockBook book;
  ServerId issuer = book.id("https://login.example.com");
};

TEST_F(StoredTokens, CountFromTheirSendingInThisVeryBootWithoutAnAnswerOfAnybody) {
  const auto token = take(stored_at_100s(), kHere, at(250s));
  ASSERT_TRUE(token);
  EXPECT_EQ(token->value.reveal(), "opaque");
  EXPECT_TRUE(token->stored);
  EXPECT_EQ(token->sent, Instant{100s});
  EXPECT_EQ(token->dead_at(), Instant{400s});
  EXPECT_EQ(token->issuer_date, ServerTime(issuer, kEpoch));
  EXPECT_EQ(token->begins, ServerTime(issuer, kEpoch));
  EXPECT_EQ(token->ends, ServerTime(issuer, kEpoch + kLife));
}

TEST_F(StoredTokens, OfThisBootEndAtTheirVeryEnd) {
  EXPECT_TRUE(take(stored_at_100s(), kHere, at(400s - 1ns)));
  EXPECT_FALSE(take(stored_at_100s(), kHere, at(400s)));
}

TEST_F(StoredTokens, SentInTheFutureOfThisBootLiveByTheIssuersClockAlone) {
  EXPECT_FALSE(take(stored_at_100s(), kHere, at(100s - 1ns)));
  hear(90s, 1'767'225'605s);
  const auto token = take(stored_at_100s(), kHere, at(100s - 1ns));
  ASSERT_TRUE(token);
  EXPECT_LE(token->dead_at(), Instant{90s + kLife - 5s});
}

TEST_F(StoredTokens, OfAnotherClockNeedAnAnswerOfTheIssuer) {
  struct Case {
    Boot asked, here;
  };
  const std::vector<Case> cases = {
      {kHere, {"boot-2", kHere.time_namespace}},
      {kHere, {kHere.id, "time:[2]"}},
      {kHere, {"", kHere.time_namespace}},
      {kHere, {kHere.id, ""}},
      {kHere, {"", ""}},
      {{"", kHere.time_namespace}, kHere},
      {{kHere.id, ""}, {kHere.id, ""}},
      {{"", ""}, {"", ""}},
  };
  for (const auto& [asked, here] : cases) {
    sharing::SharedToken stored = stored_at_100s();
    stored.boot_id = asked.id;
    stored.time_namespace = asked.time_namespace;
    EXPECT_FALSE(take(stored, here, at(150s))) << here.id << here.time_namespace;
  }
}

TEST_F(StoredTokens, OfAnotherBootLiveByTheIssuersClockAlone) {
  const Boot next{"boot-2", kHere.time_namespace};
  hear(7s, 1'767'225'600s + 200s);  // 200 s old, a second or two more at most
  const auto token = take(stored_at_100s(), next, at(7s));
  ASSERT_TRUE(token);
  EXPECT_LE(token->dead_at(), Instant{7s + 100s});
  EXPECT_GE(token->dead_at(), Instant{7s + 97s});
  EXPECT_FALSE(take(stored_at_100s(), next, at(7s + 100s)));
}

TEST_F(StoredTokens, OfAnIssuerThatTheySeemToBeAheadOfAreNotUsed) {
  hear(7s, 1'767'225'600s - 10s);  // its clock was set back
  EXPECT_FALSE(take(stored_at_100s(), {"boot-2", ""}, at(7s)));
}

TEST_F(StoredTokens, WithoutADateLiveInTheirOwnBootAlone) {
  sharing::SharedToken stored = stored_at_100s();
  stored.date = stored.issued_from = {};
  const auto token = take(stored, kHere, at(250s));
  ASSERT_TRUE(token);
  EXPECT_FALSE(token->issuer_date);
  EXPECT_FALSE(token->ends);
  hear(250s, 1s);
  EXPECT_FALSE(take(stored, {"boot-2", "time:[1]"}, at(250s)));
}

std::string jwt(const std::string& claims) {
  const auto part = [](const std::string& json) {
    std::string text(oauth::base64_encode(json).view());
    for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
    text.erase(text.find_last_not_of('=') + 1);
    return text;
  };
  return part(R"({"alg":"none"})") + "." + part(claims) + ".c2ln";
}

TEST_F(StoredTokens, ThatAreJwtsBeginAndEndAsTheySayThemselves) {
  sharing::SharedToken stored = stored_at_100s();
  stored.value = Secret(jwt(R"({"iat":1767225605,"nbf":1767225607,"exp":1767225905})"));
  const auto token = take(stored, kHere, at(150s));
  ASSERT_TRUE(token);
  ASSERT_TRUE(token->claims);
  EXPECT_EQ(token->begins, ServerTime(issuer, kEpoch + 5s));
  EXPECT_EQ(token->begins_later, ServerTime(issuer, kEpoch + 7s));
  EXPECT_EQ(token->ends, ServerTime(issuer, kEpoch + 305s));
}

TEST_F(StoredTokens, WhoseExpWasPastByTheIssuersDateEndByThatDate) {
  sharing::SharedToken stored = stored_at_100s();
  stored.value = Secret(jwt(R"({"iat":1767225000,"exp":1767225600})"));
  const auto token = take(stored, kHere, at(150s));
  ASSERT_TRUE(token);
  EXPECT_EQ(token->ends, ServerTime(issuer, kEpoch + kLife));
}

// A random history: a token is asked for, and stored; some time later a process in the same boot or
// another, in the same namespace or another, with any wall clock, has or has not heard the issuer.
struct History {
  sharing::SharedToken stored;
  Boot here;
  Now now;
  Duration left{0};  ///< true remaining life, counted from when the issuer made the token
  std::optional<time::DateSample> heard;
  bool same_clock = false;
};

class Histories {
 public:
  explicit Histories(std::uint64_t seed) : random_(seed) {}

  History next() {
    const std::array<std::string, 3> boots = {"boot-1", "boot-2", ""};
    const std::array<std::string, 3> spaces = {"time:[1]", "time:[2]", ""};
    History h;
    const Duration issuer = kEpoch + between(-1'000'000s, 1'000'000s);  // its clock at true time 0
    const Duration flight = between(0s, 2s), age = between(0s, 2 * kLife);
    const Duration made = between(0s, flight);  // after the request was sent, at true time 0
    h.stored = stored_at_100s();
    const Duration stamped = between(made, flight);
    h.stored.date = std::chrono::floor<std::chrono::seconds>(issuer + stamped);
    h.stored.issued_from = h.stored.date - flight;
    h.stored.life = between(1ns, kLife);
    h.stored.boot_id = boots.at(pick(3));
    h.stored.time_namespace = spaces.at(pick(3));
    h.stored.sent = Instant{between(0s, 100'000s)};
    h.here = {boots.at(pick(3)), spaces.at(pick(3))};
    h.same_clock = !h.here.id.empty() && !h.here.time_namespace.empty() &&
                   h.here.id == h.stored.boot_id &&
                   h.here.time_namespace == h.stored.time_namespace;
    // True time 0 by the boot clock of this process.
    const Duration zero =
        h.same_clock ? h.stored.sent.time_since_epoch() : between(0s, 100'000s) + 10s;
    h.now = at(zero + age, between(0s, 2 * kEpoch));
    h.left = made + h.stored.life - age;
    if (pick(2) == 0) {
      const Duration received = age - between(0s, 5s), rtt = between(0s, 1s);
      const Duration answered = received - between(0s, rtt);
      h.heard = {.sent = at(zero + received - rtt),
                 .received = at(zero + received),
                 .date = std::chrono::floor<std::chrono::seconds>(issuer + answered)};
    }
    return h;
  }

 private:
  Duration between(Duration low, Duration high) {
    return Duration{
        std::uniform_int_distribution<std::int64_t>(low.count(), high.count())(random_)};
  }
  std::size_t pick(std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_);
  }
  std::mt19937_64 random_;
};

oauth::TokenPtr taken(const History& h, const Now& now) {
  clocks::ClockBook book;
  const ServerId issuer = book.id("https://login.example.com");
  if (h.heard) book.observe(issuer, *h.heard);
  return found(h.stored, h.here, book, issuer, now);
}

TEST(StoredTokenProperty, NoBootNamespaceOrWallTimeRevivesADeadToken) {
  Histories histories(20260101);
  int by_boot = 0, by_issuer = 0, dead = 0;
  for (int i = 0; i < 20'000; ++i) {
    const History h = histories.next();
    const auto token = taken(h, h.now);
    if (h.left <= Duration{0}) {
      ++dead;
      EXPECT_FALSE(token) << i;
    }
    if (!token) continue;
    ++(h.same_clock ? by_boot : by_issuer);
    EXPECT_TRUE(h.same_clock || h.heard) << i;
    EXPECT_LE(token->dead_at(), h.now.boot + h.left) << i;
  }
  EXPECT_GT(dead, 1000);
  EXPECT_GT(by_boot, 100);
  EXPECT_GT(by_issuer, 500);
}

TEST(StoredTokenProperty, TheWallClockHasNoPartInIt) {
  Histories histories(20260102);
  for (int i = 0; i < 5'000; ++i) {
    const History h = histories.next();
    const auto token = taken(h, h.now);
    for (const Duration wall : {Duration{0}, kEpoch, 3 * kEpoch, -kEpoch}) {
      Now other = h.now;
      other.wall = WallTime{wall};
      const auto again = taken(h, other);
      ASSERT_EQ(token == nullptr, again == nullptr) << i;
      EXPECT_TRUE(!token || token->dead_at() == again->dead_at()) << i;
    }
  }
}

}  // namespace
}  // namespace skewguard::engine
