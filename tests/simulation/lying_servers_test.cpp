// Servers that lie at random, on virtual time: whatever they answer, token requests stay within
// evidence rule 8, no call outlives its deadline, and each caller is answered once.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "oauth/base64.hpp"
#include "simulation/dice.hpp"
#include "simulation/scenario.hpp"

namespace skewguard::simulation {
namespace {

std::uint64_t histories() {
  return std::getenv("SKEWGUARD_LONG") != nullptr ? 2'000 : 30;
}

constexpr std::chrono::seconds kLongLife = 2h;  ///< so that no token expires within a run

constexpr Duration kLies[] = {0s,   1s,    -1s,   3s,    -3s,  12s,       -12s,
                              600s, -600s, 1200s, -2h,   2h,   24h * 365, -24h * 365 * 56,
                              40s,  -40s,  20s,   -700s, 900s, 5s,        -5s};

void set_header(emulator::Reply& reply, const std::string& name, const std::string& value) {
  Headers headers;
  for (const auto& field : reply.headers.fields())
    if (field.name != name) headers.add(field.name, field.value);
  if (!value.empty()) headers.add(name, value);
  reply.headers = headers;
}

void lie_about_date(Dice& dice, emulator::Reply& reply) {
  switch (dice.below(6)) {
    case 0:
      return set_header(reply, "Date", "");
    case 1:
      return set_header(reply, "Date", "Thu, 01 Jan 1970 00:00:00 GMT");
    case 2:
      return set_header(reply, "Date", "soon");
    default:
      return redate(reply,
                    std::chrono::floor<std::chrono::seconds>(date_of(reply) + dice.one_of(kLies)));
  }
}

/// What hosts write when they refuse a token.
constexpr const char* kRefusals[] = {
    R"({"error":"invalid_token"})", R"({"code":"token.expired","message":"The token has expired"})",
    R"([{"errorCode":"INVALID_SESSION_ID","message":"Session expired or invalid"}])"};
constexpr const char* kChallenge = R"(Bearer error="invalid_token")";

/// Refuses the token, in one of these wordings.
void refuse_somehow(Dice& dice, emulator::Reply& reply) {
  constexpr int kStatuses[] = {401, 401, 403, 400};
  refuse(reply);
  reply.status = dice.one_of(kStatuses);
  if (reply.status != 401 || dice.once_in(2)) reply.body = kRefusals[dice.below(2)];
  if (dice.once_in(3)) reply.headers.add("WWW-Authenticate", kChallenge);
}

/// Any 401 counts as a refusal, although another new token may show that a gateway sent it.
bool refuses_token(const emulator::Reply& reply) {
  if (reply.status == 401) return true;
  if (reply.status != 400 && reply.status != 403) return false;
  return reply.headers.find("WWW-Authenticate") == kChallenge || reply.body == kRefusals[0] ||
         reply.body == kRefusals[1];
}

/// What a host may answer; `mood` keeps it to one kind of answer for a while.
void lie(Dice& dice, int mood, emulator::Reply& reply) {
  constexpr int kStatuses[] = {200, 200, 401, 401, 401, 403, 400,
                               404, 429, 500, 502, 503, 504, 302};
  const char* const bodies[] = {
      "",
      "{}",
      R"({"code":"bad.credentials","message":"no"})",
      R"({"error":"invalid_client","error_description":"no"})",
      R"({"error":"invalid_request","description":"rate limit exceeded"})",
      kRefusals[0],
      kRefusals[1],
      kRefusals[2],
      "<html>Sign in</html>",
      R"({"code":"authentication.request.timeout"})"};
  if (mood == 0) refuse_somehow(dice, reply);
  if (mood == 2) {
    reply.status = dice.one_of(kStatuses);
    reply.body = dice.one_of(bodies);
    if (dice.once_in(3)) {
      reply.headers.add("WWW-Authenticate", dice.once_in(2) ? kChallenge : R"(Basic realm="x")");
    }
    if (dice.once_in(3)) reply.headers.add("Retry-After", dice.once_in(2) ? "0" : "1");
  }
  if (dice.once_in(2)) lie_about_date(dice, reply);
}

/// A token whose claims are shifted by `by`.
std::string moved_jwt(Dice& dice, std::chrono::seconds now, Duration by, std::chrono::seconds life,
                      std::uint64_t serial) {
  const auto part = [](const std::string& json) {
    std::string text(oauth::base64_encode(json).view());
    for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
    text.erase(text.find_last_not_of('=') + 1);
    return text;
  };
  const auto iat = now + std::chrono::floor<std::chrono::seconds>(by);
  const auto nbf = iat - std::chrono::seconds{dice.once_in(3) ? 10 : 0};
  return part(R"({"alg":"none"})") + "." +
         part("{\"iat\":" + std::to_string(iat.count()) + ",\"nbf\":" +
              std::to_string(nbf.count()) + ",\"exp\":" + std::to_string((iat + life).count()) +
              ",\"jti\":" + std::to_string(serial) + "}") +
         ".c2ln";
}

struct Run {
  bool login_lies_too = false;  ///< in statuses, Dates and lifetimes; its claims may always lie
  Duration longest = 30s;       ///< deadline of a call
  bool short_lives = false;     ///< lifetimes of 5 to 60 s, otherwise of two hours
};

/// One simulation: calls now and then for a minute and a half.
class LyingHosts {
 public:
  LyingHosts(std::uint64_t seed, Run run)
      : dice_(seed),
        run_(run),
        simulation_(
            servers(dice_.once_in(2) ? TokenFormat::jwt : TokenFormat::opaque, 0s, {0s}, kLongLife),
            seed),
        engine_(VirtualClient::default_options(),
                oauth::client_credentials(VirtualClient::default_options(),
                                          VirtualClient::default_options().client_secrets),
                {}, process_.engine_deps(seed)) {
    mood_ = dice_.below(4);
    moved_ = dice_.once_in(3);
    simulation_.fate = [this](const HttpRequest& request) { return fate(request); };
  }

