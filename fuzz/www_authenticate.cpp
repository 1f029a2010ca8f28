#include "http/www_authenticate.hpp"

#include "base/strings.hpp"
#include "fuzz.hpp"
#include "http/url.hpp"

/// Each line is one WWW-Authenticate field.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace skewguard;
  auto text = fuzz::as_text(data, size);
  Headers headers;
  while (!text.empty()) headers.add("WWW-Authenticate", std::string(fuzz::take_line(text)));
  const auto challenges = http::challenges(headers);
  std::size_t total = 0;
  for (const auto& [scheme, params] : challenges) {
    fuzz::require(http::valid_token(scheme) && scheme == to_lower(scheme), "a scheme is a token");
    total += scheme.size();
    for (const auto& [name, value] : params) {
      fuzz::require(http::valid_token(name), "a parameter's name is a token");
      fuzz::require(value.find_first_of("\r\n") == std::string::npos, "a value is one line");
      total += name.size() + value.size();
    }
  }
  fuzz::require(total <= size, "no more comes out than went in");
  bool bearer = false;
  for (const auto& challenge : challenges) bearer = bearer || challenge.scheme == "bearer";
  fuzz::require(http::bearer_error(challenges).has_value() == bearer,
                "a Bearer challenge is found");
  return 0;
}
