#include "doctor/consensus.hpp"

#include <algorithm>
#include <utility>

#include "http/url.hpp"

namespace skewguard::doctor {
namespace {

/// Identifies the machine whose clock answers, whatever its names and ports. On this machine each
/// port counts by itself.
std::string keeper_of(const std::string& endpoint) {
  const auto colon = endpoint.rfind(':');
  if (colon == std::string::npos) return endpoint;
  const bool here = endpoint.starts_with("127.") || endpoint.starts_with("[::1]");
  return here ? "this machine" + endpoint.substr(colon) : endpoint.substr(0, colon);
}

/// Through a proxy the address of a name is not known.
std::string keeper_of(const ClockReading& reading) {
  const auto url = http::parse_url(reading.url);
  if (!url || reading.addresses.empty() || !reading.proxy.empty())
    return http::origin_of(reading.url);
  return keeper_of(http::endpoint_text(std::ranges::min(reading.addresses), url->port));
}

/// The first of several clocks of one machine.
std::vector<clocks::Source> one_of_each_keeper(const std::vector<clocks::Source>& sources) {
  std::vector<clocks::Source> result;
  for (const clocks::Source& source : sources) {
    const bool known = std::ranges::any_of(
        result, [&](const auto& other) { return other.keeper == source.keeper; });
    if (!known) result.push_back(source);
  }
  return result;
}

}  // namespace

std::optional<Testimony> testimony(std::string name, const ClockReading& reading,
                                   Duration tolerance) {
  if (!reading.has_one_time()) return std::nullopt;
  OffsetBound sure = *reading.hull;
  // A correct clock may be off by this much. (A hull that allows for a second clock is wider.)
  if (reading.alone) sure = {sure.low - tolerance / 2, sure.high + tolerance / 2};
  return Testimony{{std::move(name), sure, keeper_of(reading)}, *reading.bound};
}

std::optional<Testimony> testimony(const NtpReading& reading) {
  if (!reading.truth) return std::nullopt;
  return Testimony{{"NTP server " + reading.host, *reading.truth, keeper_of(reading.address)},
                   *reading.truth};
}

Consensus consensus(const Survey& survey) {
  Consensus known{.servers = std::vector<bool>(survey.servers.size()),
                  .ntp = std::vector<bool>(survey.ntp.size())};
  std::vector<clocks::Source> sure;
  std::vector<clocks::Source> shown;
  std::vector<std::vector<bool>::reference> wrong;
  const auto add = [&](std::optional<Testimony> testimony, std::vector<bool>::reference place) {
    if (!testimony) return;
    shown.push_back({testimony->sure.name, testimony->shown, testimony->sure.keeper});
    sure.push_back(std::move(testimony->sure));
    wrong.push_back(place);
  };
  for (std::size_t i = 0; i < survey.servers.size(); ++i)
    add(testimony(survey.servers[i].url, survey.servers[i]), known.servers[i]);
  for (std::size_t i = 0; i < survey.ntp.size(); ++i) add(testimony(survey.ntp[i]), known.ntp[i]);

  known.heard = shown.size();
  const auto blame = clocks::who_is_wrong(sure, survey.host.synchronized_within());
  known.local_wrong = blame.local_off.has_value();
  known.agreed = clocks::agree(one_of_each_keeper(shown), clocks::kTolerance).agreed;
  if (!known.agreed) known.agreed = blame.local_off;  // what shows the local clock to be wrong
  for (std::size_t i = 0; known.agreed && i < shown.size(); ++i) {
    const Duration off = clocks::distance(shown[i].bound, *known.agreed);
    if (off <= Duration{0}) ++known.agreeing;
    if (off <= clocks::kTolerance) continue;
    ++known.wrong;
    wrong[i] = true;
  }
  return known;
}

}  // namespace skewguard::doctor