  void play() {
    const int calls = 30 + dice_.below(170);
    for (int i = 0; i < calls; ++i) {
      start(i);
      if (!dice_.once_in(4)) simulation_.run_for(std::chrono::milliseconds{dice_.below(900)});
    }
    simulation_.run_for(run_.longest + 1s);
  }

  void check() {
    for (const auto& call : calls_) {
      EXPECT_EQ(call.answers, 1);
      EXPECT_LE(call.ended, call.deadline + 20ms) << to_json(call.report);
    }
    if (!run_.login_lies_too) check_token_requests();
  }

 private:
  struct Call {
    Instant deadline;
    int answers = 0;
    Instant ended{};
    CallReport report{};
  };

  void start(int i) {
    Request request;
    request.method = dice_.once_in(4) ? "POST" : "GET";
    request.path = "/api/v2/tokens/me?call=" + std::to_string(i);
    const Duration timeout = 1s + dice_.below(static_cast<int>(run_.longest / 1s)) * Duration{1s};
    calls_.push_back({simulation_.boot() + std::min(timeout, run_.longest)});
    engine_.call(request, calls_.back().deadline,
                 [this, at = calls_.size() - 1](guard::action::Finish finished) {
                   ++calls_[at].answers;
                   calls_[at].ended = simulation_.boot();
                   calls_[at].report = std::move(finished.report);
                 });
  }

  Fate fate(const HttpRequest& request) {
    Fate fate;
    if (dice_.once_in(30)) fate.kind = Fate::Kind::answer_lost;
    if (dice_.once_in(30)) fate.extra = std::chrono::milliseconds{dice_.below(3000)};
    if (request.url.starts_with(kApiUrl)) return api_fate(request, std::move(fate));
    if (!run_.login_lies_too) fate.kind = Fate::Kind::arrives;
    const std::chrono::seconds life =
        run_.short_lives ? std::chrono::seconds{5 + dice_.below(56)} : kLongLife;
    simulation_.servers().settings().lifetime = life;
    if (request.method == "POST") asked_.push_back({simulation_.boot(), life});
    fate.spoil = [this, life](emulator::Reply& reply) { spoil_login(reply, life); };
    return fate;
  }

  Fate api_fate(const HttpRequest& request, Fate fate) {
    if (dice_.once_in(20)) mood_ = dice_.below(4);
    const int mood = mood_ == 3 ? dice_.below(3) : mood_;  // 3: another one for each answer
    const auto key = std::pair(request.url, std::string(request.authorization.reveal()));
    if (!key.second.empty()) check_send(key);
    fate.spoil = [this, mood, key, sent = simulation_.boot()](emulator::Reply& reply) {
      lie(dice_, mood, reply);
      if (refuses_token(reply)) refused_[key].push_back(sent);
    };
    return fate;
  }

