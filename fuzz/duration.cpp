#include "time/duration_text.hpp"

#include "fuzz.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace skewguard;
  constexpr Duration kHundredYears = std::chrono::days{36525};
  const auto text = fuzz::as_text(data, size);
  const auto duration = time::parse_duration(text);
  if (!duration) return 0;
  fuzz::require(std::chrono::abs(*duration) <= kHundredYears, "a duration is at most 100 years");
  const auto again = time::parse_duration(std::to_string(duration->count()) + "ns");
  fuzz::require(again == duration, "a duration reads back from its nanoseconds");
  fuzz::require(time::human(*duration).size() <= 12, "a duration reads short");  // "-59 min 59 s"
  return 0;
}
