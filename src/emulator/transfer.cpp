#include "emulator/transfer.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>

#include "time/duration_text.hpp"

namespace skewguard::emulator {
namespace {

constexpr std::size_t kPage = 4096;

/// A page's bytes, the number at its begin included.
std::array<char, kPage> page_of(std::uint64_t number) {
  std::array<char, kPage> page{};
  page.fill('.');
  page.back() = '\n';
  std::array<char, 17> digits{};
  std::snprintf(digits.data(), digits.size(), "%016llx", static_cast<unsigned long long>(number));
  std::copy_n(digits.begin(), 16, page.begin());
  return page;
}

constexpr std::uint64_t kMaxDownload = std::uint64_t{1} << 50U;

/// A pause; none if the query does not name one.
std::optional<Duration> duration_of(const Parameters& query, std::string_view name) {
  if (count(query, name) > 1) return std::nullopt;
  const auto text = find(query, name);
  if (!text) return Duration::zero();
  const auto value = time::parse_duration(*text);
  return value && *value >= Duration::zero() && *value <= Pace::kMaxPause ? value : std::nullopt;
}

std::optional<Download::Framing> asked_framing(const Parameters& query) {
  if (count(query, "framing") > 1) return std::nullopt;
  const auto text = find(query, "framing").value_or("length");
  if (text == "length") return Download::Framing::length;
  if (text == "chunked") return Download::Framing::chunked;
  if (text == "close") return Download::Framing::close;
  return std::nullopt;
}

}  // namespace

std::optional<Pace> pace_of(const Parameters& query) {
  const auto piece = number_of(query, "piece", Pace::kUsual, 1, Pace::kMax);
  const auto pause = duration_of(query, "pause");
  if (!piece || !pause) return std::nullopt;
  return Pace{static_cast<std::size_t>(*piece), *pause};
}

std::optional<Download> download_of(const Parameters& query) {
  const auto size = number_of(query, "bytes", 0, 0, kMaxDownload);
  const auto framing = asked_framing(query);
  const auto pace = pace_of(query);
  if (!size || !framing || !pace) return std::nullopt;
  return Download{*size, *framing, *pace};
}

void fill_download(std::uint64_t from, char* to, std::size_t size) {
  while (size > 0) {
    const auto page = page_of(from / kPage);
    const auto begin = static_cast<std::size_t>(from % kPage);
    const auto part = std::min(size, kPage - begin);
    std::memcpy(to, page.data() + begin, part);
    from += part;
    to += part;
    size -= part;
  }
}

}  // namespace skewguard::emulator