  void spoil_login(emulator::Reply& reply, std::chrono::seconds life) {
    if (reply.status == 200 && moved_) {
      constexpr Duration kMoves[] = {0s, 5s, -5s, 60s, -60s, 400s, -400s, 3h, -3h};
      const auto number = simulation_.servers().tokens().issued();
      const auto value = moved_jwt(dice_, date_of(reply), dice_.one_of(kMoves), life, number);
      reply.body = R"({"token_type":"bearer","expires_in":)" + std::to_string(life.count()) +
                   R"(,"access_token":")" + value + "\"}";
      simulation_.servers().tokens().rename(number, value);
    }
    if (!run_.login_lies_too) return;
    constexpr const char* kLives[] = {"0",        "-5",   "1",     "\"60\"",
                                      "\"soon\"", "1e18", "0.001", "null"};
    if (reply.status == 200 && dice_.once_in(4)) {
      constexpr std::string_view kName = "\"expires_in\":";
      if (const auto at = reply.body.find(kName); at != std::string::npos) {
        const auto begin = at + kName.size();
        reply.body.replace(begin, reply.body.find_first_of(",}", begin) - begin,
                           dice_.one_of(kLives));
      }
    }
    if (dice_.once_in(3)) lie(dice_, 2, reply);
    if (dice_.once_in(3)) lie_about_date(dice_, reply);
  }

  /// One token is refused at most four times in one call, at least half a second apart.
  void check_send(const std::pair<std::string, std::string>& which) {
    const auto& times = refused_[which];
    EXPECT_LT(times.size(), 4U) << which.first;
    if (times.empty()) return;
    EXPECT_GE(simulation_.boot() - times.back(), 500ms) << which.first;
  }

  /// Evidence rule 8: in any time t at most 6 + t / 5 s requests, not counting those for tokens
  /// that may have been due for a refresh, which is never before an eighth of the lifetime.
  void check_token_requests() const {
    std::vector<Instant> paid;
    for (std::size_t i = 1; i < asked_.size(); ++i)
      if (asked_[i].at - asked_[i - 1].at < asked_[i - 1].life / 8) paid.push_back(asked_[i].at);
    for (std::size_t i = 0; i < paid.size(); ++i) {
      for (std::size_t j = i; j < paid.size(); ++j)
        ASSERT_LE(static_cast<Duration::rep>(j - i + 1), 6 + (paid[j] - paid[i]) / 5s);
    }
  }

  struct Asked {
    Instant at;
    Duration life;  ///< of the token in the answer
  };

  Dice dice_;
  Run run_;
  Simulation simulation_;
  VirtualProcess process_{simulation_};
  engine::Engine engine_;
  std::vector<Call> calls_;
  int mood_ = 0;
  bool moved_ = false;        ///< the tokens' claims are shifted
  std::vector<Asked> asked_;  ///< the token requests
  /// When each call sent a token that was refused.
  std::map<std::pair<std::string, std::string>, std::vector<Instant>> refused_;
};

void play_all(Run run) {
  for (std::uint64_t seed = 0; seed < histories(); ++seed) {
    LyingHosts hosts(seed, run);
    hosts.play();
    hosts.check();
    if (testing::Test::HasFailure()) FAIL() << "seed " << seed;
  }
}

TEST(LyingServers, T13AnApiThatLiesCausesTokenRequestsWithinRule8AndNoCallOutlivesItsDeadline) {
  play_all({});
}
TEST(LyingServers, T13ShortDeadlinesHoldWhateverTheApiAnswers) {
  play_all({.longest = 3s});
}
TEST(LyingServers, T13Rule8HoldsForTokensOfShortLivesToo) {
  play_all({.short_lives = true});
}
TEST(LyingServers, T13ALoginHostThatLiesTooHoldsNobodyPastItsDeadline) {
  play_all({.login_lies_too = true});
}
TEST(LyingServers, T13NorDoesOneWhoseTokensLiveShortly) {
  play_all({.login_lies_too = true, .longest = 3s, .short_lives = true});
}

}  // namespace
}  // namespace skewguard::simulation
