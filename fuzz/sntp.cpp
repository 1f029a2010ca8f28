#include "clocks/sntp.hpp"

#include <algorithm>

#include "fuzz.hpp"

namespace {

using namespace skewguard;

Now reading(Duration at, Duration wall) {
  return {.boot = Instant{at},
          .wall = WallTime{wall},
          .mono = MonotonicTime{at},
          .raw = RawTime{at},
          .gap = std::chrono::microseconds{1}};
}

void check(const clocks::SntpSample& sample) {
  fuzz::require(sample.server.low <= sample.server.high, "an interval has its ends in order");
  fuzz::require(
      sample.root_distance >= Duration{0} && sample.root_distance < std::chrono::seconds{16},
      "a root distance lies within 0 and 16 s");
  fuzz::require(sample.stratum >= 1 && sample.stratum <= 15, "a stratum is 1 to 15");
  clocks::SntpServer server;
  (void)server.observe(sample);
  fuzz::require(server.truth(sample.received)->low <= server.server(sample.received)->low,
                "the truth's interval holds the server's");
}

void check(const clocks::SntpRefusal& refusal) {
  fuzz::require(!refusal.why.empty(), "a refusal says why");
  fuzz::require(refusal.code.empty() == (refusal.kind != clocks::SntpRefusal::Kind::kiss),
                "a kiss has a code, and nothing else has");
  fuzz::require(std::ranges::all_of(refusal.code, [](char c) { return c > ' ' && c <= '~'; }),
                "a code can be shown");
}

}  // namespace

/// The packet; it answers the request that it says it answers.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kOriginAt = 24;
  std::uint64_t nonce = 1;
  if (size >= clocks::kSntpBytes) {
    nonce = 0;
    for (std::size_t i = 0; i < 8; ++i) nonce = nonce << 8U | data[kOriginAt + i];
  }
  for (const Duration wall :
       {Duration{0},
        Duration{std::chrono::sys_days{std::chrono::year{2100} / 1 / 1}.time_since_epoch()}}) {
    const Now sent = reading(std::chrono::seconds{10}, wall);
    const Now received = reading(std::chrono::hours{1}, wall);
    std::visit([](const auto& result) { check(result); },
               clocks::read_sntp({data, size}, nonce, sent, received));
    const auto other = clocks::read_sntp({data, size}, nonce + 1, sent, received);
    const auto* refusal = std::get_if<clocks::SntpRefusal>(&other);
    fuzz::require(refusal != nullptr && refusal->kind == clocks::SntpRefusal::Kind::not_ours,
                  "an answer to another request is not ours");
  }
  return 0;
}
