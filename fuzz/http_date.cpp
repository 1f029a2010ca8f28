#include "time/http_date.hpp"

#include "fuzz.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace skewguard;
  using std::chrono::seconds;
  constexpr std::size_t kImfLength = 29;
  const auto text = fuzz::as_text(data, size);
  for (const seconds today : {seconds{0}, seconds{1767225600}, seconds::max(), seconds::min()}) {
    const auto date = time::parse_http_date(text, today);
    if (!date) continue;
    const std::string written = time::format_http_date(*date);
    fuzz::require(written.size() == kImfLength, "an IMF-fixdate has 29 characters");
    fuzz::require(time::parse_http_date(written, today) == date, "a date reads back as written");
    fuzz::require(size != kImfLength || text[3] != ',' || written == text,
                  "an IMF-fixdate is written as it was read");
  }
  return 0;
}
