#include "http/retry_after.hpp"

#include "fuzz.hpp"

/// Lines are field values: Retry-After, Date, Retry-After, Date ...
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace skewguard;
  auto text = fuzz::as_text(data, size);
  Headers headers;
  for (bool retry_after = true; !text.empty(); retry_after = !retry_after) {
    headers.add(retry_after ? "Retry-After" : "Date", std::string(fuzz::take_line(text)));
  }
  const auto wait = http::retry_after(headers);
  fuzz::require(!wait || (*wait >= Duration{0} && *wait <= std::chrono::days{400}),
                "a wait lies within 0 and 400 days");
  return 0;
}
