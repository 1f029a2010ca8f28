// What the sidecar pays for reading heads, and for a whole request without its sockets: bench/run.
// The heads are those of the JavaScript SDK and of the platform. `allocations`: of all operations.
#include <benchmark/benchmark.h>

#include <array>
#include <random>
#include <span>
#include <string>
#include <string_view>

#include "allocations.hpp"
#include "oauth/echo.hpp"
#include "relay/session_machine.hpp"

namespace {

using namespace skewguard::relay;

constexpr std::string_view kRequest =
    "GET /api/v2/users?pageSize=25&pageNumber=1&sortOrder=asc&state=active HTTP/1.1\r\n"
    "Host: 127.0.0.1:8484\r\n"
    "Accept: application/json, text/plain, */*\r\n"
    "Content-Type: application/json\r\n"
    "Authorization: Bearer skewguard-0123456789abcdef0123456789abcdef0123456789abcdef\r\n"
    "purecloud-sdk: 204.0.0\r\n"
    "User-Agent: axios/1.7.4\r\n"
    "Accept-Encoding: gzip, compress, deflate, br\r\n"
    "Connection: keep-alive\r\n\r\n";

constexpr std::string_view kAnswerHead =
    "HTTP/1.1 200 OK\r\n"
    "Content-Type: application/json\r\n"
    "Content-Length: 2\r\n"
    "Connection: keep-alive\r\n"
    "Date: Mon, 30 Nov 2026 12:00:00 GMT\r\n"
    "ININ-Correlation-Id: 3f2a9a1c-2d0e-4b6f-9d1b-5a2f7f0f1a11\r\n"
    "inin-ratelimit-count: 12\r\n"
    "inin-ratelimit-allowed: 300\r\n"
    "inin-ratelimit-reset: 42\r\n"
    "Strict-Transport-Security: max-age=600; includeSubDomains\r\n"
    "Cache-Control: no-cache, no-store, must-revalidate\r\n"
    "Pragma: no-cache\r\n"
    "Expires: 0\r\n"
    "X-Cache: Miss from cloudfront\r\n"
    "Via: 1.1 0123456789abcdef0123456789abcdef.cloudfront.net (CloudFront)\r\n"
    "X-Amz-Cf-Pop: FRA56-P5\r\n"
    "X-Amz-Cf-Id: dGhpcyBpcyBub3QgYSByZWFsIGlkLCBidXQgYXMgbG9uZyBhcyBvbmUgaXM=\r\n\r\n";

template <typename Reader>
void read_heads(benchmark::State& state, std::string_view bytes) {
  for (auto _ : state) {
    Reader reader;
    benchmark::DoNotOptimize(reader.read(bytes));
    benchmark::ClobberMemory();
  }
  state.counters["bytes"] = static_cast<double>(bytes.size());
}

void ReadRequestHead(benchmark::State& state) {
  read_heads<RequestReader>(state, kRequest);
}
BENCHMARK(ReadRequestHead);

void ReadAnswerHead(benchmark::State& state) {
  read_heads<AnswerReader>(state, kAnswerHead);
}
BENCHMARK(ReadAnswerHead);

void put(Buffer& buffer, std::string_view bytes) {
  (void)buffer.append({bytes});
}

/// Unlike any text, as tokens are.
std::string token_number(unsigned seed) {
  constexpr std::string_view kCharacters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::mt19937 random(seed);
  std::string token;
  while (token.size() < 86) token += kCharacters[random() % kCharacters.size()];
  return token;
}

/// The tokens that an API was sent last.
skewguard::oauth::Echo last_tokens() {
  skewguard::oauth::Echo echo;
  for (unsigned n = 0; n < 4; ++n) echo.add(token_number(n));
  return echo;
}

void search_for_tokens(benchmark::State& state, const std::string& words) {
  const auto echo = last_tokens();
  std::string text = words;
  const std::size_t before = allocations();
  for (auto _ : state) {
    benchmark::DoNotOptimize(echo.hide_in(text));
    benchmark::ClobberMemory();
  }
  state.counters["allocations"] = static_cast<double>(allocations() - before);
}

void HideTokensInAnswerHead(benchmark::State& state) {
  search_for_tokens(state, std::string(kAnswerHead));
}
BENCHMARK(HideTokensInAnswerHead);

/// With a percent sign every character is looked at.
void HideTokensInAnswerHeadWithPercent(benchmark::State& state) {
  search_for_tokens(state, "Link: a%20b\r\n" + std::string(kAnswerHead));
}
BENCHMARK(HideTokensInAnswerHeadWithPercent);

void HideTokensInErrorOf64KiB(benchmark::State& state) {
  std::string words;
  while (words.size() < std::size_t{64} * 1024) words += R"({"message":"100% wrong","code":"bad"})";
  search_for_tokens(state, words);
}
BENCHMARK(HideTokensInErrorOf64KiB);

/// From the last byte of a request in the buffer to the last of its answer.
void RelayOneRequest(benchmark::State& state) {
  std::array<std::string, 4> memory;
  for (auto& block : memory) block.resize(2 * kMaxHead);
  Workspace work{
      Buffer(memory[0]), Buffer(memory[1]), Buffer(memory[2]), Buffer(memory[3]), {}, {}};
  SessionRules rules;
  rules.api_authority = "api.mypurecloud.com";
  rules.api_origin = "https://api.mypurecloud.com";
  const auto echo = last_tokens();
  rules.hide_tokens = [&echo](std::span<char> words) { echo.hide_in(words); };
  ReplayMemory replay(1024);
  const skewguard::Instant now{std::chrono::hours{1}};
  Session session(rules, replay, now);
  const std::string authorization = "Bearer " + std::string(86, 't');
  const std::string answer = std::string(kAnswerHead) + "{}";
  const auto relay = [&] {
    put(work.client_in, kRequest);
    session.step(event::ClientBytes{}, work, now);
    session.step(event::UpstreamReady{authorization, 1, true}, work, now);
    work.upstream_out.remove(work.upstream_out.size());
    session.step(event::UpstreamSent{}, work, now);
    put(work.upstream_in, answer);
    session.step(event::UpstreamBytes{}, work, now);
    session.step(event::Next{}, work, now);
    work.client_out.remove(work.client_out.size());
    session.step(event::ClientSent{}, work, now);
  };
  relay();
  if (!session.at_rest(work)) state.SkipWithError("the request was not answered");
  const std::size_t before = allocations();
  for (auto _ : state) relay();
  state.counters["allocations"] = static_cast<double>(allocations() - before);
}
BENCHMARK(RelayOneRequest);

}  // namespace

BENCHMARK_MAIN();
