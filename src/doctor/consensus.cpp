#include "doctor/consensus.hpp"

#include <utility>

#include "http/url.hpp"

namespace skewguard::doctor {
namespace {

/// What a server's clock tells of the time: a right one may be off by as much. (A hull that allows
/// for a second clock is wider than that anyhow.)
constexpr Duration kRightWithin = std::chrono::milliseconds{500};

}  // namespace

std::optional<Testimony> testimony(std::string name, const ClockReading& reading) {
  if (!reading.has_one_time()) return std::nullopt;
  OffsetBound sure = *reading.hull;
  if (reading.alone) sure = {sure.low - kRightWithin, sure.high + kRightWithin};
  return Testimony{{std::move(name), sure, http::origin_of(reading.url)}, *reading.bound};
}

std::optional<Testimony> testimony(const NtpReading& reading) {
  if (!reading.truth) return std::nullopt;
  return Testimony{{"NTP server " + reading.host, *reading.truth, reading.address}, *reading.truth};
}

Consensus consensus(const Survey& survey) {
  Consensus known{.servers = std::vector<bool>(survey.servers.size()),
                  .ntp = std::vector<bool>(survey.ntp.size())};
  std::vector<clocks::Source> sure;
  std::vector<clocks::Source> shown;
  std::vector<std::pair<std::vector<bool>*, std::size_t>> places;
  const auto add = [&](std::optional<Testimony> told, std::vector<bool>& all, std::size_t place) {
    if (!told) return;
    shown.push_back({told->sure.name, told->shown, told->sure.keeper});
    sure.push_back(std::move(told->sure));
    places.emplace_back(&all, place);
  };
  for (std::size_t i = 0; i < survey.servers.size(); ++i)
    add(testimony(survey.servers[i].url, survey.servers[i]), known.servers, i);
  for (std::size_t i = 0; i < survey.ntp.size(); ++i) add(testimony(survey.ntp[i]), known.ntp, i);

  const auto agreement = clocks::agree(shown, clocks::kTolerance);
  known.heard = shown.size();
  known.wrong = agreement.falsetickers.size();
  known.agreed = agreement.agreed;
  for (const std::size_t i : agreement.falsetickers) (*places[i].first)[places[i].second] = true;
  const auto blame = clocks::who_is_wrong(sure, survey.host.synchronised_within());
  known.local_wrong = blame.local_off.has_value();
  return known;
}

}  // namespace skewguard::doctor
